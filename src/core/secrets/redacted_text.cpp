#include "core/secrets/redacted_text.h"

#include <algorithm>
#include <initializer_list>

#include "core/secrets/redacted_json.h"
#include "core/secrets/secret_form.h"
#include "core/secrets/secret_name.h"

namespace mfi::core {
namespace {

using std::string_view;

constexpr std::size_t kLongestName = 200;
constexpr string_view kSpaces = " \t\r\n";
constexpr string_view kAfterJson = " [redacted to the end]";

bool IsNameSign(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == '$';
}

std::size_t SkipSpaces(string_view text, std::size_t at) {
  return std::min(text.find_first_not_of(kSpaces, at), text.size());
}

/// Where the name begins that ends before `end`.
std::size_t NameBefore(string_view text, std::size_t end) {
  std::size_t begin = end;
  while (begin > 0 && end - begin < kLongestName && IsNameSign(text[begin - 1])) --begin;
  return begin;
}

/// Where the value ends that begins at `begin`: behind its second quote, or before what no value has.
std::size_t ValueEnd(string_view text, std::size_t begin) {
  std::size_t quote = begin;
  while (quote < text.size() && text[quote] == '\\') ++quote;
  if (quote < text.size() && (text[quote] == '"' || text[quote] == '\'')) {
    const std::size_t end = text.find(text[quote], quote + 1);
    return end == string_view::npos ? text.size() : end + 1;
  }
  return std::min(text.find_first_of(" \t\r\n&;,\"'<>(){}[]", begin), text.size());
}

string_view Unquoted(string_view value) {
  const std::size_t begin = std::min(value.find_first_not_of("\\\"'"), value.size());
  const std::size_t end = value.find_last_not_of("\\\"'");
  return end == string_view::npos || end < begin ? string_view() : value.substr(begin, end + 1 - begin);
}

SecretKind KindOf(string_view name) { return name == "sig" ? SecretKind::kWhole : KindOfName(name); }

bool IsOne(SecretKind kind, string_view value) {
  return !value.empty() && !value.starts_with(kRedacted) && IsSecretText(kind, Unquoted(value));
}

/// name=value, as in forms, URLs, connection strings and attributes of XML.
std::string WithoutAssigned(string_view text) {
  std::string out;
  std::size_t done = 0;
  for (std::size_t sign = text.find('='); sign != string_view::npos; sign = text.find('=', sign + 1)) {
    std::size_t end = sign;
    while (end > done && kSpaces.find(text[end - 1]) != string_view::npos) --end;
    const std::size_t name = std::max(NameBefore(text, end), done);
    const SecretKind kind = sign < done ? SecretKind::kNone : KindOf(text.substr(name, end - name));
    if (kind == SecretKind::kNone) continue;
    const std::size_t value = SkipSpaces(text, sign + 1);
    const std::size_t value_end = ValueEnd(text, value);
    if (!IsOne(kind, text.substr(value, value_end - value))) continue;
    out.append(text.substr(done, value - done)).append(kRedacted);
    done = value_end;
  }
  return out.append(text.substr(done));
}

/// --name value, as in commands.
std::string WithoutOptions(string_view text) {
  std::string out;
  std::size_t done = 0;
  for (std::size_t sign = text.find("--"); sign != string_view::npos;) {
    const std::size_t name = sign + 2;
    std::size_t end = name;
    while (end < text.size() && IsNameSign(text[end])) ++end;
    sign = text.find("--", end);
    const SecretKind kind = KindOf(text.substr(name, end - name));
    const std::size_t value = SkipSpaces(text, end);
    if (kind == SecretKind::kNone || value == end || value >= text.size() || text[value] == '-') continue;
    const std::size_t value_end = std::min(text.find_first_of(kSpaces, value), text.size());
    if (!IsOne(kind, text.substr(value, value_end - value))) continue;
    out.append(text.substr(done, value - done)).append(kRedacted);
    done = value_end;
    sign = text.find("--", done);
  }
  return out.append(text.substr(done));
}

/// <name>value</name>.
std::string WithoutElements(string_view text) {
  std::string out;
  std::size_t done = 0;
  std::size_t open = text.find('<');
  while (open != string_view::npos) {
    const std::size_t next = text.find('<', open + 1);
    const string_view element = text.substr(open + 1, next == string_view::npos ? next : next - open - 1);
    const std::size_t close = element.find('>');
    string_view name = element.substr(0, element.find_first_of(" \t\r\n>/"));
    name = name.substr(name.find(':') + 1);  // npos + 1 is 0
    if (close != string_view::npos && !element.starts_with('/') && name.size() <= kLongestName &&
        IsOne(KindOf(name), element.substr(close + 1))) {
      out.append(text.substr(done, open + 2 + close - done)).append(kRedacted);
      done = next == string_view::npos ? text.size() : next;
    }
    open = next;
  }
  return out.append(text.substr(done));
}

/// A string of JSON that ends at the quote `end`, of escaped JSON, too: what is in it.
string_view StringBefore(string_view text, std::size_t end) {
  while (end > 0 && text[end - 1] == '\\') --end;
  const std::size_t quote = end > 0 ? text.rfind('"', end - 1) : string_view::npos;
  const std::size_t begin = quote == string_view::npos ? 0 : quote + 1;
  return text.substr(begin, end - begin);
}

bool IsNameKey(string_view key) {
  const std::initializer_list<string_view> keys = {"name", "key", "type", "id", "field", "attribute", "property"};
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// Where a text that may be a piece of JSON has its first secret; npos when it has none.
std::size_t CutInJson(string_view text) {
  for (std::size_t quote = text.find('"'); quote != string_view::npos; quote = text.find('"', quote + 1)) {
    const std::size_t colon = SkipSpaces(text, quote + 1);
    if (colon >= text.size() || text[colon] != ':') continue;
    const string_view key = StringBefore(text, quote);
    if (key.find("\\u") != string_view::npos || KindOfName(key) != SecretKind::kNone) return colon + 1;
    std::size_t value = SkipSpaces(text, colon + 1);
    while (value < text.size() && text[value] == '\\') ++value;
    const bool is_key = key == "kty";
    bool names_one = false;
    if (IsNameKey(key) && value < text.size() && text[value] == '"') {
      const std::size_t end = std::min(text.find_first_of("\\\"", value + 1), text.size());
      names_one = KindOfName(text.substr(value + 1, end - value - 1)) != SecretKind::kNone;
    }
    if (!is_key && !names_one) continue;
    // The value may stand before its name.
    const std::size_t object = text.substr(0, quote).rfind('{');
    return object == string_view::npos ? quote : object + 1;
  }
  return string_view::npos;
}

/// The same in a URL.
std::size_t CutInUrl(string_view text) {
  constexpr string_view kQuote = "%22";
  std::size_t before = string_view::npos;
  for (std::size_t quote = text.find(kQuote); quote != string_view::npos; quote = text.find(kQuote, quote + 3)) {
    std::size_t colon = quote + kQuote.size();
    while (text.substr(colon).starts_with("%20")) colon += 3;
    const string_view rest = text.substr(colon);
    const std::size_t sign = rest.starts_with(':') ? 1 : rest.starts_with("%3A") || rest.starts_with("%3a") ? 3 : 0;
    if (sign > 0 && before != string_view::npos &&
        KindOfName(text.substr(before + 3, quote - before - 3)) != SecretKind::kNone) {
      return colon + sign;
    }
    before = quote;
  }
  return string_view::npos;
}

}  // namespace

std::string RedactedText(string_view text) {
  std::string clean = WithoutSecretForms(text);
  if (clean.find('=') != std::string::npos) clean = WithoutAssigned(clean);
  if (clean.find("--") != std::string::npos) clean = WithoutOptions(clean);
  if (clean.find('<') != std::string::npos) clean = WithoutElements(clean);
  const std::size_t cut = std::min(CutInJson(clean), CutInUrl(clean));
  if (cut < clean.size()) clean = clean.substr(0, cut).append(kAfterJson);
  return clean;
}

}  // namespace mfi::core
