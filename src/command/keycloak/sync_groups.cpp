#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

#include "command/keycloak/sync_part.h"
#include "core/base/json_fields.h"
#include "core/keycloak/group_reading.h"
#include "core/keycloak/group_report.h"

namespace mfi::command {
namespace {

using core::Error;
using core::GroupReading;

constexpr int kDeepestLevel = 32;
constexpr int kMostReadings = 6;

std::string Paging(std::size_t first, int page) {
  return "?first=" + std::to_string(first) + "&max=" + std::to_string(page) + "&briefRepresentation=false";
}

void ReadTop(const SyncPart& part, GroupReading& reading, std::string& before) {
  for (std::size_t first = 0;;) {
    const auto answered = part.api.Get("/groups" + Paging(first, part.settings.page), core::PageKind::kGroups);
    if (!answered) FailWithoutRealm(part.settings);
    if (answered->page.empty()) return;
    CheckMovesOn(before, answered->body);
    reading.Add(answered->page, "");
    first += answered->page.size();
  }
}

/// False when the parent was gone.
bool ReadChildren(const SyncPart& part, const GroupReading::Parent& parent, GroupReading& reading,
                  std::string& before) {
  const auto page = static_cast<std::size_t>(part.settings.page);
  const auto children = static_cast<std::size_t>(parent.children);
  for (std::size_t received = 0;;) {
    const auto answered = part.api.Get("/groups/" + parent.id + "/children" + Paging(received, part.settings.page),
                                       core::PageKind::kGroups);
    if (!answered) return false;
    if (answered->page.empty()) return true;
    CheckMovesOn(before, answered->body);
    reading.Add(answered->page, parent.id);
    received += answered->page.size();
    if (received >= children && answered->page.size() < page) return true;
  }
}

constexpr const char* kWhyWhole =
    "Nothing was written: groups that Keycloak does not show would be taken for deleted.\n"
    "To sync those that it shows, without deletions: --option complete=false.";

std::int64_t AskCount(const SyncPart& part, const std::string& path) {
  std::optional<std::int64_t> count;
  try {
    count = part.api.GetCount(path);
  } catch (const core::Stop&) {
    throw;
  } catch (const Error& error) {
    throw Error(error.sqlstate(), error.what(), error.detail(), error.hint() + "\n" + kWhyWhole);
  }
  if (!count) {
    throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                "Keycloak does not tell how many groups realm " + part.settings.access.realm + " has", {},
                std::string("It has no ") + path + ": it is too old, or a proxy before it hides that.\n" + kWhyWhole);
  }
  return *count;
}

/// Asks how many groups there are: a client that may not see some gets lists without them.
void AskCounts(const SyncPart& part, GroupReading& reading) {
  const std::int64_t top = AskCount(part, "/groups/count?top=true");
  reading.Count(top, AskCount(part, "/groups/count"));
}

[[noreturn]] void RefuseShortages(const SyncPart& part, const std::vector<GroupReading::Shortage>& shortages) {
  constexpr std::size_t kShown = 5;
  std::string what = "the client " + part.settings.access.client + " sees ";
  for (std::size_t i = 0; i < std::min(shortages.size(), kShown); ++i) {
    const GroupReading::Shortage& one = shortages[i];
    what += (i == 0 ? "" : ", ") + std::to_string(one.shown) + " of the " + std::to_string(one.counted) + " " + one.of;
  }
  if (shortages.size() > kShown) what += " and so on";
  throw Error(
      core::sqlstate::kInsufficientPrivilege, what + ", in realm " + part.settings.access.realm, {},
      std::string("Its service account needs the role view-users of realm-management: with query-groups alone it "
                  "sees only what fine-grained admin permissions show it.\n") +
          kWhyWhole);
}

/// Reads every group once; false when something was gone meanwhile. `complete`: what is not there will be deleted.
bool ReadAll(const SyncPart& part, bool complete, GroupReading& reading) {
  std::string before;
  ReadTop(part, reading, before);
  auto parents = reading.TakeParents();
  for (int level = 2; !parents.empty(); ++level) {
    if (level > kDeepestLevel) {
      throw Error(core::sqlstate::kProgramLimitExceeded,
                  "the groups of realm " + part.settings.access.realm + " are nested deeper than " +
                      std::to_string(kDeepestLevel) + " levels",
                  {}, "Does Keycloak answer without end? Nothing was written.");
    }
    for (const GroupReading::Parent& parent : parents) {
      if (!ReadChildren(part, parent, reading, before)) return false;
    }
    parents = reading.TakeParents();
  }
  if (complete) AskCounts(part, reading);
  return true;
}

/// Pages are not of one moment: a group that goes while they are read moves others to a page that was read already. So
/// the groups are read, and counted, until two readings in a row are the same.
std::string TakeSnapshot(const SyncPart& part, bool complete) {
  std::unique_ptr<GroupReading> before;
  for (int attempt = 1; attempt <= kMostReadings; ++attempt) {
    auto now = std::make_unique<GroupReading>();
    const bool whole = ReadAll(part, complete, *now);
    if (whole && before && now->IsSameAs(*before)) {
      if (const auto shortages = now->Shortages(); complete && !shortages.empty()) RefuseShortages(part, shortages);
      return now->Snapshot();
    }
    before = whole ? std::move(now) : nullptr;
    if (attempt >= 2) Say(part.err, "the groups changed while they were read: reading them again");
  }
  throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
              "the groups of realm " + part.settings.access.realm + " change all the time", {},
              "Nothing was written. Run it again when nobody edits them.");
}

/// Whether what the snapshot does not have is to be deleted, by the options of the function.
bool IsComplete(const std::string& options) {
  const auto object = core::json::Parse(options);
  const auto complete = object.is_object() ? object.find("complete") : object.end();
  return !object.is_object() || complete == object.end() || !complete->is_boolean() || complete->get<bool>();
}

/// The one portal or MFI that has the realm.
void FindScope(const SyncPart& part, std::string& kind, std::string& scope) {
  const std::string& realm = part.settings.access.realm;
  const auto found = Ask(part,
                         "SELECT 'portal', id, name FROM portals WHERE realm_id = $1 "
                         "UNION ALL SELECT 'mfi', id, name FROM mfi_clients WHERE realm_id = $1",
                         {realm});
  if (found.empty()) {
    throw Error(core::sqlstate::kUndefinedObject, "no portal and no MFI has the realm_id " + realm, {},
                "Insert it first, or name one by --portal or --mfi.");
  }
  if (found.size() > 1) {
    std::string all = "Name one by --portal or --mfi, and its part by --option root_group_path='\"/…\"':";
    for (const os::Row& row : found) {
      all += "\n" + row[0].value_or("") + " " + row[1].value_or("") + " " + row[2].value_or("");
    }
    throw Error(core::sqlstate::kInvalidParameterValue, "several portals or MFIs have the realm_id " + realm, {}, all);
  }
  kind = found[0][0].value_or("");
  scope = found[0][1].value_or("");
}

}  // namespace

void SyncGroups(const SyncPart& part, std::string kind, std::string scope, const std::string& options) {
  if (kind.empty()) FindScope(part, kind, scope);
  const std::string& realm = part.settings.access.realm;
  const std::string snapshot = TakeSnapshot(part, IsComplete(options));
  std::vector<os::Row> rows;
  try {
    rows = Ask(part, "SELECT mfi_sync_" + kind + "_groups($1, $2, $3)", {scope, snapshot, options});
  } catch (const Told& told) {
    throw Error(told.sqlstate(), "the groups of realm " + realm + " were not synced", {},
                "The lines above say why. Nothing was written.");
  }
  const core::GroupReport report = core::ReadGroupReport(rows.at(0).at(0).value_or(""), realm);
  part.out << report.text << std::flush;
  if (report.refused) throw Told(core::sqlstate::kInvalidParameterValue, "the groups were refused");
}

}  // namespace mfi::command
