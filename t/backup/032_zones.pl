# PostgreSQL's zone data as the schedule reads it: in every zone the server knows, a daily schedule gives the same
# moments as AT TIME ZONE, around each change of the clock.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use Test::More;

my $node = MfiNode->bank('bank');

# A daily time exists once, twice or never on a day. AT TIME ZONE of a time that the clock skips gives an instant whose
# local time is another one; the schedule then runs at the first instant after the gap. Of a time that comes twice the
# schedule takes the first: AT TIME ZONE may give either, so the reference looks an hour and more back.
$node->safe_psql('mfi_banking', <<'SQL');
CREATE TABLE zones AS
  SELECT name FROM pg_timezone_names WHERE name !~ '^posix' AND name <> 'Factory';
CREATE TABLE changes AS  -- local days within 2 days of a change of offset in 2026, per zone
  SELECT DISTINCT name, d::date + n AS day
    FROM zones, generate_series(timestamptz '2026-01-01 00:00+00', '2026-12-31 00:00+00', '1 day') d,
         generate_series(-2, 2) n
   WHERE (d AT TIME ZONE name) - (d AT TIME ZONE 'UTC')
      <> ((d + interval '1 day') AT TIME ZONE name) - ((d + interval '1 day') AT TIME ZONE 'UTC');
CREATE TABLE slots AS SELECT unnest(ARRAY['00:00', '01:30', '02:00', '02:30', '03:00', '23:45']) AS at;
CREATE FUNCTION reference(zone text, day date, at time) RETURNS timestamptz LANGUAGE sql AS $$
  SELECT coalesce(
    (SELECT min(t) FROM unnest(ARRAY[-7200, -3600, -1800, 0, 1800, 3600, 7200]) AS s,
        LATERAL (SELECT ((day + at) AT TIME ZONE zone) + make_interval(secs => s)) AS m(t)
      WHERE t AT TIME ZONE zone = day + at),
    -- skipped: the first minute whose local time is past it
    (SELECT min(t) FROM generate_series(((day + at) AT TIME ZONE zone) - interval '3 h',
        ((day + at) AT TIME ZONE zone) + interval '3 h', '1 min') AS t
      WHERE t AT TIME ZONE zone > day + at))
$$;
SQL
cmp_ok($node->sql('SELECT count(*) FROM zones'), '>', 400, 'the server knows its zones');
cmp_ok($node->sql('SELECT count(DISTINCT name) FROM changes'), '>', 100, 'and many of them change their clocks');
is($node->sql(<<'SQL'), '', 'every zone, around each change: the moments of AT TIME ZONE');
SELECT c.name, c.day, s.at, r.run_at, reference(c.name, c.day, s.at::time)
  FROM changes c, slots s,
       LATERAL mfi_backup_next_runs(1, format('%s %s * * *', split_part(s.at, ':', 2), split_part(s.at, ':', 1)), c.name,
                                    reference(c.name, c.day, s.at::time) - interval '1 s') r
 WHERE r.run_at <> reference(c.name, c.day, s.at::time)
    OR r.slot <> to_char(c.day + s.at::time, 'YYYY-MM-DD"T"HH24:MI')
 LIMIT 10
SQL
is($node->sql(<<'SQL'), '', 'every zone: one run per local day of the year');
SELECT z.name, count(*), count(DISTINCT r.slot)
  FROM zones z, LATERAL mfi_backup_next_runs(365, '30 2 * * *', z.name, (timestamp '2026-01-01 00:00' AT TIME ZONE z.name)) r
 WHERE r.slot < '2027'
 GROUP BY z.name HAVING count(*) <> 365 OR count(DISTINCT r.slot) <> 365
 LIMIT 10
SQL
$node->stop;
done_testing();
