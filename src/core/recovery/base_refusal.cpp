#include "core/recovery/base_refusal.h"

#include <utility>

namespace mfi::core {
namespace {

constexpr std::pair<std::string_view, BaseRefusal> kWords[] = {
    {", but this backup starts at ", BaseRefusal::kNothingNew},
    {"WAL summaries are required on timeline ", BaseRefusal::kSummaries},
    {"WAL summarization is not progressing", BaseRefusal::kSummaries},
    {"unless WAL summarization is enabled", BaseRefusal::kSummaries},
    {" found in manifest, but not in this server's history", BaseRefusal::kParent},
    {", but that timeline begins at ", BaseRefusal::kParent},
    {", but this server switched timelines at ", BaseRefusal::kParent},
    {"system identifier in backup manifest is ", BaseRefusal::kParent},
};

}  // namespace

BaseRefusal RefusalOf(std::string_view printed) {
  for (const auto& [words, refusal] : kWords) {
    if (printed.find(words) != std::string_view::npos) return refusal;
  }
  return BaseRefusal::kOther;
}

}  // namespace mfi::core
