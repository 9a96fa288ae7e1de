#pragma once

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

  /// Does a piece of counting without waiting; true when all is counted. The dump must hold its locks: a table lock
  /// taken here before could make the dump wait behind a waiting ALTER TABLE, which waits behind us.
  bool Step();

  /// Counts to the end and reads the sequences again.
  core::Contents Finish();

 private:
  struct Table {
    core::TableRows rows;
    std::string filenode;
    bool counted = false;  // false for configuration tables of extensions, dumped in part
  };

  void SendNext();
  void TakeCounts();
  void CheckWhatWasLocked(std::size_t from, std::size_t to);
  void CheckFilenodes(std::size_t from, std::size_t to);
  std::map<std::string, std::int64_t> ReadSequences();

  Connection& source_;
  std::vector<Table> tables_;
  std::map<std::string, std::int64_t> sequences_;
  std::size_t next_ = 0;       // first table not yet sent
  std::size_t sent_from_ = 0;  // of the statement that runs
  bool running_ = false;
};

/// Names the tables of `contents` that are not among those whose rows the archive has; "" when all are.
std::string CompareWithListing(const core::Contents& contents, const std::set<std::uint32_t>& tables_with_data);

}  // namespace mfi::os
