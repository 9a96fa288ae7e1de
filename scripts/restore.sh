#!/bin/bash
# restore.sh [OPTION...] [SET]: restores a backup set, by default the newest verified one, into a new database.
#   --into NAME      name of the new database (default: <database>_restored_<time>); it must not exist, or be empty
#   --replace NAME   puts the restored database in the place of NAME; the old one stays beside it under another name
#   --globals        first the set's roles, less those of this stack (postgres, replicator, mfi_probe) and those that exist
#   --jobs N         parallel jobs of pg_restore (default: one per processor, at most 4)
# SET is an id of mfi_backups, or a directory. Which server: PGHOST, PGPORT and PGUSER, as for psql; it needs a superuser
# and the right to read the set. Stops at the first error; exit code 0 when every count is right.
set -euo pipefail
# shellcheck source=scripts/client.sh
. "$(dirname "$(readlink -f "$0")")/client.sh"
# shellcheck source=scripts/restore_sql.sh
. "$here/restore_sql.sh"

exists() { [ "$(query "SELECT count(*) FROM pg_database WHERE datname = :'name'" -d postgres -v name="$1")" = 1 ]; }

# A name and a suffix, together no longer than a database's name may be.
with_suffix() {
  local name=$1
  while [ "$(printf %s "$name$2" | wc -c)" -gt 63 ]; do name=${name%?}; done
  printf %s "$name$2"
}

options() { sed -n '2,/^set/s/^# //p' "$0"; }
usage() { die "$1" "$(options)"; }

into='' replace='' globals='' jobs='' set=latest
while [ $# -gt 0 ]; do
  case "$1" in
    --into | --replace | --jobs)
      [ -n "${2:-}" ] || usage "$1 needs a value"
      declare "${1#--}=$2"
      shift
      ;;
    --globals) globals=yes ;;
    -h | --help)
      options
      exit
      ;;
    -*) usage "there is no option $1" ;;
    *) set=$1 ;;
  esac
  shift
done
[ -z "$into" ] || [ -z "$replace" ] || usage "--into and --replace exclude each other"
[ -n "$jobs" ] || jobs=$(($(nproc) < 4 ? $(nproc) : 4))

if [[ "$set" != */* ]]; then
  backups=$(query 'SHOW mfi.backup_directory' -d postgres) ||
    die "the server does not tell where its backups are; nothing was restored" "Give the set's directory instead of its id: $0 /path/of/the/set"
  [ -f "$backups/$set/manifest.json" ] || die "there is no backup set $backups/$set; nothing was restored" "These are there:" "$(cd "$backups" && printf '%s\n' */)"
  set=$backups/$set
fi
[ -r "$set/manifest.json" ] || die "$set is not a backup set, or not for you to read; nothing was restored" "Run this as the server's user: sudo -u postgres $0 ..."
set=$(realpath -e "$set")
MANIFEST=$(<"$set/manifest.json")

echo "Set $(basename "$set")"
files=$(manifest "$FILES_SQL") || die "the manifest of $set cannot be read"
(cd "$set" && sha256sum --quiet -c <<<"$files") ||
  die "the set's files are not those of its manifest; nothing was restored" "Choose another set: $0 ID"
echo "Checksums: ok"
archive=$(manifest "$ARCHIVE_SQL")
source=$(manifest "SELECT m->'database'->>'name' FROM manifest")
at=$(date +%s)
name_by_time() {
  local stamp
  stamp=$(date -u -d "@$at" +%Y%m%dT%H%M%S)
  target=${into:-$(with_suffix "$source" "_restored_$stamp")}
  aside=$(with_suffix "$replace" "_before_$stamp")
}
name_by_time
# Another restore of this second has its name already.
while { [ -z "$into" ] && exists "$target"; } || exists "$aside"; do
  at=$((at + 1))
  name_by_time
done

if [ -n "$replace" ] && ! exists "$replace"; then
  die "there is no database \"$replace\" to replace; nothing was changed" "Without --replace the set is restored into a new one."
fi
# What an earlier, failed attempt left empty may be used again; anything else is not touched.
if [ -n "$into" ] && exists "$into"; then
  [ "$(query "$OBJECTS_SQL" -d "$(dbname "$into")")" = 0 ] || die "database \"$into\" is not empty; nothing was restored" \
    "Choose another name, or put the backup in its place: $0 --replace '$into' $(basename "$set")"
  query 'DROP DATABASE :"name"' -d postgres -v name="$into"
fi
if [ -n "$globals" ]; then
  roles=$(query 'SELECT quote_ident(rolname) FROM pg_roles' -d postgres)
  filter_globals "$roles" <"$set/globals.sql" | psql -X -q -1 -v ON_ERROR_STOP=1 -d postgres ||
    die "the roles could not be restored" "The line above says why. Without --globals roles stay as they are."
  echo "Roles: ok"
fi
create=$(manifest "$CREATE_SQL" -v target="$target")
properties=$(manifest "$PROPERTIES_SQL" -v target="$target") ||
  die "the properties of database $source cannot be set here" "A role is missing? Restore the roles too: $0 --globals ..."
query "$create" -d postgres || die "database \"$target\" could not be made" "A role is missing? Restore the roles too: $0 --globals ..."

echo "Restoring into database $target"
pg_restore -d "$(dbname "$target")" --exit-on-error -j "$jobs" "$set/$archive" ||
  die "the restore failed; database \"$target\" is left for you to look at" "Then: DROP DATABASE \"$target\""
query "$properties" -d postgres
tables=$(manifest "$TABLES_SQL")
counts=$(query "$(count_statements "$tables")" -d "$(dbname "$target")")
print_counts "$tables" "$counts" || die "the restored rows differ from the manifest; nothing was replaced" "Database \"$target\" is there to compare."
# Only now: a migration may move rows to other tables than those the manifest counts.
if [ "$(query "SELECT count(*) FROM pg_extension WHERE extname = 'mfi'" -d "$(dbname "$target")")" = 1 ]; then
  query 'SELECT mfi_migrate_schema()' -d "$(dbname "$target")"
fi
query 'ANALYZE' -d "$(dbname "$target")"

if [ -n "$replace" ]; then
  query "$SWAP_SQL" -d postgres -v old="$replace" -v aside="$aside" -v new="$target"
  echo "Database $replace is the restored one; the old one is $aside. When it is no longer needed:"
  echo "  DROP DATABASE \"$aside\""
else
  echo "Database $target is there. To put it in place of the live one: $0 --replace '$source' $(basename "$set")"
fi
