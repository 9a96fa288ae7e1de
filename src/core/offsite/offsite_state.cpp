#include "core/offsite/offsite_state.h"

#include <algorithm>

#include "core/base/json_fields.h"

namespace mfi::core {
namespace {

constexpr char kWhat[] = "the state of copies elsewhere";

void ReadParts(const json::Json& document, OffsiteState& state) {
  const json::Json parts = json::List(document, "parts_read");
  for (std::size_t i = 0; i < std::min(parts.size(), state.parts_read.size()); ++i) {
    if (parts[i].is_null()) continue;
    if (!parts[i].is_string()) json::WrongType("parts_read", "a list of timestamps");
    state.parts_read.at(i) = ParseTimestamp(parts[i].get<std::string>());
    if (!state.parts_read.at(i)) json::WrongType("parts_read", "a list of timestamps");
  }
}

}  // namespace

std::string ToJson(const OffsiteState& state) {
  json::Json parts = json::Json::array();
  for (const std::optional<UtcSeconds>& at : state.parts_read) parts.push_back(json::TimeOrNull(at));
  return json::Dump({{"format", kOffsiteStateFormat},
                     {"repository", state.repository},
                     {"repository_id", json::OrNull(state.repository_id)},
                     {"answered_at", json::TimeOrNull(state.answered_at)},
                     {"failing_since", json::TimeOrNull(state.failing_since)},
                     {"fault", json::OrNull(state.fault)},
                     {"error", json::OrNull(state.error)},
                     {"next_step", json::OrNull(state.next_step)},
                     {"unfinished", state.unfinished},
                     {"probe", json::OrNull(state.probe)},
                     {"deletable", json::OrNull(state.deletable)},
                     {"probed_at", json::TimeOrNull(state.probed_at)},
                     {"store_copied_at", json::TimeOrNull(state.store_copied_at)},
                     {"store_snapshot", json::OrNull(state.store_snapshot)},
                     {"missing", json::OrNull(state.missing)},
                     {"parts_read", parts},
                     {"checked_at", json::TimeOrNull(state.checked_at)},
                     {"damage", json::OrNull(state.damage)},
                     {"forgot_at", json::TimeOrNull(state.forgot_at)},
                     {"keep_error", json::OrNull(state.keep_error)}});
}

OffsiteState ParseOffsiteState(std::string_view text) {
  const json::Json document = json::ParseObject(text, kWhat, kMaxOffsiteStateBytes);
  int format = 0;
  json::Read(document, "format", format);
  if (format != kOffsiteStateFormat) {
    throw Error(sqlstate::kDataCorrupted, std::string(kWhat) + " has format " + std::to_string(format));
  }
  OffsiteState state;
  json::Read(document, "repository", state.repository);
  json::Read(document, "repository_id", state.repository_id);
  json::ReadTime(document, "answered_at", state.answered_at);
  json::ReadTime(document, "failing_since", state.failing_since);
  json::Read(document, "fault", state.fault);
  json::Read(document, "error", state.error);
  json::Read(document, "next_step", state.next_step);
  json::Read(document, "unfinished", state.unfinished);
  json::Read(document, "probe", state.probe);
  if (json::Find(document, "deletable") != nullptr) json::Read(document, "deletable", state.deletable.emplace());
  json::ReadTime(document, "probed_at", state.probed_at);
  json::ReadTime(document, "store_copied_at", state.store_copied_at);
  json::Read(document, "store_snapshot", state.store_snapshot);
  json::Read(document, "missing", state.missing);
  ReadParts(document, state);
  json::ReadTime(document, "checked_at", state.checked_at);
  json::Read(document, "damage", state.damage);
  json::ReadTime(document, "forgot_at", state.forgot_at);
  json::Read(document, "keep_error", state.keep_error);
  return state;
}

std::string NameSome(const std::vector<std::string>& missing) {
  constexpr std::size_t kNamed = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(missing.size(), kNamed); ++i) text += (i == 0 ? "" : ", ") + missing[i];
  if (missing.size() > kNamed) text += " and " + std::to_string(missing.size() - kNamed) + " more";
  return text;
}

std::optional<UtcSeconds> AllRead(const OffsiteState& state) {
  std::optional<UtcSeconds> oldest;
  for (const std::optional<UtcSeconds>& at : state.parts_read) {
    if (!at) return std::nullopt;
    oldest = std::min(oldest.value_or(*at), *at);
  }
  return oldest;
}

}  // namespace mfi::core
