#pragma once

#include <string>

namespace mfi::os {

/// What a connection string would carry that may not be shown: the keyword of a secret (`password`, `sslpassword`,
/// `scram_client_key`, ...), however it is spelled, also inside a URI, `dbname` or `options`; "" when it carries none.
/// Throws Error(22023), which quotes nothing of it, when it is no connection string.
std::string SecretIn(const std::string& conninfo);

}  // namespace mfi::os
