#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace mfi::command {

/// The manual page mfi(1), in the form that man reads, made from the definitions of all subcommands.
std::string ManualPage(const CLI::App& app, const std::string& version);

/// A script that makes bash complete subcommands and options, made from the same definitions.
std::string BashCompletion(const CLI::App& app);

}  // namespace mfi::command
