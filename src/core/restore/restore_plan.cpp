#include "core/restore/restore_plan.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "core/base/error.h"

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
constexpr std::array<std::string_view, 2> kRows = {"TABLE DATA", "BLOBS"};
constexpr std::array<std::string_view, 7> kSuperuserOnly = {
    "PROCEDURAL LANGUAGE", "ACCESS METHOD",      "OPERATOR CLASS",      "OPERATOR FAMILY",
    "TRANSFORM",           "TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE"};
/// Their owners must be superusers. No role of the set is one in the server of a proof, not even for a statement: code
/// of the database may be running there as that role. So these stay the restoring superuser's, and whose they were is
/// not looked at; the archive has it.
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

/// Whether `first second` stand side by side.
bool HasWords(const Tokens& tokens, std::string_view first, std::string_view second) {
  return std::adjacent_find(tokens.begin(), tokens.end(), [&](const SqlToken& a, const SqlToken& b) {
           return IsWord(a, first) && IsWord(b, second);
         }) != tokens.end();
}

bool Begins(const Tokens& tokens, std::initializer_list<std::string_view> words) {
  return tokens.size() >= words.size() &&
         std::equal(words.begin(), words.end(), tokens.begin(),
                    [](std::string_view word, const SqlToken& token) { return IsWord(token, word); });
}

/// Whether the word stands for itself: many words of SQL may be names, too, and pg_dump writes a schema before names.
bool IsKeyword(const Tokens& t, std::size_t at, std::string_view word) {
  return IsWord(t[at], word) && (at == 0 || !IsSymbol(t[at - 1], '.')) &&
         (at + 1 == t.size() || !IsSymbol(t[at + 1], '.'));
}

std::size_t FindKeyword(const Tokens& t, std::size_t from, std::string_view word) {
  while (from < t.size() && !IsKeyword(t, from, word)) ++from;
  return from;
}

bool IsAnyKeyword(const Tokens& t, std::size_t at, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return IsKeyword(t, at, word); });
}

/// The names in the statement's own OPTIONS (name 'value', ...), which stands outside of all parentheses.
std::set<std::string> OptionNames(const Tokens& t) {
  std::set<std::string> names;
  int depth = 0;
  bool options = false;
  for (std::size_t i = 0; i < t.size(); ++i) {
    if (depth == 0) options = i > 0 && IsKeyword(t, i - 1, "options") && IsSymbol(t[i], '(');
    const bool before_name = options && depth <= 1 && (IsSymbol(t[i], '(') || IsSymbol(t[i], ','));
    if (before_name && i + 1 < t.size()) names.insert(t[i + 1].text);
    if (IsSymbol(t[i], '(')) ++depth;
    if (IsSymbol(t[i], ')')) --depth;
  }
  return names;
}

struct FunctionHead {
  bool only_superusers = false;
  std::vector<std::string> settings;
};

/// CREATE FUNCTION name(...) [RETURNS type] LANGUAGE l ... [LEAKPROOF] [SUPPORT f] [SET setting TO value] AS ... or a
/// body of SQL. What is not of this form is nobody's but a superuser's.
FunctionHead ReadFunctionHead(const Tokens& tokens, const std::set<std::string>& trusted_languages) {
  FunctionHead head;
  const Tokens t = Outside(tokens);
  const auto arguments = std::find_if(t.begin(), t.end(), [](const SqlToken& token) { return IsSymbol(token, ')'); });
  std::size_t at = FindKeyword(t, static_cast<std::size_t>(arguments - t.begin()), "language") + 1;
  head.only_superusers = at >= t.size() || trusted_languages.count(t[at].text) == 0;
  for (++at; at < t.size() && !IsAnyKeyword(t, at, {"as", "begin", "return"}); ++at) {
    if (IsAnyKeyword(t, at, {"leakproof", "support"})) head.only_superusers = true;
    if (!IsKeyword(t, at, "set")) continue;
    std::string setting;
    while (++at < t.size() && !IsWord(t[at], "to")) setting += t[at].text;
    head.settings.push_back(setting);
  }
  return head;
}

/// Whether whoever may set it, for the database too, gets no further by it: a library that is loaded into sessions
/// would.
bool IsHarmless(const std::string& superuser_setting) {
  constexpr std::string_view kKnown[] = {"session_replication_role", "lc_messages",     "deadlock_timeout",
                                         "temp_file_limit",          "max_stack_depth", "compute_query_id"};
  return superuser_setting.starts_with("log_") || superuser_setting.starts_with("track_") ||
         std::find(std::begin(kKnown), std::end(kKnown), superuser_setting) != std::end(kKnown);
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

/// CREATE TYPE schema.name: of a type that is defined later, or never.
bool IsShell(const Tokens& t) { return Begins(t, {"create", "type"}) && t.size() == 5 && IsSymbol(t[3], '.'); }

/// ALTER kind name OWNER TO role, and nothing besides.
bool SetsOwner(const Tokens& t) {
  const Tokens outside = Outside(t);
  const bool alone = std::none_of(outside.begin(), outside.end(),
                                  [](const SqlToken& token) { return IsSymbol(token, ',') || IsSymbol(token, ';'); });
  return alone && t.size() >= 6 && IsWord(t.front(), "alter") && IsWord(t[t.size() - 3], "owner") &&
         IsWord(t[t.size() - 2], "to");
}

/// SET name = value, which pg_restore writes between entries.
bool IsSessionSetting(const Tokens& t) { return Begins(t, {"set"}) && t.size() > 2 && IsSymbol(t[2], '='); }

/// CREATE FOREIGN DATA WRAPPER name [OPTIONS (...)]: without functions, which the server would call.
bool IsPlainWrapperStatement(const Tokens& t) {
  if (!Begins(t, {"create", "foreign", "data", "wrapper"}) || t.size() < 5) return false;
  return t.size() == 5 || (IsWord(t[5], "options") && IsSymbol(t[6], '(') &&
                           std::find_if(t.begin() + 6, t.end(),
                                        [](const SqlToken& token) { return IsSymbol(token, ')'); }) == t.end() - 1);
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
    RestoreStep refresh{Restorer::kRefresh, {}};
    std::vector<const ArchiveEntry*> mappings;
    for (const ArchiveEntry& entry : entries_) {
      if (IsOneOf(kFrame, entry.kind)) continue;
      if (IsOneOf(kEnd, entry.kind)) {
        plan_.end.push_back(entry.id);
      } else if (IsOneOf(kPrivileges, entry.kind)) {
        plan_.privileges.push_back(entry.id);
      } else if (entry.kind == "MATERIALIZED VIEW DATA") {
        refresh.entries.push_back(entry.id);
      } else if (entry.kind == "USER MAPPING") {
        mappings.push_back(&entry);
      } else {
        AddToBody(entry);
      }
    }
    if (!refresh.entries.empty()) plan_.body.push_back(std::move(refresh));
    for (const ArchiveEntry* mapping : mappings) AddToBody(*mapping);
    for (const ArchiveEntry& entry : entries_) AddOwner(entry);
    return std::move(plan_);
  }

 private:
  /// Whether the entry is a single statement, beside its owner's and settings of the session, without such a word.
  bool IsPlainWrapper(const ArchiveEntry& entry) const {
    const auto found = definitions_.find(entry.id);
    if (found == definitions_.end()) return true;
    int statements = 0;
    for (const std::string& statement : found->second) {
      const Tokens t = SplitTokens(statement);
      if (IsSessionSetting(t) || SetsOwner(t)) continue;
      if (++statements > 1 || !IsPlainWrapperStatement(t)) return false;
    }
    return true;
  }

  Tokens FirstStatement(const ArchiveEntry& entry) const {
    const auto found = definitions_.find(entry.id);
    if (found == definitions_.end() || found->second.empty()) return {};
    return SplitTokens(found->second.front());
  }

  void AddToBody(const ArchiveEntry& entry) {
    const Restorer by = RestorerOf(entry);
    if (plan_.body.empty() || plan_.body.back().by != by) plan_.body.push_back({by, {}});
    plan_.body.back().entries.push_back(entry.id);
    if (by == Restorer::kSandboxed) {
      plan_.superuser_only.push_back(entry.kind + " " + entry.name.substr(0, entry.name.rfind(' ')));
    }
  }

  Restorer RestorerOf(const ArchiveEntry& entry) {
    if (OnlySuperusersMake(entry)) return Restorer::kSandboxed;
    const bool statements = entry.kind == "FOREIGN DATA WRAPPER" || entry.kind == "SHELL TYPE" ||
                            (entry.kind == "TYPE" && IsShell(FirstStatement(entry)));
    return statements ? Restorer::kStatements : Restorer::kRole;
  }

  bool OnlySuperusersMake(const ArchiveEntry& entry) {
    const std::string& kind = entry.kind;
    if (IsOneOf(kSuperuserOnly, kind)) return true;
    if (kind == "TYPE" || kind == "SHELL TYPE") return base_types_.count(entry.name) != 0;
    const Tokens tokens = FirstStatement(entry);
    if (kind == "FUNCTION" || kind == "PROCEDURE") return OnlySuperusersMakeFunction(tokens);
    if (kind == "AGGREGATE") return OnlySuperusersMakeAggregate(tokens);
    if (kind == "CAST") return OnlySuperusersMakeCast(tokens);
    const auto has_option = [&](const char* name) { return OptionNames(tokens).count(name) != 0; };
    if (kind == "FOREIGN TABLE") return has_option("filename") || has_option("program");
    if (kind == "USER MAPPING") {
      return has_option("password_required") || has_option("sslcert") || has_option("sslkey");
    }
    if (kind == "FOREIGN DATA WRAPPER") return !IsPlainWrapper(entry);
    return false;
  }

  /// What a function sets is given to the restorer, as a superuser has given it to the function's owner.
  bool OnlySuperusersMakeFunction(const Tokens& tokens) {
    const FunctionHead head = ReadFunctionHead(tokens, rights_.trusted_languages);
    for (const std::string& setting : head.settings) {
      const bool of_an_extension = setting.find('.') != std::string::npos;
      if (!of_an_extension && rights_.superuser_settings.count(setting) == 0) continue;
      if (!of_an_extension && !IsHarmless(setting)) return true;
      plan_.parameters.push_back(setting);
    }
    return head.only_superusers;
  }

  /// CREATE CAST (source AS target) ...: its maker owns one of both types, which is neither one of PostgreSQL's own,
  /// which come without a schema, nor one of an extension.
  bool OnlySuperusersMakeCast(const Tokens& t) const {
    if (HasWords(t, "without", "function") || !base_types_.empty()) return true;
    const std::size_t end = FindKeyword(t, 0, "with");
    for (std::size_t i = 1; i + 1 < end; ++i) {
      if (IsSymbol(t[i], '.') && rights_.extension_types.count(t[i - 1].text + "." + t[i + 1].text) == 0) return false;
    }
    return true;
  }

  /// ALTER kind name OWNER TO role is the last statement of an entry whose objects have owners.
  void AddOwner(const ArchiveEntry& entry) {
    if (IsOneOf(kOwnedBySuperusers, entry.kind)) return;
    const auto found = definitions_.find(entry.id);
    if (found == definitions_.end()) return;
    for (const std::string& statement : found->second) {
      const Tokens t = SplitTokens(statement);
      if (SetsOwner(t)) plan_.owners.push_back({entry.id, statement, t.back().begin, t.back().text});
    }
  }

  const std::vector<ArchiveEntry>& entries_;
  const Definitions& definitions_;
  const RightsOfRoles& rights_;
  std::set<std::string> base_types_;
  RestorePlan plan_;
};

/// GRANT or REVOKE of rights on an object, not of a role; by another role in its name.
bool IsOfPrivileges(const Tokens& t) {
  const Tokens outside = Outside(t);
  if (Begins(t, {"grant"}) || Begins(t, {"revoke"})) return FindKeyword(outside, 0, "on") < outside.size();
  return (Begins(t, {"set", "session", "authorization"}) && t.size() == 4) ||
         (Begins(t, {"reset", "session", "authorization"}) && t.size() == 3);
}

/// Behind a list of names that begins at `from`.
std::size_t BehindNames(const Tokens& t, std::size_t from) {
  while (from + 1 < t.size() && IsSymbol(t[from + 1], ',')) from += 2;
  return from + 1;
}

/// pg_dump writes a subscription that does not connect: CREATE SUBSCRIPTION name CONNECTION '...' PUBLICATION name, ...
/// WITH (connect = false, ...). All but the options may be named connect, too.
bool IsQuietSubscription(const Tokens& t) {
  if (Begins(t, {"alter", "subscription"})) return t.size() == 4 && IsWord(t[3], "disable");
  if (!Begins(t, {"create", "subscription"}) || t.size() < 8 || !IsWord(t[5], "publication")) return false;
  const std::size_t with = BehindNames(t, 6);
  if (with + 4 >= t.size() || !IsWord(t[with], "with") || !IsSymbol(t[with + 1], '(')) return false;
  std::size_t connects = 0;
  bool quiet = false;
  for (std::size_t i = with + 2; i + 2 < t.size(); ++i) {
    if (t[i].kind == SqlToken::Kind::kString || t[i].text != "connect") continue;
    ++connects;
    quiet = IsWord(t[i], "connect") && IsSymbol(t[i + 1], '=') && IsWord(t[i + 2], "false");
  }
  return quiet && connects == 1;
}

/// A row filter knows PostgreSQL's own types, functions and operators alone, so it names no schema of others, and
/// pg_dump writes the type behind each literal. A literal of another type would run what its owner wrote.
bool IsPublication(const Tokens& t) {
  if (!Begins(t, {"create", "publication"}) && !Begins(t, {"alter", "publication"})) return false;
  for (std::size_t i = FindKeyword(t, 0, "where") + 1; i + 1 < t.size(); ++i) {
    const bool name = t[i].kind == SqlToken::Kind::kWord || t[i].kind == SqlToken::Kind::kQuotedName;
    if (name && IsSymbol(t[i + 1], '.') && t[i].text != "pg_catalog") return false;
    const bool typed = i + 2 < t.size() && IsSymbol(t[i + 1], ':') && IsSymbol(t[i + 2], ':');
    if (t[i].kind == SqlToken::Kind::kString && !typed) return false;
  }
  return true;
}

bool IsOfKind(const std::string& kind, const Tokens& t) {
  if (kind == "SCHEMA") return Begins(t, {"create", "schema"}) && t.size() == 3;
  if (kind == "EXTENSION") {
    return Begins(t, {"create", "extension", "if", "not", "exists"}) && t.size() == 9 && IsWord(t[6], "with") &&
           IsWord(t[7], "schema");
  }
  if (kind == "COMMENT") return Begins(t, {"comment", "on"});
  if (kind == "SECURITY LABEL") return Begins(t, {"security", "label"});
  if (kind == "EVENT TRIGGER") {
    return Begins(t, {"create", "event", "trigger"}) || Begins(t, {"alter", "event", "trigger"});
  }
  if (kind.rfind("PUBLICATION", 0) == 0) return IsPublication(t);
  if (kind.rfind("SUBSCRIPTION", 0) == 0) return IsQuietSubscription(t);
  if (kind == "ACL") return IsOfPrivileges(t);
  if (kind == "DEFAULT ACL") return Begins(t, {"alter", "default", "privileges"});
  if (kind == "FOREIGN DATA WRAPPER") return IsPlainWrapperStatement(t);
  if (kind == "SHELL TYPE" || kind == "TYPE") return IsShell(t);
  if (kind == "MATERIALIZED VIEW DATA") return Begins(t, {"refresh", "materialized", "view"});
  return false;
}

}  // namespace

std::vector<std::string> SuperuserStatements(const ArchiveEntry& entry, const Definitions& definitions) {
  std::vector<std::string> statements;
  const auto found = definitions.find(entry.id);
  if (found == definitions.end()) return statements;
  for (const std::string& statement : found->second) {
    const Tokens t = SplitTokens(statement);
    if (IsSessionSetting(t) || SetsOwner(t)) continue;
    // pg_dump writes no comments within statements; in them, two readers of SQL could differ.
    if (HasComment(statement) || !IsOfKind(entry.kind, t)) {
      throw Error(sqlstate::kDataCorrupted, "the archive has under " + entry.kind + " " + entry.name +
                                                " a statement that pg_dump does not write there");
    }
    statements.push_back(statement);
  }
  return statements;
}

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
