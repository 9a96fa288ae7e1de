#include "core/recovery/base_record.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "core/base/json_fields.h"

namespace mfi::core {
namespace {

constexpr std::string_view kFullSuffix = "-full";
constexpr std::string_view kIncrementalSuffix = "-incr";
constexpr std::size_t kStampLength = 16;
constexpr std::size_t kSuffixLength = 5;
constexpr std::size_t kLongestName = 255;
constexpr std::int64_t kSmallestSegment = std::int64_t{1024} * 1024;
constexpr std::int64_t kLargestSegment = std::int64_t{1024} * 1024 * 1024;

[[noreturn]] void Refuse(const std::string& what) { throw Error(sqlstate::kDataCorrupted, what); }

void Require(bool holds, const char* name, const char* wanted) {
  if (!holds) json::WrongType(name, wanted);
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool IsLocation(const BaseTablespace& tablespace) {
  const std::string& location = tablespace.location;
  if (location == "pg_tblspc/" + std::to_string(tablespace.oid)) return true;
  return location.starts_with('/') && !HasControl(location) && (location + "/").find("/../") == std::string::npos;
}

bool IsSystemIdentifier(std::string_view text) {
  return !text.empty() && text.size() <= 20 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool IsSegmentSize(std::int64_t bytes) {
  return bytes >= kSmallestSegment && bytes <= kLargestSegment &&
         std::has_single_bit(static_cast<std::uint64_t>(bytes));
}

json::Json TablespacesToJson(const std::vector<BaseTablespace>& tablespaces) {
  json::Json list = json::Json::array();
  for (const BaseTablespace& tablespace : tablespaces) {
    list.push_back({{"oid", tablespace.oid}, {"location", tablespace.location}});
  }
  return list;
}

std::uint32_t ReadUnsigned(const json::Json& object, const char* name) {
  std::int64_t value = 0;
  json::Read(object, name, value);
  Require(value > 0 && value <= std::numeric_limits<std::uint32_t>::max(), name, "a positive 32-bit number");
  return static_cast<std::uint32_t>(value);
}

std::int64_t ReadBytes(const json::Json& object, const char* name) {
  std::int64_t value = -1;
  json::Read(object, name, value);
  Require(value >= 0, name, "a number of bytes");
  return value;
}

Lsn ReadLsn(const json::Json& object, const char* name) {
  std::string text;
  json::Read(object, name, text);
  const Lsn lsn = ParseLsn(text).value_or(0);
  Require(lsn != 0, name, "a position in the WAL");
  return lsn;
}

UtcSeconds ReadNeededTime(const json::Json& object, const char* name) {
  std::optional<UtcSeconds> at;
  json::ReadTime(object, name, at);
  Require(at.has_value(), name, "a timestamp");
  return *at;
}

std::vector<BaseTablespace> ReadTablespaces(const json::Json& object) {
  std::vector<BaseTablespace> tablespaces;
  for (const json::Json& item : json::List(object, "tablespaces")) {
    Require(item.is_object(), "tablespaces", "a list of objects");
    BaseTablespace tablespace;
    tablespace.oid = ReadUnsigned(item, "oid");
    json::Read(item, "location", tablespace.location);
    Require(IsLocation(tablespace), "location", "the location of a tablespace");
    const bool again = std::any_of(tablespaces.begin(), tablespaces.end(),
                                   [&](const BaseTablespace& other) { return other.oid == tablespace.oid; });
    Require(!again, "tablespaces", "a list of different ones");
    tablespaces.push_back(std::move(tablespace));
  }
  return tablespaces;
}

std::vector<std::string> ReadConfiguration(const json::Json& object) {
  std::vector<std::string> names;
  for (const json::Json& item : json::List(object, "configuration")) {
    Require(item.is_string() && IsFileName(item.get_ref<const std::string&>()), "configuration",
            "a list of file names");
    names.push_back(item.get<std::string>());
  }
  return names;
}

void ReadNames(const json::Json& object, BaseRecord& r) {
  json::Read(object, "id", r.id);
  Require(IsBaseId(r.id), "id", "that of a base");
  r.full = std::string_view(r.id).ends_with(kFullSuffix);
  json::Read(object, "parent", r.parent);
  const bool fits = r.full ? r.parent.empty() : IsBaseId(r.parent) && r.parent != r.id;
  Require(fits, "parent", "that of such a base");
  json::Read(object, "node", r.node);
  Require(IsFileName(r.node), "node", "a node's name");
}

void ReadServer(const json::Json& object, BaseRecord& r) {
  json::Read(object, "system_identifier", r.system_identifier);
  Require(IsSystemIdentifier(r.system_identifier), "system_identifier", "a system identifier");
  json::Read(object, "server_major", r.server_major);
  Require(r.server_major > 0, "server_major", "a major version");
  json::Read(object, "server_version", r.server_version);
  json::Read(object, "segment_bytes", r.segment_bytes);
  Require(IsSegmentSize(r.segment_bytes), "segment_bytes", "a size of WAL segments");
  json::Read(object, "superuser", r.superuser);
  Require(!r.superuser.empty() && r.superuser.find('\0') == std::string::npos, "superuser", "a role's name");
  json::Read(object, "source_role", r.source_role);
  Require(r.source_role == "primary" || r.source_role == "standby", "source_role", "primary or standby");
}

void ReadWal(const json::Json& object, BaseRecord& r) {
  r.timeline = ReadUnsigned(object, "timeline");
  r.start = ReadLsn(object, "start");
  r.end = ReadLsn(object, "end");
  Require(r.start <= r.end, "end", "after the start");
}

}  // namespace

bool IsFileName(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && text.front() != '.' &&
         text.find('/') == std::string_view::npos && !HasControl(text);
}

std::string BaseId(UtcSeconds at, bool full) {
  return FormatCompact(at).append(full ? kFullSuffix : kIncrementalSuffix);
}

bool IsBaseId(std::string_view text) {
  if (text.size() != kStampLength + kSuffixLength) return false;
  if (!text.ends_with(kFullSuffix) && !text.ends_with(kIncrementalSuffix)) return false;
  const std::string_view stamp = text.substr(0, kStampLength);
  const auto at = ParseTimestamp(stamp);
  return at && FormatCompact(*at) == stamp;
}

std::string ToJson(const BaseRecord& r) {
  return json::Dump({{"format", kBaseFormat},
                     {"id", r.id},
                     {"parent", json::OrNull(r.parent)},
                     {"node", r.node},
                     {"system_identifier", r.system_identifier},
                     {"server_major", r.server_major},
                     {"server_version", r.server_version},
                     {"segment_bytes", r.segment_bytes},
                     {"superuser", r.superuser},
                     {"source_role", r.source_role},
                     {"timeline", r.timeline},
                     {"start", FormatLsn(r.start)},
                     {"end", FormatLsn(r.end)},
                     {"started_at", FormatIso(r.started_at)},
                     {"finished_at", FormatIso(r.finished_at)},
                     {"data_bytes", r.data_bytes},
                     {"stored_bytes", r.stored_bytes},
                     {"tablespaces", TablespacesToJson(r.tablespaces)},
                     {"configuration", r.configuration},
                     {"verified_at", json::TimeOrNull(r.verified_at)},
                     {"drilled_at", json::TimeOrNull(r.drilled_at)},
                     {"drill_result", json::OrNull(r.drill_result)},
                     {"remark", json::OrNull(r.remark)}});
}

BaseRecord ParseBaseRecord(std::string_view text) {
  const json::Json object = json::ParseObject(text, "the record of a base", kMaxBaseRecordBytes);
  int format = 0;
  json::Read(object, "format", format);
  if (format != kBaseFormat) Refuse("format " + std::to_string(format) + " of a base's record is not known");
  BaseRecord r;
  ReadNames(object, r);
  ReadServer(object, r);
  ReadWal(object, r);
  r.started_at = ReadNeededTime(object, "started_at");
  r.finished_at = ReadNeededTime(object, "finished_at");
  r.data_bytes = ReadBytes(object, "data_bytes");
  r.stored_bytes = ReadBytes(object, "stored_bytes");
  r.tablespaces = ReadTablespaces(object);
  r.configuration = ReadConfiguration(object);
  json::ReadTime(object, "verified_at", r.verified_at);
  json::ReadTime(object, "drilled_at", r.drilled_at);
  json::Read(object, "drill_result", r.drill_result);
  json::Read(object, "remark", r.remark);
  return r;
}

std::vector<BaseRecord> ChainOf(const std::vector<BaseRecord>& bases, const std::string& id) {
  std::vector<BaseRecord> chain;
  std::string next = id;
  // A longer one goes round in a circle.
  while (chain.size() < bases.size()) {
    const auto found =
        std::find_if(bases.begin(), bases.end(), [&](const BaseRecord& base) { return base.id == next; });
    if (found == bases.end() || (!chain.empty() && found->system_identifier != chain[0].system_identifier)) return {};
    chain.push_back(*found);
    if (found->full) {
      std::reverse(chain.begin(), chain.end());
      return chain;
    }
    next = found->parent;
  }
  return {};
}

}  // namespace mfi::core
