#pragma once

namespace mfi::pg {

/// Where recovery is off: drops the slot by which this node received, unless somebody uses it. It would keep WAL for
/// ever. What fails is logged.
void DropSlotLeft();

}  // namespace mfi::pg
