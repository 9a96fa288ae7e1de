#pragma once

#include <string>

#include "core/backup/run_record.h"
#include "pg/server/shared_state.h"

namespace mfi::pg {

/// Gives the request its time of queueing and its id, which no other run of the backup directory has.
void AssignId(RunRequest& request);

/// The record a run begins with.
core::RunRecord ToRecord(const RunRequest& request);

/// Leaves the answer to a request to verify a set for the session that waits for it.
/// The same as a failure, when whoever asked has no answer yet.
void AnswerUnlessAnswered(const RunRequest& request, const std::string& text);

void AnswerVerify(const RunRequest& request, const std::string& text, bool failed);

}  // namespace mfi::pg
