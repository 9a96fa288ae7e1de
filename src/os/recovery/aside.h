#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/recovery/history.h"
#include "core/recovery/wal_file.h"
#include "os/base/waiter.h"
#include "os/recovery/recovery_store.h"

// aside/: what the receiver does not write to any more.
namespace mfi::os {

/// A name in aside/ without the number by which it differs from others.
std::string_view WithoutNumber(std::string_view name);

/// Names in aside/ of what was received of this segment before the receiver began it anew.
std::vector<std::string> InterruptedOf(const RecoveryStore& store, const std::string& segment_name);

/// How much a segment's file holds: of lz4's what can be decoded, of a plain one, which is filled up with zeros, to its
/// last byte that is none.
std::int64_t ReceivedBytes(int fd, const std::string& shown, bool compressed, std::int64_t segment_bytes,
                           Waiter& waiter);

/// Moves a partial segment there; one that holds no more than another of the same segment is removed. The file's name
/// is relative to the store.
void SetInterruptedAside(const RecoveryStore& store, const core::WalFile& file, std::int64_t segment_bytes,
                         Waiter& waiter);

/// Moves there what left the history: not to be read any more.
void SetLeftAside(const RecoveryStore& store, const std::string& path);

/// Removes the partial segments whose WAL wal/ has whole by now.
void RemoveOutdated(const RecoveryStore& store, const core::History& history, std::int64_t segment_bytes);

}  // namespace mfi::os
