#include "command/restore/restore_words.h"

#include "core/base/printable.h"

namespace mfi::command {

std::string ShellWord(const std::string& name) {
  std::string word = "'";
  for (const char c : name) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return core::Printable(word + "'");
}

std::string List(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + core::Printable(name);
  return text;
}

}  // namespace mfi::command
