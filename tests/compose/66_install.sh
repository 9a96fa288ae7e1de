# shellcheck shell=bash
# shellcheck disable=SC2154 # the runner and lib.sh set and use these
# docs/install.md on a Debian machine, from an installed extension to the verdict; its first line, make setup && make && sudo make install, is
# what every run of the tests begins with. A container has neither sudo nor systemd: these two words are stood in for. Then the demo.
installed=$(cat <<'SH'
set -e
sudo() { if [ "$1" = -u ]; then runuser -u "$2" -- "${@:3}"; else "$@"; fi; }
systemctl() { [ "$*" = "restart postgresql@17-main" ] && pg_ctlcluster 17 main "$(pg_ctlcluster 17 main status >/dev/null && echo restart || echo start)"; }
cd /
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
sudo pg_createcluster 17 main
sudo install -d -o postgres -g postgres -m 700 /var/backups/mfi
sudo ln -s /usr/lib/postgresql/17/bin/mfi /usr/bin/mfi
printf '%s\n' "shared_preload_libraries = 'mfi'" "mfi.database = 'mfi_banking'" "mfi.backup_directory = '/var/backups/mfi'" >/etc/postgresql/17/main/conf.d/mfi.conf
sudo systemctl restart postgresql@17-main
sudo -u postgres createdb mfi_banking
sudo -u postgres psql -d mfi_banking -c 'CREATE EXTENSION mfi CASCADE'
sudo -u postgres psql -d mfi_banking -xc 'SELECT * FROM mfi_health()'
sudo -u postgres env PGDATABASE=mfi_banking mfi backup
sudo -u postgres mfi restore
SH
)
said=$(docker run --rm --entrypoint bash --init mfi-primary -c "$installed" 2>&1) || true
matches "docs/install.md: from the packages to the verdict" 'verdict.* (ok|warning)' "$(tr '\n' ' ' <<<"$said")"
matches "and to a restored backup" 'succeeded: .*all equal' "$(tr '\n' ' ' <<<"$said")"
# make setup && make && sudo make install; make PG_CONFIG=/path/to/pg_config && sudo make install PG_CONFIG=/path/to/pg_config
pg_config=$(scripts/dev/find_pg_config.sh)
claim "make PG_CONFIG=... && make install PG_CONFIG=... installs the program and its manual" sh -c "
  make -s PG_CONFIG='$pg_config' && make -s install PG_CONFIG='$pg_config' DESTDIR='$work/installed' &&
  find '$work/installed' -path '*/man1/mfi.1' | grep . && find '$work/installed' -path '*/bin/mfi' | grep ."

demo_dir=/tmp/mfi-demo-$$ # where the user postgres may enter, too
demo() { MFI_DEMO_DIR=$demo_dir MFI_DEMO_PRIMARY_PORT=18108 MFI_DEMO_REPLICA_PORT=18109 "$@"; }
claim "make demo" demo make demo
claim "make demo-down" demo make demo-down
claim "leaves nothing behind" test ! -e "$demo_dir"
