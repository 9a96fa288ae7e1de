#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/lsn.h"
#include "core/base/time.h"

namespace mfi::core {

inline constexpr int kBaseFormat = 1;
inline constexpr char kBaseRecordName[] = "base.json";
inline constexpr std::int64_t kMaxBaseRecordBytes = std::int64_t{1024} * 1024;

struct BaseTablespace {
  std::uint32_t oid = 0;
  std::string location;

  friend bool operator==(const BaseTablespace&, const BaseTablespace&) = default;
};

/// base.json: a base backup in the store, full or incremental. Enough to list, check and use it without any server.
struct BaseRecord {
  std::string id;  // `20261126T030000Z-full`, `-incr`
  bool full = true;
  std::string parent;  // of an incremental one: what it builds on; else empty
  std::string node;
  std::string system_identifier;
  int server_major = 0;
  std::string server_version;
  std::int64_t segment_bytes = 0;  // of WAL
  std::string superuser;           // name of the bootstrap superuser
  std::string source_role;         // primary | standby
  std::uint32_t timeline = 0;      // in which it ended
  Lsn start = 0;                   // WAL from here to `end` is needed before it can be used
  Lsn end = 0;
  UtcSeconds started_at = 0;
  UtcSeconds finished_at = 0;
  std::int64_t data_bytes = 0;    // of the data directory that it holds, by its manifest
  std::int64_t stored_bytes = 0;  // of its files
  std::vector<BaseTablespace> tablespaces;
  std::vector<std::string> configuration;  // names in `configuration/`: copies of what lies outside the data directory
  std::optional<UtcSeconds> verified_at;   // pg_verifybackup found nothing
  std::optional<UtcSeconds> drilled_at;    // the last drill that recovered from it
  std::string drill_result;                // "ok", or what went wrong
  std::string remark;                      // why it is not what was wanted; empty otherwise

  friend bool operator==(const BaseRecord&, const BaseRecord&) = default;
};

std::string BaseId(UtcSeconds at, bool full);

/// Whether `text` can be such an id; then it is safe as the name of a file.
bool IsBaseId(std::string_view text);

/// One name of a file that is not hidden.
bool IsFileName(std::string_view text);

std::string ToJson(const BaseRecord& record);

/// Throws Error(kDataCorrupted) when the text is no such record of a format this version knows. What then becomes a
/// path is safe: id, parent, node and names of configuration are each one name, a tablespace's location is absolute and
/// leads nowhere else by `..`, or is `pg_tblspc/<oid>` (in place).
BaseRecord ParseBaseRecord(std::string_view json);

/// The bases that are combined to get `id`: a full one, then each that builds on the one before. Empty when one is
/// missing, or of another cluster.
std::vector<BaseRecord> ChainOf(const std::vector<BaseRecord>& bases, const std::string& id);

}  // namespace mfi::core
