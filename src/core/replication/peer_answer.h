#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mfi::core {

/// What a node says of itself when the other one asks for its role.
struct PeerAnswer {
  bool in_recovery = false;
  std::string system_identifier;
  int timeline = 0;
  std::int64_t started_at_us = 0;  // since 1970

  friend bool operator==(const PeerAnswer&, const PeerAnswer&) = default;
};

/// Reads the one row of an answer: recovery (t or f), system identifier, timeline, start of the server in microseconds.
/// Nothing when anything in it is not exactly what a server writes: numbers are plain decimal and in range, and no
/// column is missing or too much.
std::optional<PeerAnswer> ParsePeerAnswer(const std::vector<std::vector<std::optional<std::string>>>& rows);

/// Whether an error of a connection attempt tells of a server that answered and could not be authenticated, or did not
/// let us in.
bool IsAuthenticationFailure(std::string_view words);

}  // namespace mfi::core
