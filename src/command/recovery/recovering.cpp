#include "command/recovery/recovering.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <utility>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/base/timestamp.h"
#include "core/recovery/target_time.h"
#include "os/base/file.h"
#include "os/node/server_program.h"
#include "os/recovery/commit_search.h"
#include "os/recovery/wal_end.h"

namespace mfi::command {
namespace {

using core::Error;
using core::Printable;

constexpr std::int64_t kMicros = 1'000'000;
constexpr std::chrono::seconds kPatience{5};  // what ends sooner has still replayed all
constexpr std::int64_t kClocks = 60;          // a clock may be so much ahead of ours

std::string DirectoryOf(const std::string& program) { return program.substr(0, program.rfind('/')); }

bool IsNumber(const std::string& text) {
  return !text.empty() && text.size() < 20 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::vector<std::string> RecoveryTarget::Settings() const {
  std::vector<std::string> settings;
  if (lsn != 0) settings.push_back("recovery_target_lsn=" + core::FormatLsn(lsn));
  if (!xid.empty()) {
    settings.push_back("recovery_target_xid=" + xid);
    settings.emplace_back("recovery_target_inclusive=off");
  }
  if (!settings.empty()) settings.emplace_back("recovery_target_action=pause");
  return settings;
}

std::string RecoveryTarget::Words() const {
  if (micros) return core::FormatTargetTime(*micros);
  if (lsn != 0) return "position " + core::FormatLsn(lsn);
  return xid.empty() ? "the newest commit" : "right before transaction " + xid;
}

RecoveryTarget TargetOf(const RecoverOptions& options, core::UtcSeconds now) {
  const int named = int{!options.to.empty()} + int{!options.to_lsn.empty()} + int{!options.before_xid.empty()};
  if (named != 1) {
    throw Error(
        core::sqlstate::kInvalidParameterValue, "say where the recovery shall end", {},
        "One of --to TIME, --to latest, --to-lsn and --before-xid; mfi recover --list shows which times there are.");
  }
  RecoveryTarget target;
  if (options.to == "latest") {
    target.latest = true;
  } else if (!options.to.empty()) {
    target.micros = core::ParseTargetTime(options.to);
    if (*target.micros / kMicros > now + kClocks) {
      throw Error(core::sqlstate::kInvalidParameterValue, options.to + " is still to come", {},
                  "--to latest recovers to the newest commit that was received.");
    }
  } else if (!options.to_lsn.empty()) {
    target.lsn = core::ParseLsn(options.to_lsn).value_or(0);
    if (target.lsn == 0) {
      throw Error(core::sqlstate::kInvalidParameterValue, "\"" + options.to_lsn + "\" is no position in WAL", {},
                  "It looks like 16/B374D848.");
    }
  } else {
    if (!IsNumber(options.before_xid)) {
      throw Error(core::sqlstate::kInvalidParameterValue, "\"" + options.before_xid + "\" is no transaction id", {},
                  "It is a number, such as pg_current_xact_id() gave.");
    }
    target.xid = options.before_xid;
  }
  return target;
}

Recovering::Recovering(RecoveryTarget target, const std::string& path, const std::string& system_identifier,
                       std::string scratch, std::vector<std::string> settings, CommandHost& host, std::ostream& out)
    : target_(std::move(target)), scratch_(std::move(scratch)), settings_(std::move(settings)), host_(host), out_(out) {
  const std::vector<std::string> of_target = target_.Settings();
  settings_.insert(settings_.end(), of_target.begin(), of_target.end());
  Choose(FindStores(path), system_identifier);
  job_.directory = found_->store.path();
  job_.node = "recover-" + std::to_string(getpid());
  job_.binary_directory = DirectoryOf(os::FindServerProgram("postgres"));
  job_.server_major = base().server_major;
  job_.superuser = base().superuser;
  job_.scratch_directory = scratch_;
  job_.patience = kPatience;
}

void Recovering::Say(const std::string& line) { out_ << line << std::endl; }

/// Of several nodes' stores the one that is furthest, of those that reach the target.
void Recovering::Choose(std::vector<FoundStore> stores, const std::string& system_identifier) {
  std::string there;
  for (FoundStore& store : stores) {
    there += "\n" + Describe(store);
    if (!system_identifier.empty() && store.identity.system_identifier != system_identifier) continue;
    std::optional<Start> start = StartBefore(store, target_.micros, target_.lsn);
    if (!start) continue;
    // What is wanted may lie where WAL is missing, and only there where it goes on can be told.
    if (found_ && found_->line.stretches.back().to >= store.line.stretches.back().to) continue;
    start_ = std::move(start);
    found_ = std::make_unique<FoundStore>(std::move(store));
  }
  if (found_) return;
  throw Error(core::sqlstate::kInvalidParameterValue, target_.Words() + " cannot be recovered; nothing was changed", {},
              "What can be:" + there + "\n    For a time before, restore the backup set of that day: mfi restore.");
}

/// To the newest WAL, or right behind the last commit before the moment that is wanted.
void Recovering::FindEnd() {
  const std::int64_t segment_bytes = found_->identity.segment_bytes;
  const std::string work = server_->place().directory();
  until_ = start_->stretch.to;
  record_ = until_ - 1;
  if (start_->stretch.to_newest) {
    const os::WalReach reach = os::FindWalReach(job_, found_->store, found_->history, segment_bytes, work, host_);
    until_ = reach.to;
    record_ = reach.last_record;
  }
  if (!target_.micros) return;
  os::WalDump dump(job_, found_->store, found_->history, segment_bytes, work, host_);
  const std::optional<os::StopPoint> stop = os::CommitSearch(dump).LastAtOrBefore(*target_.micros, base().end, until_);
  if (!stop) {
    // Nothing was committed between the base's end and then.
    until_ = base().end;
    record_ = until_ - 1;
    return;
  }
  if (stop->until >= until_)
    Say("No commit is known after that time; the newest is of " + core::FormatTargetTime(stop->micros));
  until_ = stop->until;
  record_ = stop->record;
}

/// The files of a database go before the transaction ends that drops it.
void Recovering::CheckNoDatabaseGoes() {
  const std::string dropped =
      server_->Open("postgres")
          ->Value("SELECT pg_catalog.min(datname) FROM pg_catalog.pg_database WHERE datconnlimit = -2 AND xmax = '" +
                  std::to_string(static_cast<std::uint32_t>(std::strtoull(target_.xid.c_str(), nullptr, 10))) + "'");
  if (dropped.empty()) return;
  throw Error(core::sqlstate::kInvalidParameterValue,
              "transaction " + target_.xid + " drops database \"" + Printable(dropped) +
                  "\", whose files are gone before it ends; nothing was changed",
              {},
              "Recover to a time before it instead, such as a second before its last commit: --to '" +
                  core::FormatTargetTime(last_commit_ - kMicros) + "'.");
}

void Recovering::Run() {
  Say("Store " + Printable(found_->store.path()));
  Say("Base " + base().id + ", finished " + core::FormatIso(base().finished_at) +
      (start_->chain.size() > 1 ? ", on " + std::to_string(start_->chain.size() - 1) + " others" : ""));
  server_ =
      std::make_unique<os::RecoveredServer>(job_, found_->store, start_->chain, found_->history, settings_, host_);
  FindEnd();
  Say("Unpacking " + core::FormatBytes(base().data_bytes));
  server_->Unpack();
  Say("Replaying WAL from " + core::FormatLsn(base().start) + " to " + target_.Words());
  auto told = std::chrono::steady_clock::now();
  server_->Replay(until_, record_, [&](core::Lsn replayed) {
    if (std::chrono::steady_clock::now() < told + std::chrono::seconds(5)) return;
    told = std::chrono::steady_clock::now();
    const core::Lsn all = std::max<core::Lsn>(1, until_ - base().start);
    Say("  " + core::FormatLsn(replayed) + ", about " +
        std::to_string((std::min(replayed, until_) - base().start) * 100 / all) + " % of what is there");
  });
  last_commit_ = server_->LastCommitMicros();
  if ((target_.lsn != 0 || !target_.xid.empty()) && !server_->AtTarget()) {
    throw Error(core::sqlstate::kInvalidParameterValue,
                target_.Words() + " is not in the WAL of this store; nothing was changed");
  }
  if (!target_.xid.empty()) CheckNoDatabaseGoes();
  server_->Promote();
}

}  // namespace mfi::command
