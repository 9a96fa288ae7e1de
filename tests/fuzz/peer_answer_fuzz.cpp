// Whatever a peer answers is read exactly or not at all, and its words are always one bounded printable line. The input
// is a table: rows end with a line feed, columns with a tab, and a column of one zero byte is NULL.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/printable.h"
#include "core/replication/peer_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mfi::core;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::vector<std::optional<std::string>>> rows(1);
  std::string column;
  for (const char c : text) {
    if (c == '\t' || c == '\n') {
      rows.back().push_back(column == std::string_view("\0", 1) ? std::nullopt : std::optional(column));
      column.clear();
      if (c == '\n') rows.emplace_back();
    } else {
      column += c;
    }
  }
  rows.back().push_back(column);
  if (const auto answer = ParsePeerAnswer(rows)) {
    if (rows.size() != 1 || answer->timeline < 1 || answer->started_at_us < 1) std::abort();
    if (std::to_string(answer->timeline) != rows[0][2] || std::to_string(answer->started_at_us) != rows[0][3])
      std::abort();
    if (answer->system_identifier != rows[0][1] || answer->system_identifier.size() > 20) std::abort();
  }
  const std::string words = PlainWords(text, 100);
  if (words.size() > 100) std::abort();
  for (const char c : words) {
    if (c < ' ' || c > '~') std::abort();
  }
  IsAuthenticationFailure(words);
  return 0;
}
