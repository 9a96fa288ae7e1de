#include "core/offsite/restic_output.h"

#include <algorithm>

#include "core/base/json_fields.h"
#include "core/base/printable.h"

namespace mfi::core {
namespace {

constexpr std::size_t kMostWords = 300;
constexpr std::string_view kFatal = "Fatal: ";
constexpr std::string_view kWaits = "repo already locked, waiting ";  // what newer versions say before they say by whom
constexpr std::string_view kRetried = " returned error, retrying after ";
constexpr std::string_view kGivenUp = ") failed: ";  // behind the operation and its file

json::Json ParseList(std::string_view printed, const char* what) {
  json::Json list = json::IsTooDeep(printed) ? json::Json(json::Json::value_t::discarded) : json::Parse(printed);
  if (list.is_null()) list = json::Json::array();  // what restic prints of none
  if (!list.is_array()) throw Error(sqlstate::kDataCorrupted, std::string(what) + " is not what restic prints");
  return list;
}

/// `2026-11-27T04:38:12.480950865Z`, or with an offset such as `+01:00`.
UtcSeconds ParseTime(const std::string& text) {
  const std::optional<UtcSeconds> local = ParseTimestamp(text.substr(0, 19) + "Z");
  if (!local) json::WrongType("time", "a timestamp");
  const std::size_t sign = text.find_first_of("+-", 19);
  if (sign == std::string::npos) return *local;
  const std::string zone = text.substr(sign + 1);
  const auto digit = [&](std::size_t at) { return zone[at] >= '0' && zone[at] <= '9' ? zone[at] - '0' : -1; };
  if (zone.size() != 5 || zone[2] != ':' || digit(0) < 0 || digit(1) < 0 || digit(3) < 0 || digit(4) < 0) {
    json::WrongType("time", "a timestamp");
  }
  const std::int64_t offset = (digit(0) * 10 + digit(1)) * kHour + (digit(3) * 10 + digit(4)) * kMinute;
  return *local - (text[sign] == '+' ? offset : -offset);
}

std::string LastPart(const std::string& path) { return path.substr(path.rfind('/') + 1); }

Snapshot ToSnapshot(const json::Json& item) {
  if (!item.is_object()) json::WrongType("snapshot", "an object");
  Snapshot snapshot;
  json::Read(item, "id", snapshot.id);
  std::string time;
  json::Read(item, "time", time);
  snapshot.at = ParseTime(time);
  json::Read(item, "hostname", snapshot.host);
  for (const json::Json& tag : json::List(item, "tags")) {
    if (tag.is_string()) snapshot.tags.push_back(tag.get<std::string>());
  }
  const json::Json paths = json::List(item, "paths");
  if (!paths.empty() && paths.front().is_string()) snapshot.name = LastPart(paths.front().get<std::string>());
  if (snapshot.id.empty()) json::WrongType("id", "there");
  return snapshot;
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end != 0) lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string Trimmed(std::string_view line) {
  return std::string(line.substr(std::min(line.find_first_not_of(' '), line.size())));
}

/// An object in one line; null when it is none.
json::Json ObjectIn(std::string_view line) {
  if (!line.starts_with('{') || json::IsTooDeep(line)) return {};
  json::Json object = json::Parse(line);
  return object.is_object() ? object : json::Json();
}

/// What a line says: with --json, newer versions put their errors into objects.
std::string WordsOf(std::string_view line) {
  const json::Json object = ObjectIn(line);
  std::string words(line);
  if (object.is_null()) return words;
  try {
    json::Read(object, "message", words);
    if (const json::Json* error = json::Find(object, "error"); error != nullptr && error->is_object()) {
      json::Read(*error, "message", words);
    }
  } catch (const Error&) {
    return std::string(line);
  }
  return words.substr(0, words.find('\n'));
}

ResticFault FaultOf(int exit_code, std::string_view errors) {
  const auto says = [&](std::string_view words) { return errors.find(words) != std::string_view::npos; };
  if (exit_code == 12 || says("wrong password or no key found")) return ResticFault::kPassword;
  if (exit_code == 11 || says("already locked")) return ResticFault::kLocked;
  const bool lacks_config = says("<config/> does not exist") || says("config: no such file or directory");
  if (exit_code == 10 || lacks_config) return ResticFault::kNoRepository;
  return ResticFault::kOther;
}

}  // namespace

bool Snapshot::Has(std::string_view tag) const { return std::find(tags.begin(), tags.end(), tag) != tags.end(); }

std::vector<Snapshot> ParseSnapshots(std::string_view printed) {
  std::vector<Snapshot> snapshots;
  for (const json::Json& item : ParseList(printed, "the list of snapshots")) snapshots.push_back(ToSnapshot(item));
  std::stable_sort(snapshots.begin(), snapshots.end(),
                   [](const Snapshot& a, const Snapshot& b) { return a.at < b.at; });
  return snapshots;
}

CopySummary ParseCopySummary(std::string_view printed) {
  std::optional<CopySummary> last;
  for (const std::string_view line : Lines(printed)) {
    const json::Json object = ObjectIn(line);
    if (object.is_null() || object.value("message_type", json::Json()) != "summary") continue;
    CopySummary summary;
    json::Read(object, "snapshot_id", summary.snapshot);
    json::Read(object, "total_files_processed", summary.files);
    json::Read(object, "total_bytes_processed", summary.bytes);
    json::Read(object, "data_added", summary.stored);
    json::Read(object, "data_added_packed", summary.stored);
    last = std::move(summary);
  }
  if (!last || last->snapshot.empty())
    throw Error(sqlstate::kDataCorrupted, "restic did not say which snapshot it made");
  return *last;
}

std::vector<std::string> ParseForgotten(std::string_view printed) {
  std::vector<std::string> ids;
  // Where there is no snapshot at all, it prints nothing.
  if (printed.find_first_not_of(" \n") == std::string_view::npos) return ids;
  for (const json::Json& group : ParseList(printed, "the list of what is forgotten")) {
    if (!group.is_object()) json::WrongType("group", "an object");
    for (const json::Json& item : json::List(group, "remove")) ids.push_back(ToSnapshot(item).id);
  }
  return ids;
}

std::string ParseRepositoryId(std::string_view printed) {
  const json::Json object = json::ParseObject(printed, "the repository's configuration", 65536);
  std::string id;
  json::Read(object, "id", id);
  if (id.empty()) json::WrongType("id", "there");
  return id;
}

std::int64_t ParseRestoreSize(std::string_view printed) {
  const json::Json object = json::ParseObject(printed, "the size of a snapshot", 65536);
  std::int64_t bytes = 0;
  json::Read(object, "total_size", bytes);
  return bytes;
}

RepositoryLock ParseLock(std::string_view printed) {
  const json::Json object = json::ParseObject(printed, "the lock", 65536);
  RepositoryLock lock;
  std::string time;
  json::Read(object, "time", time);
  if (!time.empty()) lock.at = ParseTime(time);
  json::Read(object, "hostname", lock.host);
  json::Read(object, "username", lock.user);
  json::Read(object, "pid", lock.pid);
  json::Read(object, "exclusive", lock.exclusive);
  return lock;
}

bool HasGivenUp(std::string_view errors) { return errors.find(kGivenUp) != std::string_view::npos; }

ResticError ParseResticError(int exit_code, std::string_view errors) {
  ResticError error{.fault = FaultOf(exit_code, errors)};
  std::string first;
  const std::vector<std::string_view> lines = Lines(errors);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string words = WordsOf(lines[i]);
    if (words.starts_with(kWaits)) continue;
    // "error for tree 12ab:", with what it is in the next line.
    if (words.ends_with(':') && i + 1 < lines.size()) {
      words += " " + Trimmed(lines[i + 1]);
    }
    // What is tried again comes with an operation's name before it; the reason stands behind.
    if (const std::size_t retried = words.find(kRetried); retried != std::string::npos) {
      const std::size_t reason = words.find(": ", retried);
      if (reason != std::string::npos) words.erase(0, reason + 2);
    }
    const bool fatal = words.starts_with(kFatal);
    if (fatal) words.erase(0, kFatal.size());
    // What it gave up, such as "unable to save snapshot", says less than the reason that came before, if any.
    if (first.empty() || (fatal && error.fault != ResticFault::kOther)) first = words;
    if (fatal) break;
  }
  error.words = PlainWords(first, kMostWords);
  if (error.words.empty()) error.words = "it ended with exit code " + std::to_string(exit_code) + " and said nothing";
  return error;
}

}  // namespace mfi::core
