#include "os/connection.h"

#include "core/error.h"
#include "core/names.h"

namespace mfi::os {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPiece{1000};
constexpr milliseconds kCopyPiece{50};

std::string OrEmpty(const char* text) { return text == nullptr ? "" : text; }

std::string WithoutNewline(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

Connection::Connection(const Session& session, Waiter& waiter, std::chrono::seconds limit)
    : connection_(PQconnectStart(session.conninfo().c_str())), waiter_(waiter) {
  if (!connection_) throw core::Error(core::sqlstate::kInsufficientResources, "out of memory while connecting");
  const auto deadline = steady_clock::now() + limit;
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (PQstatus(connection_.get()) != CONNECTION_BAD && next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
    if (steady_clock::now() >= deadline) {
      throw core::Error(core::sqlstate::kConnectionFailure,
                        "no connection within " + std::to_string(limit.count()) + " s");
    }
    waiter_.Wait(PQsocket(connection_.get()), next == PGRES_POLLING_WRITING, kPiece);
    next = PQconnectPoll(connection_.get());
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK) throw core::Error(core::sqlstate::kConnectionFailure, Message());
  PQsetnonblocking(connection_.get(), 1);
  // What the server says beside results belongs to no one here.
  PQsetNoticeReceiver(
      connection_.get(), [](void*, const PGresult*) {}, nullptr);
}

std::string Connection::Message() const { return WithoutNewline(OrEmpty(PQerrorMessage(connection_.get()))); }

core::Error Connection::FailureOf(const PGresult* result) const {
  std::string state = OrEmpty(PQresultErrorField(result, PG_DIAG_SQLSTATE));
  if (state.empty()) state = core::sqlstate::kConnectionFailure;
  const std::string primary = OrEmpty(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
  return {state, primary.empty() ? Message() : primary, OrEmpty(PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL)),
          OrEmpty(PQresultErrorField(result, PG_DIAG_MESSAGE_HINT))};
}

Connection::Result Connection::Collect() {
  Result last;
  // Thrown when all is read: a connection is ready for the next command only then.
  std::optional<core::Error> failure;
  for (;;) {
    while (PQisBusy(connection_.get()) != 0) {
      const bool unsent = PQflush(connection_.get()) == 1;
      waiter_.Wait(PQsocket(connection_.get()), unsent, unsent ? milliseconds{10} : kPiece);
      if (PQconsumeInput(connection_.get()) == 0) {
        throw failure.value_or(core::Error(core::sqlstate::kConnectionFailure, Message()));
      }
    }
    Result result(PQgetResult(connection_.get()));
    if (!result && failure) throw core::Error(*failure);
    if (!result) return last;
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
      if (!failure) failure = FailureOf(result.get());
    }
    last = std::move(result);
  }
}

std::vector<Row> Connection::Query(const std::string& sql) {
  Send(sql);
  return Take();
}

void Connection::Send(const std::string& sql) {
  // The extended protocol takes a single statement: no text can bring along a second one.
  if (PQsendQueryParams(connection_.get(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) == 0) {
    throw core::Error(core::sqlstate::kConnectionFailure, Message());
  }
}

bool Connection::Ready() {
  PQflush(connection_.get());
  if (PQconsumeInput(connection_.get()) == 0) throw core::Error(core::sqlstate::kConnectionFailure, Message());
  return PQisBusy(connection_.get()) == 0;
}

std::vector<Row> Connection::Take() {
  const Result result = Collect();
  std::vector<Row> rows;
  for (int i = 0; result && i < PQntuples(result.get()); ++i) {
    Row row;
    for (int j = 0; j < PQnfields(result.get()); ++j) {
      if (PQgetisnull(result.get(), i, j) != 0) {
        row.emplace_back();
      } else {
        row.emplace_back(
            std::string(PQgetvalue(result.get(), i, j), static_cast<std::size_t>(PQgetlength(result.get(), i, j))));
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

bool Connection::TakeCopy(const std::function<void(std::string_view row)>& row, std::chrono::milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  for (;;) {
    if (!copying_ && PQisBusy(connection_.get()) == 0) {
      const Result begun(PQgetResult(connection_.get()));
      if (PQresultStatus(begun.get()) != PGRES_COPY_OUT) {
        core::Error failure = FailureOf(begun.get());
        Collect();
        throw core::Error(std::move(failure));
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
      Collect();
      return true;
    }
    if (steady_clock::now() >= deadline) return false;
    waiter_.Wait(PQsocket(connection_.get()), false, kCopyPiece);
    if (PQconsumeInput(connection_.get()) == 0) throw core::Error(core::sqlstate::kConnectionFailure, Message());
  }
}

std::string Connection::Where() const {
  return OrEmpty(PQhost(connection_.get())) + "-" + OrEmpty(PQport(connection_.get()));
}

std::string Connection::Value(const std::string& sql) {
  const std::vector<Row> rows = Query(sql);
  if (rows.size() != 1 || rows[0].size() != 1) {
    throw core::Error(core::sqlstate::kDataCorrupted, "expected one value from: " + sql);
  }
  return rows[0][0].value_or("");
}

}  // namespace mfi::os
