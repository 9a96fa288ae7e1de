#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "os/backup/record_store.h"
#include "pg/backup/run_board.h"

namespace mfi::pg {

/// A request that waits for its turn. The record of a backup is on disk, locked by this process, when one could be
/// written.
struct WaitingRequest {
  Request request;
  std::optional<os::LockedRecord> record;  // of a backup
};

/// Writes into the request's record that it failed; false when there is no record, or it cannot be written.
bool RecordFailure(WaitingRequest& waiting, const std::string& error);

/// The requests that the launcher has taken and not begun, oldest first.
class RequestQueue {
 public:
  /// Called with a request that cannot be queued, and why.
  using Refused = std::function<void(WaitingRequest&, const std::string&)>;

  /// Takes all requests off the run board; false when there was none. One leaves the board only when its record is
  /// there: whoever waits for it always finds one of them.
  bool TakeSubmitted(const Refused& refused);

  /// Writes the record of the request and queues it.
  void Add(const Request& request, const Refused& refused);

  /// Cancels the backup of this id if it waits here; false when it does not.
  bool Cancel(const std::string& id);

  /// The oldest request, which leaves the queue; nullopt when it is empty.
  std::optional<WaitingRequest> Next();

  bool Empty() const { return waiting_.empty(); }
  int Size() const { return static_cast<int>(waiting_.size()); }
  bool HasBackup() const;

 private:
  std::deque<WaitingRequest> waiting_;
};

}  // namespace mfi::pg
