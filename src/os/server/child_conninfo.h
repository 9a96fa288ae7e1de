#pragma once

#include <string>
#include <vector>

#include "os/base/file.h"

namespace mfi::os {

/// A connection string for a program of PostgreSQL, whose command line others can read, and which hands its environment
/// on: the password, of the string or of PGPASSWORD, is in a file for this user alone for as long as the object lives.
class ChildConninfo {
 public:
  /// Throws Error(22023) for another secret than a password, and for what is no connection string; it quotes neither.
  explicit ChildConninfo(const std::string& conninfo);
  ~ChildConninfo();
  ChildConninfo(const ChildConninfo&) = delete;
  ChildConninfo& operator=(const ChildConninfo&) = delete;

  const std::string& text() const { return text_; }

  /// Variables that the program needs beside its own; the password itself is not among them.
  std::vector<std::string> Environment() const;

 private:
  std::string text_;
  std::string passfile_;
};

}  // namespace mfi::os
