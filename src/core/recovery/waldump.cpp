#include "core/recovery/waldump.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <string>

#include "core/base/error.h"
#include "core/recovery/target_time.h"

namespace mfi::core {
namespace {

/// What stands in a line between `before` and `after`; empty when it has not both.
std::string_view Between(std::string_view line, std::string_view before, std::string_view after) {
  const std::size_t at = line.find(before);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + before.size());
  const std::size_t end = line.find(after);
  return end == std::string_view::npos ? std::string_view() : line.substr(0, end);
}

std::optional<Lsn> RecordOf(std::string_view line) {
  if (!line.starts_with("rmgr: ")) return std::nullopt;
  return ParseLsn(Between(line, " lsn: ", ","));
}

/// `desc: COMMIT 2026-11-26 22:22:31.993222 UTC; …`, and of a prepared one `desc: COMMIT_PREPARED 740: 2026-…`.
std::optional<std::int64_t> TimeOf(std::string_view line) {
  if (!line.starts_with("rmgr: Transaction ")) return std::nullopt;
  std::string_view text = Between(line, "desc: COMMIT ", " UTC");
  if (text.empty()) {
    text = Between(line, "desc: COMMIT_PREPARED ", " UTC");
    const std::size_t colon = text.find(": ");
    if (colon == std::string_view::npos) return std::nullopt;
    text.remove_prefix(colon + 2);
  }
  try {
    return ParseTargetTime(std::string(text) + "Z");
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<std::uint32_t> Xid(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
  return number;
}

template <typename Take>
void EachLine(std::string_view text, const Take& take) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    take(line);
  }
}

}  // namespace

std::vector<DumpedCommit> CommitsIn(std::string_view printed) {
  std::vector<DumpedCommit> commits;
  EachLine(printed, [&](std::string_view line) {
    const std::optional<Lsn> record = RecordOf(line);
    const std::optional<std::int64_t> at = TimeOf(line);
    if (record && at) commits.push_back({*record, *at});
  });
  return commits;
}

std::map<std::uint32_t, std::vector<std::uint32_t>> SubtransactionsIn(std::string_view printed) {
  std::map<std::uint32_t, std::vector<std::uint32_t>> found;
  EachLine(printed, [&](std::string_view line) {
    if (!TimeOf(line)) return;
    const std::optional<std::uint32_t> transaction = Xid(Between(line, ", tx: ", ","));
    if (!transaction) return;
    std::vector<std::uint32_t>& numbers = found[*transaction];
    const std::size_t at = line.find("; subxacts: ");
    if (at == std::string_view::npos) return;
    std::istringstream words{std::string(line.substr(at + sizeof("; subxacts: ") - 1))};
    for (std::string word; words >> word;) {
      const bool last = word.back() == ';';
      if (last) word.pop_back();
      if (const std::optional<std::uint32_t> number = Xid(word)) numbers.push_back(*number);
      if (last) return;
    }
  });
  return found;
}

std::vector<Lsn> RecordsIn(std::string_view printed) {
  std::vector<Lsn> records;
  EachLine(printed, [&](std::string_view line) {
    if (const std::optional<Lsn> record = RecordOf(line)) records.push_back(*record);
  });
  return records;
}

}  // namespace mfi::core
