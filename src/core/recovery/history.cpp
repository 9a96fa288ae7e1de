#include "core/recovery/history.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "core/base/error.h"

namespace mfi::core {
namespace {

[[noreturn]] void Refuse(std::uint32_t timeline, const std::string& why) {
  throw Error(sqlstate::kDataCorrupted, "the history of timeline " + std::to_string(timeline) + " is damaged: " + why);
}

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

std::string_view TakeWord(std::string_view& text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  const auto length = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), IsBlank) - text.begin());
  const std::string_view word = text.substr(0, length);
  text.remove_prefix(length);
  return word;
}

/// A line is `timeline <tab> end <tab> reason`, the reason in the words of whoever promoted.
std::optional<History::Ancestor> ParseLine(std::uint32_t timeline, std::string_view line) {
  const std::string_view number = TakeWord(line);
  if (number.empty() || number.front() == '#') return std::nullopt;
  History::Ancestor ancestor;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), ancestor.timeline);
  if (error != std::errc() || end != number.data() + number.size() || ancestor.timeline == 0) {
    Refuse(timeline, "a line does not begin with a timeline");
  }
  const std::optional<Lsn> at = ParseLsn(TakeWord(line));
  if (!at || *at == 0) Refuse(timeline, "a line has no position after the timeline");
  ancestor.end = *at;
  return ancestor;
}

}  // namespace

History ParseHistory(std::uint32_t timeline, std::string_view text) {
  History history;
  history.timeline = timeline;
  if (text.find('\0') != std::string_view::npos) Refuse(timeline, "it has a zero byte");
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto ancestor = ParseLine(timeline, line);
    if (!ancestor) continue;
    const bool first = history.ancestors.empty();
    if (!first && ancestor->timeline <= history.ancestors.back().timeline) Refuse(timeline, "timelines go back");
    if (!first && ancestor->end < history.ancestors.back().end) Refuse(timeline, "positions go back");
    if (ancestor->timeline >= timeline) Refuse(timeline, "it names a timeline that is not before it");
    history.ancestors.push_back(*ancestor);
  }
  if (timeline > 1 && history.ancestors.empty()) Refuse(timeline, "it names no timeline before it");
  return history;
}

std::string FormatHistory(const History& history) {
  std::string text;
  for (const History::Ancestor& ancestor : history.ancestors) {
    text += std::to_string(ancestor.timeline) + "\t" + FormatLsn(ancestor.end) + "\tas received\n";
  }
  return text;
}

std::uint32_t TimelineAt(const History& history, Lsn at) {
  for (const History::Ancestor& ancestor : history.ancestors) {
    if (at < ancestor.end) return ancestor.timeline;
  }
  return history.timeline;
}

Segment SegmentOf(const History& history, std::uint64_t number, std::int64_t segment_bytes) {
  const Lsn last_byte = (number + 1) * static_cast<std::uint64_t>(segment_bytes) - 1;
  return {TimelineAt(history, last_byte), number};
}

}  // namespace mfi::core
