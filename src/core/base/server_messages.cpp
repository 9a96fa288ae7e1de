#include "core/base/server_messages.h"

namespace mfi::core {
namespace {

// `*` stands for anything. The first that fits is shown.
constexpr std::string_view kPatterns[] = {
    // what a restore or a dump meets: constraints and values
    R"(insert or update on table "*" violates foreign key constraint "*")",
    R"(update or delete on table "*" violates foreign key constraint "*" on table "*")",
    R"(new row for relation "*" violates check constraint "*")",
    R"(check constraint "*" of relation "*" is violated by some row)",
    R"(duplicate key value violates unique constraint "*")",
    R"(could not create unique index "*")",
    R"(could not create exclusion constraint "*")",
    R"(conflicting key value violates exclusion constraint "*")",
    R"(null value in column "*" of relation "*" violates not-null constraint)",
    R"(column "*" of relation "*" contains null values)",
    R"(no partition of relation "*" found for row)",
    R"(new row for relation "*" violates partition constraint)",
    R"(partition constraint of relation "*" is violated by some row)",
    R"(value for domain * violates check constraint "*")",
    R"(domain * does not allow null values)",
    R"(value too long for type *)",
    R"(invalid input syntax for type *)",
    R"(invalid input value for enum *)",
    R"(value "*" is out of range for type *)",
    R"(* out of range)",
    R"(numeric field overflow)",
    R"(division by zero)",
    R"(date/time field value out of range: *)",
    R"(invalid byte sequence for encoding "*": *)",
    R"(character with byte sequence * in encoding "*" has no equivalent in encoding "*")",
    R"(missing data for column "*")",
    R"(extra data after last expected column)",
    R"(new row violates row-level security policy for table "*")",
    R"(cannot execute * in a read-only transaction)",
    // objects
    R"(relation "*" does not exist)",
    R"(column "*" of relation "*" does not exist)",
    R"(column "*" does not exist)",
    R"(column * does not exist)",
    R"(type "*" does not exist)",
    R"(function * does not exist)",
    R"(operator does not exist: *)",
    R"(schema "*" does not exist)",
    R"(role "*" does not exist)",
    R"(database "*" does not exist)",
    R"(tablespace "*" does not exist)",
    R"(language "*" does not exist)",
    R"(collation "*" for encoding "*" does not exist)",
    R"(collation "*" does not exist)",
    R"(access method "*" does not exist)",
    R"(extension "*" does not exist)",
    R"(extension "*" is not available)",
    R"(extension "*" has no installation script nor update path for version "*")",
    R"(required extension "*" is not installed)",
    R"(could not open extension control file "*": No such file or directory)",
    R"(could not access file "*": No such file or directory)",
    R"(could not load library "*": *)",
    R"(must be loaded via "shared_preload_libraries")",
    R"(could not find function "*" in file "*")",
    R"(relation "*" already exists)",
    R"(schema "*" already exists)",
    R"(type "*" already exists)",
    R"(role "*" already exists)",
    R"(extension "*" already exists)",
    R"(function "*" already exists with same argument types)",
    R"(constraint "*" for relation "*" already exists)",
    R"(could not create locale "*": *)",
    R"(locale "*" does not exist)",
    R"(unrecognized configuration parameter "*")",
    R"(invalid value for parameter "*": *)",
    R"(syntax error at or near "*")",
    R"(cache lookup failed for * *)",
    R"(could not open relation with OID *)",
    // rights
    R"(permission denied for *)",
    R"(permission denied to *)",
    R"(must be owner of *)",
    R"(must be superuser to *)",
    R"(must be able to SET ROLE "*")",
    R"(access to non-system * is restricted)",
    // sessions and servers
    R"(canceling statement due to conflict with recovery)",
    R"(terminating connection due to conflict with recovery)",
    R"(canceling statement due to lock timeout)",
    R"(canceling statement due to statement timeout)",
    R"(canceling statement due to user request)",
    R"(terminating connection due to administrator command)",
    R"(terminating connection due to idle-in-transaction timeout)",
    R"(terminating connection due to transaction timeout)",
    R"(terminating connection because of crash of another server process)",
    R"(could not obtain lock on relation "*")",
    R"(deadlock detected)",
    R"(the database system is starting up)",
    R"(the database system is shutting down)",
    R"(the database system is in recovery mode)",
    R"(the database system is not yet accepting connections)",
    R"(sorry, too many clients already)",
    R"(too many connections for *)",
    R"(remaining connection slots are reserved for *)",
    R"(password authentication failed for user "*")",
    R"(Peer authentication failed for user "*")",
    R"(Ident authentication failed for user "*")",
    R"(no pg_hba.conf entry for *)",
    R"(pg_hba.conf rejects connection for *)",
    R"(role "*" is not permitted to log in)",
    R"(database "*" is not currently accepting connections)",
    R"(invalid snapshot identifier: "*")",
    R"(could not import the requested snapshot)",
    // a server that does not start
    R"(could not create lock file "*": *)",
    R"(could not create any Unix-domain sockets)",
    R"(could not map anonymous shared memory: *)",
    R"(could not create shared memory segment: *)",
    R"(could not create semaphores: *)",
    R"(data directory "*" has wrong ownership)",
    R"(data directory "*" has invalid permissions)",
    R"(database files are incompatible with server)",
    // a base backup that cannot be made, or cannot build on another one
    R"(manifest requires WAL from * timeline * starting at *, but that timeline begins at *)",
    R"(manifest requires WAL from final timeline * ending at *, but this backup starts at *)",
    R"(manifest requires WAL from * timeline * ending at *, but this server switched timelines at *)",
    R"(timeline * found in manifest, but not in this server's history)",
    R"(WAL summaries are required on timeline * from * to *, but no summaries for that timeline and LSN range exist)",
    R"(WAL summaries are required on timeline * from * to *, but the summaries for that timeline and LSN range are incomplete)",
    R"(WAL summarization is not progressing)",
    R"(incremental backups cannot be taken unless WAL summarization is enabled)",
    R"(system identifier in backup manifest is *, but database system identifier is *)",
    R"(the standby was promoted during online backup)",
    R"(WAL generated with "full_page_writes=off" was replayed *)",
    R"(number of requested standby connections exceeds "max_wal_senders" (*))",
    // room and memory
    R"(could not extend file "*": No space left on device)",
    R"(could not write to file "*": No space left on device)",
    R"(could not write file "*": No space left on device)",
    R"(could not write block * of temporary file: No space left on device)",
    R"(could not create file "*": No space left on device)",
    R"(could not resize shared memory segment "*" to * bytes: No space left on device)",
    R"(*: No space left on device)",
    R"(*: Cannot allocate memory)",
    R"(*: Input/output error)",
    R"(could not open file "*": No such file or directory)",
    R"(could not open file "*": Permission denied)",
    R"(could not read block * in file "*": *)",
    R"(invalid page in block * of relation *)",
    R"(missing chunk number * for toast value * in *)",
    R"(unexpected chunk number *)",
    R"(invalid memory alloc request size *)",
    R"(out of memory)",
    R"(out of shared memory)",
    R"(temporary file size exceeds "temp_file_limit" (*))",
    R"(stack depth limit exceeded)",
    R"(current transaction is aborted, commands ignored until end of transaction block)",
};

bool Fits(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t tried = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      tried = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++tried;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

std::string KnownServerMessage(std::string_view message) {
  for (const std::string_view pattern : kPatterns) {
    if (!Fits(pattern, message)) continue;
    std::string words;
    for (const char c : pattern) words += c == '*' ? std::string("...") : std::string(1, c);
    return words;
  }
  return {};
}

}  // namespace mfi::core
