#include "core/secrets/secret_form.h"

#include <algorithm>
#include <initializer_list>

#include "core/secrets/redacted_json.h"
#include "core/secrets/secret_name.h"

namespace mfi::core {
namespace {

using std::string_view;

constexpr string_view kSpaces = " \t";
constexpr std::size_t kShortest = 6;  // of a credential in the midst of prose

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsAlnum(char c) { return IsDigit(c) || IsLower(c) || IsUpper(c); }

std::string Lower(string_view text) {
  std::string lower(text);
  for (char& c : lower) c = IsUpper(c) ? static_cast<char>(c | 0x20) : c;
  return lower;
}

bool IsOneOf(string_view text, std::initializer_list<string_view> list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

/// How many of the characters that a text begins with are letters, digits or one of these.
std::size_t Run(string_view text, string_view signs) {
  std::size_t length = 0;
  while (length < text.size() && (IsAlnum(text[length]) || signs.find(text[length]) != string_view::npos)) ++length;
  return length;
}

/// A part of the text behind a place: `keep` bytes that stay, then `hide` bytes that do not. Nothing: both are 0.
struct Found {
  std::size_t keep = 0;
  std::size_t hide = 0;
};

/// Replaces what `find` finds at the places of `mark`.
template <typename Find>
std::string Without(string_view text, string_view mark, const Find& find) {
  std::string out;
  std::size_t done = 0;
  for (std::size_t at = text.find(mark); at != string_view::npos; at = text.find(mark, std::max(at + 1, done))) {
    const Found found = find(at);
    if (found.hide == 0) continue;
    out.append(text.substr(done, at + found.keep - done)).append(kRedacted);
    done = at + found.keep + found.hide;
  }
  return out.append(text.substr(done));
}

std::string WithoutPrivateKeys(string_view text) {
  constexpr string_view kBegin = "-----BEGIN ";
  constexpr std::size_t kLongestLabel = 60;
  std::size_t end = 0;  // of the last search: each part of the text is searched once
  return Without(text, kBegin, [text, kBegin, &end](std::size_t at) -> Found {
    const std::size_t label = at + kBegin.size();
    const std::size_t dashes = text.substr(0, std::min(text.size(), label + kLongestLabel)).find("-----", label);
    if (dashes == string_view::npos || text.substr(label, dashes - label).find("PRIVATE KEY") == string_view::npos) {
      return {};
    }
    const std::size_t body = dashes + 5;
    if (end < body) end = std::min(text.find("-----END", body), text.size());
    return {body - at, end - body};
  });
}

std::string WithoutUserinfo(string_view text) {
  return Without(text, "://", [text](std::size_t at) -> Found {
    const string_view authority = text.substr(at + 3, text.find_first_of("/?# \t\r\n\"'<>\\", at + 3) - at - 3);
    const std::size_t sign = authority.rfind('@');
    if (sign != string_view::npos) return {3, sign};
    // Cut off within it: what follows the colon is no port.
    const std::size_t colon = authority.find(':');
    if (at + 3 + authority.size() < text.size() || colon == string_view::npos || authority.starts_with('[')) return {};
    const string_view rest = authority.substr(colon + 1);
    if (std::all_of(rest.begin(), rest.end(), IsDigit)) return {};
    return {3 + colon + 1, rest.size()};
  });
}

/// JSON Web Tokens: three parts or more, the first of which is an object.
std::string WithoutWebTokens(string_view text) {
  return Without(text, "eyJ", [text](std::size_t at) -> Found {
    if (at > 0 && Run(text.substr(at - 1, 1), "_-") > 0) return {};
    const std::size_t header = Run(text.substr(at), "_-");
    if (header < 8 || at + header >= text.size() || text[at + header] != '.') return {};
    const std::size_t length = Run(text.substr(at), "_-.");
    const string_view token = text.substr(at, length);
    return std::count(token.begin(), token.end(), '.') >= 2 ? Found{0, length} : Found{};
  });
}

/// Headers of HTTP that hold credentials, up to the end of the line.
std::string WithoutHeaders(string_view text) {
  return Without(text, ":", [text](std::size_t at) -> Found {
    std::size_t begin = at;
    while (begin > 0 && at - begin < 64 && (IsAlnum(text[begin - 1]) || text[begin - 1] == '-')) --begin;
    const std::string name = Lower(text.substr(begin, at - begin));
    const bool own = name.starts_with("x-") && KindOfName(name) != SecretKind::kNone;
    if (!own && !IsOneOf(name, {"authorization", "proxy-authorization", "cookie", "cookie2", "set-cookie"})) return {};
    const std::size_t value = std::min(text.find_first_not_of(kSpaces, at + 1), text.size());
    const std::size_t end = std::min(text.find_first_of("\r\n\"", value), text.size());
    return {value - at, end - value};
  });
}

bool IsOfProse(string_view word) {
  const std::string lower = Lower(word);
  return lower.starts_with("auth") || lower.starts_with("token") ||
         IsOneOf(lower, {"only", "access", "http", "scheme", "schemes", "header", "headers", "login", "user", "users",
                         "plan", "info", "profile", "settings", "client", "flow"});
}

bool LooksRandom(string_view token) {
  if (token.size() < kShortest) return false;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const char c = token[i];
    const char next = i + 1 < token.size() ? token[i + 1] : ' ';
    if (IsDigit(c) || c == '_' || c == '~' || c == '+' || c == '/' || c == '=') return true;
    if ((IsLower(c) && IsUpper(next)) || (c == '.' && IsAlnum(next))) return true;
  }
  return false;
}

/// "Bearer abc", where it is all of a text or string, or what follows is no word.
std::string WithoutCredentials(string_view text, string_view last_letters) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return Without(text, last_letters, [text, last_letters, first](std::size_t at) -> Found {
    const std::size_t end = at + last_letters.size();
    std::size_t begin = at;
    while (begin > 0 && at - begin < 16 && IsAlnum(text[begin - 1])) --begin;
    if (!IsOneOf(Lower(text.substr(begin, end - begin)), {"bearer", "basic", "negotiate", "digest"})) return {};
    const std::size_t token = std::min(text.find_first_not_of(" \t\r\n", end), text.size());
    std::size_t length = Run(text.substr(token), "_.~+/=-");
    if (token == end || length == 0) return {};
    const std::size_t behind = text.find_first_not_of(" \t\r\n\\", token + length);
    const bool begins = begin == 0 || text[begin - 1] == '"' || first == begin;
    const bool is_all = begins && (behind == string_view::npos || text[behind] == '"');
    const string_view word = text.substr(token, length);
    if (is_all ? IsOfProse(word) : !LooksRandom(word)) return {};
    return {token - at, length};
  });
}

/// $2b$10$..., {SSHA}..., SCRAM-SHA-256$4096:...
std::string WithoutHashes(string_view text) {
  constexpr std::size_t kShortestHash = 8;
  constexpr string_view kSigns = "./$=,+:_-";
  std::string clean = Without(text, "$", [text, kSigns](std::size_t at) -> Found {
    const std::size_t name = Run(text.substr(at + 1), "_-");
    const std::size_t sign = at + 1 + name;
    if (name == 0 || name > 32 || sign >= text.size() || text[sign] != '$') return {};
    const std::string method = Lower(text.substr(at + 1, name));
    const bool known = method.starts_with("argon2") || method.starts_with("pbkdf2") || method == "scrypt" ||
                       IsOneOf(method, {"1", "2a", "2b", "2x", "2y", "5", "6", "7", "y", "gy"});
    const std::size_t length = Run(text.substr(sign + 1), kSigns);
    return known && length >= kShortestHash ? Found{0, sign + 1 + length - at} : Found{};
  });
  const std::string braces = std::move(clean);
  clean = Without(braces, "{", [&braces, kSigns](std::size_t at) -> Found {
    const string_view rest = string_view(braces).substr(at + 1);
    const std::size_t name = Run(rest, "_-");
    if (name == 0 || name > 32 || name >= rest.size() || rest[name] != '}') return {};
    const std::string method = Lower(rest.substr(0, name));
    const bool known = method.starts_with("sha") || method.starts_with("ssha") || method.starts_with("md5") ||
                       method.starts_with("smd5") || method.starts_with("crypt") || method.starts_with("pbkdf2");
    const std::size_t length = Run(rest.substr(name + 1), kSigns);
    return known && length >= kShortestHash ? Found{name + 2, length} : Found{};
  });
  const std::string scram = std::move(clean);
  return Without(scram, "SCRAM-SHA-", [&scram, kSigns](std::size_t at) -> Found {
    const std::size_t digits = string_view(scram).substr(at, 20).find('$');
    if (digits == string_view::npos) return {};
    const std::size_t sign = at + digits;
    const std::size_t length = Run(string_view(scram).substr(sign + 1), kSigns);
    return length >= kShortestHash ? Found{sign + 1 - at, length} : Found{};
  });
}

}  // namespace

std::string WithoutSecretForms(string_view text) {
  std::string clean = WithoutHashes(WithoutWebTokens(WithoutUserinfo(WithoutPrivateKeys(text))));
  clean = WithoutHeaders(clean);
  for (const string_view last_letters : {"arer", "ARER", "asic", "ASIC", "iate", "gest"}) {
    clean = WithoutCredentials(clean, last_letters);
  }
  return clean;
}

}  // namespace mfi::core
