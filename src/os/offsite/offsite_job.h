#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace mfi::os {

/// Where copies go, and as whom, resolved by the caller.
struct OffsiteJob {
  std::string repository;         // in restic's own syntax, without a password in it
  std::string password_file;      // of the repository
  std::string environment_file;   // with the keys for its server; empty: there are none
  std::vector<std::string> keys;  // `NAME=value`, for its server, from elsewhere than that file
  int limit_upload_kib = 0;       // KiB/s; 0: no limit
  int niceness = 0;
  std::string cache_directory;               // made when it is not there
  std::string node;                          // who copies
  std::string system_identifier;             // of the cluster; empty: not known, on a new machine
  std::chrono::seconds contact_limit{30};    // within which a repository has to answer
  std::chrono::seconds standstill{60 * 60};  // after which a run that comes no further is ended
  std::chrono::seconds last_words{60};       // the same of one that has said what it cannot do
};

}  // namespace mfi::os
