#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/contents.h"
#include "os/connection.h"

namespace mfi::os {

/// Counts what a database holds over a connection that is in the transaction of the dump's snapshot, beside the dump.
class ContentsReader {
 public:
  explicit ContentsReader(Connection& source) : source_(source) {}

  /// Lists tables and reads sequences; takes no lock on a user's table.
  void Begin();

  /// Counts for `limit` at the longest; true when all is counted. The dump must hold its locks: a table lock
  /// taken here before could make the dump wait behind a waiting ALTER TABLE, which waits behind us.
  bool Step(std::chrono::milliseconds limit);

  /// Counts to the end and reads the sequences again.
  core::Contents Finish();

 private:
  struct Table {
    core::TableRows rows;
    std::string filenode;
    std::string column;    // to be copied, in parentheses; empty for a table without columns
    bool counted = false;  // false for configuration tables of extensions, dumped in part
  };

  void SendNext();
  bool TakeRows(std::chrono::milliseconds limit);
  bool IsAsListed(const Table& table);
  std::map<std::string, std::int64_t> ReadSequences();

  Connection& source_;
  std::vector<Table> tables_;
  std::map<std::string, std::int64_t> sequences_;
  std::size_t next_ = 0;  // first table not yet counted
  bool running_ = false;  // its rows are coming
  std::int64_t count_ = 0;
};

/// Names the tables of `contents` that are not among those whose rows the archive has; "" when all are.
std::string CompareWithListing(const core::Contents& contents, const std::set<std::uint32_t>& tables_with_data);

}  // namespace mfi::os
