#pragma once

namespace mfi::core {

/// Which server a backup is dumped from. kPreferStandby: the primary stands in when the standby cannot be dumped.
enum class BackupSource { kPrimary, kStandby, kPreferStandby };

}  // namespace mfi::core
