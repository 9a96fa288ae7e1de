#include "os/server/child_conninfo.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>

#include "core/base/error.h"
#include "core/base/names.h"
#include "os/server/conninfo_secret.h"

namespace mfi::os {
namespace {

/// For whatever server: the connection string says which it is.
std::string PassfileLine(std::string_view password) {
  std::string line = "*:*:*:*:";
  for (const char c : password) {
    if (c == ':' || c == '\\') line += '\\';
    line += c;
  }
  return line + "\n";
}

std::string WriteForThisUser(const std::string& content) {
  const char* directory = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe): one thread
  std::string path = std::string(directory == nullptr || *directory != '/' ? "/tmp" : directory) + "/mfi-pass.XXXXXX";
  const UniqueFd fd(mkostemp(path.data(), O_CLOEXEC));  // with mode 0600
  if (!fd.valid()) ThrowErrno(errno, "create", path);
  if (write(fd.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
    const int error = errno;
    unlink(path.c_str());
    ThrowErrno(error, "write", path);
  }
  return path;
}

}  // namespace

ChildConninfo::ChildConninfo(const std::string& conninfo) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(conninfo.c_str(), nullptr),
                                                                             PQconninfoFree);
  if (!options) throw core::Error(core::sqlstate::kInvalidParameterValue, "the connection string cannot be read");
  std::string password;
  std::string passfile;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string_view keyword = option->keyword;
    if (keyword == "password") {
      password = option->val;
    } else if (keyword == "passfile") {
      passfile = option->val;
    } else {
      text_ += std::string(keyword) + "=" + core::ConninfoValue(option->val) + " ";
    }
  }
  if (const std::string secret = SecretIn(text_); !secret.empty()) {
    throw core::Error(core::sqlstate::kInvalidParameterValue,
                      "the connection string holds a secret (" + secret +
                          ") that everybody could read in a list of "
                          "processes; nothing was changed",
                      {}, "Put it into a service file (pg_service.conf), and name the service instead.");
  }
  if (const char* own = std::getenv("PGPASSWORD"); password.empty() && own != nullptr) {  // NOLINT: one thread
    password = own;
  }
  if (password.find_first_of("\n\r") != std::string::npos) {
    throw core::Error(core::sqlstate::kInvalidParameterValue, "a password with a line break fits into no passfile");
  }
  if (password.empty()) {
    if (!passfile.empty()) text_ += "passfile=" + core::ConninfoValue(passfile) + " ";
  } else {
    passfile_ = WriteForThisUser(PassfileLine(password));
  }
}

ChildConninfo::~ChildConninfo() {
  if (!passfile_.empty()) unlink(passfile_.c_str());
}

std::vector<std::string> ChildConninfo::Environment() const {
  return passfile_.empty() ? std::vector<std::string>() : std::vector<std::string>{"PGPASSFILE=" + passfile_};
}

}  // namespace mfi::os
