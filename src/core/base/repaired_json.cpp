#include "core/base/repaired_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <utility>

#include "core/base/utf8.h"

namespace mfi::core {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kReplacementEscape = "\\ufffd";
constexpr std::size_t kEscapeLength = 6;  // of \uXXXX
constexpr std::size_t kLongestNumber = 100;
constexpr double kSmallest = 1e-300;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsNumber(std::string_view text) {
  const auto drop = [&text](std::string_view among) {
    if (text.empty() || among.find(text[0]) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
  };
  const auto digits = [&text] {
    const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count;
  };
  drop("-");
  const bool zero = !text.empty() && text[0] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (drop(".") && digits() == 0) return false;
  if (drop("eE")) {
    drop("+-");
    if (digits() == 0) return false;
  }
  return text.empty();
}

/// The code of a \uXXXX that `text` begins with; -1 when it begins with none.
int EscapedCode(std::string_view text) {
  if (text.size() < kEscapeLength || text[0] != '\\' || text[1] != 'u') return -1;
  unsigned code = 0;  // unsigned: no sign is taken
  const char* end = text.data() + kEscapeLength;
  const auto read = std::from_chars(text.data() + 2, end, code, 16);
  return read.ec == std::errc() && read.ptr == end ? static_cast<int>(code) : -1;
}

bool IsHighSurrogate(int code) { return code >= 0xD800 && code <= 0xDBFF; }
bool IsLowSurrogate(int code) { return code >= 0xDC00 && code <= 0xDFFF; }

class Repair {
 public:
  Repair(std::string_view rest, Zero zero) : rest_(rest), zero_(zero) {}

  std::string Run() {
    while (!rest_.empty()) {
      if (rest_[0] == '"') {
        String();
      } else if (rest_[0] == '-' || IsDigit(rest_[0])) {
        Number();
      } else {
        Copy(1);
      }
    }
    return std::move(out_);
  }

 private:
  void Copy(std::size_t bytes) {
    out_ += rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
  }

  void Replace(std::size_t bytes, std::string_view text) {
    out_ += text;
    rest_.remove_prefix(bytes);
  }

  void String() {
    Copy(1);
    while (!rest_.empty()) {
      const char c = rest_[0];
      if (c == '\\') {
        Escape();
        continue;
      }
      const std::size_t length = FirstCharacter(rest_).length;
      if (length == 0) {
        Replace(1, kReplacement);
      } else {
        Copy(length);
      }
      if (c == '"') return;
    }
  }

  void Escape() {
    const int code = EscapedCode(rest_);
    if (code < 0) {
      const bool pair = rest_.size() > 1 && (static_cast<unsigned char>(rest_[1]) & 0x80U) == 0;
      Copy(pair ? 2 : 1);
    } else if (IsHighSurrogate(code) && IsLowSurrogate(EscapedCode(rest_.substr(kEscapeLength)))) {
      Copy(2 * kEscapeLength);
    } else if (IsHighSurrogate(code) || IsLowSurrogate(code) || (code == 0 && zero_ == Zero::kReplace)) {
      Replace(kEscapeLength, kReplacementEscape);
    } else {
      Copy(kEscapeLength);
    }
  }

  void Number() {
    const std::string token(rest_.substr(0, rest_.find_first_not_of("0123456789+-.eE")));
    const double value = std::strtod(token.c_str(), nullptr);
    const bool fits = std::isfinite(value) && (value == 0.0 || std::abs(value) >= kSmallest);
    const bool vanished = value == 0.0 && token.find_first_of("eE") != std::string::npos;
    if ((fits && !vanished && token.size() <= kLongestNumber) || !IsNumber(token)) {
      Copy(token.size());
      return;
    }
    constexpr double kLargest = std::numeric_limits<double>::max();
    char shortest[32];
    const auto written =
        std::to_chars(std::begin(shortest), std::end(shortest), std::clamp(value, -kLargest, kLargest));
    Replace(token.size(), {shortest, static_cast<std::size_t>(written.ptr - shortest)});
  }

  std::string_view rest_;
  Zero zero_;
  std::string out_;
};

}  // namespace

std::string Repaired(std::string_view text, Zero zero) { return Repair(text, zero).Run(); }

}  // namespace mfi::core
