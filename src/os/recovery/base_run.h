#pragma once

#include <functional>
#include <string>

#include "core/recovery/base_record.h"
#include "os/backup/run_host.h"
#include "os/recovery/recovery_job.h"
#include "os/recovery/recovery_store.h"

namespace mfi::os {

/// What a base run tells of itself: `phase` is receiving, unpacking, verifying or publishing.
using BaseProgress = std::function<void(const std::string& phase, std::int64_t bytes)>;

/// Makes a base backup of this node's own server, full or on top of the newest usable chain, verifies it by
/// pg_verifybackup, waits until the store has its WAL, and publishes it. Takes the store's lock for runs. An
/// incremental one becomes a full one when there is nothing to build on, or the server does not build on it: the
/// record's remark says why. Whether WAL is missing after the newest one is the caller's to know: it asks for a full
/// one then. On a standby that has replayed no checkpoint since the newest one, it waits for that. Throws Error when no
/// base has come about; the store is then as before.
core::BaseRecord MakeBase(const RecoveryJob& job, bool full, RunHost& host, const BaseProgress& progress);

/// Unpacks a base of the store into `directory`, which must be empty: the data directory as pg_combinebackup takes it,
/// with the tablespaces' files in pg_tblspc/<oid> in the place of links. So they are when it has combined a chain.
/// Whoever starts a server there removes `tablespace_map` before, by which recovery would make links to where the live
/// server has its files, and sets allow_in_place_tablespaces, without which recovery stops at such a directory.
void UnpackBase(const RecoveryStore& store, const core::BaseRecord& base, const std::string& directory, int niceness,
                Waiter& waiter);

}  // namespace mfi::os
