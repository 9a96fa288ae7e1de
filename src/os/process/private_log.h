#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "os/process/child.h"

namespace mfi::os {

/// `.runs/<id>.log`: all that the programs of a run printed when they failed, which can quote customers' rows. Only the
/// server's user can read it; what everybody is told (records, log, verdict, notifications) is ProgramWords. The file
/// is made when there is something to write and goes with the run's record.
///
/// While an object lives, it is where ProgramWords of this process writes to.
class PrivateLog {
 public:
  PrivateLog(const std::string& runs_directory, const std::string& id);
  ~PrivateLog();
  PrivateLog(const PrivateLog&) = delete;
  PrivateLog& operator=(const PrivateLog&) = delete;

  /// Appends up to a limit of 1 MiB; false when the text could not be written.
  bool Append(std::string_view text) const;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  PrivateLog* outer_;
};

inline constexpr char kPrivateLogSuffix[] = ".log";

/// What may be told of a program's failure (core::ProgramError). When it printed more, that goes to the private log,
/// and the text ends with the name of that file.
std::string ProgramWords(const ChildResult& result);

/// The same of what a server said.
std::string ServerWords(const core::Error& error);

}  // namespace mfi::os
