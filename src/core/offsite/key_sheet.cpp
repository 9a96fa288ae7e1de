#include "core/offsite/key_sheet.h"

#include "core/base/timestamp.h"

namespace mfi::core {
namespace {

constexpr char kHead[] =
    "KEY SHEET: THE COPIES OF DATABASE @database@\n"
    "Printed @printed@. Keep it where no machine of the bank is, and not beside\n"
    "the copies. Who has this page and the password has all rows of the bank.\n"
    "\n"
    "Repository   @repository@\n"
    "Cluster      @system@ (the tag system-@system@)\n"
    "Password     ______________________________________________________________\n"
    "             or where it is kept; on the nodes it is in\n"
    "             @password_file@\n";

constexpr char kVariable[] = "Key          @name@=__________________________________________\n";

constexpr char kSteps[] =
    "\n"
    "1. A new machine: Debian 13. As root:\n"
    "     apt-get install restic postgresql-@version@ lz4 zstd\n"
    "     install -d -o postgres -m 700 /srv/back\n"
    "     su postgres\n"
    "\n"
    "2. Where the copies are (the password into a file that only you can read):\n"
    "     cd /srv/back; umask 077\n"
    "     cat > password        # type it, then Enter and Ctrl-D\n"
    "     export RESTIC_REPOSITORY='@repository@'\n"
    "     export RESTIC_PASSWORD_FILE=$PWD/password\n"
    "@exports@"
    "     restic snapshots --tag mfi-set,system-@system@\n"
    "\n"
    "3. The newest proven backup (or an ID of the list in the place of latest):\n"
    "     restic restore latest --tag mfi-set,system-@system@ --target sets\n"
    "     set=$(ls -d sets/*_*Z | tail -n 1)\n"
    "     psql -d postgres -f \"$set\"/globals.sql\n"
    "     createdb -T template0 @database@\n"
    "     pg_restore -d @database@ \"$set\"/*.dump\n"
    "   Without mfi on this machine the last line names the extension mfi and its\n"
    "   triggers' functions (_mfi_...), which are missing. All rows are there.\n"
    "   With mfi, one line does it instead, and compares every table:\n"
    "     mfi restore --globals --into @database@ \"$PWD/$set\"\n";

constexpr char kRecovery[] =
    "\n"
    "4. Up to the last minutes, in the place of 3: a whole new server.\n"
    "     restic restore latest --tag mfi-recovery,system-@system@ --target stores\n"
    "   With mfi on this machine:\n"
    "     mfi recover --to latest --store stores --cluster $PWD/data\n"
    "   Without it:\n"
    "     store=$(ls -d $PWD/stores/*); base=$(ls -d $store/base/*-full | tail -n 1)\n"
    "     mkdir data; zstd -dc $base/base.tar.zst | tar -x -C data\n"
    "     cat > fetch <<'END'\n"
    "     for f in $1/*/$2 $1/*/$2.lz4 $1/*/$2.lz4.partial; do\n"
    "       test -f $f || continue\n"
    "       case $f in *.lz4*) lz4 -dcf $f > $3 ;; *) cp $f $3 ;; esac\n"
    "       case $f in *.partial) truncate -s @segment@ $3 ;; esac\n"
    "       exit\n"
    "     done; exit 1\n"
    "     END\n"
    "     echo 'local all all peer' > data/pg_hba.conf\n"
    "     echo \"restore_command = 'sh $PWD/fetch $store %f %p'\" > data/postgresql.conf\n"
    "     echo 'hot_standby = off' >> data/postgresql.conf\n"
    "     touch data/recovery.signal data/pg_ident.conf; rm -f data/postgresql.auto.conf\n"
    "   Other files OID.tar.zst in $base are tablespaces: unpack each where\n"
    "   data/tablespace_map names its OID. Then, with either:\n"
    "     /usr/lib/postgresql/@version@/bin/pg_ctl -D data -l log start\n"
    "   It is ready when the last line of the file log says so.\n";

void Put(std::string& text, const std::string& name, const std::string& value) {
  for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += value.size()) {
    text.replace(at, name.size(), value);
  }
}

}  // namespace

std::string FormatKeySheet(const KeySheet& sheet) {
  std::string text = kHead;
  std::string exports;
  for (const std::string& variable : sheet.variables) {
    std::string line = kVariable;
    Put(line, "@name@", variable);
    text += line;
    exports += "     export " + variable + "='...'\n";
  }
  text += kSteps;
  if (sheet.has_store) text += kRecovery;
  Put(text, "@exports@", exports);
  Put(text, "@database@", sheet.database);
  Put(text, "@printed@", FormatIso(sheet.printed_at).substr(0, 10));
  Put(text, "@repository@", sheet.repository);
  Put(text, "@system@", sheet.system_identifier);
  Put(text, "@password_file@", sheet.password_file);
  Put(text, "@version@", sheet.server_version);
  Put(text, "@segment@", std::to_string(sheet.segment_bytes));
  return text;
}

}  // namespace mfi::core
