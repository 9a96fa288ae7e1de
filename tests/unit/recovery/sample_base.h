#pragma once

#include <string>

#include "core/recovery/base_record.h"

namespace mfi::test {

/// A base that was finished then; `parent` makes it an incremental one.
inline core::BaseRecord SampleBase(core::UtcSeconds finished_at, core::Lsn start, const std::string& parent = {}) {
  core::BaseRecord base;
  base.full = parent.empty();
  base.id = core::BaseId(finished_at, base.full);
  base.parent = parent;
  base.node = "node-a";
  base.system_identifier = "7400000000000000001";
  base.server_major = 17;
  base.server_version = "17.12";
  base.segment_bytes = 16 * 1024 * 1024;
  base.superuser = "postgres";
  base.source_role = "primary";
  base.timeline = 1;
  base.start = start;
  base.end = start + 0x100;
  base.started_at = finished_at;
  base.finished_at = finished_at;
  return base;
}

}  // namespace mfi::test
