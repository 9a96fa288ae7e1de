# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # the runner and lib.sh set and use these
# The pipeline's file is one that GitLab reads; its build jobs run as they are written, on this engine and a registry of ours.
start_registry() {
  # Its package would start a service; only the program is wanted.
  (cd "$work" && apt-get download docker-registry && dpkg -x docker-registry_*.deb registry-package) || return 1
  printf 'hub:%s\n' '$2y$05$abcdefghijklmnopqrstuuSH6z3RK4B35inwAj7jA573guddFEv6q' >"$work/registry.users" # its password is "hub"
  printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "%s"}\nlog: {level: error}\nauth: {htpasswd: {realm: hub, path: %s}}\n' \
    "$work/registry" "$REGISTRY" "$work/registry.users" >"$work/registry.yml"
  "$work/registry-package/usr/bin/docker-registry" serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
  wait_until 20 "the registry answers" bash -c "exec 3<>/dev/tcp/${REGISTRY/://}"
}
install_gitlab() {
  local program
  # One by one: a Node.js from elsewhere comes with its npm and has no room for Debian's.
  for program in npm rsync; do
    command -v $program >/dev/null ||
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $program || return 1
  done
  npm install --silent --no-save --prefix "$work/npm" gitlab-ci-local@4.65.1 || return 1
  # A clone with a remote, as a runner has it; the engine is this one, not one in a container beside the job.
  (cd "$stack" && git init -q -b main . && git add -A && git -c user.name=hub -c user.email=hub@localhost commit -q -m hub &&
    git remote add origin git@gitlab.example:hub/mfi.git && sed '/^  services:/d' .gitlab-ci.yml >.gitlab-ci-here.yml)
}
gitlab() { # ARGUMENT...: jobs by their names, in a shell
  (cd "$stack" && "$work/npm/node_modules/.bin/gitlab-ci-local" --file .gitlab-ci-here.yml --force-shell-executor \
    --ignore-predefined-vars CI_REGISTRY,CI_REGISTRY_IMAGE --variable "CI_REGISTRY=$REGISTRY" --variable "CI_REGISTRY_IMAGE=$REGISTRY_URL" \
    --variable CI_REGISTRY_USER=hub --variable CI_REGISTRY_PASSWORD=hub "$@")
}
pushed() { # NODE TAG
  docker manifest inspect --insecure "$REGISTRY_URL/$1:$2"
}

REGISTRY=127.0.0.1:${MFI_REGISTRY_PORT:-15000}
REGISTRY_URL=$REGISTRY/hub
claim "a registry" start_registry
claim "what runs GitLab's jobs" install_gitlab
claim "GitLab's schema accepts .gitlab-ci.yml" gitlab --list
is "the jobs and their order" 'test:test build-primary:build build-replica:build deploy:deploy' \
  "$(gitlab --list-csv 2>/dev/null | awk -F ';' 'NR > 1 { print $1 ":" $3 }' | xargs)"
matches "they run on pushes to main only" 'CI_PIPELINE_SOURCE == "push" && \$CI_COMMIT_BRANCH == "main"' "$(grep -- '- if:' "$stack/.gitlab-ci.yml")"
claim "the build jobs" gitlab build-primary build-replica
commit=$(git -C "$stack" rev-parse HEAD)
for node in primary replica; do
  for tag in latest "$commit"; do claim "$node:$tag is in the registry" pushed $node "$tag"; done
done
# The same regression tests as in `make check`; here in the image of the job, which takes a while.
test_job() {
  local script
  script=$(sed -n '/^test:/,/^$/s/^    - //p' "$stack/.gitlab-ci.yml")
  docker run --rm -v "$stack:/from:ro" debian:trixie-slim bash -ec "cp -r /from /builds && cd /builds && $script"
}
matches "the test job" 'scripts/dev/check.sh regress$' "$(sed -n '/^test:/,/^$/p' "$stack/.gitlab-ci.yml")"
[ -z "${MFI_LONG:-}" ] || claim "the test job in its container" test_job
