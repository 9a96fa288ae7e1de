#include "core/backup/contents.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>

namespace mfi::core {
namespace {

/// What is compared: a table, or all leaves of a hash-partitioned tree.
struct Figures {
  bool read = true;
  bool in_part = false;
  std::uint64_t rows = 0;
  std::uint64_t sum = 0;
  std::uint64_t mixed = 0;
};

constexpr std::size_t kHalf = 16;  // hex digits

std::optional<std::uint64_t> HexNumber(std::string_view digits) {
  std::uint64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number, 16);
  if (digits.size() != kHalf || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

std::map<std::string, Figures> FiguresOf(const Contents& contents) {
  std::map<std::string, Figures> all;
  for (const TableRows& table : contents.tables) {
    Figures& figures = all[table.root.empty() ? table.name : table.root];
    figures.in_part = table.in_part;
    if (table.in_part) continue;
    const std::string_view hash = table.hash;
    const auto sum = HexNumber(hash.substr(0, kHalf));
    const auto mixed = HexNumber(hash.substr(std::min(kHalf, hash.size())));
    if (!table.rows || !sum || !mixed) {
      figures.read = false;
      continue;
    }
    figures.rows += static_cast<std::uint64_t>(*table.rows);
    figures.sum += *sum;
    figures.mixed ^= *mixed;
  }
  return all;
}

/// What the copy has is told by names and figures of the source alone: code that was restored can have chosen the
/// others.
class Comparison {
 public:
  std::string Run(const Contents& expected, const Contents& found) {
    Tables(expected, found);
    Sequences(expected, found);
    if (expected.large_objects != found.large_objects) {
      Differ("other large objects restored than the " + std::to_string(expected.large_objects) + " in the source");
    } else if (expected.large_objects_hash.empty() || expected.large_objects_hash != found.large_objects_hash) {
      Differ("large objects: other contents restored than in the source, in as many objects");
    }
    for (const std::string& name : found.invalid_constraints) {
      const auto& known = expected.invalid_constraints;
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      Differ("a constraint is not valid that is valid, or not there, in the source");
      break;
    }
    if (count_ == 0) return "ok";
    if (count_ > kNamedDifferences) text_ += "; and " + std::to_string(count_ - kNamedDifferences) + " more";
    return text_;
  }

 private:
  void Differ(const std::string& sentence) {
    if (++count_ > kNamedDifferences) return;
    if (!text_.empty()) text_ += "; ";
    text_ += sentence;
  }

  void Tables(const Contents& expected, const Contents& found) {
    const std::map<std::string, Figures> restored = FiguresOf(found);
    for (const auto& [name, source] : FiguresOf(expected)) {
      const auto it = restored.find(name);
      if (it == restored.end()) {
        Differ("table " + name + " is missing");
      } else if (!source.read) {
        Differ("table " + name + " was not read in the source");
      } else if (!source.in_part && !it->second.read) {
        Differ("table " + name + " was not read in the copy");
      } else if (!source.in_part && it->second.rows != source.rows) {
        Differ("table " + name + ": " + (it->second.rows < source.rows ? "fewer" : "more") +
               " rows restored than the " + std::to_string(source.rows) + " in the source");
      } else if (!source.in_part && (it->second.sum != source.sum || it->second.mixed != source.mixed)) {
        Differ("table " + name + ": other contents restored than in the source, in as many rows");
      }
    }
  }

  void Sequences(const Contents& expected, const Contents& found) {
    std::map<std::string, std::int64_t> restored;
    for (const SequenceRange& sequence : found.sequences) restored[sequence.name] = sequence.low;
    for (const SequenceRange& sequence : expected.sequences) {
      const auto it = restored.find(sequence.name);
      if (it == restored.end()) {
        Differ("sequence " + sequence.name + " is missing");
      } else if (it->second < sequence.low || it->second > sequence.high) {
        Differ("sequence " + sequence.name + " is " + (it->second < sequence.low ? "behind" : "ahead of") +
               " the source's, which is at " + std::to_string(sequence.high));
      }
    }
  }

  std::string text_;
  std::size_t count_ = 0;
};

}  // namespace

std::string CompareContents(const Contents& expected, const Contents& found) {
  return Comparison().Run(expected, found);
}

}  // namespace mfi::core
