#pragma once

#include <cstddef>
#include <cstdint>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace mfi::pg {

/// A hash of one row, value by value.
class RowHash {
 public:
  void Add(const void* data, std::size_t size) { hash_ = XXH3_64bits_withSeed(data, size, hash_); }
  void AddNumber(std::uint64_t number) { Add(&number, sizeof number); }
  void AddNull() { hash_ = ~hash_ * 0x9e3779b97f4a7c15ULL; }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0x9e3779b97f4a7c15ULL;
};

/// Of many rows, whatever their order.
class ContentsHash {
 public:
  void Add(const RowHash& row) {
    ++rows_;
    AddPart(row);
  }
  /// What belongs to a row that is added, too.
  void AddPart(const RowHash& part) {
    sum_ += part.value();
    mixed_ ^= part.value() * 0xff51afd7ed558ccdULL;
  }
  std::int64_t rows() const { return rows_; }
  std::uint64_t sum() const { return sum_; }
  std::uint64_t mixed() const { return mixed_; }

 private:
  std::int64_t rows_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t mixed_ = 0;
};

}  // namespace mfi::pg
