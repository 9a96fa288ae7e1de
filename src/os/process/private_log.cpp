#include "os/process/private_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/names.h"
#include "core/base/server_messages.h"

namespace mfi::os {
namespace {

constexpr int kQuotedLines = 8;
constexpr std::size_t kQuotedBytes = 2000;
constexpr off_t kLongest = 1024 * 1024;

PrivateLog* current = nullptr;  // of this process, which has one thread

}  // namespace

PrivateLog::PrivateLog(const std::string& runs_directory, const std::string& id)
    : path_(runs_directory + "/" + id + kPrivateLogSuffix), outer_(current) {
  current = this;
}

PrivateLog::~PrivateLog() { current = outer_; }

bool PrivateLog::Append(std::string_view text) const {
  const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  const UniqueFd fd(open(path_.c_str(), flags, 0600));
  struct stat status {};
  if (!fd.valid() || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1 ||
      status.st_uid != geteuid() || (status.st_mode & 0077U) != 0) {
    return false;
  }
  if (status.st_size + static_cast<off_t>(text.size()) > kLongest) return false;
  return write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string ProgramWords(const ChildResult& result) {
  std::string words = core::ProgramError(result.errors, kQuotedLines, kQuotedBytes);
  if (words == core::LastLines(result.errors, kQuotedLines, result.errors.size()) || current == nullptr) return words;
  if (!current->Append(result.errors + "\n")) return words;
  return words + (words.empty() ? "" : " ") + "(all of its words: \"" + current->path() + "\")";
}

std::string ServerWords(const core::Error& error) {
  const std::string all = std::string("ERROR:  ") + error.what();
  std::string words = core::KnownServerMessage(error.what());
  if (words == error.what() || current == nullptr) return words;
  if (!current->Append(all + "\n")) return words;
  return words + (words.empty() ? "" : " ") + "(all of its words: \"" + current->path() + "\")";
}

}  // namespace mfi::os
