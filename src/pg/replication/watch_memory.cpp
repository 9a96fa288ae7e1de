#include "pg/replication/watch_memory.h"

#include "pg/server/shared_memory.h"

namespace mfi::pg {
namespace {

struct WatchState {
  ReplicationWatch watch;
  char peers_unsaved[kReasonLength];
};

constinit SharedPart<WatchState> memory("mfi replication watch");

}  // namespace

void InitWatchMemory() { memory.Share(); }

void ReportWatch(const ReplicationWatch& watch) { memory.Write()->watch = watch; }

ReplicationWatch LastWatch() { return memory.IsThere() ? memory.Read()->watch : ReplicationWatch{}; }

bool ReportPeersUnsaved(const std::string& why) {
  const auto m = memory.Write();
  const bool news = why != m->peers_unsaved;
  strlcpy(m->peers_unsaved, why.c_str(), sizeof(m->peers_unsaved));
  return news;
}

std::string PeersUnsaved() { return memory.IsThere() ? memory.Read()->peers_unsaved : ""; }

}  // namespace mfi::pg
