#include "core/node/role_word.h"

#include <charconv>

namespace mfi::core {
namespace {

constexpr std::string_view kForm = "mfi1";
constexpr std::size_t kSignatureDigits = 64;

/// The next word of a line whose words are parted by one blank each; empty when there is none.
std::string_view Next(std::string_view& line) {
  const std::size_t end = line.find(' ');
  const std::string_view word = line.substr(0, end);
  line = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
  return word;
}

template <typename Number>
std::optional<Number> ReadNumber(std::string_view text) {
  Number value = 0;
  if (text.empty() || text.front() < '1' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool IsNode(std::string_view text) {
  return !text.empty() && text.size() <= 63 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == text.npos;
}

}  // namespace

std::string WordText(const RoleWord& word) {
  return std::string(kForm) + " " + word.node + " " + std::to_string(word.timeline) + " " + word.system_identifier +
         " " + std::to_string(word.serial);
}

std::optional<RoleWord> ParseWordText(std::string_view text) {
  if (text.size() > kWordBytes) return std::nullopt;
  std::string_view line = text;
  if (Next(line) != kForm) return std::nullopt;
  const std::string_view node = Next(line);
  const auto timeline = ReadNumber<std::uint32_t>(Next(line));
  const auto system = ReadNumber<std::uint64_t>(Next(line));
  const auto serial = ReadNumber<std::uint64_t>(Next(line));
  if (!IsNode(node) || !timeline || !system || !serial) return std::nullopt;
  RoleWord word{std::string(node), *timeline, std::to_string(*system), *serial};
  if (WordText(word) != text) return std::nullopt;
  return word;
}

std::string SignedLine(const RoleWord& word, std::string_view signature) {
  return WordText(word) + " " + std::string(signature) + "\n";
}

std::optional<SignedWord> ParseSignedLine(std::string_view content) {
  if (content.size() > kWordBytes || content.size() < kSignatureDigits + 2 || content.back() != '\n')
    return std::nullopt;
  content.remove_suffix(1);
  const std::string_view signature = content.substr(content.size() - kSignatureDigits);
  const std::string_view rest = content.substr(0, content.size() - kSignatureDigits);
  if (rest.back() != ' ' || signature.find_first_not_of("0123456789abcdef") != signature.npos) return std::nullopt;
  auto word = ParseWordText(rest.substr(0, rest.size() - 1));
  if (!word) return std::nullopt;
  return SignedWord{std::move(*word), std::string(signature)};
}

bool IsUnsignedWord(std::string_view content) {
  if (content.empty() || content.size() > kWordBytes || content.back() != '\n') return false;
  content.remove_suffix(1);
  const std::string_view node = Next(content);
  const auto timeline = ReadNumber<std::uint32_t>(Next(content));
  const auto system = ReadNumber<std::uint64_t>(Next(content));
  return IsNode(node) && timeline && system && content.empty();
}

bool Supersedes(const RoleWord& word, const std::optional<RoleWord>& known) {
  return !known || word.serial > known->serial;
}

}  // namespace mfi::core
