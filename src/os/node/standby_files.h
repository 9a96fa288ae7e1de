#pragma once

#include <string>
#include <vector>

// The files of a data directory that is made a standby's.
namespace mfi::os {

/// Copies a node's own configuration, as far as it lies in the data directory: pg_rewind and pg_basebackup bring the
/// other node's along.
void KeepOwnFiles(const std::string& from, const std::string& to);

/// Empties the directory of slots: those of a primary would keep WAL for nobody. A clone has none either.
void DropOwnSlots(const std::string& data);

/// Takes the settings of these names out of postgresql.auto.conf, where they would win over those of other files, and
/// adds `lines`. True when there was one.
bool ReplaceSettings(const std::string& data, const std::vector<std::string>& names, const std::string& lines);

/// A server that is started there will be a standby. All of it is on disk then.
void MarkStandby(const std::string& data);

}  // namespace mfi::os
