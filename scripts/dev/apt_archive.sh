# shellcheck shell=bash
# Reads the machine's own apt sources, in both their formats.

# apt_archive SUITE: prints "URI SIGNED-BY" of the first binary source that offers component main of SUITE.
# SIGNED-BY is a file name, or "-" where the source names none. Prints nothing when there is no such source.
apt_archive() {
  local suite=$1 list
  for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ ! -f "$list" ] || awk -v suite="$suite" '
      $1 == "deb" {
        key = "-"
        if (match($0, /\[[^]]*\]/)) {
          options = substr($0, RSTART + 1, RLENGTH - 2)
          $0 = substr($0, 1, RSTART - 1) substr($0, RSTART + RLENGTH)
          if (match(options, /signed-by=[^ ]*/)) key = substr(options, RSTART + 10, RLENGTH - 10)
        }
        if ($3 == suite) for (i = 4; i <= NF; i++) if ($i == "main") print $2, key
      }' "$list"
  done | head -n 1 | grep . && return
  for list in /etc/apt/sources.list.d/*.sources; do
    [ ! -f "$list" ] || awk -v suite="$suite" '
      function has(words, word, n, i, w) { n = split(words, w, " "); for (i = 1; i <= n; i++) if (w[i] == word) return 1 }
      function stanza() {
        if (has(f["types"], "deb") && has(f["suites"], suite) && has(f["components"], "main") && f["enabled"] !~ /^no/) {
          split(f["uris"], uri, " ")
          print uri[1], (f["signed-by"] ~ /^\/[^ ]*$/ ? f["signed-by"] : "-")
        }
        delete f
      }
      /^#/ { next }
      /^[[:space:]]*$/ { stanza(); next }
      /^[[:space:]]/ { f[name] = f[name] " " $0; next }
      { name = tolower($1); sub(/:.*/, "", name); value = $0; sub(/^[^:]*:[[:space:]]*/, "", value); f[name] = value }
      END { stanza() }' "$list"
  done | head -n 1
}
