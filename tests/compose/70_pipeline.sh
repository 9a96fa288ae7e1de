# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# The pipeline's file is one that GitLab reads, and its deploy job does what it says, on a registry and a directory here.
validate() {
  command -v npm >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends npm || return 1
  npm install --silent --no-save --prefix "$work/npm" gitlab-ci-local@4.55.0 || return 1
  (cd "$stack" && git init -q -b main . && git remote add origin git@gitlab.example:hub/mfi.git &&
    "$work/npm/node_modules/.bin/gitlab-ci-local" --list)
}
claim "GitLab's schema accepts .gitlab-ci.yml" validate
matches "the deploy job runs the script below" 'scripts/ci/deploy.sh' "$(sed -n '/^deploy:/,$p' "$stack/.gitlab-ci.yml")"

start_registry() {
  # Its package would start a service; only the program is wanted.
  (cd "$work" && apt-get download docker-registry && dpkg -x docker-registry_*.deb registry-package) || return 1
  printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:%s"}\nlog: {level: error}\n' \
    "$work/registry" "$REGISTRY_PORT" >"$work/registry.yml"
  "$work/registry-package/usr/bin/docker-registry" serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
  wait_until 20 "the registry answers" bash -c "exec 3<>/dev/tcp/127.0.0.1/$REGISTRY_PORT"
}
release() { # TAG [LINE-OF-DOCKERFILE...]: both images with these lines more
  local tag=$1 node
  shift
  for node in primary replica; do
    printf '%s\n' "FROM mfi-$node" "$@" | docker build -q -t "$REGISTRY_URL/$node:$tag" - >/dev/null &&
      docker push -q "$REGISTRY_URL/$node:$tag" >/dev/null || return 1
  done
}
deploy() { # TAG
  CI_REGISTRY_IMAGE=$REGISTRY_URL CI_COMMIT_SHA=$1 DB_PASSWORD=$password MFI_HUB_DIR=$hub MFI_DEPLOY_TIMEOUT=${2:-180} \
    "$stack/scripts/ci/deploy.sh"
}
running() { docker inspect -f '{{.Config.Image}}' "$COMPOSE_PROJECT_NAME-db-primary-1"; }

REGISTRY_PORT=${MFI_REGISTRY_PORT:-15000}
REGISTRY_URL=127.0.0.1:$REGISTRY_PORT/hub
hub=$work/mfi-hub
compose down -v -t 20 >/dev/null 2>&1
password='of the server'
export MFI_PRIMARY_PORT=$PRIMARY_PORT MFI_REPLICA_PORT=$REPLICA_PORT
claim "a registry" start_registry
claim "docker login" docker login -u ci -p ci "127.0.0.1:$REGISTRY_PORT"
claim "version 1 is pushed" release v1
matches "without the directory the deployment says who must own it" 'is not a directory this user may write to' "$(deploy v1 2>&1 || true)"
mkdir "$hub"
claim "the first deployment" deploy v1
primary "INSERT INTO portals (name, realm_id, client_id) VALUES ('Before', 'before', 'web')" >/dev/null

claim "the same by hand: docker compose pull, docker compose up -d" bash -c \
  "cd '$hub' && export REGISTRY_URL=$REGISTRY_URL DB_PASSWORD='$password' MFI_IMAGE_TAG=v1 && docker compose pull && docker compose up -d"
claim "version 2 is pushed" release v2 \
  "RUN d=/usr/share/postgresql/17/extension && sed -i s/1.1/1.2/ \$d/mfi.control && echo \"COMMENT ON EXTENSION mfi IS 'updated';\" >\$d/mfi--1.1--1.2.sql"
claim "is deployed" deploy v2
is "runs" "$REGISTRY_URL/primary:v2" "$(running)"
is "updated the extension" 1.2 "$(primary "SELECT extversion FROM pg_extension WHERE extname = 'mfi'")"
is "took a verified backup before" ok "$(primary "SELECT verify_result FROM mfi_backups WHERE note = 'before v2'")"
is "kept the rows" Before "$(primary 'SELECT name FROM portals')"

claim "a version that never gets healthy is pushed" release v3 'HEALTHCHECK --interval=1s CMD false'
matches "its deployment fails and brings the previous one back" 'v3 did not get healthy; .*v2 runs again' "$(deploy v3 30 2>&1 && echo SUCCEEDED)"
is "version 2 runs" "$REGISTRY_URL/primary:v2" "$(running)"
is "with the rows" Before "$(primary 'SELECT name FROM portals')"
matches "a version that is not in the registry changes nothing" 'nothing was changed' "$(deploy v4 2>&1 || true)"
is "version 2 still runs" "$REGISTRY_URL/primary:v2" "$(running)"
