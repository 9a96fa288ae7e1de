-- A believable microfinance hub: the same rows on every run, with the dates of the last months; the newest is of this hour.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL timezone = 'UTC';
SELECT setseed(0.2024) \g /dev/null
-- The events go on from here until now.
SELECT date_trunc('hour', now()) - interval '26 days 16 hours' AS start \gset

CREATE TEMP TABLE first_name ON COMMIT DROP AS
SELECT * FROM unnest(ARRAY['Aline', 'Amani', 'Beatrice', 'Chanda', 'Chipo', 'Claudine', 'Daudi', 'Esther', 'Fatuma', 'Grace',
    'Innocent', 'Jabulani', 'Joseph', 'Kagiso', 'Kwame', 'Lindiwe', 'Mwila', 'Neema', 'Olivier', 'Patience', 'Rehema', 'Samuel',
    'Tadiwa', 'Thandiwe', 'Upendo', 'Wanjiru', 'Yusuf', 'Zodwa']) WITH ORDINALITY AS t(name, n);
CREATE TEMP TABLE last_name ON COMMIT DROP AS
SELECT * FROM unnest(ARRAY['Banda', 'Chirwa', 'Dlamini', 'Gondwe', 'Habimana', 'Kamau', 'Kimani', 'Lungu', 'Maseko', 'Moyo',
    'Mugisha', 'Mukamana', 'Mwale', 'Ncube', 'Ndlovu', 'Nkosi', 'Ochieng', 'Okello', 'Phiri', 'Tembo', 'Uwimana', 'Were', 'Zulu'])
    WITH ORDINALITY AS t(name, n);

-- Portals of the hub, each a realm with its groups.
INSERT INTO portals (id, name, description, realm_id, client_id, prod_url, on_prod, is_active, created_on)
SELECT md5('portal' || i)::uuid, p.name, p.description, p.realm, p.realm || '-web', 'https://' || p.realm || '.example', i < 4, i < 5,
       timestamptz :'start' - interval '146 days' + interval '8 hours' + i * interval '3 days'
FROM (VALUES (1, 'Hub Console', 'Operators of the hub', 'hub'), (2, 'Supervision', 'Regulators read their reports', 'supervision'),
             (3, 'Partner Desk', 'Support of the member institutions', 'partners'), (4, 'Training', 'Courses for new staff', 'training'),
             (5, 'Legacy Console', 'Replaced by Hub Console', 'legacy')) AS p(i, name, description, realm);

INSERT INTO portal_groups (id, iam_group_id, name, description, group_path, parent_iam_group_id, created_on)
SELECT md5('portal_group' || p.realm_id || g.name)::uuid, md5('portal_iam' || p.realm_id || g.name)::uuid, g.name,
       g.name || ' of ' || p.name, '/' || p.realm_id || '/' || g.name, NULL, p.created_on
FROM portals p CROSS JOIN (VALUES ('admins'), ('operators'), ('auditors')) AS g(name);

INSERT INTO portal_users (id_iam, username, fname, lname, email, email_verified, last_login_at, id_group, created_on)
SELECT md5('portal_user' || i)::uuid, lower(f.name || '.' || l.name || i), f.name, l.name, lower(f.name || '.' || l.name) || i || '@hub.example',
       random() < 0.9, timestamptz :'start' + random() * interval '26 days', g.iam_group_id,
       timestamptz :'start' - interval '132 days' + interval '8 hours' + i * interval '5 hours'
FROM generate_series(1, 400) AS i
JOIN first_name f ON f.n = 1 + i * 7 % 28
JOIN last_name l ON l.n = 1 + i * 5 % 23
JOIN (SELECT iam_group_id, row_number() OVER (ORDER BY group_path) AS n FROM portal_groups) g ON g.n = 1 + i % 15;

INSERT INTO user_groups (user_id, group_id, assigned_on)
SELECT id_iam, id_group, created_on FROM portal_users ORDER BY id;
INSERT INTO user_groups (user_id, group_id, assigned_by, assigned_on)
SELECT u.id_iam, g.iam_group_id, md5('portal_user1')::uuid, u.created_on + interval '1 day'
FROM portal_users u JOIN (SELECT iam_group_id, row_number() OVER (ORDER BY group_path) AS n FROM portal_groups) g ON g.n = 1 + (u.id + 4) % 15
WHERE u.id % 3 = 0
ON CONFLICT DO NOTHING;

-- Member institutions, their groups, users and platforms.
INSERT INTO mfi_clients (id, name, schema, realm_id, client_id, id_country, location, address, expected_clients, branches, id_type, is_active,
                         created_at, created_by)
SELECT md5('mfi' || i)::uuid, c.town || ' ' || k.kind, 'mfi_' || lower(replace(c.town, ' ', '_')), lower(replace(c.town, ' ', '-')),
       lower(replace(c.town, ' ', '-')) || '-app', c.country, c.town, i || ' Market Street', 2000 + (random() * 80000)::bigint,
       1 + (random() * 30)::int, k.id, i % 12 <> 0, timestamptz :'start' - interval '142 days' + interval '9 hours' + i * interval '2 days', md5('portal_user' || 1 + i % 5)::uuid
FROM unnest(ARRAY['Kigali', 'Huye', 'Lilongwe', 'Blantyre', 'Mzuzu', 'Nairobi', 'Kisumu', 'Mombasa', 'Kampala', 'Gulu', 'Arusha', 'Dodoma',
                  'Mwanza', 'Lusaka', 'Ndola', 'Kitwe', 'Harare', 'Bulawayo', 'Gaborone', 'Maun', 'Windhoek', 'Oshakati', 'Durban', 'Polokwane'],
            ARRAY[1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10]) WITH ORDINALITY AS c(town, country, i)
JOIN (VALUES (1, 'Savings'), (2, 'Microfinance'), (3, 'Finance Trust'), (4, 'Credit'), (5, 'Cooperative')) AS k(id, kind) ON k.id = 1 + i % 5;

INSERT INTO mfi_groups (id, iam_group_id, id_mfi, name, description, group_path, created_on)
SELECT md5('mfi_group' || m.id || g.name)::uuid, md5('mfi_iam' || m.id || g.name)::uuid, m.id, g.name, g.name || ' of ' || m.name,
       '/' || m.realm_id || '/' || g.name, m.created_at
FROM mfi_clients m CROSS JOIN (VALUES ('managers'), ('loan officers'), ('tellers')) AS g(name);

INSERT INTO mfi_users (id_iam, id_mfi, username, fname, lname, email, email_verified, temp_lock, last_login_at, id_group, created_at, created_by)
SELECT md5('mfi_user' || i)::uuid, g.id_mfi, lower(f.name || '.' || l.name || i), f.name, l.name,
       lower(f.name || '.' || l.name) || i || '@' || g.realm || '.example', random() < 0.8, random() < 0.02,
       timestamptz :'start' + random() * interval '26 days', g.iam_group_id, timestamptz :'start' - interval '92 days' + interval '8 hours' + i * interval '1 hour',
       md5('portal_user' || 1 + i % 20)::uuid
FROM generate_series(1, 1500) AS i
JOIN first_name f ON f.n = 1 + i * 11 % 28
JOIN last_name l ON l.n = 1 + i * 3 % 23
JOIN (SELECT iam_group_id, id_mfi, split_part(group_path, '/', 2) AS realm, row_number() OVER (ORDER BY group_path) AS n FROM mfi_groups) g
    ON g.n = 1 + i % 72;

INSERT INTO digital_platforms (id, name, id_type, is_active, current_version, last_app_update)
SELECT md5('platform' || i)::uuid, p.name, i, i <> 5, p.version, timestamptz :'start' - interval '17 days' + interval '10 hours' - i * interval '9 days'
FROM (VALUES (1, 'Hub Mobile', '4.2.1'), (2, 'Hub Web', '7.0.3'), (3, 'Star 150', '2.8'), (4, 'Open API', '1.12.0'), (5, 'Text Banking', '3.1'),
             (6, 'Agent Point', '5.5.2')) AS p(i, name, version);
INSERT INTO mfi_platforms (mfi_id, platform_id, assigned_by, assigned_on, status)
SELECT m.id, p.id, md5('portal_user2')::uuid, m.created_at + interval '10 days', (random() * 2)::int
FROM mfi_clients m CROSS JOIN digital_platforms p
WHERE random() < 0.45;

-- Four weeks of events. Some are of last month, for which there is no partition yet: the worker makes it within seconds.
INSERT INTO user_auth_logs (iam_event_id, iam_user_id, event_type, client_id, realm_id, session_id, ip_address, error, event_time, details)
SELECT md5('event' || i)::uuid, md5('mfi_user' || 1 + (random() * 1499)::int)::uuid,
       (ARRAY['LOGIN', 'LOGIN', 'LOGIN', 'LOGOUT', 'REFRESH_TOKEN', 'LOGIN_ERROR'])[1 + i % 6], 'hub-web', md5('realm' || i % 24)::uuid,
       md5('session' || i / 3)::uuid, '10.' || i % 24 || '.' || i % 200 || '.' || 1 + i % 250, CASE WHEN i % 6 = 5 THEN 'invalid_user_credentials' END,
       timestamptz :'start' + i * interval '12 minutes', jsonb_build_object('auth_method', 'openid-connect', 'attempt', 1 + i % 3)
FROM generate_series(1, 3200) AS i;
INSERT INTO admin_event_logs (event_id, realm_id, auth_details, operation_type, resource_type, created_on)
SELECT md5('admin_event' || i)::uuid, md5('realm' || i % 24)::uuid, jsonb_build_object('userId', md5('portal_user' || 1 + i % 20)::uuid),
       (ARRAY['CREATE', 'UPDATE', 'DELETE'])[1 + i % 3], (ARRAY['USER', 'GROUP_MEMBERSHIP'])[1 + i % 2],
       timestamptz :'start' + i * interval '80 minutes'
FROM generate_series(1, 450) AS i;
INSERT INTO user_activity_logs (user_id, event_type_id, ip_address, details, event_time)
SELECT md5('portal_user' || 1 + i % 400)::uuid, 1 + i % 10, '10.0.0.' || 1 + i % 250, jsonb_build_object('portal', 'hub'),
       timestamptz :'start' + i * interval '25 minutes'
FROM generate_series(1, 1500) AS i;
INSERT INTO mfi_user_activity_logs (user_id, event_type_id, ip_address, details, event_time)
SELECT md5('mfi_user' || 1 + i % 1500)::uuid, 1 + i % 10, '10.1.0.' || 1 + i % 250, jsonb_build_object('branch', 1 + i % 9),
       timestamptz :'start' + i * interval '15 minutes'
FROM generate_series(1, 2400) AS i;
COMMIT;
ANALYZE;
