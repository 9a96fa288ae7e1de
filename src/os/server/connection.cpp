#include "os/server/connection.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/base/connect_failure.h"
#include "core/base/error.h"
#include "core/base/names.h"
#include "os/server/servers.h"

namespace mfi::os {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPiece{1000};
constexpr milliseconds kCopyPiece{50};

constexpr std::size_t kLargestResult = 256UL * 1024 * 1024;
constexpr std::int64_t kLargestGrowth = 3 * std::int64_t{kLargestResult};  // libpq reads a row into twice its size
constexpr std::size_t kLongestField = 10'000;

constexpr char kInvalidPassword[] = "28P01";

std::string OrEmpty(const char* text) { return text == nullptr ? "" : text; }

/// What a server says of a failure is shown and stored: a longer text is cut before a whole character.
std::string Words(const char* text) {
  std::string words = OrEmpty(text);
  if (words.size() <= kLongestField) return words;
  std::size_t end = kLongestField;
  while (end > 0 && (static_cast<unsigned char>(words[end]) & 0xC0U) == 0x80U) --end;
  return words.substr(0, end) + "...";
}

/// The private memory of this process; 0 when the kernel does not say.
std::int64_t OwnMemory() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t pages = 0;
  for (int field = 0; field < 6; ++field) statm >> pages;  // the sixth is data and stack
  return statm ? pages * sysconf(_SC_PAGESIZE) : 0;
}

/// Whether a socket may be read or written. Asked too early, libpq takes a connection that is still on its way for one
/// that somebody has taken.
bool IsReady(int socket, bool for_write) {
  pollfd asked{socket, static_cast<short>(for_write ? POLLOUT : POLLIN), 0};
  return poll(&asked, 1, 0) != 0;
}

std::size_t SizeOf(const Row& row) {
  std::size_t size = sizeof(Row) + row.size() * sizeof(row[0]);
  for (const auto& field : row) size += field ? field->size() : 0;
  return size;
}

std::string WithoutNewline(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

Connection::Connection(const Session& session, Waiter& waiter, std::chrono::seconds limit)
    : waiter_(waiter), memory_before_(OwnMemory()) {
  Servers servers(session.conninfo());
  const milliseconds each = servers.LimitOfEach(limit);
  std::string silent;
  while (!Connect(session.conninfo() + servers.Keywords(), each)) {
    const std::string seconds = std::to_string(std::chrono::ceil<std::chrono::seconds>(each).count());
    if (servers.size() <= 1) {
      throw ConnectError(silent + "no connection within " + seconds + " s", "", taken_);
    }
    silent += Where() + " did not answer within " + seconds + " s; ";
    servers.Leave(OrEmpty(PQhost(connection_.get())), OrEmpty(PQport(connection_.get())));
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK) ThrowUnconnected(silent);
  PQsetErrorVerbosity(connection_.get(), PQERRORS_DEFAULT);
  PQsetnonblocking(connection_.get(), 1);
  SpeakUtf8();
  // What the server says beside results belongs to no one here.
  PQsetNoticeReceiver(
      connection_.get(), [](void*, const PGresult*) {}, nullptr);
}

/// False when a server has neither taken nor refused the connection for so long.
bool Connection::Connect(const std::string& conninfo, milliseconds limit) {
  connection_.reset(PQconnectStart(conninfo.c_str()));
  if (!connection_) throw core::Error(core::sqlstate::kInsufficientResources, "out of memory while connecting");
  PQsetErrorVerbosity(connection_.get(), PQERRORS_VERBOSE);  // with its SQLSTATE
  NoteTaken();
  std::string server = Server();
  auto deadline = steady_clock::now() + limit;
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (PQstatus(connection_.get()) != CONNECTION_BAD && next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
    if (steady_clock::now() >= deadline) return false;
    waiter_.Wait(PQsocket(connection_.get()), next == PGRES_POLLING_WRITING, kPiece);
    if (!IsReady(PQsocket(connection_.get()), next == PGRES_POLLING_WRITING)) continue;
    next = PQconnectPoll(connection_.get());
    NoteTaken();
    CheckMemory();
    if (server == Server()) continue;
    server = Server();
    deadline = steady_clock::now() + limit;
  }
  return true;
}

/// A server that asks for a password has refused who has none, though it is libpq that says so.
void Connection::ThrowUnconnected(const std::string& before) const {
  core::ConnectFailure failure = core::ParseConnectFailure(Message());
  if (PQconnectionNeedsPassword(connection_.get()) != 0) failure.sqlstate = kInvalidPassword;
  throw ConnectError(before + failure.message, std::move(failure.sqlstate), taken_);
}

/// libpq returns after each step: none on the way from a connection that is there to its end is missed.
void Connection::NoteTaken() {
  const ConnStatusType status = PQstatus(connection_.get());
  taken_ = taken_ || (status != CONNECTION_BAD && status != CONNECTION_STARTED && status != CONNECTION_NEEDED);
}

/// What an encoding without a way to UTF-8 has stays as it is; so does what is UTF-8 already.
void Connection::SpeakUtf8() {
  constexpr std::string_view kStay[] = {"UTF8", "SQL_ASCII", "MULE_INTERNAL", ""};
  const std::string encoding = OrEmpty(PQparameterStatus(connection_.get(), "server_encoding"));
  if (std::find(std::begin(kStay), std::end(kStay), encoding) == std::end(kStay)) {
    Execute("SET client_encoding = 'UTF8'");
  }
}

std::string Connection::Message() const { return WithoutNewline(Words(PQerrorMessage(connection_.get()))); }

/// What comes after is not read, so that the connection is of no more use.
void Connection::GiveUp(const char* sqlstate, const std::string& why) {
  connection_.reset();
  throw core::Error(sqlstate, why);
}

void Connection::TooLarge() {
  GiveUp(core::sqlstate::kProgramLimitExceeded,
         "the server's answer is larger than " + std::to_string(kLargestResult / 1024 / 1024) + " MB");
}

/// libpq holds what has come until it is complete, and gives no bound: a row, a message, notifications. It makes room
/// for a message before it reads it, so that this is seen before the memory is filled.
void Connection::CheckMemory() {
  if (OwnMemory() - memory_before_ > kLargestGrowth) TooLarge();
}

void Connection::Consume() {
  if (PQconsumeInput(connection_.get()) == 0) throw core::Error(core::sqlstate::kConnectionFailure, Message());
}

ServerError Connection::FailureOf(const PGresult* result) const {
  std::string state = OrEmpty(PQresultErrorField(result, PG_DIAG_SQLSTATE));
  if (state.empty()) state = core::sqlstate::kConnectionFailure;
  const std::string primary = Words(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
  return {state, primary.empty() ? Message() : primary, Words(PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL)),
          Words(PQresultErrorField(result, PG_DIAG_MESSAGE_HINT))};
}

void Connection::Collect(const std::function<void(const PGresult* result)>& take) {
  // Thrown when all is read: a connection is ready for the next command only then.
  std::optional<ServerError> failure;
  for (;;) {
    while (PQisBusy(connection_.get()) != 0) {
      CheckMemory();
      const bool unsent = PQflush(connection_.get()) == 1;
      waiter_.Wait(PQsocket(connection_.get()), unsent, unsent ? milliseconds{10} : kPiece);
      if (PQconsumeInput(connection_.get()) == 0) {
        throw failure.value_or(ServerError(core::sqlstate::kConnectionFailure, Message()));
      }
    }
    const Result result(PQgetResult(connection_.get()));
    if (!result && failure) throw ServerError(*failure);
    if (!result) return;
    switch (PQresultStatus(result.get())) {
      case PGRES_SINGLE_TUPLE:
      case PGRES_TUPLES_OK:
        take(result.get());
        break;
      case PGRES_COMMAND_OK:
      case PGRES_EMPTY_QUERY:
        break;
      case PGRES_COPY_IN:
      case PGRES_COPY_OUT:
      case PGRES_COPY_BOTH:  // which would be the result for ever
        GiveUp(core::sqlstate::kConnectionFailure, "the server answered with a COPY that was not asked for");
      default:
        if (!failure) failure = FailureOf(result.get());
    }
  }
}

std::vector<Row> Connection::Query(const std::string& sql, const std::vector<std::string>& parameters) {
  Send(sql, parameters);
  return Take();
}

void Connection::Send(const std::string& sql, const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  // The extended protocol takes a single statement: no text can bring along a second one.
  if (PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                        nullptr, nullptr, 0) == 0) {
    throw core::Error(core::sqlstate::kConnectionFailure, Message());
  }
  PQsetSingleRowMode(connection_.get());
  memory_before_ = OwnMemory();
}

std::vector<Row> Connection::Command(const std::string& command, std::chrono::seconds limit) {
  if (PQsendQuery(connection_.get(), command.c_str()) == 0) {
    throw core::Error(core::sqlstate::kConnectionFailure, Message());
  }
  PQsetSingleRowMode(connection_.get());
  memory_before_ = OwnMemory();
  if (!Ready(steady_clock::now() + limit)) {
    GiveUp(core::sqlstate::kConnectionFailure, "no answer within " + std::to_string(limit.count()) + " s");
  }
  return Take();
}

bool Connection::Ready(steady_clock::time_point deadline) {
  for (;;) {
    const bool unsent = PQflush(connection_.get()) == 1;
    if (PQisBusy(connection_.get()) == 0) return true;
    CheckMemory();
    if (steady_clock::now() >= deadline) return false;
    waiter_.Wait(PQsocket(connection_.get()), unsent, kCopyPiece);
    Consume();
  }
}

std::vector<Row> Connection::Take() {
  std::vector<Row> rows;
  std::size_t size = 0;
  Collect([&](const PGresult* result) {
    for (int i = 0; i < PQntuples(result); ++i) {
      Row row;
      for (int j = 0; j < PQnfields(result); ++j) {
        if (PQgetisnull(result, i, j) != 0) {
          row.emplace_back();
        } else {
          row.emplace_back(std::string(PQgetvalue(result, i, j), static_cast<std::size_t>(PQgetlength(result, i, j))));
        }
      }
      size += SizeOf(row);
      if (size > kLargestResult) TooLarge();
      rows.push_back(std::move(row));
    }
  });
  return rows;
}

bool Connection::TakeCopy(const std::function<void(std::string_view row)>& row, std::chrono::milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  for (;;) {
    if (!copying_ && PQisBusy(connection_.get()) == 0) {
      const Result begun(PQgetResult(connection_.get()));
      if (PQresultStatus(begun.get()) != PGRES_COPY_OUT) {
        ServerError failure = FailureOf(begun.get());
        Collect([](const PGresult*) {});
        throw ServerError(std::move(failure));
      }
      copying_ = true;
    }
    char* line = nullptr;
    int size = copying_ ? PQgetCopyData(connection_.get(), &line, 1) : 0;
    while (size > 0) {
      row({line, static_cast<std::size_t>(size)});
      PQfreemem(line);
      size = PQgetCopyData(connection_.get(), &line, 1);
    }
    if (size < 0) {
      copying_ = false;
      Collect([](const PGresult*) {});
      return true;
    }
    CheckMemory();
    if (steady_clock::now() >= deadline) return false;
    waiter_.Wait(PQsocket(connection_.get()), false, kCopyPiece);
    Consume();
  }
}

std::string Connection::Where() const {
  return OrEmpty(PQhost(connection_.get())) + "-" + OrEmpty(PQport(connection_.get()));
}

std::string Connection::Server() const {
  const std::string address = OrEmpty(PQhostaddr(connection_.get()));
  return "host=" + core::ConninfoValue(OrEmpty(PQhost(connection_.get()))) +
         (address.empty() ? "" : " hostaddr=" + core::ConninfoValue(address)) +
         " port=" + core::ConninfoValue(OrEmpty(PQport(connection_.get())));
}

std::string Connection::Value(const std::string& sql) {
  const std::vector<Row> rows = Query(sql);
  if (rows.size() != 1 || rows[0].size() != 1) {
    throw core::Error(core::sqlstate::kDataCorrupted, "expected one value from: " + sql);
  }
  return rows[0][0].value_or("");
}

}  // namespace mfi::os
