#pragma once

#include "core/json_fields.h"
#include "core/run_record.h"

namespace mfi::core {

/// For documents that embed a record (the manifest).
json::Json RecordToJson(const RunRecord& record);
RunRecord RecordFromJson(const json::Json& object);

}  // namespace mfi::core
