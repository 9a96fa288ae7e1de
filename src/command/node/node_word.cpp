#include "command/node/node_word.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "command/node/secret.h"
#include "core/base/error.h"
#include "os/base/file.h"

namespace mfi::command {
namespace {

using core::RoleWord;

constexpr char kName[] = ".primary";

/// What the file of this node alone remembers; each on a line, empty when there is none.
struct State {
  std::string key;
  std::string key_before;
  std::optional<RoleWord> word;
};

State ReadState(const WordPlace& place) {
  State state;
  if (os::Exists(place.state)) {
    constexpr std::int64_t kLimit = 4096;
    const std::string text = os::ReadFile(place.state, kLimit);
    std::array<std::string, 3> lines;
    std::size_t begin = 0;
    for (std::string& line : lines) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      line = text.substr(begin, end - begin);
      begin = std::min(end + 1, text.size());
    }
    state.key = lines[0];
    state.key_before = lines[1];
    state.word = core::ParseWordText(lines[2]);
    if (state.word && state.word->system_identifier != place.system_identifier) state.word.reset();
  }
  if (state.key != place.key) {
    state.key_before = state.key;
    state.key = place.key;
  }
  return state;
}

void WriteState(const WordPlace& place, const State& state, std::vector<std::string>& remarks) {
  const std::string text =
      state.key + "\n" + state.key_before + "\n" + (state.word ? core::WordText(*state.word) : std::string()) + "\n";
  try {
    if (os::Exists(place.state) && os::ReadFile(place.state) == text) return;
    os::WriteFileAtomically(place.state, text, 0600);
  } catch (const core::Error& error) {
    remarks.push_back(std::string("this node cannot remember the word: ") + error.what());
  }
}

os::UniqueFd OpenDirectory(const std::string& path) {
  os::UniqueFd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.valid()) os::ThrowErrno(errno, "open directory", path);
  return directory;
}

std::string Signature(const std::string& key, const RoleWord& word) { return Hex(Hmac(key, core::WordText(word))); }

/// The file's content, as far as a word can be long and one byte more. Nothing when there is none; throws when it is no
/// regular file.
std::optional<std::string> ReadShared(const WordPlace& place) {
  const std::string path = place.directory + "/" + kName;
  const os::UniqueFd directory = OpenDirectory(place.directory);
  const os::UniqueFd file(openat(directory.get(), kName, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.valid() && errno == ENOENT) return std::nullopt;
  if (!file.valid()) os::ThrowErrno(errno, "open file", path);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) os::ThrowErrno(errno, "look at file", path);
  if (!S_ISREG(status.st_mode))
    throw core::Error(core::sqlstate::kDataCorrupted, "\"" + path + "\" is no regular file");
  std::string content(core::kWordBytes + 1, '\0');
  const ssize_t got = pread(file.get(), content.data(), content.size(), 0);
  if (got < 0) os::ThrowErrno(errno, "read file", path);
  content.resize(static_cast<std::size_t>(got));
  return content;
}

void WriteShared(const WordPlace& place, const std::string& key, const RoleWord& word,
                 std::vector<std::string>& remarks) {
  const std::string path = place.directory + "/" + kName;
  try {
    const os::UniqueFd directory = OpenDirectory(place.directory);
    // A name that nobody can have put there before, and never through a link.
    const std::string name =
        std::string(kName) + ".new-" + std::to_string(word.serial) + "-" + std::to_string(getpid());
    unlinkat(directory.get(), name.c_str(), 0);
    const os::UniqueFd file(
        openat(directory.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640));
    if (!file.valid()) os::ThrowErrno(errno, "create file", place.directory + "/" + name);
    const std::string line = core::SignedLine(word, Signature(key, word));
    const bool written =
        write(file.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()) && fsync(file.get()) == 0;
    if (!written || renameat(directory.get(), name.c_str(), directory.get(), kName) != 0) {
      const int error = errno;
      unlinkat(directory.get(), name.c_str(), 0);
      os::ThrowErrno(error, "write file", path);
    }
    fsync(directory.get());
  } catch (const core::Error& error) {
    remarks.push_back(std::string(error.what()) +
                      ": the other node does not know this word, run this again when it can be written");
  }
}

/// Takes what the shared file says into `state`, if it is to be believed; remarks why not.
void Consider(const WordPlace& place, State& state, std::vector<std::string>& remarks) {
  const std::string ignored = "\"" + place.directory + "/" + kName + "\" is ignored: ";
  std::optional<std::string> content;
  try {
    content = ReadShared(place);
  } catch (const core::Error& error) {
    remarks.push_back(ignored + error.what());
    return;
  }
  if (!content) return;
  const auto line = core::ParseSignedLine(*content);
  if (!line) {
    remarks.push_back(ignored + (core::IsUnsignedWord(*content)
                                     ? "it is not signed, as an older version wrote it; run /promote.sh again in the "
                                       "node that is to be the primary"
                                     : "it is not what /promote.sh writes"));
    return;
  }
  const bool present = SameSecret(line->signature, Signature(state.key, line->word));
  if (!present && (state.key_before.empty() || !SameSecret(line->signature, Signature(state.key_before, line->word)))) {
    remarks.push_back(ignored + "its signature is not of this password and this database cluster");
    return;
  }
  if (line->word.system_identifier != place.system_identifier) {
    remarks.push_back(ignored + "it speaks of another database cluster");
    return;
  }
  if (core::Supersedes(line->word, state.word)) {
    state.word = line->word;
  } else if (line->word != *state.word) {
    remarks.push_back(ignored + "this node knows a later word (" + state.word->node + ", timeline " +
                      std::to_string(state.word->timeline) + ") than the one that is there (" + line->word.node +
                      ", timeline " + std::to_string(line->word.timeline) + ")");
    return;
  }
  if (!present) WriteShared(place, state.key, line->word, remarks);
}

/// One at a time: what an operator says now is not to be overwritten by what a waiting node has just read.
os::UniqueFd Lock(const WordPlace& place) {
  const std::string path = place.state + ".lock";
  os::UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) os::ThrowErrno(errno, "open file", path);
  while (flock(file.get(), LOCK_EX) != 0) {
    if (errno != EINTR) os::ThrowErrno(errno, "lock file", path);
  }
  return file;
}

}  // namespace

WordInForce ReadWord(const WordPlace& place) {
  const os::UniqueFd lock = Lock(place);
  WordInForce found;
  State state = ReadState(place);
  Consider(place, state, found.remarks);
  WriteState(place, state, found.remarks);
  found.word = state.word;
  return found;
}

WordInForce WriteWord(const WordPlace& place, const std::string& node, std::uint32_t timeline) {
  const os::UniqueFd lock = Lock(place);
  WordInForce given;
  State state = ReadState(place);
  Consider(place, state, given.remarks);
  RoleWord word{node, timeline, place.system_identifier, state.word ? state.word->serial + 1 : 1};
  if (!core::ParseWordText(core::WordText(word))) {
    throw core::Error(core::sqlstate::kInvalidParameterValue,
                      "\"" + node + "\" on timeline " + std::to_string(timeline) + " is no word on a node");
  }
  state.word = word;
  given.word = word;
  WriteState(place, state, given.remarks);
  WriteShared(place, state.key, word, given.remarks);
  return given;
}

}  // namespace mfi::command
