#pragma once

// The server's headers, in one place and always as C. Include it last: its macros (INFO, ERROR, Min, _, snprintf)
// bite code that follows.
extern "C" {
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/timestamp.h"
}
