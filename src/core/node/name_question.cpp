#include "core/node/name_question.h"

#include <algorithm>

namespace mfi::core {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kLongestName = 253;
constexpr unsigned kPointer = 0xC0;
constexpr unsigned kIsAnswer = 0x8000;
constexpr std::uint16_t kInternet = 1;
constexpr std::size_t kIpv4Bytes = 4;
constexpr std::size_t kIpv6Bytes = 16;

void AddNumber(std::string& bytes, unsigned number) {
  bytes += static_cast<char>((number >> 8U) & 0xFFU);
  bytes += static_cast<char>(number & 0xFFU);
}

unsigned NumberAt(std::string_view bytes, std::size_t at) {
  return (static_cast<unsigned>(static_cast<unsigned char>(bytes[at])) << 8U) |
         static_cast<unsigned char>(bytes[at + 1]);
}

/// Where a name ends that begins at `at`; nothing when it goes beyond the end.
std::optional<std::size_t> EndOfName(std::string_view bytes, std::size_t at) {
  while (at < bytes.size()) {
    const auto length = static_cast<unsigned char>(bytes[at]);
    if ((length & kPointer) == kPointer) return at + 2 <= bytes.size() ? std::optional(at + 2) : std::nullopt;
    if (length > kLongestLabel) return std::nullopt;
    at += 1UL + length;
    if (length == 0) return at;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> NameQuestion(std::uint16_t number, std::string_view name, AddressKind kind) {
  if (name.empty() || name.size() > kLongestName) return std::nullopt;
  std::string bytes;
  AddNumber(bytes, number);
  AddNumber(bytes, 0x0100);  // one question, for which others may be asked
  AddNumber(bytes, 1);
  bytes.append(kHeader - bytes.size(), '\0');
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::string_view label = name.substr(begin, name.find('.', begin) - begin);
    begin += label.size() + 1;
    if (label.empty() && begin > name.size()) break;  // a dot at the end
    if (label.empty() || label.size() > kLongestLabel) return std::nullopt;
    bytes += static_cast<char>(label.size());
    bytes += label;
  }
  bytes += '\0';
  AddNumber(bytes, static_cast<unsigned>(kind));
  AddNumber(bytes, kInternet);
  return bytes;
}

std::optional<std::vector<std::string>> AddressesInAnswer(std::string_view answer, std::string_view question) {
  if (answer.size() < kHeader || question.size() < kHeader || answer.substr(0, 2) != question.substr(0, 2) ||
      (NumberAt(answer, 2) & kIsAnswer) == 0) {
    return std::nullopt;
  }
  std::vector<std::string> addresses;
  std::size_t at = kHeader;
  for (unsigned left = NumberAt(answer, 4); left > 0; --left) {
    const auto end = EndOfName(answer, at);
    if (!end) return std::nullopt;
    at = *end + 4;
  }
  for (unsigned left = NumberAt(answer, 6); left > 0; --left) {
    const auto end = EndOfName(answer, at);
    if (!end || *end + 10 > answer.size()) return std::nullopt;
    const unsigned kind = NumberAt(answer, *end);
    const unsigned length = NumberAt(answer, *end + 8);
    at = *end + 10;
    if (at + length > answer.size()) return std::nullopt;
    const bool is_address = (kind == static_cast<unsigned>(AddressKind::kIpv4) && length == kIpv4Bytes) ||
                            (kind == static_cast<unsigned>(AddressKind::kIpv6) && length == kIpv6Bytes);
    if (is_address) addresses.emplace_back(answer.substr(at, length));
    at += length;
  }
  return addresses;
}

std::string FirstNameServer(std::string_view resolv_conf) {
  constexpr std::string_view kKeyword = "nameserver";
  constexpr std::string_view kBlanks = " \t";
  while (!resolv_conf.empty()) {
    std::string_view line = resolv_conf.substr(0, resolv_conf.find('\n'));
    resolv_conf.remove_prefix(std::min(resolv_conf.size(), line.size() + 1));
    if (!line.starts_with(kKeyword)) continue;
    line.remove_prefix(kKeyword.size());
    const auto begin = line.find_first_not_of(kBlanks);
    if (begin == 0 || begin == std::string_view::npos) continue;
    line.remove_prefix(begin);
    return std::string(line.substr(0, line.find_first_of(" \t\r#;")));
  }
  return {};
}

}  // namespace mfi::core
