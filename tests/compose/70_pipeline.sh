# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# The deploy job, as it is written, brings a directory here to a version of the registry's images; and what a server needs by hand.
deploy_job() { gitlab deploy --variable "DB_PASSWORD=$password" --variable "MFI_HUB_DIR=$hub"; }
release() { # TAG [LINE-OF-DOCKERFILE...]: both images with these lines more
  local tag=$1 node
  shift
  for node in primary replica; do
    printf '%s\n' "FROM mfi-$node" "$@" | docker build -q -t "$REGISTRY_URL/$node:$tag" - >/dev/null &&
      docker push -q "$REGISTRY_URL/$node:$tag" >/dev/null || return 1
  done
}
# Lines of a Dockerfile: extension version 99.0, and then one whose script is $1.
VERSION_99='RUN cd /usr/share/postgresql/17/extension && v=$(sed -n "s/^default_version = .\([0-9.]*\).*/\1/p" mfi.control) && \
  sed -i "s/^default_version.*/default_version = '"'99.0'"'/" mfi.control && echo "COMMENT ON EXTENSION mfi IS '"'updated'"';" >mfi--$v--99.0.sql'
VERSION_99_1='RUN cd /usr/share/postgresql/17/extension && sed -i s/99.0/99.1/ mfi.control && echo "SELECT 1 / 0;" >mfi--99.0--99.1.sql'
deploy() { # TAG [TIMEOUT]: the job's script
  CI_REGISTRY_IMAGE=$REGISTRY_URL CI_COMMIT_SHA=$1 DB_PASSWORD=$password MFI_HUB_DIR=$hub MFI_DEPLOY_TIMEOUT=${2:-180} \
    "$stack/scripts/ci/deploy.sh"
}
by_hand() { # what docs/containers.md says for a server, in this directory, typed at a terminal
  local text
  text=$(sed -n '\|^cd /opt/mfi-hub$|,/^```$/p' "$stack/docs/containers.md" | sed '$d')
  [ "$text" = "cd /opt/mfi-hub
export REGISTRY_URL=registry.example/group/mfi DB_PASSWORD='...'
docker login registry.example
docker compose pull
docker compose up -d" ] || { echo "$text" && return 1; }
  text=$(sed -e "s|/opt/mfi-hub|$hub|" -e "s|registry.example/group/mfi|$REGISTRY_URL|" -e "s|registry.example|$REGISTRY|" -e "s|'\.\.\.'|'$password'|" <<<"$text")
  docker logout "$REGISTRY" >/dev/null
  printf '%s\n' "$text" >"$work/by_hand.sh"
  printf 'hub\nhub\n' | MFI_IMAGE_TAG=$commit script -qec "bash -e $work/by_hand.sh" /dev/null
}
running() { docker inspect -f '{{.Config.Image}}' "$COMPOSE_PROJECT_NAME-db-primary-1"; }

hub=$work/mfi-hub
password='of the server'
export MFI_PRIMARY_PORT=$PRIMARY_PORT MFI_REPLICA_PORT=$REPLICA_PORT
matches "without the directory the deployment says who must own it" 'is not a directory this user may write to' "$(deploy_job 2>&1 || true)"
mkdir "$hub"
claim "the deploy job, for the first time" deploy_job
is "runs the commit's image" "$REGISTRY_URL/primary:$commit" "$(running)"
primary "INSERT INTO portals (name, realm_id, client_id) VALUES ('Before', 'before', 'web')" >/dev/null
claim "docs/containers.md's commands for a server: docker login, docker compose pull, docker compose up -d" by_hand
is "leave it running" "$REGISTRY_URL/primary:$commit Before" "$(running) $(primary 'SELECT name FROM portals')"

claim "version 2 is pushed" release v2 "$VERSION_99"
claim "is deployed" deploy v2
is "runs" "$REGISTRY_URL/primary:v2" "$(running)"
is "updated the extension" 99.0 "$(primary "SELECT extversion FROM pg_extension WHERE extname = 'mfi'")"
is "took a verified backup before" ok "$(primary "SELECT verify_result FROM mfi_backups WHERE note = 'before v2'")"
is "kept the rows" Before "$(primary 'SELECT name FROM portals')"

claim "a version whose update fails is pushed" release v3 "$VERSION_99" "$VERSION_99_1"
failed=$(deploy v3 2>&1) || true
matches "its deployment stops there" 'division by zero.*the update of the database to v3 failed; it is left as it is' "${failed//$'\n'/ }"
is "and goes no way back by itself" "$REGISTRY_URL/primary:v3" "$(running)"
primary "INSERT INTO portals (name, realm_id, client_id) VALUES ('After', 'after', 'web')" >/dev/null
back=$(grep -oE '(mv compose.yaml.previous|MFI_IMAGE_TAG=v2 docker compose up|docker compose exec db-backup /restore.sh) .*' <<<"$failed")
is "it prints the three commands that lead back" 3 "$(grep -c . <<<"$back")"
claim "as they stand" env "REGISTRY_URL=$REGISTRY_URL" "DB_PASSWORD=$password" bash -ec "cd '$hub'; $back"
is "they lead back" "$REGISTRY_URL/primary:v2 99.0 Before" \
  "$(running) $(primary "SELECT extversion || ' ' || (SELECT string_agg(name, ',') FROM portals) FROM pg_extension WHERE extname = 'mfi'")"

claim "a version that never gets healthy is pushed" release v4 'HEALTHCHECK --interval=1s CMD false'
matches "its deployment fails and brings the previous one back" 'v4 did not get healthy; .*v2 runs again' "$(deploy v4 20 2>&1 && echo SUCCEEDED)"
is "version 2 runs" "$REGISTRY_URL/primary:v2" "$(running)"
is "with the rows" Before "$(primary 'SELECT name FROM portals')"
matches "a version that is not in the registry changes nothing" 'nothing was changed' "$(deploy v5 2>&1 || true)"
is "version 2 still runs" "$REGISTRY_URL/primary:v2" "$(running)"
