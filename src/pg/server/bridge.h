#pragma once

#include <array>
#include <cstddef>
#include <exception>
#include <new>
#include <string>
#include <type_traits>

#include "core/base/error.h"
#include "pg/server/pg.h"

// The two bridges between C++ exceptions and PostgreSQL errors. Nothing else crosses: an exception that reaches the
// function manager aborts the server, a longjmp over a C++ object skips its destructor.
namespace mfi::pg {

/// A PostgreSQL error, on its way through C++ code.
class PgError : public core::Error {
 public:
  explicit PgError(const ErrorData& error)
      : core::Error(unpack_sql_state(error.sqlerrcode), Text(error.message), Text(error.detail), Text(error.hint)) {}

 private:
  static std::string Text(const char* text) { return text == nullptr ? "" : text; }
};

namespace bridge {

/// What an exception says, in memory that no destructor has to free: it outlives the catch block, and the longjmp.
struct Failure {
  std::array<char, 6> sqlstate{};
  std::array<char, 4096> message{};
  std::array<char, 2048> detail{};
  std::array<char, 1024> hint{};

  void Set(const char* state, const char* text, const char* more = "", const char* next = "") noexcept {
    strlcpy(sqlstate.data(), state, sqlstate.size());
    strlcpy(message.data(), text, message.size());
    strlcpy(detail.data(), more, detail.size());
    strlcpy(hint.data(), next, hint.size());
  }
};

[[noreturn]] inline void Raise(const Failure& failure) {
  const char* s = failure.sqlstate.data();
  const int code = MAKE_SQLSTATE(s[0], s[1], s[2], s[3], s[4]);
  ereport(ERROR, (errcode(code), errmsg_internal("%s", failure.message.data()),
                  failure.detail[0] != '\0' ? errdetail_internal("%s", failure.detail.data()) : 0,
                  failure.hint[0] != '\0' ? errhint("%s", failure.hint.data()) : 0));
  pg_unreachable();
}

/// Runs `f`; false, with `failure` filled, when it threw.
template <typename F>
bool Try(Failure& failure, F&& f) noexcept {
  try {
    f();
    return true;
  } catch (const core::Error& error) {
    failure.Set(error.sqlstate().c_str(), error.what(), error.detail().c_str(), error.hint().c_str());
  } catch (const std::bad_alloc&) {
    failure.Set("53200", "out of memory");
  } catch (const std::exception& error) {
    failure.Set("XX000", error.what());
  } catch (...) {
    failure.Set("XX000", "unknown C++ exception");
  }
  return false;
}

}  // namespace bridge

/// C++ to PostgreSQL: every entry that the server calls runs its body through Guard. An exception becomes an ERROR
/// with the exception's SQLSTATE, message, detail and hint, raised after all C++ objects are gone.
template <typename F>
auto Guard(F&& f) -> std::invoke_result_t<F> {
  using R = std::invoke_result_t<F>;
  static_assert(std::is_void_v<R> || std::is_trivially_destructible_v<R>);
  bridge::Failure failure;
  if constexpr (std::is_void_v<R>) {
    if (!bridge::Try(failure, f)) bridge::Raise(failure);
  } else {
    R result{};
    if (!bridge::Try(failure, [&] { result = f(); })) bridge::Raise(failure);
    return result;
  }
}

namespace bridge {

/// Calls `call(argument)`; the ERROR it raised, copied into the caller's memory context, or null.
[[gnu::noinline]] inline ErrorData* Catch(void (*call)(void*), void* argument) {
  const MemoryContext context = CurrentMemoryContext;
  ErrorData* volatile error = nullptr;
  PG_TRY();
  { call(argument); }
  PG_CATCH();
  {
    MemoryContextSwitchTo(context);
    error = CopyErrorData();
    FlushErrorState();
  }
  PG_END_TRY();
  return error;
}

}  // namespace bridge

/// PostgreSQL to C++: code that holds C++ objects calls the server only through CallPg. An ERROR becomes a PgError,
/// so destructors run. `f` itself must hold nothing that has a destructor. The error must reach Guard again, or the
/// transaction must be aborted: swallowing it is not allowed.
template <typename F>
auto CallPg(F&& f) -> std::invoke_result_t<F> {
  using R = std::invoke_result_t<F>;
  static_assert(std::is_void_v<R> || std::is_trivially_destructible_v<R>);
  struct Call {
    std::remove_reference_t<F>& function;
    std::conditional_t<std::is_void_v<R>, char, R> result;
  };
  Call call{f, {}};
  ErrorData* error = bridge::Catch(
      [](void* argument) {
        auto* c = static_cast<Call*>(argument);
        if constexpr (std::is_void_v<R>) {
          c->function();
        } else {
          c->result = c->function();
        }
      },
      &call);
  if (error != nullptr) {
    const PgError exception(*error);
    FreeErrorData(error);
    throw exception;
  }
  if constexpr (!std::is_void_v<R>) return call.result;
}

}  // namespace mfi::pg
