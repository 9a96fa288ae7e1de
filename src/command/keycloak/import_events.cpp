#include <cstdlib>
#include <ostream>
#include <utility>

#include "command/keycloak/sync_part.h"
#include "core/base/printable.h"
#include "core/keycloak/events.h"

namespace mfi::command {
namespace {

using core::Error;

constexpr std::size_t kChunk = 5000;

/// Milliseconds since 1970 from which on events may be new. An hour back: events of several Keycloak nodes do not
/// arrive in order.
std::int64_t Since(const SyncPart& part, const EventLog& log, const std::string& realm) {
  const auto rows = Ask(part,
                        "SELECT coalesce(floor(extract(epoch FROM max(event_time) - interval '1 hour') * 1000), 0) "
                        "FROM " +
                            std::string(log.table) +
                            " WHERE realm_id = $1 AND event_time BETWEEN now() - interval '35 days' AND now()",
                        {realm});
  return std::strtoll(rows.at(0).at(0).value_or("").c_str(), nullptr, 10);
}

/// All events since the last time, newest first, as Keycloak gives them.
std::vector<std::string> ReadEvents(const SyncPart& part, const EventLog& log) {
  std::vector<std::string> events;
  std::string before;
  for (std::int64_t since = 0;;) {
    const bool first_page = events.empty();
    auto answered = part.api.Get(std::string(log.path) + "?first=" + std::to_string(events.size()) +
                                     "&max=" + std::to_string(part.settings.page),
                                 core::PageKind::kEvents);
    if (!answered) FailWithoutRealm(part.settings);
    if (answered->page.empty()) return events;
    CheckMovesOn(before, answered->body);
    if (!core::ComeNewestFirst(answered->page)) {
      throw Error(core::sqlstate::kDataCorrupted, "the " + std::string(log.name) + " events do not come newest first",
                  {}, "Nothing of them was imported.");
    }
    if (first_page) since = Since(part, log, core::RealmOf(answered->page));
    const auto oldest = core::OldestTime(answered->page);
    for (core::PageItem& event : answered->page) events.push_back(std::move(event.text));
    if (oldest && *oldest < since) return events;
  }
}

core::ImportReport Import(const SyncPart& part, const EventLog& log, const std::string& events) {
  try {
    const auto rows = Ask(part, "SELECT " + std::string(log.function) + "($1)", {events});
    return core::ReadImportReport(rows.at(0).at(0).value_or(""), events);
  } catch (const Told& told) {
    throw Error(
        told.sqlstate(),
        "the " + std::string(log.name) + " events of realm " + part.settings.access.realm + " were not imported", {},
        "The lines above say why. Older ones are in; run it again for the others.");
  }
}

}  // namespace

// Oldest first into the database, so that an import that is cut short leaves no gap behind its newest event.
bool ImportEvents(const SyncPart& part, const EventLog& log, bool dry_run) {
  const std::vector<std::string> events = ReadEvents(part, log);
  const std::string title =
      std::string(log.title) + " events of realm " + core::Printable(part.settings.access.realm) + ": ";
  if (dry_run) {
    part.out << title << events.size() << " read, nothing imported (dry run)" << std::endl;
    return true;
  }
  core::ImportReport all;
  for (std::size_t first = 0; first < events.size(); first += kChunk) {
    const core::ImportReport chunk = Import(part, log, core::OldestFirst(events, first, kChunk));
    all.inserted += chunk.inserted;
    all.known += chunk.known;
    all.malformed += chunk.malformed;
    all.lines.insert(all.lines.end(), chunk.lines.begin(), chunk.lines.end());
  }
  part.out << title << all.inserted << " new, " << all.known << " known, " << all.malformed << " malformed\n";
  for (const std::string& line : all.lines) part.out << line << "\n";
  part.out << std::flush;
  return all.malformed == 0;
}

}  // namespace mfi::command
