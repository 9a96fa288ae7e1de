#!/bin/bash
# keycloak-sync.sh [OPTION...]: makes the groups of a portal or MFI what they are in its Keycloak realm, and imports the realm's
# events since the last time. It can be run as often as one likes.
#   --dry-run          tells what it would do, and writes nothing
#   --realm NAME       the realm (KEYCLOAK_REALM)
#   --portal ID        whose groups they are: portals.id, or
#   --mfi ID           mfi_clients.id; by default the one portal or MFI with that realm_id
#   --option NAME=JSON an option of mfi_sync_portal_groups, such as max_delete_ratio=1 or root_group_path='"/mfis/umoja"'
#   --groups, --events only that
# Environment: KEYCLOAK_URL, KEYCLOAK_REALM, KEYCLOAK_CLIENT_ID, KEYCLOAK_CLIENT_SECRET or KEYCLOAK_CLIENT_SECRET_FILE, KEYCLOAK_TOKEN_REALM (of
# the client; the realm), KEYCLOAK_CA_FILE, KEYCLOAK_PAGE (100), KEYCLOAK_TIMEOUT (30 s), KEYCLOAK_TRIES (5), KEYCLOAK_RETRY_DELAY (1 s, then doubled),
# KEYCLOAK_ANSWER_MB (16) and KEYCLOAK_TOTAL_MB (1024), more than which no answer and no run may be, KEYCLOAK_TOTAL_TIME (3600 s), longer than which
# Keycloak is not asked, KEYCLOAK_ALLOW_HTTP=yes for a KEYCLOAK_URL without TLS.
# Exit code: 0 all done, 1 something was not done, 2 wrong use, 3 done, but malformed events were left out.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
  exit "$1"
}

# Read while still root: the file may be out of reach afterwards.
secret_file=${KEYCLOAK_CLIENT_SECRET_FILE:-/run/secrets/keycloak_client_secret}
if [ -z "${KEYCLOAK_CLIENT_SECRET:-}" ] && [ -s "$secret_file" ]; then
  KEYCLOAK_CLIENT_SECRET=$(cat "$secret_file")
  export KEYCLOAK_CLIENT_SECRET
fi
# shellcheck source=scripts/client.sh
. "$here/client.sh"

realm=${KEYCLOAK_REALM:-} kind='' scope='' options='{}' parts='groups auth admin' dry_run=false
while [ $# -gt 0 ]; do
  case "$1" in
    --dry-run) dry_run=true ;;
    --groups) parts=groups ;;
    --events) parts='auth admin' ;;
    --realm) realm=${2:?--realm needs a name} && shift ;;
    --portal) kind=portal scope=${2:?--portal needs an id} && shift ;;
    --mfi) kind=mfi scope=${2:?--mfi needs an id} && shift ;;
    --option)
      if ! [[ "${2:-}" == ?*=?* ]] || ! options=$(jq -c --arg name "${2%%=*}" --argjson value "${2#*=}" '.[$name] = $value' <<<"$options" 2>/dev/null); then
        echo "--option needs NAME=JSON, such as max_delete_ratio=1" >&2
        exit 2
      fi
      shift
      ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
  esac
  shift
done
client=${KEYCLOAK_CLIENT_ID:-} secret=${KEYCLOAK_CLIENT_SECRET:-} url=${KEYCLOAK_URL:-}
unset KEYCLOAK_CLIENT_SECRET
for name in url:KEYCLOAK_URL realm:KEYCLOAK_REALM client:KEYCLOAK_CLIENT_ID secret:KEYCLOAK_CLIENT_SECRET; do
  variable=${name%:*}
  [ -n "${!variable}" ] || {
    say "${name#*:} is not set"
    echo "    See keycloak-sync.sh --help, and \"Keycloak\" in README.md." >&2
    exit 2
  }
done
url=${url%/} page=${KEYCLOAK_PAGE:-100} tries=${KEYCLOAK_TRIES:-5} delay=${KEYCLOAK_RETRY_DELAY:-1} timeout=${KEYCLOAK_TIMEOUT:-30}
answer_mb=${KEYCLOAK_ANSWER_MB:-16} total_mb=${KEYCLOAK_TOTAL_MB:-1024} total_time=${KEYCLOAK_TOTAL_TIME:-3600}
wrong() { # MESSAGE NEXT-STEP
  say "$1"
  echo "    $2" >&2
  exit 2
}
for number in "$page" "$tries" "$timeout" "$answer_mb" "$total_mb" "$total_time"; do
  [[ "$number" =~ ^[1-9][0-9]{0,5}$ ]] ||
    wrong "KEYCLOAK_PAGE, KEYCLOAK_TRIES, KEYCLOAK_TIMEOUT, KEYCLOAK_ANSWER_MB, KEYCLOAK_TOTAL_MB and KEYCLOAK_TOTAL_TIME must be whole numbers from 1, not \"$number\"" "Correct it."
done
[[ "$delay" =~ ^[0-9]{1,4}(\.[0-9]{1,4})?$ ]] || wrong "KEYCLOAK_RETRY_DELAY must be a number of seconds, not \"$delay\"" "Correct it."
# A line break would go on as another line of curl's configuration.
for name in url:KEYCLOAK_URL realm:KEYCLOAK_REALM client:KEYCLOAK_CLIENT_ID secret:KEYCLOAK_CLIENT_SECRET KEYCLOAK_TOKEN_REALM:KEYCLOAK_TOKEN_REALM KEYCLOAK_CA_FILE:KEYCLOAK_CA_FILE; do
  variable=${name%:*}
  if [[ "$(LC_ALL=C tr '\000-\037\177' '\n' <<<"${!variable:-}" && echo .)" == *$'\n'*$'\n.' ]]; then
    wrong "${name#*:} has a control character, such as a line break" "Correct it; nothing was asked."
  fi
done
# Without TLS whoever is on the way reads the secret and writes the groups.
case "$url" in
  https://?*) protocols="=https" ;;
  http://?*)
    [ "${KEYCLOAK_ALLOW_HTTP:-}" = yes ] || wrong "KEYCLOAK_URL is not https, so the client's secret would be sent in clear" "Give the address with https://, or set KEYCLOAK_ALLOW_HTTP=yes when nobody is on the way."
    protocols="=http,https"
    ;;
  *) wrong "KEYCLOAK_URL must begin with https://" "Correct it; nothing was asked." ;;
esac
encode() { jq -rn --arg text "$1" '$text | @uri'; }
admin=$url/admin/realms/$(encode "$realm")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
token='' deadline=$((SECONDS + total_time)) requests=0
max_requests=200000 max_levels=32

# fetch FILE CURL-ARGUMENT...: sets status; 000 when there was no answer in time, or too large a one. What is secret comes on standard input.
# Redirects are not followed. What curl may write is limited by the system, as a server need not say beforehand how much it sends.
fetch() {
  local file=$1 type size left=$((deadline - SECONDS))
  shift
  requests=$((requests + 1))
  [ "$left" -gt 0 ] ||
    die "Keycloak has not given all within $total_time s" "Does it answer without end, or slowly? If not, set KEYCLOAK_TOTAL_TIME higher. Nothing was written for this part."
  [ "$requests" -le "$max_requests" ] || die "Keycloak has not given all in $max_requests answers" "Does it answer without end? If not, set KEYCLOAK_PAGE higher. Nothing was written for this part."
  rm -f "$file"
  status=$(
    ulimit -f $((answer_mb * 1024))
    trap '' XFSZ
    exec curl -q -sS -g -K - --path-as-is --proto "$protocols" --max-redirs 0 --connect-timeout 10 --max-time $((timeout < left ? timeout : left)) ${KEYCLOAK_CA_FILE:+--cacert "$KEYCLOAK_CA_FILE"} \
      -H 'Accept: application/json' -o "$file" -w '%{http_code} %{content_type}' "$@" 2>"$work/error"
  ) || {
    size=$(stat -c %s "$file" 2>/dev/null) || size=0
    if [ "$size" -ge $((answer_mb * 1024 * 1024)) ]; then
      die "Keycloak's answer is larger than $answer_mb MB" "Set KEYCLOAK_PAGE lower, or KEYCLOAK_ANSWER_MB higher when its groups or events are that large."
    fi
    status=000
  }
  type=${status#* }
  status=${status%% *}
  [ "$status" != 200 ] || [[ "${type,,}" =~ ^application/json( *;.*)?$ ]] || {
    echo "the answer is not of the type application/json" >"$work/error"
    status=000
  }
  total=$((total + $(stat -c %s "$file" 2>/dev/null || echo 0)))
  [ "$total" -le $((total_mb * 1024 * 1024)) ] ||
    die "Keycloak sends more than $total_mb MB" "Does it answer without end? If not, set KEYCLOAK_TOTAL_MB higher. Nothing was written for this part."
}
total=0
# Whoever answers may have written it: nothing of it may move a terminal's cursor or begin another line of a log.
printable() { LC_ALL=C tr '\n\t' '  ' | LC_ALL=C tr -c '\040-\176' '?'; }
# The same of text that people read: letters of all languages stay, but not what controls, or turns the direction.
control='[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]'
plain() { jq -Rr --arg control "$control" 'gsub($control; "?")'; }
# ask SQL [PSQL-OPTION...]: query. What psql says may quote what Keycloak gave: it stays apart from the script's own lines.
ask() {
  local code=0
  query "$@" 2>"$work/said" || code=$?
  plain <"$work/said" | sed 's/^/    /' >&2
  return "$code"
}
reason() { if [ "$status" = 000 ]; then head -c 500 "$work/error" | printable; else echo "HTTP $status: $(head -c 300 "$1" 2>/dev/null | printable)"; fi; }
back_off() { sleep "$(awk -v d="$delay" -v n="$1" -v left=$((deadline - SECONDS)) 'BEGIN { t = d * 2 ^ (n - 1); if (t > left) t = left; print(t > 0 ? t : 0) }')"; }
config_line() { # NAME VALUE, quoted as curl's configuration wants it
  local value=${2//\\/\\\\}
  printf '%s = "%s"\n' "$1" "${value//\"/\\\"}"
}

log_in() {
  local attempt
  for ((attempt = 1; ; attempt++)); do
    fetch "$work/token" --data-urlencode grant_type=client_credentials --data-urlencode "client_id=$client" \
      "$url/realms/$(encode "${KEYCLOAK_TOKEN_REALM:-$realm}")/protocol/openid-connect/token" <<<"$(config_line data-urlencode "client_secret=$secret")"
    # A token is made of these characters (RFC 6750); with others it could become a line of curl's configuration.
    token=$(jq -rs 'select(length == 1) | .[0].access_token | strings | select(length <= 65536 and test("\\A[A-Za-z0-9._~+/-]+=*\\z"))' "$work/token" 2>/dev/null) || token=''
    if [ "$status" = 200 ] && [ -n "$token" ]; then return; fi
    case "$status" in
      200) die "what $url gives is no token" "Is KEYCLOAK_URL that of Keycloak itself? Nothing was written." ;;
      3??) die "$url leads elsewhere (HTTP $status), which is not followed" "Set KEYCLOAK_URL to the address where Keycloak itself answers." ;;
      400 | 401 | 403 | 404)
        die "Keycloak does not let the client $client in: $(reason "$work/token")" \
          "Check KEYCLOAK_URL, KEYCLOAK_TOKEN_REALM, KEYCLOAK_CLIENT_ID and its secret; the client needs \"Service accounts roles\"."
        ;;
    esac
    [ "$attempt" -lt "$tries" ] || die "no token from $url after $tries tries: $(reason "$work/token")" "Is Keycloak up, and is KEYCLOAK_URL right?"
    back_off "$attempt"
  done
}

# is_page FILE PATH: a list of objects that are not nested without end, in which what the next questions are made of is what it must be
is_page() {
  jq -es --arg path "$2" '
    def depth: if type == "array" or type == "object" then 1 + ([.[] | depth] | max // 0) else 0 end;
    def whole($largest): type == "number" and . >= 0 and . <= $largest and . == floor;
    def is_id: type == "string" and test("\\A[A-Za-z0-9._-]{1,255}\\z") and . != "." and . != "..";
    def is_group: type == "object" and (.id | is_id) and ((.subGroupCount // 0) | whole(1e6)) and ((.subGroups // []) | type == "array" and all(.[]; is_group));
    length == 1 and (.[0] | type == "array" and depth <= 64 and all(.[]; if $path | startswith("/groups") then is_group else type == "object" end))' \
    "$1" >/dev/null 2>&1
}

# get PATH FILE: one page of the admin API. Returns 4 when it does not exist; every other failure ends the part.
get() {
  local path=$1 file=$2 attempt=1 refused=0
  while :; do
    [ -n "$token" ] || log_in
    fetch "$file" "$admin$path" <<<"$(config_line header "Authorization: Bearer $token")"
    case "$status" in
      200) if is_page "$file" "$path"; then return 0; fi ;;
      3??) die "$path leads elsewhere (HTTP $status), which is not followed" "Set KEYCLOAK_URL to the address where Keycloak itself answers. Nothing was written for this part." ;;
      401)
        token='' refused=$((refused + 1))
        if [ "$refused" -le 2 ]; then continue; fi
        die "Keycloak refuses every token for $path" "$(reason "$file")"
        ;;
      403) die "the client $client may not read $path" "Its service account needs the roles query-groups and view-users (groups) and view-events (events) of realm-management." ;;
      404) return 4 ;;
      408 | 429 | 5?? | 000) ;;
      *) die "Keycloak does not answer $path: $(reason "$file")" "Nothing was written for this part." ;;
    esac
    [ "$attempt" -lt "$tries" ] || die "no answer to $path after $tries tries: $(reason "$file")" "Nothing was written for this part. Run it again when Keycloak is well."
    say "try $attempt of $path: $(reason "$file")"
    back_off "$attempt"
    attempt=$((attempt + 1))
  done
}

# A server or proxy that ignores "first" would answer for ever.
moves_on() {
  ! cmp -s "$work/page" "$work/page.before" || die "Keycloak answers the same page again and again" "Does a proxy before it drop what follows the question mark?"
  cp "$work/page" "$work/page.before"
}

# read_groups FILE: one reading of every group, a line for each. Sets whole: not when something was gone or missing meanwhile.
read_groups() {
  whole=yes
  local first=0 count id children received level=1
  : >"$work/parents"
  : >"$1"
  rm -f "$work/page.before"
  while :; do
    get "/groups?first=$first&max=$page&briefRepresentation=false" "$work/page" || die "there is no realm $realm at $url" "Check KEYCLOAK_URL and KEYCLOAK_REALM."
    count=$(jq length "$work/page")
    [ "$count" -gt 0 ] || break
    moves_on
    add_groups '' "$1"
    first=$((first + count))
  done
  while [ -s "$work/parents" ]; do
    level=$((level + 1))
    [ "$level" -le "$max_levels" ] || die "the groups of realm $realm are nested deeper than $max_levels levels" "Does Keycloak answer without end? Nothing was written."
    mv "$work/parents" "$work/level"
    : >"$work/parents"
    while read -r id children; do
      received=0
      while [ "$received" -lt "$children" ]; do
        get "/groups/$id/children?first=$received&max=$page&briefRepresentation=false" "$work/page" || echo '[]' >"$work/page"
        count=$(jq length "$work/page")
        if [ "$count" = 0 ]; then
          whole=''
          return
        fi
        moves_on
        add_groups "$id" "$1"
        received=$((received + count))
      done
    done <"$work/level"
  done
}
add_groups() { # PARENT FILE: the groups of a page; those with children that are not in it are to be asked for
  jq -c --arg parent "$1" '.[] | del(.access) | if $parent == "" then . else .parentId //= $parent end
    | if .realmRoles then .realmRoles |= sort else . end | if .clientRoles then .clientRoles |= map_values(sort) else . end' "$work/page" >>"$2"
  jq -r '.[] | select((.subGroupCount // 0) > 0 and (.subGroups // [] | length) == 0) | "\(.id | @uri) \(.subGroupCount)"' "$work/page" >>"$work/parents"
}

# Pages are not of one moment: a group that goes while they are read moves others to a page that was read already. So the
# groups are read until two readings in a row are the same.
take_snapshot() {
  local reading whole
  rm -f "$work/before"
  for ((reading = 1; reading <= 6; reading++)); do
    read_groups "$work/groups"
    if [ -n "$whole" ]; then
      jq -cS . "$work/groups" | LC_ALL=C sort >"$work/now"
      if [ -f "$work/before" ] && cmp -s "$work/before" "$work/now"; then
        jq -s . "$work/groups" >"$work/snapshot"
        return
      fi
      mv "$work/now" "$work/before"
    else
      rm -f "$work/before"
    fi
    [ "$reading" -lt 2 ] || say "the groups changed while they were read: reading them again"
  done
  die "the groups of realm $realm change all the time" "Nothing was written. Run it again when nobody edits them."
}

find_scope() {
  local found
  [ -z "$kind" ] || return 0
  found=$(ask "SELECT 'portal', id, name FROM portals WHERE realm_id = :'realm' UNION ALL SELECT 'mfi', id, name FROM mfi_clients WHERE realm_id = :'realm'" -v realm="$realm")
  case "$(grep -c . <<<"$found")" in
    1) IFS=$'\x1f' read -r kind scope _ <<<"$found" ;;
    0) die "no portal and no MFI has the realm_id $realm" "Insert it first, or name one by --portal or --mfi." ;;
    *) die "several portals or MFIs have the realm_id $realm" "Name one by --portal or --mfi, and its part by --option root_group_path='\"/…\"':" "${found//$'\x1f'/ }" ;;
  esac
}

groups() {
  find_scope
  take_snapshot
  options=$(jq -c --argjson dry_run "$dry_run" '.dry_run = $dry_run' <<<"$options")
  # shellcheck disable=SC2016
  ask '\set groups `cat :'"'file'"'`
    SELECT mfi_sync_'"$kind"'_groups(:'"'scope'"', :'"'groups'"', :'"'options'"')' -v file="$work/snapshot" -v scope="$scope" -v options="$options" >"$work/report" ||
    die "the groups of realm $realm were not synced" "The lines above say why. Nothing was written."
  jq -r --arg realm "$realm" --arg control "$control" 'def printable: if type == "string" then gsub($control; "?") elif type == "array" or type == "object" then map_values(printable) else . end; printable |
    "Groups of realm \($realm), \(.kind) \(.scope_id): \(.outcome)\(if .options.dry_run then " (dry run)" else "" end)",
    "  " + ([.counts | to_entries[] | select(.value > 0) | "\(.value) \(.key | gsub("_"; " "))"] | join(", ")),
    (.items[:50][] | "  \(.class | gsub("_"; " ")) \(if .old.path and .new.path then "\(.old.path) -> \(.new.path)" else (.new.path // .old.path // .id) end)"),
    (if (.items | length) > 50 then "  and \((.items | length) - 50) more, in mfi.sync_runs" else empty end),
    (.replaced[] | "  \(.name) was deleted and made anew: members are not carried over"),
    (if .affected_users > 0 then "  \(.affected_users) users are in groups that were deleted" else empty end),
    (.warnings[:50][] | "  warning: \(.message)"), (.errors[:50][] | "  error: \(.path_in_input): \(.message)")' "$work/report"
  jq -e '.outcome != "refused"' "$work/report" >/dev/null || exit 1
}

# import_events NAME PATH TABLE: newest first from Keycloak, oldest first into the database, so that an import that is cut
# short leaves no gap behind its newest event.
import_events() {
  local name=$1 path=$2 table=$3 first=0 count oldest since=0 chunk new=0 known=0 bad=0
  : >"$work/events"
  : >"$work/malformed"
  rm -f "$work/page.before"
  while :; do
    get "$path?first=$first&max=$page" "$work/page" || die "there is no realm $realm at $url" "Check KEYCLOAK_URL and KEYCLOAK_REALM."
    count=$(jq length "$work/page")
    [ "$count" -gt 0 ] || break
    moves_on
    jq -e '(.[0].time? // 0) >= (.[-1].time? // 0)' "$work/page" >/dev/null || die "the $name events do not come newest first" "Nothing of them was imported."
    # An hour back: events of several Keycloak nodes do not arrive in order.
    [ "$first" -gt 0 ] || since=$(ask "SELECT coalesce(floor(extract(epoch FROM max(event_time) - interval '1 hour') * 1000), 0)
      FROM $table WHERE realm_id = :'realm' AND event_time BETWEEN now() - interval '35 days' AND now()" -v realm="$(jq -r '[.[].realmId? // empty][0] // ""' "$work/page")")
    jq -c '.[]' "$work/page" >>"$work/events"
    # No time that a shell cannot count, and an event that has none is malformed.
    oldest=$(jq -r '[.[].time? // empty | numbers | select(. >= 0 and . < 1e15)] | min // 0 | floor' "$work/page")
    [ "$oldest" -ge "$since" ] || break
    first=$((first + count))
  done
  if [ "$dry_run" = true ]; then
    echo "${name^} events of realm $realm: $(grep -c . "$work/events" || true) read, nothing imported (dry run)"
    return
  fi
  rm -f "$work"/chunk.*
  tac "$work/events" | split -a 6 -l 5000 - "$work/chunk."
  for chunk in "$work"/chunk.*; do
    [ -s "$chunk" ] || continue
    jq -s . "$chunk" >"$work/array"
    # shellcheck disable=SC2016
    ask '\set events `cat :'"'file'"'`
      SELECT mfi_import_'"$name"'_events(:'"'events'"')' -v file="$work/array" >"$work/report" ||
      die "the $name events of realm $realm were not imported" "The lines above say why. Older ones are in; run it again for the others."
    new=$((new + $(jq .inserted "$work/report"))) known=$((known + $(jq .known "$work/report"))) bad=$((bad + $(jq .malformed "$work/report")))
    jq -r --arg control "$control" --slurpfile events "$work/array" '.errors[] | "  malformed: \(.path_in_input | sub("^[^]]*][.]?"; "")) \(.message): \($events[0][.index] | tostring | .[:200])" | gsub($control; "?")' "$work/report" >>"$work/malformed"
  done
  echo "${name^} events of realm $realm: $new new, $known known, $bad malformed"
  cat "$work/malformed"
  [ "$bad" = 0 ] || exit 42 # no program ends with that by itself
}

# Each part in a process of its own: what ends one does not end the others. Its errors end it, so that it stands in no condition.
result=0
for part in $parts; do
  set +e
  (
    set -e
    case $part in
      groups) groups ;;
      auth) import_events auth /events user_auth_logs ;;
      admin) import_events admin /admin-events admin_event_logs ;;
    esac
  )
  code=$?
  set -e
  case $code in
    0) ;;
    42) [ "$result" = 1 ] || result=3 ;;
    *) result=1 ;;
  esac
done
exit $result
