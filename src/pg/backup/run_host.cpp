#include "pg/backup/run_host.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "core/base/error.h"
#include "os/base/file.h"
#include "pg/backup/run_board.h"
#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/workers.h"

extern "C" {
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "postmaster/interrupt.h"
#include "utils/resowner.h"
}

namespace mfi::pg {
namespace {

constexpr std::size_t kHashPiece = std::size_t{4} * 1024 * 1024;

/// PostgreSQL's own SHA-256. Its contexts belong to a resource owner, which a worker outside a transaction lacks.
class Sha256 {
 public:
  Sha256() {
    context_ = CallPg([] {
      static ResourceOwner owner = ResourceOwnerCreate(nullptr, "mfi sha256");
      CurrentResourceOwner = owner;
      pg_cryptohash_ctx* context = pg_cryptohash_create(PG_SHA256);
      if (context == nullptr || pg_cryptohash_init(context) < 0) elog(ERROR, "could not start SHA-256");
      return context;
    });
  }
  ~Sha256() { pg_cryptohash_free(context_); }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(const char* data, std::size_t size) {
    if (pg_cryptohash_update(context_, reinterpret_cast<const uint8*>(data), size) < 0) Fail();
  }

  std::string Hex() {
    std::array<uint8, PG_SHA256_DIGEST_LENGTH> digest{};
    if (pg_cryptohash_final(context_, digest.data(), digest.size()) < 0) Fail();
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    for (const uint8 byte : digest) {
      hex += kDigits[byte >> 4U];
      hex += kDigits[byte & 15U];
    }
    return hex;
  }

 private:
  [[noreturn]] static void Fail() { throw core::Error("XX000", "could not compute SHA-256"); }

  pg_cryptohash_ctx* context_;
};

}  // namespace

void LatchHost::StopIfAsked() const {
  if (ShutdownRequestPending) {
    throw core::Stop(core::Stop::Reason::kOther, "57P01",
                     "interrupted: the server is shutting down, or the run's process was terminated");
  }
  if (CancelRequested()) {
    throw core::Stop(core::Stop::Reason::kCancelled, core::sqlstate::kQueryCanceled, "cancelled by mfi_backup_cancel");
  }
  if (std::chrono::steady_clock::now() >= deadline_) {
    throw core::Stop(core::Stop::Reason::kOther, "57000",
                     "stopped: it took longer than mfi.backup_timeout (" + std::to_string(limit_.count()) + " s)",
                     "Raise mfi.backup_timeout, or find out what the dump waits for.");
  }
}

void LatchHost::Wait(int fd, bool for_write, std::chrono::milliseconds limit) {
  StopIfAsked();
  CallPg([&] { WaitOnLatch(static_cast<long>(limit.count()), fd, for_write); });
  StopIfAsked();
}

core::UtcSeconds LatchHost::Now() { return UtcNow(); }

std::string LatchHost::Sha256OfFile(int fd, const std::string& shown) {
  Sha256 hash;
  std::vector<char> buffer(kHashPiece);
  for (;;) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) os::ThrowErrno(errno, "read", shown);
    if (got == 0) return hash.Hex();
    hash.Update(buffer.data(), static_cast<std::size_t>(got));
    Wait(-1, false, std::chrono::milliseconds{0});
  }
}

void LatchHost::DumpsStandby(bool begins) { ShowDumpsStandby(begins); }

void LatchHost::Progress(core::RunState state, std::int64_t bytes) { ShowProgress(core::ToString(state), bytes); }

}  // namespace mfi::pg
