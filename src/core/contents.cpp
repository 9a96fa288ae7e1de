#include "core/contents.h"

#include <algorithm>
#include <map>

namespace mfi::core {
namespace {

/// What the copy has is told by names and figures of the source alone: code that was restored can have chosen the
/// others.
class Comparison {
 public:
  std::string Run(const Contents& expected, const Contents& found) {
    Tables(expected, found);
    Sequences(expected, found);
    if (expected.large_objects != found.large_objects) {
      Differ("other large objects restored than the " + std::to_string(expected.large_objects) + " in the source");
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
    std::map<std::string, std::optional<std::int64_t>> restored;
    for (const TableRows& table : found.tables) restored[table.name] = table.rows;
    for (const TableRows& table : expected.tables) {
      const auto it = restored.find(table.name);
      if (it == restored.end()) {
        Differ("table " + table.name + " is missing");
      } else if (table.rows && !it->second) {
        Differ("table " + table.name + " could not be counted in the copy");
      } else if (table.rows && it->second != table.rows) {
        Differ("table " + table.name + ": " + (*it->second < *table.rows ? "fewer" : "more") +
               " rows restored than the " + std::to_string(*table.rows) + " in the source");
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
