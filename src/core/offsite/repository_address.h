#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mfi::core {

/// Whether the address of a repository, such as `rest:https://user:word@host/`, has a password in it.
bool HoldsPassword(std::string_view repository);

/// How restic sends to it, so that a slow line that is cut every now and then brings a copy home: what is on the way
/// when it is cut is sent again, and that is one pack at a time, of the smallest size there is (4 MiB; at 256 kbit/s
/// two minutes). As restic sends by itself, five packs of 16 MiB share the line, and none arrives between two cuts.
std::vector<std::string> UploadOptions(std::string_view repository);

}  // namespace mfi::core
