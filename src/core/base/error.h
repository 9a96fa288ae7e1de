#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace mfi::core {

/// The error every layer below the server throws. It carries what a PostgreSQL error carries, so that the
/// bridge in src/pg can report it unchanged: a SQLSTATE, a message, and optionally a detail and a hint.
/// Messages follow PostgreSQL's style: lower-case, no period; detail and hint are full sentences.
class Error : public std::runtime_error {
 public:
  Error(std::string sqlstate, const std::string& message, std::string detail = {}, std::string hint = {})
      : std::runtime_error(message),
        sqlstate_(std::move(sqlstate)),
        detail_(std::move(detail)),
        hint_(std::move(hint)) {}

  const std::string& sqlstate() const { return sqlstate_; }
  const std::string& detail() const { return detail_; }
  const std::string& hint() const { return hint_; }

 private:
  std::string sqlstate_;
  std::string detail_;
  std::string hint_;
};

/// Thrown by whoever runs the work when it shall stop: cancelled, shut down, or over its time. Known by its type: a
/// server that is asked something has errors with the same SQLSTATEs.
class Stop : public Error {
 public:
  enum class Reason { kCancelled, kOther };
  Stop(Reason reason, std::string sqlstate, const std::string& message, std::string hint = {})
      : Error(std::move(sqlstate), message, {}, std::move(hint)), reason_(reason) {}

  Reason reason() const { return reason_; }

 private:
  Reason reason_;
};

namespace sqlstate {
inline constexpr char kInvalidParameterValue[] = "22023";
inline constexpr char kObjectNotInPrerequisiteState[] = "55000";
inline constexpr char kConfigFile[] = "F0000";
inline constexpr char kDataCorrupted[] = "XX001";
inline constexpr char kIoError[] = "58030";
inline constexpr char kUndefinedObject[] = "42704";
inline constexpr char kUndefinedFile[] = "58P01";
inline constexpr char kQueryCanceled[] = "57014";
inline constexpr char kConnectionFailure[] = "08006";
inline constexpr char kExternalRoutine[] = "38000";
inline constexpr char kInsufficientResources[] = "53000";
inline constexpr char kDiskFull[] = "53100";
inline constexpr char kInsufficientPrivilege[] = "42501";
inline constexpr char kConfigurationLimit[] = "53400";
inline constexpr char kProgramLimitExceeded[] = "54000";
}  // namespace sqlstate

}  // namespace mfi::core
