#pragma once

#include "core/backup/run_record.h"
#include "core/base/json_fields.h"

namespace mfi::core {

/// For documents that embed a record (the manifest).
json::Json RecordToJson(const RunRecord& record);
RunRecord RecordFromJson(const json::Json& object);

}  // namespace mfi::core
