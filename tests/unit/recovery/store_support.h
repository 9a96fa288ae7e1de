#pragma once

#include <lz4frame.h>

#include <string>
#include <string_view>

#include "os/base/file.h"
#include "os/recovery/recovery_store.h"
#include "support.h"

namespace mfi::test {

inline constexpr std::int64_t kSegmentBytes = 1024 * 1024;

/// What pg_receivewal writes of `content` when it comes in pieces: each is flushed. Without `end`, it was interrupted.
inline std::string Lz4(std::string_view content, bool end = true, std::size_t piece = 8192) {
  std::string frame;
  std::string buffer(LZ4F_compressBound(piece, nullptr) + LZ4F_HEADER_SIZE_MAX, '\0');
  LZ4F_cctx* context = nullptr;
  LZ4F_createCompressionContext(&context, LZ4F_VERSION);
  frame.append(buffer, 0, LZ4F_compressBegin(context, buffer.data(), buffer.size(), nullptr));
  for (std::size_t at = 0; at < content.size(); at += piece) {
    const std::string_view next = content.substr(at, piece);
    frame.append(buffer, 0,
                 LZ4F_compressUpdate(context, buffer.data(), buffer.size(), next.data(), next.size(), nullptr));
    frame.append(buffer, 0, LZ4F_flush(context, buffer.data(), buffer.size(), nullptr));
  }
  if (end) frame.append(buffer, 0, LZ4F_compressEnd(context, buffer.data(), buffer.size(), nullptr));
  LZ4F_freeCompressionContext(context);
  return frame;
}

/// Bytes that neither repeat much nor are all different, the same ones for a seed.
inline std::string Content(std::size_t size, unsigned seed = 1) {
  std::string content;
  content.reserve(size + 64);
  for (unsigned state = seed; content.size() < size;) {
    state = state * 1664525U + 1013904223U;
    content.append(1 + (state >> 28U), static_cast<char>(state >> 16U));
  }
  content.resize(size);
  return content;
}

class StoreFixture : public testing::Test {
 protected:
  StoreFixture() {
    for (const char* name : {"recovery", "data"}) os::MakeDirectory(temporary_ / name, 0700);
    store_.Prepare(Own());
  }

  static core::StoreIdentity Own() { return {kNode, kSystem, 17, kSegmentBytes, 1'780'000'000}; }

  std::string Wal(const std::string& name) const { return store_.WalPath() + "/" + name; }
  std::string Receiving(const std::string& name) const { return store_.ReceivingPath() + "/" + name; }
  std::string Aside(const std::string& name) const { return store_.AsidePath() + "/" + name; }
  std::string Target() const { return temporary_ / "target"; }

  TempDirectory temporary_;
  os::RecoveryStore store_{temporary_ / "recovery", kNode};
  TestHost host_;
};

}  // namespace mfi::test
