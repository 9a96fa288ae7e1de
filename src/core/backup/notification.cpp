#include "core/backup/notification.h"

#include "core/backup/run_record_json.h"

namespace mfi::core {

std::string ToJson(const Notification& n) {
  json::Json document = {{"event", n.event},       {"at", FormatIso(n.at)},    {"node", n.node},
                         {"database", n.database}, {"directory", n.directory}, {"message", n.message},
                         {"run", nullptr}};
  if (n.run) document["run"] = RecordToJson(*n.run);
  return json::Dump(document);
}

std::vector<std::string> SplitCommand(std::string_view text) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool blank = c == ' ' || c == '\t' || c == '\n';
    if (quote == 0 && blank) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      words.back() += text[++i];
    } else {
      words.back() += c;
    }
  }
  if (quote != 0) {
    throw Error(sqlstate::kInvalidParameterValue, std::string("the quote ") + quote + " is not closed");
  }
  if (!words.empty() && (words[0].empty() || words[0][0] != '/')) {
    throw Error(sqlstate::kInvalidParameterValue, "\"" + words[0] + "\" is not an absolute path", {},
                "Give the whole path of one program, then its arguments; no shell reads them.");
  }
  return words;
}

}  // namespace mfi::core
