#pragma once

namespace mfi::pg {

/// Connects this background worker to a database, or to none (null), as the superuser that the cluster was made with,
/// and then forces what others could have set for that database, role or server: names mean the server's own objects,
/// nothing of others is called, and no timeout or default of theirs holds. What the worker's own functions set for
/// themselves still counts. The only place where a worker connects. Plain frame: it may raise.
void BeginWorkerSession(const char* database);

}  // namespace mfi::pg
