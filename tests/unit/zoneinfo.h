#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "core/schedule/schedule.h"
#include "core/schedule/zone_rule.h"

namespace mfi::test {

/// A zone whose offset changes at given instants; with none, a fixed offset.
class TransitionZone : public core::ZoneRule {
 public:
  struct Transition {
    core::UtcSeconds at;
    int offset;
  };

  explicit TransitionZone(int first_offset, std::vector<Transition> transitions = {})
      : first_offset_(first_offset), transitions_(std::move(transitions)) {}

  int OffsetAt(core::UtcSeconds at) const override;
  std::optional<core::UtcSeconds> NextTransition(core::UtcSeconds at) const override;
  const std::vector<Transition>& transitions() const { return transitions_; }

 private:
  int first_offset_;
  std::vector<Transition> transitions_;
};

/// A zone from the bytes of a TZif file (RFC 8536, version 2 or later), its POSIX footer unrolled up to the year 2120.
/// Throws std::runtime_error for anything else.
TransitionZone ParseZoneInfo(std::string_view bytes);

/// The zone file of that name, from $TZDIR or /usr/share/zoneinfo.
TransitionZone LoadZone(const std::string& name);

struct NamedZone {
  std::string name;
  TransitionZone zone;
};

/// Every zone of the system, sorted by name; of zones with the same file content the first. Without the posix/ and
/// right/ copies.
std::vector<NamedZone> LoadAllZones();

/// The instant of `2026-03-29 01:00:00` in UTC.
core::UtcSeconds Utc(const std::string& text);

}  // namespace mfi::test

namespace mfi::core {

/// How GoogleTest shows a slot.
inline void PrintTo(const Slot& slot, std::ostream* out) { *out << slot.run_at << " " << slot.key; }

}  // namespace mfi::core
