#include "command/base/command_host.h"

#include <openssl/evp.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <memory>
#include <vector>

#include "core/base/error.h"
#include "os/base/file.h"

namespace mfi::command {
namespace {

constexpr std::size_t kHashPiece = std::size_t{4} * 1024 * 1024;

volatile sig_atomic_t asked_to_stop = 0;

void Remember(int) { asked_to_stop = 1; }

void StopIfAsked() {
  if (asked_to_stop == 0) return;
  asked_to_stop = 0;  // what is told and tidied up afterwards may wait, too
  throw core::Stop(core::Stop::Reason::kCancelled, core::sqlstate::kQueryCanceled, "interrupted");
}

void Check(int done) {
  if (done != 1)
    throw core::Error(core::sqlstate::kExternalRoutine, "the library of OpenSSL could not compute SHA-256");
}

}  // namespace

CommandHost::CommandHost() {
  struct sigaction action {};
  action.sa_handler = Remember;
  sigemptyset(&action.sa_mask);
  for (const int signal_number : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal_number, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

void CommandHost::Wait(int fd, bool for_write, std::chrono::milliseconds limit) {
  StopIfAsked();
  pollfd waited{fd, static_cast<short>(for_write ? POLLIN | POLLOUT : POLLIN), 0};
  poll(&waited, fd < 0 ? 0 : 1, static_cast<int>(limit.count()));
  StopIfAsked();
}

core::UtcSeconds CommandHost::Now() { return std::time(nullptr); }

std::string CommandHost::Sha256OfFile(int fd, const std::string& shown) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  Check(hash ? EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr) : 0);
  std::vector<char> buffer(kHashPiece);
  for (;;) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) os::ThrowErrno(errno, "read", shown);
    if (got == 0) break;
    Check(EVP_DigestUpdate(hash.get(), buffer.data(), static_cast<std::size_t>(got)));
    Wait(-1, false, std::chrono::milliseconds{0});
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  Check(EVP_DigestFinal_ex(hash.get(), digest.data(), &size));
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += kDigits[digest.at(i) >> 4U];
    hex += kDigits[digest.at(i) & 15U];
  }
  return hex;
}

}  // namespace mfi::command
