#include "core/recovery/backup_manifest.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace mfi::core {
namespace {

using Json = nlohmann::json;

constexpr char kVersion[] = "PostgreSQL-Backup-Manifest-Version";
constexpr int kMaxDepth = 3;  // the document, a list, an item

[[noreturn]] void Refuse(const std::string& what) {
  throw Error(sqlstate::kDataCorrupted, "the backup manifest " + what);
}

struct Range {
  std::int64_t timeline = 0;
  Lsn start = 0;
  Lsn end = 0;
};

/// Takes the document event by event, so that no list of files is ever made.
class Reader : public Json::json_sax_t {
 public:
  bool null() override { return Value(); }
  bool boolean(bool) override { return Value(); }
  bool number_float(double, const std::string&) override { return Value(); }
  bool binary(Json::binary_t&) override { return Value(); }

  bool number_integer(std::int64_t) override { return Value(); }

  bool number_unsigned(std::uint64_t number) override {
    if (depth_ == 1 && key_ == kVersion) {
      manifest_.version = number == 1 || number == 2 ? static_cast<int>(number) : 0;
      return true;
    }
    if (depth_ == 1 && key_ == "System-Identifier") {
      manifest_.system_identifier = std::to_string(number);
      return true;
    }
    if (IsItemOf("Files") && key_ == "Size") return Size(number);
    if (IsItemOf("WAL-Ranges") && key_ == "Timeline" && number <= std::numeric_limits<std::uint32_t>::max()) {
      range_.timeline = static_cast<std::int64_t>(number);
      return true;
    }
    return Value();
  }

  bool string(std::string& text) override {
    if (IsItemOf("WAL-Ranges") && key_ == "Start-LSN") {
      range_.start = ParseLsn(text).value_or(0);
      return true;
    }
    if (IsItemOf("WAL-Ranges") && key_ == "End-LSN") {
      range_.end = ParseLsn(text).value_or(0);
      return true;
    }
    return Value();
  }

  bool key(std::string& name) override {
    key_ = name;
    if (depth_ == 1) list_ = name;
    return true;
  }

  bool start_object(std::size_t) override {
    if (depth_ == 0) is_object_ = true;
    if (depth_ == 1) Value();
    sized_ = false;
    range_ = {};
    return ++depth_ <= kMaxDepth;
  }

  bool end_object() override {
    if (IsItemOf("Files")) {
      if (!sized_) Refuse("names a file without its size");
      ++manifest_.files;
    }
    if (IsItemOf("WAL-Ranges")) TakeRange();
    --depth_;
    key_.clear();
    return true;
  }

  bool start_array(std::size_t) override {
    if (depth_ == 0) return false;
    if (depth_ > 1 || !IsList()) Value();
    return ++depth_ <= kMaxDepth;
  }

  bool end_array() override {
    --depth_;
    key_.clear();
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

  BackupManifest Finish() const {
    if (!is_object_) Refuse("is no JSON object");
    if (manifest_.version == 0) Refuse("is of no version that is known");
    if (manifest_.version == 2 && manifest_.system_identifier.empty()) Refuse("has no system identifier");
    if (manifest_.timeline == 0) Refuse("has no WAL range");
    return manifest_;
  }

 private:
  bool IsItemOf(std::string_view list) const { return depth_ == kMaxDepth && list_ == list; }

  bool IsList() const { return list_ == "Files" || list_ == "WAL-Ranges"; }

  /// One that nobody asked for is passed over; one in the place of what is needed is not.
  bool Value() const {
    const bool needed = (depth_ == 1 && (IsList() || key_ == "System-Identifier" || key_ == kVersion)) ||
                        (depth_ == 2 && IsList()) || (IsItemOf("Files") && key_ == "Size") ||
                        (IsItemOf("WAL-Ranges") && (key_ == "Timeline" || key_ == "Start-LSN" || key_ == "End-LSN"));
    if (needed) Refuse("has another value for \"" + key_ + "\" than it can have");
    return true;
  }

  bool Size(std::uint64_t bytes) {
    const auto room = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() - manifest_.data_bytes);
    if (sized_ || bytes > room) Refuse("has sizes that cannot be");
    sized_ = true;
    manifest_.data_bytes += static_cast<std::int64_t>(bytes);
    return true;
  }

  /// The newest timeline's has the end.
  void TakeRange() {
    if (range_.timeline == 0 || range_.start == 0 || range_.end < range_.start)
      Refuse("has a WAL range that cannot be");
    const bool first = manifest_.timeline == 0;
    manifest_.start = first ? range_.start : std::min(manifest_.start, range_.start);
    manifest_.end = std::max(manifest_.end, range_.end);
    manifest_.timeline = std::max(manifest_.timeline, static_cast<std::uint32_t>(range_.timeline));
  }

  BackupManifest manifest_;
  int depth_ = 0;
  bool is_object_ = false;
  std::string list_;  // the document's member that is being read
  std::string key_;
  bool sized_ = false;
  Range range_;
};

}  // namespace

BackupManifest ParseBackupManifest(std::string_view text) {
  if (static_cast<std::int64_t>(text.size()) > kMaxBackupManifestBytes) Refuse("is too large");
  Reader reader;
  if (!Json::sax_parse(text.begin(), text.end(), &reader)) Refuse("is no JSON of the form it should have");
  return reader.Finish();
}

}  // namespace mfi::core
