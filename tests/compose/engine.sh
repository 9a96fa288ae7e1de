# shellcheck shell=bash
# shellcheck disable=SC2154 # the runner sets work
# A Docker engine with Compose v2: the one that runs, else Debian's own, started here with its data in a directory of
# ours and stopped at the end; and the base image of the Dockerfiles.
# shellcheck source=scripts/dev/apt_archive.sh
. scripts/dev/apt_archive.sh
BASE=debian:trixie-slim

engine_packages() {
  local version candidate
  version=$(docker compose version --short 2>/dev/null || true)
  if [[ "${version#v}" =~ ^([2-9]|[1-9][0-9]) ]] && command -v dockerd >/dev/null && docker buildx version >/dev/null 2>&1 &&
    command -v mmdebstrap >/dev/null && command -v jq >/dev/null; then
    return
  fi
  say "installing a Docker engine, Compose v2, mmdebstrap and jq"
  apt-get update -q >/dev/null
  candidate=$(apt-cache policy docker-compose | sed -n 's/ *Candidate: //p')
  # Compose v2 is in Debian since 13; on 12 it comes from there, with an engine of its age.
  local -a from=()
  dpkg --compare-versions "$candidate" ge 2 || from=(-t trixie)
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${from[@]}" \
    docker.io docker-cli docker-compose docker-buildx iptables >"$work/apt.log" 2>&1 || { tail -n 20 "$work/apt.log"; return 1; }
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends mmdebstrap jq ca-certificates >>"$work/apt.log" 2>&1
}

# The engine that answers, else the one that start_engine will start.
engine_address() {
  docker info >/dev/null 2>&1 || export DOCKER_HOST=unix://$work/engine/docker.sock
}

start_engine() {
  if docker info >/dev/null 2>&1; then
    say "using the engine that runs"
    return
  fi
  say "starting a Docker engine of our own in $work/engine"
  mkdir -p "$work/engine"
  # shellcheck disable=SC2016
  setsid bash -c 'echo $$ >"$0/leader.pid" && exec dockerd -H "$DOCKER_HOST" --data-root "$0/data" --exec-root "$0/exec" --pidfile "$0/docker.pid"' \
    "$work/engine" >"$work/engine/log" 2>&1 &
  wait_until 60 "the engine answers" docker info || { tail -n 20 "$work/engine/log"; return 1; }
}

stop_engine() {
  [ ! -f "$work/engine/leader.pid" ] || end_group "$(<"$work/engine/leader.pid")"
}

# From the registry where one can be reached, else made from the machine's own package archive.
base_image() {
  local archive suite uri
  ! docker image inspect "$BASE" >/dev/null 2>&1 || return 0
  ! timeout 30 docker pull -q "$BASE" >/dev/null 2>&1 || return 0
  for suite in trixie bookworm; do
    archive=$(apt_archive $suite)
    [ -z "$archive" ] || break
  done
  uri=${archive%% *}
  say "making the base image $BASE, as none can be pulled"
  # What dpkg leaves out there, and how it writes, is as in Debian's own slim images.
  mmdebstrap --variant=minbase --include=ca-certificates --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    trixie "$work/base.tar" "$uri" >"$work/mmdebstrap.log" 2>&1 || { tail -n 20 "$work/mmdebstrap.log"; return 1; }
  docker import -q "$work/base.tar" "$BASE" >/dev/null 2>&1 || docker import "$work/base.tar" "$BASE" >/dev/null
  rm -f "$work/base.tar"
}
