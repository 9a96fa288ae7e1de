#include "os/restore/scratch_place.h"

#include <cstddef>

#include "core/base/error.h"

namespace mfi::os {
namespace {

constexpr std::size_t kLongestDirectory = 83;  // a socket path is at most 107 bytes

}  // namespace

ScratchPlace::ScratchPlace(const std::string& beginning) : directory_(beginning) {
  if (directory().size() <= kLongestDirectory) {
    socket_directory_ = directory() + "/run";
    MakeDirectory(socket_directory_, 0700);
  } else {
    socket_directory_ = MakeUnforeseen("/tmp/mfi-scratch-");
  }
}

/// The directory itself goes after this.
ScratchPlace::~ScratchPlace() {
  try {
    RemoveTree(socket_directory_);
  } catch (const core::Error&) {
    // The launcher removes what is left of it later.
  }
}

std::string ScratchPath(const std::string& parent, const std::string& node) {
  return parent + "/mfi-scratch-" + node + "-";
}

void RemoveScratchLeftovers(const std::string& parent, const std::string& node) {
  RemoveUnforeseenLeftovers(parent, ScratchPath({}, node).substr(1));
}

}  // namespace mfi::os
