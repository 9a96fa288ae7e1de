#pragma once

#include <cstdint>

namespace mfi::pg {

/// The watcher's part that has a primary commit something each minute while anybody receives its WAL, so that a
/// recovery of an idle bank has a newest commit, too. It writes no row: a message in WAL, of some 100 bytes.
class Marker {
 public:
  /// One round; returns milliseconds until it wants the next one.
  long Round();

 private:
  std::int64_t next_us_ = 0;
};

}  // namespace mfi::pg
