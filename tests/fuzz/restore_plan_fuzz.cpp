// Any archive's listing and script is planned: each entry is restored once, and only what begins as ALTER and ends as
// OWNER TO a role is taken for an owner's statement.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/restore/restore_plan.h"

using namespace mfi::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto cut = text.find('\0');
  const std::string_view script = cut == std::string_view::npos ? text : text.substr(cut + 1);
  const std::vector<ArchiveEntry> entries = ParseListing(text.substr(0, cut));
  const RestorePlan plan = PlanRestore(entries, ParseDefinitions(script), {{"sql"}, {"log_min_messages"}, {}});
  std::size_t planned = plan.frame.size() + plan.end.size() + plan.privileges.size();
  for (const RestoreStep& step : plan.body) planned += step.entries.size();
  if (planned != entries.size()) std::abort();
  for (const OwnerStatement& owner : plan.owners) {
    const std::vector<SqlToken> tokens = SplitTokens(owner.text);
    if (!IsWord(tokens.front(), "alter") || owner.role == 0 || owner.role >= owner.text.size()) std::abort();
    for (const SqlToken& token : tokens) {
      if (token.text == ";" && token.kind == SqlToken::Kind::kOther) std::abort();
    }
  }
  // A superuser runs single statements.
  const Definitions definitions = ParseDefinitions(script);
  for (const ArchiveEntry& entry : entries) {
    try {
      for (const std::string& statement : SuperuserStatements(entry, definitions)) {
        if (SplitStatements(statement + ";").size() != 1) std::abort();
      }
    } catch (const Error&) {
    }
  }
  // A statement is a statement when it is split again.
  for (const SqlStatement& statement : SplitStatements(script)) {
    const std::vector<SqlStatement> again = SplitStatements(statement.text + ";");
    if (again.size() != 1 || again.front().text != statement.text) std::abort();
  }
  return 0;
}
