#pragma once

#include <string_view>

namespace mfi::core {

/// Why a server makes no incremental base, by what pg_basebackup printed in English.
enum class BaseRefusal {
  kOther,       // that is no matter of what it would build on
  kNothingNew,  // it would begin before the end of that
  kSummaries,   // WAL summaries are lacking, or not there yet
  kParent,      // that is of another cluster, or of a timeline that is not this server's
};

BaseRefusal RefusalOf(std::string_view printed);

}  // namespace mfi::core
