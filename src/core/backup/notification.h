#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/backup/run_record.h"
#include "core/base/time.h"

namespace mfi::core {

/// What mfi.notify_command is told, on its standard input, as one JSON object.
struct Notification {
  std::string event;  // success | failure | stale | recovery
  UtcSeconds at = 0;
  std::string node;
  std::string database;
  std::string directory;         // the backup directory
  std::string message;           // one sentence for people
  std::optional<RunRecord> run;  // the run it is about
};

std::string ToJson(const Notification& notification);

/// Splits a command line into program and arguments, without a shell: words are separated by blanks; a quote of
/// either kind keeps blanks; a backslash outside of single quotes keeps the next character. Throws Error(22023) for
/// an open quote or a program that is no absolute path. Empty text gives no words.
std::vector<std::string> SplitCommand(std::string_view text);

}  // namespace mfi::core
