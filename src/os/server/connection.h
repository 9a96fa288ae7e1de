#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "os/base/waiter.h"
#include "os/server/session.h"

namespace mfi::os {

using Row = std::vector<std::optional<std::string>>;

/// What a server said. Its words can quote rows, or be whatever code in the database has raised.
class ServerError : public core::Error {
 public:
  using core::Error::Error;
};

/// There is no session: Error(08006). `reason` is the SQLSTATE that the server gave for it, empty when it gave none.
/// `taken`: whether one of the servers has taken the connection, whatever came of it then.
class ConnectError : public core::Error {
 public:
  ConnectError(const std::string& message, std::string reason, bool taken)
      : Error(core::sqlstate::kConnectionFailure, message), reason_(std::move(reason)), taken_(taken) {}

  const std::string& reason() const { return reason_; }
  bool taken() const { return taken_; }

 private:
  std::string reason_;
  bool taken_;
};

/// A libpq connection that speaks UTF-8, with a database in SQL_ASCII or MULE_INTERNAL that database's bytes, and never
/// blocks: every wait goes through the Waiter, so a cancel, a shutdown or a time limit ends it. Closing the connection
/// ends its server session. An answer of more than 256 MB is an error, after which the connection is closed.
class Connection {
 public:
  /// Throws ConnectError, with the server's own words where there are any, when it cannot connect within `limit`, of
  /// which each of several servers has its share.
  Connection(const Session& session, Waiter& waiter, std::chrono::seconds limit);

  /// Rows of one statement, of more than one it is an error; throws ServerError with the server's SQLSTATE and message.
  /// `parameters` are what $1, $2, ... stand for, as text.
  std::vector<Row> Query(const std::string& sql, const std::vector<std::string>& parameters = {});

  /// The only value of a statement that returns one row of one column; "" for NULL.
  std::string Value(const std::string& sql);

  /// A command of the replication protocol, in a session of that kind. Error(08006) without an answer within `limit`.
  std::vector<Row> Command(const std::string& command, std::chrono::seconds limit);

  /// The same in pieces, for work beside a query: Send, then Ready, which waits until the deadline,
  /// until it is true, then Take.
  void Send(const std::string& sql, const std::vector<std::string>& parameters = {});
  bool Ready(std::chrono::steady_clock::time_point deadline);
  std::vector<Row> Take();

  /// Takes the rows of a COPY ... TO STDOUT that was sent, for `limit` at the longest; true when it has ended. `row`
  /// gets each as the server wrote it, with its newline.
  bool TakeCopy(const std::function<void(std::string_view row)>& row, std::chrono::milliseconds limit);

  /// `<host>-<port>` of the server it is connected to.
  std::string Where() const;

  /// That server alone, as keywords of a connection string.
  std::string Server() const;

  /// For statements without a result.
  void Execute(const std::string& sql) { Query(sql); }

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using Result = std::unique_ptr<PGresult, Clear>;

  bool Connect(const std::string& conninfo, std::chrono::milliseconds limit);
  void SpeakUtf8();
  [[noreturn]] void ThrowUnconnected(const std::string& before) const;
  std::string Message() const;
  ServerError FailureOf(const PGresult* result) const;
  [[noreturn]] void GiveUp(const char* sqlstate, const std::string& why);
  [[noreturn]] void TooLarge();
  void CheckMemory();
  void NoteTaken();
  void Consume();
  void Collect(const std::function<void(const PGresult* result)>& take);

  std::unique_ptr<PGconn, Finish> connection_;
  Waiter& waiter_;
  std::int64_t memory_before_;  // of this process, before the answer that is being read
  bool copying_ = false;
  bool taken_ = false;  // by a server, while connecting
};

}  // namespace mfi::os
