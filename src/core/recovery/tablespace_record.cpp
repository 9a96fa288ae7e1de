#include "core/recovery/tablespace_record.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

// XLogPageHeaderData, XLogRecord and xl_tblspc_create_rec, as a server wrote them on a machine like this one.
namespace mfi::core {
namespace {

constexpr std::size_t kPageInfoAt = 2;
constexpr std::uint16_t kLongHeader = 0x0002;
constexpr std::size_t kShortHeaderBytes = 24;
constexpr std::size_t kLongHeaderBytes = 40;
constexpr std::size_t kPageBytesAt = 36;

constexpr std::size_t kInfoAt = 16;
constexpr std::size_t kManagerAt = 17;
constexpr std::size_t kChecksumAt = 20;
constexpr std::size_t kRecordHeaderBytes = 24;
constexpr char kTablespaces = 5;  // RM_TBLSPC_ID
constexpr char kCreate = 0x00;
constexpr char kOperation = '\xF0';  // of the info
constexpr char kShortData = '\xFF';
constexpr char kLongData = '\xFE';
constexpr std::size_t kOidBytes = 4;
constexpr std::size_t kLongest = kRecordHeaderBytes + 5 + kOidBytes + 1024;

template <typename Number>
Number NumberAt(std::span<const char> bytes, std::size_t at) {
  Number number{};
  std::memcpy(&number, bytes.data() + at, sizeof(number));
  return number;
}

/// CRC-32C of what follows the header, then of the header before the checksum.
std::uint32_t ChecksumOf(const std::string& record) {
  constexpr std::uint32_t kPolynomial = 0x82F63B78U;
  std::uint32_t checksum = 0xFFFFFFFFU;
  const auto add = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      checksum ^= static_cast<unsigned char>(record[i]);
      for (int bit = 0; bit < 8; ++bit) checksum = (checksum >> 1U) ^ ((checksum & 1U) != 0 ? kPolynomial : 0U);
    }
  };
  add(kRecordHeaderBytes, record.size());
  add(0, kChecksumAt);
  return ~checksum;
}

class Rewriter {
 public:
  explicit Rewriter(std::span<char> bytes) : bytes_(bytes) {
    if (bytes.size() >= kLongHeaderBytes) page_ = NumberAt<std::uint32_t>(bytes, kPageBytesAt);
    if (page_ < 1024 || bytes.size() % page_ != 0) page_ = 0;
  }

  int Run() {
    int found = 0;
    if (page_ == 0) return found;
    for (std::size_t begin = 0; begin < bytes_.size(); begin += page_) {
      for (std::size_t at = begin + HeaderOf(begin); at < begin + page_; at += 8) {
        if (MayBegin(at, begin + page_) && Rewrite(at)) ++found;
      }
    }
    return found;
  }

 private:
  std::size_t HeaderOf(std::size_t page) const {
    const bool is_long = (NumberAt<std::uint16_t>(bytes_, page + kPageInfoAt) & kLongHeader) != 0;
    return is_long ? kLongHeaderBytes : kShortHeaderBytes;
  }

  bool MayBegin(std::size_t at, std::size_t page_end) const {
    if (at + kManagerAt >= page_end) return true;
    return bytes_[at + kManagerAt] == kTablespaces && (bytes_[at + kInfoAt] & kOperation) == kCreate;
  }

  /// Where each byte of a record is, which goes on behind the headers of pages; empty: not all of it is here.
  std::vector<std::size_t> PlacesOf(std::size_t at, std::size_t length) const {
    std::vector<std::size_t> places;
    for (; places.size() < length; ++at) {
      if (at % page_ == 0 && at < bytes_.size()) at += HeaderOf(at);
      if (at >= bytes_.size()) return {};
      places.push_back(at);
    }
    return places;
  }

  bool Rewrite(std::size_t at) {
    const auto length = NumberAt<std::uint32_t>(bytes_, at);
    if (length <= kRecordHeaderBytes + 2 + kOidBytes || length > kLongest) return false;
    const std::vector<std::size_t> places = PlacesOf(at, length);
    std::string record;
    for (const std::size_t place : places) record += bytes_[place];
    const std::size_t path = PathIn(record);
    if (path == 0 || ChecksumOf(record) != NumberAt<std::uint32_t>(record, kChecksumAt)) return false;
    record[path] = '\0';
    const std::uint32_t checksum = ChecksumOf(record);
    std::memcpy(record.data() + kChecksumAt, &checksum, sizeof(checksum));
    for (std::size_t i = 0; i < places.size(); ++i) bytes_[places[i]] = record[i];
    return true;
  }

  /// Where its absolute path begins; 0: it is no such record.
  static std::size_t PathIn(const std::string& record) {
    if (record.empty() || record[kManagerAt] != kTablespaces || (record[kInfoAt] & kOperation) != kCreate) return 0;
    std::size_t data = kRecordHeaderBytes + 2;
    std::size_t length = static_cast<unsigned char>(record[kRecordHeaderBytes + 1]);
    if (record[kRecordHeaderBytes] == kLongData) {
      data = kRecordHeaderBytes + 5;
      length = NumberAt<std::uint32_t>(record, kRecordHeaderBytes + 1);
    } else if (record[kRecordHeaderBytes] != kShortData) {
      return 0;
    }
    const std::size_t path = data + kOidBytes;
    return data + length == record.size() && path < record.size() && record[path] == '/' && record.back() == '\0' ? path
                                                                                                                  : 0;
  }

  std::span<char> bytes_;
  std::size_t page_ = 0;
};

}  // namespace

int KeepTablespacesInside(std::span<char> segment) { return Rewriter(segment).Run(); }

}  // namespace mfi::core
