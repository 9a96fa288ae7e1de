#pragma once

#include <functional>
#include <string>

#include "core/recovery/base_refusal.h"
#include "os/recovery/base_source.h"

namespace mfi::os {

/// pg_basebackup into `into`, which it makes. `parent`: the directory of the base that it builds on; empty for a full
/// one. `look` gets the bytes that are there by now. Returns why the server refuses to build on the parent, with its
/// words; of any other failure it throws Error.
struct BaseCopy {
  bool done = false;
  core::BaseRefusal refusal = core::BaseRefusal::kOther;
  std::string words;
};
BaseCopy CopyBase(const RecoveryJob& job, const BaseSource& source, const std::string& id, const std::string& into,
                  const std::string& parent, BaseLimit& limit, const std::function<void(std::int64_t)>& look);

}  // namespace mfi::os
