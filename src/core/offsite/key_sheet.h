#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/time.h"

namespace mfi::core {

/// What the page says that brings the bank back without any of its machines.
struct KeySheet {
  std::string database;
  std::string system_identifier;  // of the cluster
  std::string repository;
  std::vector<std::string> variables;  // names of the environment file's variables, never their values
  std::string password_file;
  std::string server_version;  // such as 17
  std::int64_t segment_bytes = 0;
  bool has_store = false;  // of recovery
  UtcSeconds printed_at = 0;
};

/// One page of plain text, at most 78 columns wide, with the exact commands of stock restic and stock PostgreSQL. The
/// password is not on it: there is a line to write it on by hand, or where it is kept.
std::string FormatKeySheet(const KeySheet& sheet);

}  // namespace mfi::core
