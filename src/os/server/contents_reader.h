#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/backup/contents.h"
#include "os/server/connection.h"
#include "os/server/table_list.h"

namespace mfi::os {

/// Functions that read by OID: the rows of a table and their hash; the position of a sequence.
struct ContentsFunctions {
  std::string table;
  std::string sequence;
  std::string as_of = {};  // further arguments of the first: the rows that another snapshot saw
};

/// The extension's own functions, else some that are made for this session, by a superuser. A standby has only the
/// first: throws Error(55000) when its database has no extension.
ContentsFunctions MakeContentsFunctions(Connection& connection);

/// A sequence at one moment.
struct SequenceState {
  std::int64_t position = 0;  // the value that the next one comes after
  std::int64_t least = 0;
  std::int64_t most = 0;
  bool upward = true;
  bool cycles = false;
  std::int64_t step = 0;
};

/// What a dump may hold of a sequence that was `before` when it began and `after` when it had ended.
core::SequenceRange RangeOf(const std::string& name, const SequenceState& before, const SequenceState& after);

/// The same for a server that recovered by WAL, which logs a sequence's next 32 values at once.
core::SequenceRange RecoveredRangeOf(const std::string& name, const SequenceState& before, const SequenceState& after);

/// Reads what a database holds over a connection that is in the transaction of the dump's snapshot, beside the dump; of
/// a database that nobody changes, over several.
class ContentsReader {
 public:
  /// `helpers`: further sessions that read tables, in which the same functions are.
  ContentsReader(Connection& source, ContentsFunctions functions, const std::vector<Connection*>& helpers = {});

  /// Reads the sequences, before a transaction is begun whose contents a recovery by WAL shall show again.
  void ExpectRecovery();

  /// Reads sequences unless that was done, and takes the tables that Step is to read.
  void Begin(std::vector<ListedTable> tables);

  /// Counts and hashes rows for `limit` at the longest; true when all is read.
  bool Step(std::chrono::milliseconds limit);

  /// Reads to the end, and the sequences again.
  core::Contents Finish();

 private:
  /// A connection, and the table whose answer is to come over it.
  struct Session {
    Connection* connection;
    core::TableRows* reading = nullptr;
  };

  void Ask(Session& session);
  std::map<std::string, SequenceState> ReadSequences();

  Connection& source_;
  ContentsFunctions functions_;
  std::vector<core::TableRows> tables_;
  std::map<std::string, SequenceState> sequences_;
  bool recovery_ = false;
  std::vector<Session> sessions_;
  std::size_t next_ = 0;  // first table not yet asked for
};

/// Names the tables of `contents` that are not among those whose rows the archive has; "" when all are.
std::string CompareWithListing(const core::Contents& contents, const std::set<std::uint32_t>& tables_with_data);

}  // namespace mfi::os
