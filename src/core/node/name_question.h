#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// As much of the protocol of name servers (RFC 1035) as it takes to ask one of them for a name's addresses.
namespace mfi::core {

enum class AddressKind : std::uint16_t { kIpv4 = 1, kIpv6 = 28 };

/// One datagram; nothing for what is no name.
std::optional<std::string> NameQuestion(std::uint16_t number, std::string_view name, AddressKind kind);

/// The addresses in a name server's answer to that question, each in network order: 4 or 16 bytes. Empty when the name
/// has none, for whatever reason it gives; nothing when the bytes are not an answer to it.
std::optional<std::vector<std::string>> AddressesInAnswer(std::string_view answer, std::string_view question);

/// The first name server of a resolv.conf, as it is written there; empty when there is none.
std::string FirstNameServer(std::string_view resolv_conf);

}  // namespace mfi::core
