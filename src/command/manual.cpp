#include "command/manual.h"

#include <iostream>
#include <vector>

#include "command/arguments.h"

namespace mfi::command {
namespace {

/// Text as troff shows it: no line of it is a request, and a hyphen stays one.
std::string Troff(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const bool begins_line = result.empty() || result.back() == '\n';
    if (begins_line && (c == '.' || c == '\'')) result += "\\&";
    if (c == '-') {
      result += "\\-";
    } else if (c == '\\') {
      result += "\\e";
    } else {
      result += c;
    }
  }
  return result;
}

std::vector<const CLI::App*> Subcommands(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

/// Without --help, which every subcommand has, and without those that only tell what takes their place.
std::vector<const CLI::Option*> OwnOptions(const CLI::App& app) {
  return app.get_options(
      [&app](const CLI::Option* option) { return option != app.get_help_ptr() && !option->get_group().empty(); });
}

/// As it is typed: `--into TEXT`, or `set`.
std::string NameOf(const CLI::Option& option) {
  if (!option.nonpositional()) return option.get_name(true);
  return option.get_name(false, true) + (option.get_items_expected_max() > 0 ? " " + option.get_type_name() : "");
}

std::string Synopsis(const CLI::App& app, const std::string& path) {
  std::string line = path;
  if (!Subcommands(app).empty()) return line + " <subcommand>";
  for (const CLI::Option* option : OwnOptions(app)) {
    const std::string name = NameOf(*option);
    line += option->get_required() ? " " + name : " [" + name + "]";
  }
  return line;
}

void Describe(const CLI::App& app, const std::string& path, std::string& page) {
  page += ".SS " + Troff(Synopsis(app, path)) + "\n" + Troff(app.get_description()) + ".\n";
  for (const CLI::Option* option : OwnOptions(app)) {
    page += ".TP\n.B " + Troff(NameOf(*option)) + "\n" + Troff(option->get_description()) + "\n";
  }
  if (const std::string footer = app.get_footer(); !footer.empty()) page += ".PP\n" + Troff(footer) + "\n";
  for (const CLI::App* sub : Subcommands(app)) Describe(*sub, path + " " + sub->get_name(), page);
}

/// The words that may follow `path`, and the paths below it.
void Complete(const CLI::App& app, const std::string& path, std::string& paths, std::string& words) {
  std::string list;
  for (const CLI::App* sub : Subcommands(app)) list += sub->get_name() + " ";
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    for (const std::string& name : option->get_lnames()) list += "--" + name + " ";
  }
  list.pop_back();  // every command has --help
  if (!path.empty()) paths += (paths.empty() ? "" : " | ") + ("'" + path + "'");
  words += "    '" + path + "') words='" + list + "' ;;\n";
  for (const CLI::App* sub : Subcommands(app)) {
    Complete(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), paths, words);
  }
}

}  // namespace

std::string ManualPage(const CLI::App& app, const std::string& version) {
  std::string page = ".TH MFI 1 \"\" \"" + Troff(version) + "\"\n.SH NAME\nmfi \\- " +
                     Troff(app.get_description().substr(std::string("mfi: ").size())) +
                     "\n.SH SYNOPSIS\n.B mfi\nsubcommand [option...]\n.SH SUBCOMMANDS\n";
  for (const CLI::App* sub : Subcommands(app)) Describe(*sub, "mfi " + sub->get_name(), page);
  return page +
         ".SH EXIT STATUS\n0 when all is done, 1 when something failed, 2 for wrong use. A subcommand whose answer is "
         "a "
         "verdict has\nexit codes of its own, which its description names.\n"
         ".SH ENVIRONMENT\nPGHOST, PGPORT, PGUSER and PGDATABASE say which server is meant, as for psql. In a "
         "container of the stack it is\nthe server beside it, or the primary.\n";
}

std::string BashCompletion(const CLI::App& app) {
  std::string paths;
  std::string words;
  Complete(app, "", paths, words);
  return "_mfi() {\n"
         "  local path='' word words\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case \"${path:+$path }$word\" in\n"
         "      " +
         paths +
         ") path=${path:+$path }$word ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$path\" in\n" +
         words +
         "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
         "}\n"
         "complete -o default -F _mfi mfi\n";
}

void AddManual(CLI::App& app) {
  auto* manual = app.add_subcommand("manual", "Prints the manual page, for man");
  manual->callback([&app] { std::cout << ManualPage(app, app.version()); });
  auto* completion = app.add_subcommand("completion", "Prints the completion of subcommands and options, for bash");
  completion->callback([&app] { std::cout << BashCompletion(app); });
}

}  // namespace mfi::command
