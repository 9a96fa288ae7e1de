#pragma once

#include <string>

namespace mfi::pg {

/// The mfi settings of the configuration files whose values the server did not take, one sentence each, separated by
/// "; ". Empty when all are in force. A wrong value at server start is only a WARNING in the log, and the default
/// takes its place.
std::string DescribeInvalidSettings();

/// Asks for the shared memory that keeps what the launcher found; called from _PG_init while preloading.
void InitInvalidSettings();

/// The launcher leaves what DescribeInvalidSettings said, and the verdict reads it. Without shared memory there is
/// nothing to read.
void TellInvalidSettings(const std::string& text);
std::string ToldInvalidSettings();

}  // namespace mfi::pg
