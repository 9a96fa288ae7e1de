#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"

namespace mfi::core {

inline constexpr int kOffsiteStateFormat = 1;
inline constexpr std::int64_t kMaxOffsiteStateBytes = std::int64_t{64} * 1024;

/// fault of a state, while somebody else works on the repository.
inline constexpr char kOffsiteLocked[] = "offsite-locked";

/// Into how many parts the packs of a repository are divided of which one is read each day: all within a month.
inline constexpr int kCheckParts = 30;

/// What one node knows of a repository: a file of its own, so that a restart and a day without the line forget nothing.
struct OffsiteState {
  std::string repository;     // its address; what was known of another one counts for nothing
  std::string repository_id;  // as restic has it

  std::optional<UtcSeconds> answered_at;    // when something was last done there
  std::optional<UtcSeconds> failing_since;  // nullopt: the last attempt succeeded
  std::string fault;                        // reason's code of the last failure
  std::string error;                        // the last failure, in the program's words
  std::string next_step;

  bool unfinished = false;  // a copy was begun that did not come to its end

  std::string probe;              // snapshot that is there to be deleted
  std::optional<bool> deletable;  // whether the credentials here can delete; nullopt: not known yet
  std::optional<UtcSeconds> probed_at;

  std::optional<UtcSeconds> store_copied_at;  // when the last whole copy of the recovery store was begun
  std::string store_snapshot;

  std::string missing;  // copies that were made and are not there any more, though nobody here let them go

  std::array<std::optional<UtcSeconds>, kCheckParts> parts_read;  // when each was last read without a finding
  std::optional<UtcSeconds> checked_at;                           // last attempt that came to an end
  std::string damage;                                             // what it found; empty: nothing

  std::optional<UtcSeconds> forgot_at;
  std::string keep_error;  // why what should have been forgotten was not

  friend bool operator==(const OffsiteState&, const OffsiteState&) = default;
};

std::string ToJson(const OffsiteState& state);

/// Throws Error(XX001) when the text is no such state of a format this version knows.
OffsiteState ParseOffsiteState(std::string_view json);

/// The first few of what is missing, and how many more there are; "" of none.
std::string NameSome(const std::vector<std::string>& missing);

/// Since when every byte that was there then has been read; nullopt: not all has.
std::optional<UtcSeconds> AllRead(const OffsiteState& state);

}  // namespace mfi::core
