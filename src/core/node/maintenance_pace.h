#pragma once

#include <cstdint>
#include <optional>

// When what keeps the audit partitions has to work again.
namespace mfi::core {

/// Rows that came into the default partitions of the audit tables, and rows that left them, since some moment: what the
/// server counts anyway. Rows come there because their month has no partition, and leave when it is made.
struct RowsOutside {
  std::int64_t came = 0;
  std::int64_t left = 0;
};

enum class MaintenanceEnd {
  kDone,      ///< all that was to be done was done
  kHindered,  ///< an error, or somebody's lock
  kNotReady,  ///< there is nothing to maintain yet: no schema, or a restore is running
};

/// Times are those of one clock that never goes back, in microseconds.
class MaintenancePace {
 public:
  /// Told at each look. Without a count (nothing is known, or the server does not count) only time makes it due.
  void Look(std::optional<RowsOutside> rows) { rows_ = rows; }

  /// The moment at which it is due, after the last look.
  std::int64_t due_us() const;

  void Begin(std::int64_t now_us);
  void End(std::int64_t now_us, MaintenanceEnd end);

 private:
  bool RowsCame() const { return rows_ && rows_->came != seen_.came; }

  std::optional<RowsOutside> rows_;
  RowsOutside seen_;   // at the last begin
  bool done_ = false;  // the last one came to its end: rows that come are worth another one
  bool began_for_rows_ = false;
  std::int64_t began_us_ = 0;
  std::int64_t next_us_ = 0;        // due by time
  std::int64_t for_rows_us_ = 0;    // not due for rows before
  std::int64_t pause_us_ = 0;       // after attempts that were hindered
  std::int64_t rows_pause_us_ = 0;  // after attempts that moved none of the rows that came
};

}  // namespace mfi::core
