#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/recovery/reach.h"
#include "os/recovery/recovery_job.h"
#include "os/recovery/recovery_store.h"
#include "os/recovery/wal_end.h"

namespace mfi::command {

/// A node's store as a recovery sees it.
struct FoundStore {
  os::RecoveryStore store;
  core::StoreIdentity identity;
  std::vector<core::BaseRecord> bases;
  core::History history;  // of its newest timeline
  core::WalLine line;
  std::vector<core::ReachedStretch> reach;  // oldest first
};

/// `given`, or where the stores are in a container of the stack, whichever node receives and with no server to ask;
/// empty elsewhere.
std::string PathOfStores(const std::string& given);

/// The stores in `path`, which is one of a node or holds those of nodes. Throws Error when there is none.
std::vector<FoundStore> FindStores(const std::string& path);

/// Which base of a store recovery begins with.
struct Start {
  std::vector<core::BaseRecord> chain;
  core::ReachedStretch stretch;
};

/// The newest whole chain that ended before the moment (microseconds since 1970), or the position, and from which on no
/// WAL is missing; nullopt: the store does not reach it.
std::optional<Start> StartBefore(const FoundStore& store, std::optional<std::int64_t> micros, core::Lsn lsn);

/// A line for each stretch of time, as a person reads it.
std::string Describe(const FoundStore& store);

}  // namespace mfi::command
