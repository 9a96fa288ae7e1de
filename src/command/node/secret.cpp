#include "command/node/secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdint>

#include "core/base/error.h"
#include "os/base/file.h"

namespace mfi::command {
namespace {

using core::Error;

constexpr std::size_t kBytes = 32;
constexpr unsigned kCost = 1U << 16U;
constexpr unsigned kBlockSize = 8;

[[noreturn]] void Refuse(const std::string& what, const std::string& hint) {
  throw Error(core::sqlstate::kInvalidParameterValue, what, {}, hint);
}

bool IsSystemIdentifier(std::string_view text) {
  return !text.empty() && text.size() <= 20 && text.front() != '0' && text.find_first_not_of("0123456789") == text.npos;
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= 63 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == text.npos;
}

}  // namespace

std::string Hmac(std::string_view key, std::string_view text) {
  std::string out(kBytes, '\0');
  unsigned length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
           text.size(), reinterpret_cast<unsigned char*>(out.data()), &length) == nullptr ||
      length != kBytes) {
    throw Error(core::sqlstate::kExternalRoutine, "the library of OpenSSL could not compute an HMAC");
  }
  return out;
}

std::string Scrypt(std::string_view password, std::string_view salt, unsigned cost, unsigned block_size,
                   unsigned parallel) {
  constexpr std::uint64_t kMemory = 1U << 28U;
  std::string out(kBytes, '\0');
  if (EVP_PBE_scrypt(password.data(), password.size(), reinterpret_cast<const unsigned char*>(salt.data()), salt.size(),
                     cost, block_size, parallel, kMemory, reinterpret_cast<unsigned char*>(out.data()),
                     out.size()) != 1) {
    throw Error(core::sqlstate::kExternalRoutine, "the library of OpenSSL could not compute scrypt", {},
                "It needs " + std::to_string(std::uint64_t{128} * cost * block_size >> 20U) + " MB of memory.");
  }
  return out;
}

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

bool SameSecret(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

std::vector<std::string> DeriveSecrets(std::string_view password, std::string_view system_identifier,
                                       const std::vector<std::string>& names) {
  if (password.empty()) Refuse("the password is empty", "Give it on standard input.");
  if (password.find_first_of(std::string_view("\0\n\r", 3)) != std::string_view::npos) {
    Refuse("the password has a line break or a zero byte", "Choose one of a single line.");
  }
  if (!IsSystemIdentifier(system_identifier)) {
    Refuse("\"" + std::string(system_identifier) + "\" is no system identifier", "pg_controldata shows it.");
  }
  for (const std::string& name : names) {
    if (!IsName(name)) Refuse("\"" + name + "\" is no name of a secret", "It has letters a to z, digits and _.");
  }
  const std::string key = Scrypt(password, system_identifier, kCost, kBlockSize, 1);
  std::vector<std::string> secrets;
  secrets.reserve(names.size());
  for (const std::string& name : names) secrets.push_back(Hex(Hmac(key, name)));
  return secrets;
}

std::string KeyOfFile(const std::string& path) {
  constexpr std::int64_t kLimit = 200;
  std::string key = os::ReadFile(path, kLimit);
  if (!key.empty() && key.back() == '\n') key.pop_back();
  if (key.size() != 64 || key.find_first_not_of("0123456789abcdef") != std::string::npos) {
    throw Error(core::sqlstate::kDataCorrupted, "\"" + path + "\" holds no key", {}, "mfi node secret makes one.");
  }
  return key;
}

}  // namespace mfi::command
