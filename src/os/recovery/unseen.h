#pragma once

#include <string>

#include "os/recovery/reference.h"
#include "os/recovery/wal_dump.h"
#include "os/server/connection.h"

namespace mfi::os {

/// What a recovered server needs to be told to see no more than the reference's snapshot saw: the arguments that follow
/// the table in _mfi_contents, as SQL. Transactions that were being committed then are there in WAL before its
/// position; their subtransactions stand in the records of their commits. Throws Error(55000) where these are not
/// found.
std::string AsOf(const Reference& reference, Connection& recovered, WalDump& dump, core::Lsn from);

}  // namespace mfi::os
