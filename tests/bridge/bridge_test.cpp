// A module for t/privileges/060_bridges.pl: everything that may cross the two bridges of pg/bridge.h, in both
// directions.
#include <new>
#include <stdexcept>
#include <string>

#include "core/base/error.h"
#include "pg/server/bridge.h"

extern "C" {
#include "utils/builtins.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(bridge_throw);
PG_FUNCTION_INFO_V1(bridge_call);
PG_FUNCTION_INFO_V1(bridge_alive);
}

namespace {

int alive = 0;

/// Counts the objects that were made and not destroyed.
struct Counted {
  Counted() { ++alive; }
  ~Counted() { --alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
};

void Throw(const std::string& what) {
  const Counted object;
  using mfi::core::Error;
  if (what == "core") throw Error("57014", "a message with %s and \"quotes\"", "A detail: %d.", "A hint: %n.");
  if (what == "long") throw Error("22023", std::string(10000, 'x'), std::string(10000, 'y'), std::string(10000, 'z'));
  if (what == "bare") throw Error("58P01", "only a message");
  if (what == "memory") throw std::bad_alloc();
  if (what == "standard") throw std::runtime_error("a standard exception");
  if (what == "number") throw 42;
}

/// Raises ERROR in the server below C++ objects at two depths.
void CallServer(const std::string& what, int depth) {
  const Counted object;
  const std::string text = std::string(100, 'x') + what;
  if (depth > 0) {
    CallServer(what, depth - 1);
    return;
  }
  const char* kind = what.c_str();
  mfi::pg::CallPg([&] {
    if (strcmp(kind, "error") == 0) {
      ereport(ERROR, (errcode(ERRCODE_DIVISION_BY_ZERO), errmsg("an error of the server"), errdetail("Its detail."),
                      errhint("Its hint.")));
    }
    if (strcmp(kind, "cast") == 0) DirectFunctionCall1(int4in, CStringGetDatum("no number"));
  });
}

}  // namespace

extern "C" Datum bridge_throw(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] {
    Throw(mfi::pg::CallPg([&] { return text_to_cstring(PG_GETARG_TEXT_PP(0)); }));
    return BoolGetDatum(true);
  });
}

extern "C" Datum bridge_call(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] {
    const Counted object;
    CallServer(mfi::pg::CallPg([&] { return text_to_cstring(PG_GETARG_TEXT_PP(0)); }), 3);
    return BoolGetDatum(true);
  });
}

extern "C" Datum bridge_alive(PG_FUNCTION_ARGS) { PG_RETURN_INT32(alive); }
