#include "core/restore/roles_plan.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/base/sql_text.h"

namespace mfi::core {
namespace {

using Tokens = std::vector<SqlToken>;

constexpr std::size_t kLongestShown = 100;

bool Begins(const Tokens& t, std::initializer_list<std::string_view> words) {
  if (t.size() < words.size()) return false;
  return std::equal(words.begin(), words.end(), t.begin(),
                    [](std::string_view w, const SqlToken& token) { return IsWord(token, w); });
}

bool IsName(const SqlToken& token) {
  return token.kind == SqlToken::Kind::kWord || token.kind == SqlToken::Kind::kQuotedName;
}

/// Where `ON <kind>` is, before anything that can be a value; the tokens' number when it is nowhere.
std::size_t OnKind(const Tokens& t, std::string_view kind) {
  for (std::size_t i = 0; i + 2 < t.size(); ++i) {
    if (IsWord(t[i], "on") && IsWord(t[i + 1], kind)) return i;
  }
  return t.size();
}

/// Who gets a privilege, or loses it.
std::string Grantee(const Tokens& t) {
  for (std::size_t i = t.size(); i-- > 1;) {
    if ((IsWord(t[i - 1], "to") || IsWord(t[i - 1], "from")) && IsName(t[i])) return t[i].text;
  }
  return {};
}

std::string WithoutGrantor(const std::string& text, const Tokens& t) {
  if (t.size() < 3 || !IsWord(t[t.size() - 3], "granted") || !IsWord(t[t.size() - 2], "by")) return {};
  return text.substr(0, t[t.size() - 3].begin);
}

class Planner {
 public:
  explicit Planner(const std::set<std::string>& existing) : existing_(existing) {}

  void Take(const std::string& text) {
    const Tokens t = SplitTokens(text);
    if (Begins(t, {"set"}) || Begins(t, {"reset", "session", "authorization"})) {
      Session(text, t);
    } else if (Begins(t, {"create", "role"}) && t.size() > 2 && IsName(t[2])) {
      Create(text, t[2].text);
    } else if (Begins(t, {"create", "tablespace"}) && t.size() > 2 && IsName(t[2])) {
      plan_.tablespaces.push_back(t[2].text);
    } else if (Begins(t, {"alter", "role"}) && t.size() > 2 && IsName(t[2])) {
      OfRole(text, t[2].text);
    } else if (Begins(t, {"comment", "on"}) || Begins(t, {"security", "label"})) {
      Described(text, t);
    } else if (Begins(t, {"grant"}) && t.size() > 3 && IsName(t[1]) && IsWord(t[2], "to") && IsName(t[3])) {
      Membership(text, t);
    } else if (Begins(t, {"grant"}) || Begins(t, {"revoke"})) {
      Privilege(text, t);
    } else if (!Begins(t, {"alter", "tablespace"})) {
      Refuse(text);
    }
  }

  RolesPlan Plan() { return std::move(plan_); }

 private:
  [[noreturn]] static void Refuse(const std::string& text) {
    throw Error(sqlstate::kDataCorrupted,
                "globals.sql holds a statement that pg_dumpall does not write: " + ShownStatement(text));
  }

  void Add(const std::string& text, const std::string& without_grantor = {}) {
    plan_.statements.push_back({text, without_grantor});
  }

  /// What decides how the text is read, and who grants. Other settings are this program's own.
  void Session(const std::string& text, const Tokens& t) {
    if (Begins(t, {"set", "client_encoding"}) && t.size() == 4) plan_.encoding = t[3].text;
    if (Begins(t, {"set", "standard_conforming_strings"}) || Begins(t, {"set", "session", "authorization"}) ||
        Begins(t, {"reset"})) {
      Add(text);
    }
  }

  void Create(const std::string& text, const std::string& name) {
    const bool there = existing_.count(name) != 0;
    (there ? plan_.kept : plan_.made).push_back(name);
    if (there) return;
    made_.insert(name);
    Add(text);
  }

  void OfRole(const std::string& text, const std::string& name) {
    if (made_.count(name) != 0) Add(text);
  }

  void Described(const std::string& text, const Tokens& t) {
    const std::size_t role = OnKind(t, "role");
    if (role < t.size()) {
      OfRole(text, t[role + 2].text);
    } else if (OnKind(t, "tablespace") == t.size()) {
      Refuse(text);
    }
  }

  /// A role that was there and its member that was there are as their server has them.
  void Membership(const std::string& text, const Tokens& t) {
    if (existing_.count(t[1].text) != 0 && existing_.count(t[3].text) != 0) return;
    Add(text, WithoutGrantor(text, t));
  }

  void Privilege(const std::string& text, const Tokens& t) {
    if (OnKind(t, "tablespace") < t.size()) return;
    if (OnKind(t, "parameter") == t.size()) Refuse(text);
    OfRole(text, Grantee(t));
  }

  const std::set<std::string>& existing_;
  std::set<std::string> made_;
  RolesPlan plan_;
};

}  // namespace

std::string ShownStatement(const std::string& statement) {
  std::size_t end = statement.size();
  for (const SqlToken& token : SplitTokens(statement)) {
    if (IsWord(token, "password")) end = std::min(end, token.begin);
  }
  const std::string shown = Printable(statement.substr(0, end), kLongestShown);
  return shown.size() < statement.size() ? shown + "..." : shown;
}

RolesPlan PlanRoles(std::string_view globals, const std::set<std::string>& existing) {
  Planner planner(existing);
  for (const SqlStatement& statement : SplitStatements(globals)) planner.Take(statement.text);
  return planner.Plan();
}

}  // namespace mfi::core
