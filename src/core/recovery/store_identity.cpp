#include "core/recovery/store_identity.h"

#include <algorithm>

#include "core/base/json_fields.h"

namespace mfi::core {
namespace {

constexpr int kFormat = 1;
constexpr std::int64_t kMaxBytes = 64 * 1024;
constexpr std::int64_t kSmallestSegment = std::int64_t{1} << 20U;
constexpr std::int64_t kLargestSegment = std::int64_t{1} << 30U;

bool IsSegmentSize(std::int64_t bytes) {
  return bytes >= kSmallestSegment && bytes <= kLargestSegment && (bytes & (bytes - 1)) == 0;
}

/// It becomes a part of a directory's name.
bool IsSystemIdentifier(std::string_view text) {
  return !text.empty() && text.size() <= 20 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string ToJson(const StoreIdentity& identity) {
  return json::Dump({{"format", kFormat},
                     {"node", identity.node},
                     {"system_identifier", identity.system_identifier},
                     {"server_major", identity.server_major},
                     {"segment_bytes", identity.segment_bytes},
                     {"created_at", FormatIso(identity.created_at)}});
}

StoreIdentity ParseStoreIdentity(std::string_view text) {
  const json::Json document = json::ParseObject(text, kStoreIdentityName, kMaxBytes);
  int format = 0;
  json::Read(document, "format", format);
  if (format != kFormat) {
    throw Error(sqlstate::kDataCorrupted,
                "store.json has format " + std::to_string(format) + ", known is " + std::to_string(kFormat));
  }
  StoreIdentity identity;
  json::Read(document, "node", identity.node);
  json::Read(document, "system_identifier", identity.system_identifier);
  json::Read(document, "server_major", identity.server_major);
  json::Read(document, "segment_bytes", identity.segment_bytes);
  std::optional<UtcSeconds> created_at;
  json::ReadTime(document, "created_at", created_at);
  identity.created_at = created_at.value_or(0);
  if (!IsSystemIdentifier(identity.system_identifier)) json::WrongType("system_identifier", "a number in a string");
  if (identity.server_major <= 0) json::WrongType("server_major", "a version");
  if (!IsSegmentSize(identity.segment_bytes)) json::WrongType("segment_bytes", "a size of WAL segments");
  return identity;
}

}  // namespace mfi::core
