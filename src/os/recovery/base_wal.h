#pragma once

#include "core/recovery/base_record.h"
#include "os/recovery/base_limit.h"
#include "os/recovery/recovery_store.h"

namespace mfi::os {

/// Waits until the store holds the WAL in which `base` ends, whole or as far as that, by what can be read of it;
/// `scratch` is a directory for a segment. When the limit is over, the Error names the receiver.
void AwaitWal(const RecoveryStore& store, const core::BaseRecord& base, const std::string& scratch, BaseLimit& limit);

}  // namespace mfi::os
