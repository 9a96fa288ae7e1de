#!/bin/bash
# restore.sh [OPTION...] [SET]: restores a backup set, by default the newest verified one, into a new database.
#   --into NAME      name of the new database (default: <database>_restored_<time>); it must not exist, or be empty
#   --replace NAME   puts the restored database in the place of NAME; the old one stays beside it under another name
#   --globals        first the set's roles, less those of this stack (postgres, replicator) and those that exist
#   --jobs N         parallel jobs of pg_restore (default: one per processor, at most 4)
# SET is an id of mfi_backups, or a directory. Stops at the first error; exit code 0 when every count is right.
set -euo pipefail
# shellcheck source=scripts/client.sh
. /usr/local/lib/mfi/client.sh
# shellcheck source=scripts/restore_sql.sh
. /usr/local/lib/mfi/restore_sql.sh

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

[[ "$set" == */* ]] || set=/backups/$set
[ -f "$set/manifest.json" ] || die "$set is not a backup set" "These are there:" "$(cd /backups && printf '%s\n' */)"
set=$(realpath -e "$set")
MANIFEST=$(<"$set/manifest.json")

echo "Set $(basename "$set")"
files=$(manifest "$FILES_SQL") || die "the manifest of $set cannot be read"
(cd "$set" && sha256sum --quiet -c <<<"$files") ||
  die "the set's files are not those of its manifest; nothing was restored" "Choose another set: /restore.sh ID"
echo "Checksums: ok"
archive=$(manifest "$ARCHIVE_SQL")
source=$(manifest "SELECT m->'database'->>'name' FROM manifest")
stamp=$(date -u +%Y%m%dT%H%M%S)
target=${into:-${source}_restored_$stamp}

if [ -n "$globals" ]; then
  roles=$(query 'SELECT quote_ident(rolname) FROM pg_roles' -d postgres)
  filter_globals "$roles" <"$set/globals.sql" | psql -X -q -1 -v ON_ERROR_STOP=1 -d postgres ||
    die "the roles could not be restored" "The line above says why. Without --globals roles stay as they are."
  echo "Roles: ok"
fi

if [ -n "$replace" ] && [ "$(query "SELECT count(*) FROM pg_database WHERE datname = :'name'" -d postgres -v name="$replace")" = 0 ]; then
  die "there is no database \"$replace\" to replace" "Without --replace the set is restored into a new one."
fi
# What an earlier, failed attempt left empty may be used again; anything else is not touched.
if [ -n "$into" ] && [ "$(query "SELECT count(*) FROM pg_database WHERE datname = :'name'" -d postgres -v name="$into")" != 0 ]; then
  [ "$(query "$OBJECTS_SQL" -d "$(dbname "$into")")" = 0 ] || die "database \"$into\" is not empty; nothing was restored" \
    "Choose another name, or put the backup in its place: /restore.sh --replace '$into' $(basename "$set")"
  query 'DROP DATABASE :"name"' -d postgres -v name="$into"
fi
create=$(manifest "$CREATE_SQL" -v target="$target")
properties=$(manifest "$PROPERTIES_SQL" -v target="$target") ||
  die "the properties of database $source cannot be set here" "A role is missing? Restore the roles too: /restore.sh --globals ..."
query "$create" -d postgres || die "database \"$target\" could not be made" "A role is missing? Restore the roles too: /restore.sh --globals ..."

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
  query "$SWAP_SQL" -d postgres -v old="$replace" -v aside="${replace}_before_$stamp" -v new="$target"
  echo "Database $replace is the restored one; the old one is ${replace}_before_$stamp. When it is no longer needed:"
  echo "  DROP DATABASE \"${replace}_before_$stamp\""
else
  echo "Database $target is there. To put it in place of the live one: /restore.sh --replace $source $(basename "$set")"
fi
