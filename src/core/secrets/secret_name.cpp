#include "core/secrets/secret_name.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace mfi::core {
namespace {

using Words = std::vector<std::string>;
using Set = std::set<std::string, std::less<>>;

constexpr std::size_t kLongestNumber = 12;  // of a token's lifetime; longer ones may be a token

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// APIKey2 is api, key2; no word has a sign.
Words WordsOf(std::string_view name) {
  Words words;
  bool begins = true;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (!IsUpper(c) && !IsLower(c) && !IsDigit(c)) {
      begins = true;
      continue;
    }
    const char before = i > 0 ? name[i - 1] : ' ';
    const char after = i + 1 < name.size() ? name[i + 1] : ' ';
    if (IsUpper(c) && (IsLower(before) || IsDigit(before) || (IsUpper(before) && IsLower(after)))) begins = true;
    if (begins) words.emplace_back();
    begins = false;
    words.back() += IsUpper(c) ? static_cast<char>(c | 0x20) : c;
  }
  return words;
}

bool Has(const std::string& word, std::string_view part) { return word.find(part) != std::string::npos; }

bool EndsWithOneOf(std::string_view word, std::initializer_list<std::string_view> ends) {
  return std::any_of(ends.begin(), ends.end(), [word](std::string_view end) { return word.ends_with(end); });
}

/// password2 and secrets are password and secret.
std::string_view Singular(std::string_view word) {
  while (!word.empty() && IsDigit(word.back())) word.remove_suffix(1);
  if (word.ends_with('s') && !word.ends_with("pass")) word.remove_suffix(1);
  return word;
}

/// A word that only looks like one of a secret.
bool IsHarmlessWord(const std::string& word) {
  return word.starts_with("passwordless") || word.starts_with("secretar") || Has(word, "tokeniz") ||
         Has(word, "tokenis");
}

/// What is said about a secret, and the lists and switches that are named after one.
bool IsAboutOne(const Words& words, std::string_view last, std::string_view before) {
  static const Set kAbout = {
      "time",      "times",      "timestamp", "date",        "age",       "ttl",        "duration",    "period",
      "interval",  "idle",       "max",       "min",         "created",   "updated",    "expired",     "count",
      "counts",    "counter",    "size",      "length",      "limit",     "reuse",      "digits",      "iterations",
      "remaining", "type",       "types",     "id",          "ids",       "identifier", "alg",         "algs",
      "algorithm", "algorithms", "format",    "encoding",    "method",    "methods",    "mode",        "url",
      "urls",      "uri",        "uris",      "endpoint",    "path",      "file",       "issuer",      "audience",
      "scope",     "scopes",     "allowed",   "enabled",     "required",  "supported",  "optional",    "disabled",
      "claim",     "claims",     "label",     "name",        "names",     "title",      "description", "status",
      "version",   "flow",       "flows",     "mapper",      "attribute", "attributes", "field",       "parameter",
      "usage",     "use",        "history",   "requirement", "alias",     "store",      "alive"};
  static const Set kEvents = {"expire",  "expires", "created", "updated", "issued",
                              "changed", "rotated", "valid",   "used"};
  if (kAbout.count(last) > 0 || Has(std::string(last), "expir")) return true;
  if (EndsWithOneOf(last, {"lifespan", "lifetime", "timeout", "policy", "policies"})) return true;
  if ((last == "at" || last == "in" || last == "on" || last == "until") && kEvents.count(before) > 0) return true;
  if (words.size() > 2 && words[1] == "of") {
    static const Set kNumbers = {"age", "number", "count", "max", "min"};
    if (kNumbers.count(words[0]) > 0) return true;
  }
  if (last == "enc" && before == "response") return true;
  return Singular(last) == "credential" &&
         (before == "required" || before == "supported" || before == "allowed" || before == "disableable");
}

bool IsCode(const Words& words, std::string_view last, std::string_view before) {
  static const Set kOf = {"user",     "device", "auth",   "authn", "authorization", "authentication",
                          "otp",      "totp",   "sms",    "mfa",   "verification",  "recovery",
                          "backup",   "access", "reset",  "login", "activation",    "confirmation",
                          "security", "oauth",  "oauth2", "time",  "email",         "invitation",
                          "invite",   "pin",    "pass"};
  if (last == "code" && words.size() == 1) return true;
  if (last == "code" || last == "codes") return kOf.count(before) > 0;
  const std::string_view one = Singular(last);
  return one.ends_with("code") && kOf.count(one.substr(0, one.size() - 4)) > 0;
}

bool IsWhole(const Words& words, std::string_view last, std::string_view before) {
  static const Set kLast = {"pw", "pass", "pin", "otp", "totp", "hotp", "secretdata", "credentialdata"};
  const std::string_view one = Singular(last);
  if (EndsWithOneOf(one, {"password", "passwd", "passphrase", "passwort", "pwd", "secret", "privatekey", "apikey"})) {
    return true;
  }
  if (one == "key" && (before == "private" || before == "api")) return true;
  if (kLast.count(one) > 0 || IsCode(words, last, before)) return true;
  if (last == "data") return before == "secret" || before == "credential";
  if (last == "verifier") return before == "code";
  static const Set kOfOtp = {"seed", "uri", "auth", "value", "key"};
  return kOfOtp.count(last) > 0 && (before == "otp" || before == "totp" || before == "hotp");
}

bool IsSecretWord(const std::string& word) {
  return Has(word, "password") || Has(word, "passwd") || Has(word, "passphrase") || Has(word, "passwort") ||
         Has(word, "secret") || word.starts_with("pwd") || word.ends_with("pwd");
}

bool IsSecretKey(const Words& words) {
  static const Set kKeys = {"private", "api",     "access", "signing", "encryption", "decryption", "hmac",
                            "master",  "shared",  "ssh",    "account", "storage",    "symmetric",  "deploy",
                            "webhook", "session", "aes",    "rsa",     "root"};
  for (const std::string& word : words) {
    if (word.starts_with("public")) return false;
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = Singular(words[i]);
    if (word == "key" && i > 0 && kKeys.count(words[i - 1]) > 0) return true;
    if (word.ends_with("key") && kKeys.count(word.substr(0, word.size() - 3)) > 0) return true;
  }
  return false;
}

bool IsToken(const Words& words, std::string_view last, std::string_view before) {
  static const Set kLast = {"jwt",           "assertion",   "cookie",      "authorization",
                            "authorisation", "samlrequest", "samlresponse"};
  const auto is_one = [](const std::string& word) { return Has(word, "token") || Has(word, "credential"); };
  if (std::any_of(words.begin(), words.end(), is_one) || kLast.count(Singular(last)) > 0) return true;
  return before == "saml" && (last == "request" || last == "response");
}

}  // namespace

SecretKind KindOfName(std::string_view name) {
  Words words = WordsOf(name);
  words.erase(std::remove_if(words.begin(), words.end(), IsHarmlessWord), words.end());
  if (words.empty()) return SecretKind::kNone;
  const std::string_view last = words.back();
  const std::string_view before = words.size() > 1 ? std::string_view(words[words.size() - 2]) : std::string_view();
  if ((Singular(last) == "id" && before == "secret") || Singular(last) == "secretid") return SecretKind::kWhole;
  if (IsAboutOne(words, last, before)) return SecretKind::kNone;
  if (IsWhole(words, last, before)) return SecretKind::kWhole;
  if (std::any_of(words.begin(), words.end(), IsSecretWord) || IsSecretKey(words)) return SecretKind::kPart;
  return IsToken(words, last, before) ? SecretKind::kToken : SecretKind::kNone;
}

bool IsSecretText(SecretKind kind, std::string_view value) {
  if (kind == SecretKind::kNone || kind == SecretKind::kWhole) return kind == SecretKind::kWhole;
  if (value.empty() || value == "true" || value == "false") return false;
  return kind == SecretKind::kPart || value.size() > kLongestNumber ||
         !std::all_of(value.begin(), value.end(), IsDigit);
}

}  // namespace mfi::core
