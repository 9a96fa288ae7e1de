#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mfi::core {

/// An operator's word on which node is the primary, as of a timeline of one database cluster. A later word has a higher
/// serial.
struct RoleWord {
  std::string node;
  std::uint32_t timeline = 0;
  std::string system_identifier;
  std::uint64_t serial = 0;

  friend bool operator==(const RoleWord&, const RoleWord&) = default;
};

struct SignedWord {
  RoleWord word;
  std::string signature;  // 64 hexadecimal digits
};

/// What is longer than this is no word.
inline constexpr std::size_t kWordBytes = 256;

/// What is signed: one line without its end.
std::string WordText(const RoleWord& word);

/// Reads what WordText writes; nothing for anything else, be it one blank more.
std::optional<RoleWord> ParseWordText(std::string_view text);

/// A file's content: the text, its signature, a line feed.
std::string SignedLine(const RoleWord& word, std::string_view signature);
std::optional<SignedWord> ParseSignedLine(std::string_view content);

/// Whether it is a word of the form without signature that versions before had: `NODE TIMELINE SYSTEM`.
bool IsUnsignedWord(std::string_view content);

/// Whether `word` takes the place of `known`, the last word that this node believed: it does when it is later. An
/// earlier one may have been put back by somebody who can write into the directory.
bool Supersedes(const RoleWord& word, const std::optional<RoleWord>& known);

}  // namespace mfi::core
