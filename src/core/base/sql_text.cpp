#include "core/base/sql_text.h"

#include <algorithm>
#include <charconv>

namespace mfi::core {
namespace {

constexpr std::string_view kTocEntry = "-- TOC entry ";

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

bool BeginsName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool ContinuesName(char c) { return BeginsName(c) || (c >= '0' && c <= '9') || c == '$'; }

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

/// Walks over a script token by token. What is not closed ends with the script.
class Scanner {
 public:
  enum class Piece { kEnd, kSpace, kComment, kToken };

  explicit Scanner(std::string_view sql) : sql_(sql) {}

  /// The next piece: [begin(), end()) of the script, and token() when it is one.
  Piece Next() {
    begin_ = end_;
    if (begin_ == sql_.size()) return Piece::kEnd;
    const char c = sql_[begin_];
    if (IsSpace(c)) {
      while (end_ < sql_.size() && IsSpace(sql_[end_])) ++end_;
      return Piece::kSpace;
    }
    if (At("--")) {
      end_ = std::min(sql_.find_first_of("\n\r", begin_), sql_.size());
      return Piece::kComment;
    }
    if (At("/*")) {
      SkipBlockComment();
      return Piece::kComment;
    }
    token_ = {};
    token_.begin = begin_;
    if (c == '\'') {
      String(begin_, false);
    } else if (c == '"') {
      token_.kind = SqlToken::Kind::kQuotedName;
      Quoted(begin_, '"', false);
    } else if (c == '$' && DollarString()) {
    } else if (BeginsName(c)) {
      Word();
    } else {
      token_.text = std::string(1, c);
      ++end_;
    }
    return Piece::kToken;
  }

  std::size_t begin() const { return begin_; }
  std::size_t end() const { return end_; }
  const SqlToken& token() const { return token_; }
  std::string_view text() const { return sql_.substr(begin_, end_ - begin_); }

  void SkipLine() { end_ = Find("\n", begin_); }

 private:
  bool At(std::string_view what) const { return sql_.substr(begin_, what.size()) == what; }

  std::size_t Find(std::string_view what, std::size_t from) const {
    const auto at = sql_.find(what, from);
    return at == std::string_view::npos ? sql_.size() : at;
  }

  void SkipBlockComment() {
    int depth = 0;
    for (end_ = begin_; end_ < sql_.size();) {
      if (sql_.substr(end_, 2) == "/*") {
        ++depth;
        end_ += 2;
      } else if (sql_.substr(end_, 2) == "*/") {
        end_ += 2;
        if (--depth == 0) return;
      } else {
        ++end_;
      }
    }
  }

  void String(std::size_t quote, bool escapes) {
    token_.kind = SqlToken::Kind::kString;
    Quoted(quote, '\'', escapes);
    // A string goes on behind a line's end; what begins there has the escapes of what it continues.
    for (std::size_t next = Continued(); escapes && next != std::string_view::npos; next = Continued()) {
      Quoted(next, '\'', escapes);
    }
  }

  /// Where the string goes on: at a quote that follows its end, with spaces, comments and at least one line end
  /// between.
  std::size_t Continued() const {
    bool line_ended = false;
    for (std::size_t at = end_; at < sql_.size();) {
      if (sql_[at] == '\'') return line_ended ? at : std::string_view::npos;
      if (sql_.substr(at, 2) == "--") {
        at = std::min(sql_.find_first_of("\n\r", at), sql_.size());
      } else if (!IsSpace(sql_[at])) {
        break;
      } else {
        line_ended = line_ended || sql_[at] == '\n' || sql_[at] == '\r';
        ++at;
      }
    }
    return std::string_view::npos;
  }

  void Quoted(std::size_t opened, char quote, bool escapes) {
    for (end_ = opened + 1; end_ < sql_.size(); ++end_) {
      const char c = sql_[end_];
      const bool pair = end_ + 1 < sql_.size() && ((c == quote && sql_[end_ + 1] == quote) || (escapes && c == '\\'));
      if (c == quote && !pair) {
        ++end_;
        return;
      }
      if (pair) ++end_;
      token_.text += sql_[end_];
    }
  }

  bool DollarString() {
    std::size_t tag = begin_ + 1;
    while (tag < sql_.size() && sql_[tag] != '$' && ContinuesName(sql_[tag])) ++tag;
    const bool number = tag > begin_ + 1 && sql_[begin_ + 1] >= '0' && sql_[begin_ + 1] <= '9';
    if (tag == sql_.size() || sql_[tag] != '$' || number) return false;
    const std::string_view delimiter = sql_.substr(begin_, tag + 1 - begin_);
    const std::size_t body = tag + 1;
    const std::size_t close = Find(delimiter, body);
    token_.kind = SqlToken::Kind::kString;
    token_.text = std::string(sql_.substr(body, close - body));
    end_ = close == sql_.size() ? close : close + delimiter.size();
    return true;
  }

  void Word() {
    while (end_ < sql_.size() && ContinuesName(sql_[end_])) ++end_;
    const bool prefix = end_ == begin_ + 1 && end_ < sql_.size() && sql_[end_] == '\'';
    const char c = sql_[begin_];
    if (prefix && (c == 'E' || c == 'e')) return String(end_, true);
    token_.kind = SqlToken::Kind::kWord;
    token_.text = LowerCase(text());
  }

  std::string_view sql_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  SqlToken token_;
};

std::uint32_t TocEntry(std::string_view comment, std::uint32_t otherwise) {
  if (comment.rfind(kTocEntry, 0) != 0) return otherwise;
  comment.remove_prefix(kTocEntry.size());
  std::uint32_t entry = 0;
  const auto [end, error] = std::from_chars(comment.data(), comment.data() + comment.size(), entry);
  return error == std::errc() ? entry : otherwise;
}

}  // namespace

std::vector<SqlStatement> SplitStatements(std::string_view script) {
  std::vector<SqlStatement> statements;
  SqlStatement current;
  Scanner scanner(script);
  std::size_t begin = 0;  // of the current statement's text
  std::size_t end = 0;    // behind its last token
  const auto finish = [&] {
    if (end > begin) {
      current.text = std::string(script.substr(begin, end - begin));
      statements.push_back(current);
    }
    begin = end = 0;
  };
  for (;;) {
    const Scanner::Piece piece = scanner.Next();
    if (piece == Scanner::Piece::kEnd) break;
    const bool between = end == 0;
    if (piece == Scanner::Piece::kComment && between) {
      current.toc_entry = TocEntry(scanner.text(), current.toc_entry);
    }
    if (piece != Scanner::Piece::kToken) continue;
    if (between && scanner.text() == "\\") {
      scanner.SkipLine();
    } else if (scanner.text() == ";") {
      finish();
    } else {
      if (between) begin = scanner.begin();
      end = scanner.end();
    }
  }
  return statements;  // what has no semicolon is cut off, and no statement
}

std::vector<SqlToken> SplitTokens(std::string_view statement) {
  std::vector<SqlToken> tokens;
  Scanner scanner(statement);
  for (;;) {
    const Scanner::Piece piece = scanner.Next();
    if (piece == Scanner::Piece::kEnd) return tokens;
    if (piece == Scanner::Piece::kToken) tokens.push_back(scanner.token());
  }
}

bool HasComment(std::string_view statement) {
  Scanner scanner(statement);
  for (;;) {
    const Scanner::Piece piece = scanner.Next();
    if (piece == Scanner::Piece::kEnd) return false;
    if (piece == Scanner::Piece::kComment) return true;
  }
}

bool IsWord(const SqlToken& token, std::string_view word) {
  return token.kind == SqlToken::Kind::kWord && token.text == word;
}

std::string QuoteIdentifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace mfi::core
