#include "os/recovery/wal_reader.h"

#include <lz4frame.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "core/base/error.h"
#include "os/base/file.h"

namespace mfi::os {
namespace {

constexpr std::size_t kPiece = 65536;
constexpr std::int64_t kBetweenLooks = 1024 * 1024;

struct FreeContext {
  void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
};
using Context = std::unique_ptr<LZ4F_dctx, FreeContext>;

Context MakeContext() {
  LZ4F_dctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0U) {
    throw core::Error(core::sqlstate::kInsufficientResources, "out of memory while decompressing");
  }
  return Context(context);
}

class Reader {
 public:
  Reader(int fd, const std::string& shown, std::int64_t limit, Waiter& waiter,
         const std::function<void(std::string_view)>& take)
      : fd_(fd), shown_(shown), limit_(limit), waiter_(waiter), take_(take) {}

  WalReading Plain() {
    while (reading_.bytes <= limit_ && Fill()) {
      Give({input_.data(), filled_});
      reading_.stored += static_cast<std::int64_t>(filled_);
    }
    reading_.whole = reading_.bytes <= limit_;
    return reading_;
  }

  WalReading Lz4() {
    const Context context = MakeContext();
    std::vector<char> output(kPiece);
    while (Fill()) {
      // What did not fit into the output is in the context, even when all input is consumed.
      std::size_t produced = output.size();
      for (std::size_t done = 0; done < filled_ || produced == output.size();) {
        produced = output.size();
        std::size_t consumed = filled_ - done;
        const std::size_t more =
            LZ4F_decompress(context.get(), output.data(), &produced, input_.data() + done, &consumed, nullptr);
        if (LZ4F_isError(more) != 0U) return reading_;
        Give({output.data(), produced});
        done += consumed;
        reading_.stored += static_cast<std::int64_t>(consumed);
        reading_.whole = more == 0;
        if (reading_.whole || reading_.bytes > limit_) return reading_;
      }
    }
    return reading_;
  }

 private:
  bool Fill() {
    if (reading_.bytes >= looked_) {
      waiter_.Wait(-1, false, std::chrono::milliseconds{0});
      looked_ = reading_.bytes + kBetweenLooks;
    }
    for (;;) {
      const ssize_t got = read(fd_, input_.data(), input_.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) ThrowErrno(errno, "read", shown_);
      filled_ = static_cast<std::size_t>(got);
      return got > 0;
    }
  }

  void Give(std::string_view piece) {
    const std::int64_t room = limit_ - reading_.bytes;
    reading_.bytes += static_cast<std::int64_t>(piece.size());
    piece = piece.substr(0, static_cast<std::size_t>(std::max<std::int64_t>(room, 0)));
    if (!piece.empty()) take_(piece);
  }

  int fd_;
  const std::string& shown_;
  std::int64_t limit_;
  Waiter& waiter_;
  const std::function<void(std::string_view)>& take_;
  std::vector<char> input_ = std::vector<char>(kPiece);
  std::size_t filled_ = 0;
  std::int64_t looked_ = 0;
  WalReading reading_;
};

}  // namespace

WalReading ReadWal(int fd, const std::string& shown, bool compressed, std::int64_t limit, Waiter& waiter,
                   const std::function<void(std::string_view)>& take) {
  Reader reader(fd, shown, limit, waiter, take);
  return compressed ? reader.Lz4() : reader.Plain();
}

}  // namespace mfi::os
