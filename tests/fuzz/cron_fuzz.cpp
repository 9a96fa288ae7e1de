// Any text is either refused with an Error or a schedule whose slots can be found both ways.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/schedule/schedule.h"

namespace {

class UtcZone : public mfi::core::ZoneRule {
 public:
  int OffsetAt(mfi::core::UtcSeconds) const override { return 0; }
  std::optional<mfi::core::UtcSeconds> NextTransition(mfi::core::UtcSeconds) const override { return std::nullopt; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const UtcZone utc;
  try {
    const mfi::core::Schedule schedule(mfi::core::Cron::Parse(text), utc);
    constexpr mfi::core::UtcSeconds kStart = 1'772'000'000;
    const auto next = schedule.NextAfter(kStart);
    if (!next || next->run_at <= kStart || schedule.LastAtOrBefore(next->run_at) != next) std::abort();
    const auto last = schedule.LastAtOrBefore(kStart);
    if (!last || last->run_at > kStart || schedule.NextAfter(last->run_at - 1) != last) std::abort();
  } catch (const mfi::core::Error& error) {
    if (error.hint().empty()) std::abort();
  }
  return 0;
}
