#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

namespace mfi::os {

/// One reading of many files which somebody else may have put there, by the thousand or each a giant: the process can
/// be stopped before each of them, and all of them together cost no more than a budget.
class Reading {
 public:
  /// Asked before each file; throws when the process has to stop.
  using Look = std::function<void()>;

  /// A year of records and sets of 20,000 tables is far below it.
  static constexpr std::int64_t kMostBytes = std::int64_t{256} * 1024 * 1024;

  explicit Reading(Look look = {}, std::int64_t budget = kMostBytes) : look_(std::move(look)), left_(budget) {}

  /// Whether one more file may be read.
  bool Next() {
    if (look_) look_();
    whole_ = whole_ && left_ > 0;
    return whole_;
  }

  /// A file of so many bytes has been read. Opening costs, too.
  void Took(std::int64_t bytes) { left_ -= std::max(bytes, kLeastBytes); }

  /// Whether nothing was left out.
  bool whole() const { return whole_; }

 private:
  static constexpr std::int64_t kLeastBytes = 1024;

  Look look_;
  std::int64_t left_;
  bool whole_ = true;
};

}  // namespace mfi::os
