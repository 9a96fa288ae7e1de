#include <cctype>
#include <vector>

#include "core/base/names.h"
#include "core/base/server_messages.h"

namespace mfi::core {
namespace {

constexpr std::size_t kLongestText = std::size_t{32} * 1024;  // more may have been cut anywhere, in a row's midst
constexpr std::size_t kLongestLine = 500;
constexpr std::string_view kError = ": error: ";
constexpr std::string_view kSeverityEnd = ":  ";  // `ERROR:  `, in whatever language; PostgreSQL's own words lack it
constexpr char kUnknown[] = "the server refused it in words that may quote a row";

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

/// The length of the program's name that `line` begins with, if `rest` follows it; 0 otherwise.
std::size_t NameBefore(std::string_view line, std::string_view rest) {
  std::size_t length = 0;
  while (length < line.size() && (std::islower(static_cast<unsigned char>(line[length])) != 0 || line[length] == '_')) {
    ++length;
  }
  return line.substr(length).substr(0, rest.size()) == rest ? length : 0;
}

std::string Cut(std::string_view line) {
  return line.size() <= kLongestLine ? std::string(line) : std::string(line.substr(0, kLongestLine)) + "...";
}

/// The program's own words of a line, then the server's message, where there is one, as what it is known to be.
std::string Shown(std::string_view line) {
  const auto severity = line.find(kSeverityEnd);
  if (severity == std::string_view::npos) return Cut(line);
  const auto word = line.substr(0, severity).rfind(' ');
  const std::string own(word == std::string_view::npos ? "" : line.substr(0, word + 1));
  const std::string known = KnownServerMessage(line.substr(severity + kSeverityEnd.size()));
  return Cut(own) + (known.empty() ? kUnknown : known);
}

/// Of a server's own log: the last message that ended a process, as what it is known to be; "" when there is none.
std::string LastFatal(const std::vector<std::string_view>& lines) {
  std::string last;
  for (const std::string_view line : lines) {
    for (const std::string_view severity : {"FATAL:  ", "PANIC:  "}) {
      const auto at = line.find(severity);
      if (at == std::string_view::npos) continue;
      const std::string known = KnownServerMessage(line.substr(at + severity.size()));
      last = std::string(severity) + (known.empty() ? kUnknown : known);
    }
  }
  return last;
}

/// pg_restore says in such lines, right before its error, what it was at.
bool SaysWhatItWasAt(std::string_view line) {
  return NameBefore(line, ": while ") != 0 || NameBefore(line, ": from TOC entry ") != 0;
}

}  // namespace

std::string ProgramError(std::string_view text, int lines, std::size_t bytes) {
  if (text.size() > kLongestText) return {};
  const std::vector<std::string_view> all = Lines(text);
  std::size_t at = 0;
  // After a server's message no line can be told from a part of it.
  while (at < all.size() && NameBefore(all[at], kError) == 0 && all[at].find(kSeverityEnd) == std::string_view::npos)
    ++at;
  if (at == all.size() || NameBefore(all[at], kError) == 0) {
    // A shell's or a loader's words. A server's would have a severity.
    const bool own = text.find(kSeverityEnd) == std::string_view::npos && text.find(kError) == std::string_view::npos;
    return own ? LastLines(text, lines, bytes) : LastFatal(all);
  }
  std::size_t first = at;
  while (first > 0 && at - first < 2 && SaysWhatItWasAt(all[first - 1])) --first;
  std::string shown;
  for (std::size_t i = first; i < at; ++i) shown += Cut(all[i]) + "\n";
  shown += Shown(all[at]);
  // pg_dump puts the server's words for a table's data into a line of their own; but a message can have such a line,
  // too.
  constexpr std::string_view kFromServer = ": detail: Error message from server: ";
  if (at + 1 < all.size() && NameBefore(all[at + 1], kFromServer) != 0) {
    const auto severity = all[at + 1].find(kSeverityEnd);
    const std::string known = severity == std::string_view::npos
                                  ? ""
                                  : KnownServerMessage(all[at + 1].substr(severity + kSeverityEnd.size()));
    shown += "\n" + (known.empty() ? kUnknown : known);
  }
  return shown.substr(0, bytes);
}

}  // namespace mfi::core
