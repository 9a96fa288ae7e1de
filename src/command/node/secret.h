#pragma once

#include <string>
#include <string_view>
#include <vector>

// Secrets that two nodes derive from the one password they share. Who learns one of them learns neither the password
// nor another.
namespace mfi::command {

/// HMAC-SHA-256, 32 bytes. Throws core::Error when the library fails.
std::string Hmac(std::string_view key, std::string_view text);

/// The first 32 bytes of scrypt (RFC 7914). `cost` is a power of two; it takes 128 * cost * block_size bytes of memory.
std::string Scrypt(std::string_view password, std::string_view salt, unsigned cost, unsigned block_size,
                   unsigned parallel);

std::string Hex(std::string_view bytes);

/// Whether two texts are equal, in a time that tells nothing of where they differ.
bool SameSecret(std::string_view one, std::string_view other);

/// HMAC(scrypt(password, system identifier), name) in hex, for each name: a quarter of a second and 64 MB in all.
/// Throws Error(22023) for an empty password or one with a line break or zero byte, for a system identifier that is no
/// plain number, and for a name that is not of a-z, 0-9 and _.
std::vector<std::string> DeriveSecrets(std::string_view password, std::string_view system_identifier,
                                       const std::vector<std::string>& names);

/// The one secret of a file. Throws Error when it holds none.
std::string KeyOfFile(const std::string& path);

}  // namespace mfi::command
