#include "command/node/logged.h"

#include <stdlib.h>

#include "command/base/command_host.h"
#include "core/base/error.h"

namespace mfi::command {
namespace {

constexpr int kInterrupted = 143;  // as of a shell's child that SIGTERM has ended

}  // namespace

int Logged(std::ostream& out, const std::function<int(os::Waiter& waiter, os::NodeLog& log)>& run) {
  // A name server that does not answer is not waited for longer than a node.
  setenv("RES_OPTIONS", "timeout:3 attempts:2", 0);  // NOLINT(concurrency-mt-unsafe): one thread
  CommandHost host;
  os::NodeLog log(out);
  try {
    return run(host, log);
  } catch (const core::Stop& stop) {
    log.Say(stop.what());
    return kInterrupted;
  } catch (const core::Error& error) {
    log.Tell(error);
    return 1;
  }
}

}  // namespace mfi::command
