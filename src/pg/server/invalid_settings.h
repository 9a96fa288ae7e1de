#pragma once

#include <string>

namespace mfi::pg {

/// The mfi settings of the configuration files whose values the server did not take, one sentence each, separated by
/// "; ". Empty when all are in force. A wrong value at server start is only a WARNING in the log, and the default
/// takes its place.
std::string DescribeInvalidSettings();

}  // namespace mfi::pg
