#include "core/secrets/redacted_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "core/base/json_fields.h"
#include "core/base/repaired_json.h"
#include "core/secrets/redacted_text.h"
#include "core/secrets/secret_name.h"

namespace mfi::core {
namespace {

using Json = nlohmann::json;

constexpr int kDeepest = 30;
constexpr int kDeepestReadable = 1200;  // the server's stack has room for more

/// A value of JSON, as it was written, and, of objects and arrays, what is in it.
struct Node {
  enum class Kind { kOther, kString, kArray, kObject };
  struct Member;

  Kind kind = Kind::kOther;
  std::string text;
  std::vector<Member> members;  // of an array without keys
  bool changed = false;
};

struct Node::Member {
  std::string written_key;
  std::string key;
  Node value;
};

std::string Written(const std::string& text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string Read(const std::string& written) {
  if (written.find('\\') == std::string::npos) return written.substr(1, written.size() - 2);
  const Json value = json::Parse(written);
  return value.is_string() ? value.get<std::string>() : written;
}

/// Reads JSON that is known to be right.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Node Value(int depth) {
    SkipSpaces();
    if (depth >= kDeepest) {
      SkipValue();
      Node node{Node::Kind::kOther, Written(std::string(kRedacted)), {}, true};
      return node;
    }
    const char c = Next();
    if (c == '{' || c == '[') return Members(c == '{', depth);
    Node node;
    node.kind = c == '"' ? Node::Kind::kString : Node::Kind::kOther;
    node.text = c == '"' ? String() : Other();
    return node;
  }

 private:
  char Next() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void SkipSpaces() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  std::string String() {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, text_.size());
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string Other() {
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
    return std::string(text_.substr(begin, at_ - begin));
  }

  void SkipValue() {
    int depth = 0;
    do {
      SkipSpaces();
      const char c = Next();
      if (c == '"') {
        (void)String();
      } else if (c == '{' || c == '[' || c == '}' || c == ']') {
        depth += c == '{' || c == '[' ? 1 : -1;
        ++at_;
      } else if (c == ',' || c == ':') {
        ++at_;
      } else {
        (void)Other();
      }
    } while (depth > 0 && at_ < text_.size());
  }

  Node Members(bool has_keys, int depth) {
    Node node;
    node.kind = has_keys ? Node::Kind::kObject : Node::Kind::kArray;
    ++at_;
    for (;;) {
      SkipSpaces();
      const char c = Next();
      if (c == ',') {
        ++at_;
      } else if (c == '}' || c == ']' || c == '\0') {
        ++at_;
        return node;
      } else {
        Node::Member member;
        if (has_keys) {
          member.written_key = String();
          member.key = Read(member.written_key);
          SkipSpaces();
          ++at_;
        }
        member.value = Value(depth + 1);
        node.changed = node.changed || member.value.changed;
        node.members.push_back(std::move(member));
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

void Write(const Node& node, std::string& out) {
  if (node.kind == Node::Kind::kString || node.kind == Node::Kind::kOther) {
    out += node.text;
    return;
  }
  const bool has_keys = node.kind == Node::Kind::kObject;
  out += has_keys ? '{' : '[';
  bool first = true;
  for (const Node::Member& member : node.members) {
    if (!first) out += ", ";
    first = false;
    if (has_keys) out += member.written_key + ": ";
    Write(member.value, out);
  }
  out += has_keys ? '}' : ']';
}

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::string Folded(std::string_view key) {
  std::string folded;
  for (const char c : key) {
    if (c >= 'A' && c <= 'Z') {
      folded += static_cast<char>(c | 0x20);
    } else if (c != '_' && c != '-' && c != '.') {
      folded += c;
    }
  }
  return folded;
}

bool IsValueKey(std::string_view key) {
  return IsOneOf(Folded(key), {"value", "values", "val", "defaultvalue", "default", "currentvalue", "newvalue",
                               "oldvalue", "previousvalue", "rawvalue", "stringvalue", "content", "data"});
}

bool IsNameKey(std::string_view key) {
  return IsOneOf(Folded(key), {"name", "key", "type", "id", "field", "attribute", "attributename", "property",
                               "propertyname", "param", "parameter", "header", "claim", "alias", "credentialtype",
                               "option", "setting", "variable", "label"});
}

/// What the name or type beside a value says of it: {"name": "secret", "value": "..."}.
SecretKind KindOfPair(const Node& object) {
  SecretKind kind = SecretKind::kNone;
  for (const Node::Member& member : object.members) {
    if (member.value.kind == Node::Kind::kString && IsNameKey(member.key)) {
      const SecretKind said = KindOfName(Read(member.value.text));
      if (kind == SecretKind::kNone || said == SecretKind::kWhole) kind = said;
    } else if (IsOneOf(Folded(member.key), {"secret", "issecret", "sensitive", "confidential"}) &&
               IsOneOf(member.value.text, {"true", "\"true\""})) {
      return SecretKind::kWhole;
    }
  }
  return kind;
}

/// RFC 7517, 7518: the members of a key that are private have short names.
bool IsPrivateMember(std::string_view key) {
  return IsOneOf(key, {"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"});
}

bool IsSecret(SecretKind kind, const Node& value) {
  if (kind == SecretKind::kNone) return false;
  if (value.kind == Node::Kind::kString) return IsSecretText(kind, Read(value.text));
  if (value.kind == Node::Kind::kObject) return true;
  if (value.kind == Node::Kind::kArray) {
    return value.members.size() == 1 ? IsSecret(kind, value.members[0].value) : !value.members.empty();
  }
  return kind == SecretKind::kWhole && !IsOneOf(value.text, {"null", "true", "false"});
}

void Hide(Node& node) { node = Node{Node::Kind::kString, Written(std::string(kRedacted)), {}, true}; }

class Redactor {
 public:
  void Redact(Node& node, int depth) {
    if (node.kind == Node::Kind::kString) {
      String(node, depth);
    } else if (node.kind == Node::Kind::kArray) {
      for (Node::Member& member : node.members) Redact(member.value, depth + 1);
    } else if (node.kind == Node::Kind::kObject) {
      Object(node, depth);
    }
    for (const Node::Member& member : node.members) node.changed = node.changed || member.value.changed;
  }

 private:
  void Object(Node& node, int depth) {
    const bool is_key = std::any_of(node.members.begin(), node.members.end(),
                                    [](const Node::Member& member) { return member.key == "kty"; });
    const SecretKind pair = KindOfPair(node);
    for (Node::Member& member : node.members) {
      const SecretKind kind = KindOfName(member.key);
      if (IsSecret(kind, member.value) || (is_key && IsPrivateMember(member.key)) ||
          (IsValueKey(member.key) && IsSecret(pair, member.value))) {
        Hide(member.value);
      } else {
        Redact(member.value, depth + 1);
      }
    }
  }

  void String(Node& node, int depth) {
    const std::string text = Read(node.text);
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    const bool may_be_json = begin != std::string::npos && IsOneOf(text.substr(begin, 1), {"{", "[", "\""});
    std::string clean;
    if (may_be_json && IsReadableJson(text)) {
      const std::string repaired = Repaired(text, Zero::kReplace);
      Node inner = Reader(repaired).Value(depth + 1);
      Redact(inner, depth + 1);
      if (!inner.changed) return;
      Write(inner, clean);
    } else {
      clean = RedactedText(text);
      if (clean == text) return;
    }
    node.text = Written(clean);
    node.changed = true;
  }
};

}  // namespace

bool IsReadableJson(std::string_view text) {
  // The library takes a zero for the end of the text.
  return text.find('\0') == std::string_view::npos && !json::IsTooDeep(text, kDeepestReadable) &&
         Json::accept(Repaired(text, Zero::kReplace));
}

std::string RedactedJson(std::string_view text) {
  Node document = Reader(text).Value(0);
  Redactor().Redact(document, 0);
  if (!document.changed) return std::string(text);
  std::string out;
  Write(document, out);
  return out;
}

}  // namespace mfi::core
