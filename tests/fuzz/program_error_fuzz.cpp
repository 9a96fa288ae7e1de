// Whatever a server says (a row in its message, detail, context or statement, lines that look like a program's own),
// what may be told of a program's failure holds nothing of it. The input is the server's text; a marker stands for the
// row and is put at each of its lines' ends.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/base/names.h"

namespace {

constexpr std::string_view kRow = "\x01row\x02";

std::string Marked(std::string_view text) {
  std::string marked(kRow);
  for (const char c : text) {
    if (c == '\n') marked += kRow;
    marked += c;
  }
  return marked.append(kRow);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string row = Marked({reinterpret_cast<const char*>(data), size});
  constexpr std::array<const char*, 6> kBefore = {
      "pg_restore: error: could not execute query: ERROR:  ",
      "pg_restore: while PROCESSING TOC:\npg_restore: from TOC entry 1; 2 3 TABLE DATA public t bank\n"
      "pg_restore: error: COPY failed for table \"t\": ERROR:  ",
      "pg_dump: error: Dumping the contents of table \"t\" failed: PQgetResult() failed.\n"
      "pg_dump: detail: Error message from server: ERROR:  ",
      "pg_dump: error: query failed: FEHLER:  ",
      "2026-11-25 02:00:00.000 UTC [7] FATAL:  ",
      "ERROR:  invalid input\nDETAIL:  ",
  };
  for (const char* before : kBefore) {
    const std::string told = mfi::core::ProgramError(before + row, 8, 2000);
    if (told.find(kRow) != std::string::npos || told.find(kRow.substr(0, 3)) != std::string::npos) std::abort();
    if (told.size() > 2000) std::abort();
  }
  // Any text at all.
  if (mfi::core::ProgramError({reinterpret_cast<const char*>(data), size}, 8, 2000).size() > 2000) std::abort();
  return 0;
}
