#include "core/restore_plan.h"

#include <algorithm>
#include <array>

namespace mfi::core {
namespace {

using Tokens = std::vector<SqlToken>;

template <std::size_t N>
bool IsOneOf(const std::array<std::string_view, N>& kinds, const std::string& kind) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

constexpr std::array<std::string_view, 2> kFrame = {"SCHEMA", "EXTENSION"};
constexpr std::array<std::string_view, 8> kEnd = {"COMMENT",      "SECURITY LABEL",    "EVENT TRIGGER",
                                                  "PUBLICATION",  "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA",
                                                  "SUBSCRIPTION", "SUBSCRIPTION TABLE"};
constexpr std::array<std::string_view, 2> kPrivileges = {"ACL", "DEFAULT ACL"};
constexpr std::array<std::string_view, 3> kRows = {"TABLE DATA", "BLOBS", "MATERIALIZED VIEW DATA"};
constexpr std::array<std::string_view, 7> kSuperuserOnly = {
    "PROCEDURAL LANGUAGE", "ACCESS METHOD",      "OPERATOR CLASS",      "OPERATOR FAMILY",
    "TRANSFORM",           "TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE"};
/// Their owners must be superusers.
constexpr std::array<std::string_view, 4> kOwnedBySuperusers = {"EVENT TRIGGER", "PUBLICATION", "SUBSCRIPTION",
                                                                "FOREIGN DATA WRAPPER"};

bool IsSymbol(const SqlToken& token, char c) {
  return token.kind == SqlToken::Kind::kOther && token.text == std::string(1, c);
}

/// Tokens outside of all parentheses.
Tokens Outside(const Tokens& tokens) {
  Tokens outside;
  int depth = 0;
  for (const SqlToken& token : tokens) {
    if (IsSymbol(token, ')')) --depth;
    if (depth == 0) outside.push_back(token);
    if (IsSymbol(token, '(')) ++depth;
  }
  return outside;
}

bool HasWord(const Tokens& tokens, std::string_view word) {
  return std::any_of(tokens.begin(), tokens.end(), [&](const SqlToken& token) { return IsWord(token, word); });
}

/// Whether `first second` stand side by side.
bool HasWords(const Tokens& tokens, std::string_view first, std::string_view second) {
  return std::adjacent_find(tokens.begin(), tokens.end(), [&](const SqlToken& a, const SqlToken& b) {
           return IsWord(a, first) && IsWord(b, second);
         }) != tokens.end();
}

/// CREATE FUNCTION name(...) RETURNS type LANGUAGE l ... [LEAKPROOF] [SUPPORT f] [SET setting TO value] AS ...
bool OnlySuperusersMakeFunction(const Tokens& tokens, const RightsOfRoles& rights) {
  const Tokens t = Outside(tokens);
  auto at = std::find_if(t.begin(), t.end(), [](const SqlToken& token) { return IsWord(token, "language"); });
  if (at == t.end() || ++at == t.end() || rights.trusted_languages.count(at->text) == 0) return true;
  for (; at != t.end(); ++at) {
    if (IsWord(*at, "leakproof") || IsWord(*at, "support")) return true;
    if (!IsWord(*at, "set")) continue;
    std::string setting;
    for (auto name = at + 1; name != t.end() && !IsWord(*name, "to"); ++name) setting += name->text;
    if (rights.superuser_settings.count(setting) != 0) return true;
  }
  return false;
}

/// CREATE AGGREGATE name(...) (SFUNC = f, STYPE = internal, ...)
bool OnlySuperusersMakeAggregate(const Tokens& t) {
  for (std::size_t i = 0; i + 2 < t.size(); ++i) {
    const bool state = IsWord(t[i], "stype") || IsWord(t[i], "mstype");
    if (state && IsSymbol(t[i + 1], '=') && IsWord(t[i + 2], "internal")) return true;
  }
  return false;
}

/// CREATE TYPE name (INPUT = ..., OUTPUT = ..., ...), in no other type does a parenthesis follow the name.
bool IsBaseType(const Tokens& t) {
  std::size_t i = 2;  // behind CREATE TYPE
  while (i + 2 < t.size() && IsSymbol(t[i + 1], '.')) i += 2;
  return i + 1 < t.size() && IsSymbol(t[i + 1], '(');
}

class Planner {
 public:
  Planner(const std::vector<ArchiveEntry>& entries, const Definitions& definitions, const RightsOfRoles& rights)
      : entries_(entries), definitions_(definitions), rights_(rights) {
    for (const ArchiveEntry& entry : entries_) {
      if (entry.kind == "TYPE" && IsBaseType(FirstStatement(entry))) base_types_.insert(entry.name);
    }
  }

  RestorePlan Make() {
    plan_.frame = FrameOf(entries_);
    for (const ArchiveEntry& entry : entries_) {
      if (IsOneOf(kFrame, entry.kind)) continue;
      if (IsOneOf(kEnd, entry.kind)) {
        plan_.end.push_back(entry.id);
      } else if (IsOneOf(kPrivileges, entry.kind)) {
        plan_.privileges.push_back(entry.id);
      } else {
        AddToBody(entry);
      }
    }
    for (const ArchiveEntry& entry : entries_) AddOwner(entry);
    return std::move(plan_);
  }

 private:
  Tokens FirstStatement(const ArchiveEntry& entry) const {
    const auto found = definitions_.find(entry.id);
    if (found == definitions_.end() || found->second.empty()) return {};
    return SplitTokens(found->second.front());
  }

  void AddToBody(const ArchiveEntry& entry) {
    const bool wrapper = entry.kind == "FOREIGN DATA WRAPPER";
    const bool only_superusers = OnlySuperusersMake(entry);
    const bool superuser = wrapper || only_superusers;
    if (plan_.body.empty() || plan_.body.back().superuser != superuser) plan_.body.push_back({superuser, {}});
    plan_.body.back().entries.push_back(entry.id);
    if (only_superusers) {
      plan_.superuser_only.push_back(entry.kind + " " + entry.name.substr(0, entry.name.rfind(' ')));
    }
  }

  bool OnlySuperusersMake(const ArchiveEntry& entry) const {
    const std::string& kind = entry.kind;
    if (IsOneOf(kSuperuserOnly, kind)) return true;
    if (kind == "TYPE" || kind == "SHELL TYPE") return base_types_.count(entry.name) != 0;
    if (kind == "FUNCTION" || kind == "PROCEDURE") return OnlySuperusersMakeFunction(FirstStatement(entry), rights_);
    if (kind == "AGGREGATE") return OnlySuperusersMakeAggregate(FirstStatement(entry));
    if (kind == "CAST") return OnlySuperusersMakeCast(FirstStatement(entry));
    const Tokens tokens = FirstStatement(entry);
    if (kind == "FOREIGN TABLE") return HasWord(tokens, "filename") || HasWord(tokens, "program");
    if (kind == "FOREIGN DATA WRAPPER") return HasWord(tokens, "handler") || HasWord(tokens, "validator");
    if (kind == "USER MAPPING") {
      return HasWord(tokens, "password_required") || HasWord(tokens, "sslcert") || HasWord(tokens, "sslkey");
    }
    return false;
  }

  /// CREATE CAST (source AS target) ...: its maker owns one of both types; PostgreSQL's own come without a schema.
  bool OnlySuperusersMakeCast(const Tokens& t) const {
    if (HasWords(t, "without", "function") || !base_types_.empty()) return true;
    const auto end = std::find_if(t.begin(), t.end(), [](const SqlToken& token) { return IsWord(token, "with"); });
    return std::none_of(t.begin(), end, [](const SqlToken& token) { return IsSymbol(token, '.'); });
  }

  /// ALTER kind name OWNER TO role is the last statement of an entry whose objects have owners.
  void AddOwner(const ArchiveEntry& entry) {
    if (IsOneOf(kOwnedBySuperusers, entry.kind)) return;
    const auto found = definitions_.find(entry.id);
    if (found == definitions_.end()) return;
    for (const std::string& statement : found->second) {
      const Tokens t = SplitTokens(statement);
      if (t.size() >= 6 && IsWord(t.front(), "alter") && IsWord(t[t.size() - 3], "owner") &&
          IsWord(t[t.size() - 2], "to")) {
        plan_.owners.push_back({entry.id, statement, t.back().begin});
      }
    }
  }

  const std::vector<ArchiveEntry>& entries_;
  const Definitions& definitions_;
  const RightsOfRoles& rights_;
  std::set<std::string> base_types_;
  RestorePlan plan_;
};

}  // namespace

Definitions ParseDefinitions(std::string_view verbose_script) {
  Definitions definitions;
  for (SqlStatement& statement : SplitStatements(verbose_script)) {
    if (statement.toc_entry != 0) definitions[statement.toc_entry].push_back(std::move(statement.text));
  }
  return definitions;
}

EntryIds EntriesWithDefinitions(const std::vector<ArchiveEntry>& entries) {
  EntryIds ids;
  for (const ArchiveEntry& entry : entries) {
    if (!IsOneOf(kRows, entry.kind)) ids.push_back(entry.id);
  }
  return ids;
}

EntryIds FrameOf(const std::vector<ArchiveEntry>& entries) {
  EntryIds ids;
  for (const ArchiveEntry& entry : entries) {
    if (IsOneOf(kFrame, entry.kind)) ids.push_back(entry.id);
  }
  return ids;
}

RestorePlan PlanRestore(const std::vector<ArchiveEntry>& entries, const Definitions& definitions,
                        const RightsOfRoles& rights) {
  return Planner(entries, definitions, rights).Make();
}

}  // namespace mfi::core
