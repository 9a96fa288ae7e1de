#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/node/role_word.h"

namespace mfi::command {

/// Where a node finds the word on which node is the primary, and what it needs to believe it.
struct WordPlace {
  std::string directory;          // shared by both nodes, and perhaps written by others
  std::string state;              // a file of this node alone: the keys, and the last word it believed
  std::string system_identifier;  // of this node's database cluster
  std::string key;                // derived from the password, in hex
};

struct WordInForce {
  std::optional<core::RoleWord> word;
  std::vector<std::string> remarks;  // what is to be told: why a file was not believed, what could not be written
};

/// The last word that is signed with the present key, or with the one before it (the password was changed), for this
/// cluster. It is remembered in `state`: the same or an earlier one that is put back changes nothing, nor does removing
/// it. Anything else in its place (a line without signature, a link, a pipe, a large file) is remarked and not
/// believed.
WordInForce ReadWord(const WordPlace& place);

/// A new word, which supersedes all before. It is in force for this node even when the directory cannot be written,
/// which is remarked.
WordInForce WriteWord(const WordPlace& place, const std::string& node, std::uint32_t timeline);

}  // namespace mfi::command
