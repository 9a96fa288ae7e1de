#include "core/replication/peer_answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace mfi::core {
namespace {

/// A plain decimal number from 1 to `largest`, without sign, blanks or leading zeros.
template <typename Number>
std::optional<Number> Positive(std::string_view text, Number largest) {
  Number value = 0;
  if (text.empty() || text.front() < '1' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > largest) return std::nullopt;
  return value;
}

}  // namespace

std::optional<PeerAnswer> ParsePeerAnswer(const std::vector<std::vector<std::optional<std::string>>>& rows) {
  if (rows.size() != 1 || rows[0].size() != 4) return std::nullopt;
  const auto& row = rows[0];
  if (!std::all_of(row.begin(), row.end(), [](const auto& value) { return value.has_value(); })) return std::nullopt;
  if (*row[0] != "t" && *row[0] != "f") return std::nullopt;
  const auto system = Positive<std::uint64_t>(*row[1], std::numeric_limits<std::uint64_t>::max());
  const auto timeline = Positive<int>(*row[2], std::numeric_limits<int>::max());
  const auto started = Positive<std::int64_t>(*row[3], std::numeric_limits<std::int64_t>::max());
  if (!system || !timeline || !started) return std::nullopt;
  return PeerAnswer{*row[0] == "t", *row[1], *timeline, *started};
}

bool IsAuthenticationFailure(std::string_view words) {
  constexpr std::array<std::string_view, 12> kSigns = {
      "authentication",   "channel binding",  "SCRAM",       "SSL",
      "certificate",      "password",         "pg_hba.conf", "server signature",
      "received invalid", "unencrypted data", "nonce",       "protocol negotiation"};
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [&](std::string_view sign) { return words.find(sign) != std::string_view::npos; });
}

}  // namespace mfi::core
