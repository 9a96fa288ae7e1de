#pragma once

#include <cstdint>
#include <string>

#include "os/base/waiter.h"

namespace mfi::os {

/// Gives a finished segment, as pg_receivewal writes it by lz4, the content checksum that it has not: from then on
/// whoever decodes it sees every changed byte. False when it cannot be decoded, or has not its size. At each moment the
/// file can be decoded, should the machine stop.
bool SealSegment(const std::string& path, std::int64_t segment_bytes, Waiter& waiter);

}  // namespace mfi::os
