#!/bin/bash
# Brings the stack in /opt/mfi-hub to one version of the images: the deploy job of .gitlab-ci.yml, on the server itself.
# Environment: REGISTRY_URL and MFI_IMAGE_TAG (in the pipeline CI_REGISTRY_IMAGE and CI_COMMIT_SHA), DB_PASSWORD;
# MFI_HUB_DIR and MFI_DEPLOY_TIMEOUT (seconds until both nodes must be healthy) may be given.
# Until ALTER EXTENSION UPDATE a failure brings the previous version back; after it the script stops and says how to
# restore the backup it took.
set -euo pipefail
HUB=${MFI_HUB_DIR:-/opt/mfi-hub}
TIMEOUT=${MFI_DEPLOY_TIMEOUT:-600}
export REGISTRY_URL=${REGISTRY_URL:-${CI_REGISTRY_IMAGE:?it is empty: export REGISTRY_URL=address of the images}}
export MFI_IMAGE_TAG=${MFI_IMAGE_TAG:-${CI_COMMIT_SHA:?it is empty: export MFI_IMAGE_TAG=version of the images}}
export DB_PASSWORD=${DB_PASSWORD:?it is empty: make it a masked, protected variable of the project, or export it}
new_file=$(cd "$(dirname "$0")/../.." && pwd)/compose.yaml
new_tag=$MFI_IMAGE_TAG

say() { echo "deploy: $*"; }
fail() {
  say "FAILED: $1" >&2
  shift
  [ $# = 0 ] || printf '        %s\n' "$@" >&2
  exit 1
}

# The tag that runs now; empty before the first deployment.
running_tag() {
  local container
  [ -f compose.yaml ] || return 0
  container=$(docker compose ps -aq db-primary)
  [ -z "$container" ] || docker inspect -f '{{.Config.Image}}' "$container" | sed 's/.*://'
}

# Both nodes: running, in their role, accepting connections. A failed backup or a lagging replica is not asked for here.
up_and_healthy() {
  docker compose up -d --remove-orphans --wait --wait-timeout "$TIMEOUT" db-primary db-replica && docker compose up -d
}

back_to_previous() { # REASON
  [ -n "$previous" ] || fail "$1" "This was the first deployment: there is nothing to go back to. docker compose logs says more."
  say "$1: going back to $previous"
  docker compose logs --tail 30 db-primary db-replica >&2 || true
  mv compose.yaml.previous compose.yaml
  MFI_IMAGE_TAG=$previous
  up_and_healthy || fail "$previous does not get healthy either" "docker compose ps and docker compose logs say more."
  fail "version $new_tag did not get healthy; $previous runs again"
}

nodes_are_well() {
  docker compose exec -T db-primary sh -c '/health.sh node; test $? -le 1' &&
    docker compose exec -T db-replica sh -c '/health.sh node; test $? -le 1'
}

[ -w "$HUB/." ] || fail "$HUB is not a directory this user may write to" \
  "As root, once: install -d -o $(id -un) $HUB"
cd "$HUB"
mkdir -p backups recovery
previous=$(running_tag)
backup=
if [ -n "$previous" ]; then
  say "a backup before $new_tag (running: $previous)"
  backup=$(docker compose exec -T db-backup /backup.sh "before $new_tag" | tee /dev/stderr | sed -n 's/^backup //p') ||
    fail "no backup, no deployment: nothing was changed" "docker compose exec db-backup /health.sh backup says more."
  cp compose.yaml compose.yaml.previous
fi
cp "$new_file" compose.yaml
if ! docker compose pull -q; then
  [ -z "$previous" ] || mv compose.yaml.previous compose.yaml
  fail "the images of $new_tag cannot be pulled from $REGISTRY_URL; nothing was changed" "Is this user logged in? docker login ..."
fi
say "starting $new_tag"
up_and_healthy || back_to_previous "$new_tag did not get healthy within $TIMEOUT s"

say "mfi upgrade"
if ! { upgraded=$(docker compose exec -T db-backup mfi upgrade) && nodes_are_well; }; then
  fail "the update of the database to $new_tag failed; it is left as it is" \
    ${previous:+"To go back, with REGISTRY_URL and DB_PASSWORD exported, in $HUB:
        mv compose.yaml.previous compose.yaml
        MFI_IMAGE_TAG=$previous docker compose up -d --wait
        docker compose exec db-backup /restore.sh --replace mfi_banking $backup"}
fi
say "done: $new_tag, $upgraded"
