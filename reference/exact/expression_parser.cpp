// Parses an expression, and reports syntax errors.
#include <algorithm>
#include <cctype>

#include "reference/exact/expression.h"

namespace assay {
namespace {

constexpr size_t kMostDigits = 18;         ///< of an integer, so that it fits in 64 bits
constexpr size_t kMostExponentDigits = 3;  ///< more than any format needs
constexpr size_t kMostWrittenDigits = 4096;  ///< of a decimal number
constexpr int kMostLevels = 256;             ///< each level takes some hundred bytes of stack

bool is_whole(const std::string& number) { return number.find_first_of(".eE") == std::string::npos; }

}  // namespace

/// Recursive-descent parser that emits postfix order.
class ExpressionParser {
 public:
  ExpressionParser(std::string_view text, Expression& out) : text_(text), out_(out) {}

  void parse() {
    sum();
    skip_space();
    if (at_ != text_.size()) throw ParseError(at_, "unexpected '" + std::string(1, text_[at_]) + "'");
  }

 private:
  using Token = Expression::Token;

  void skip_space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ < text_.size() && text_[at_] == c) return ++at_, true;
    return false;
  }
  void expect(char c) {
    if (!take(c)) throw ParseError(at_, std::string("expected '") + c + "'");
  }
  void emit(Token::Kind kind) {
    if (kind != Token::kNegate) --waiting_;
    append({.kind = kind});
  }
  void emit_operand(const Token& token) {
    if (++waiting_ > Expression::kDeepest) throw ParseError(at_, "is nested too deeply");
    append(token);
  }
  void append(const Token& token) {
    if (out_.postfix_.size() == Expression::kMostTokens)
      throw ParseError(at_, "a formula has at most " + std::to_string(Expression::kMostTokens) + " numbers, names and operators");
    out_.postfix_.push_back(token);
  }

  /// Counts one level of recursion during its lifetime.
  class Level {
   public:
    explicit Level(ExpressionParser& parser) : parser_(parser) {
      if (++parser_.levels_ > kMostLevels) throw ParseError(parser_.at_, "is nested too deeply");
    }
    Level(const Level&) = delete;
    ~Level() { --parser_.levels_; }

   private:
    ExpressionParser& parser_;
  };

  void sum() {
    product();
    for (;;) {
      if (take('+'))
        product(), emit(Token::kAdd);
      else if (take('-'))
        product(), emit(Token::kSubtract);
      else
        return;
    }
  }
  void product() {
    factor();
    for (;;) {
      if (take('*'))
        factor(), emit(Token::kMultiply);
      else if (take('/'))
        factor(), emit(Token::kDivide);
      else if (take('%'))
        factor(), emit(Token::kRemainder);
      else
        return;
    }
  }
  void factor() {
    const Level level(*this);
    if (take('-')) {
      factor();
      emit(Token::kNegate);
      return;
    }
    primary();
    if (take('^')) factor(), emit(Token::kPower);
  }
  void primary() {
    skip_space();
    if (take('(')) {
      sum();
      expect(')');
      return;
    }
    if (at_ == text_.size()) throw ParseError(at_, "expected a number or a name");
    const char c = text_[at_];
    if (std::isdigit(static_cast<unsigned char>(c)) || c == '.') return number();
    if (std::isalpha(static_cast<unsigned char>(c)) || c == '_') return name();
    throw ParseError(at_, "expected a number or a name, not '" + std::string(1, c) + "'");
  }
  void digits() {
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  /// digits [. digits] [e [+-] digits]; digits are optional on one side of the point.
  void number() {
    const size_t start = at_;
    const auto no_number = [&] {
      std::string what("'");
      what.append(text_.substr(start, at_ - start)).append("' is not a number");
      return ParseError(start, what);
    };
    digits();
    if (at_ < text_.size() && text_[at_] == '.') ++at_, digits();
    if (at_ == start + 1 && text_[start] == '.') throw no_number();
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) ++at_;
      const size_t exponent = at_;
      digits();
      if (at_ == exponent || at_ - exponent > kMostExponentDigits) throw no_number();
    }
    if (at_ < text_.size() && (text_[at_] == '.' || std::isalpha(static_cast<unsigned char>(text_[at_]))))
      ++at_, throw no_number();
    if (at_ - start > kMostWrittenDigits)
      throw ParseError(start, "a number has at most " + std::to_string(kMostWrittenDigits) + " digits");
    const std::string& written = out_.numbers_.emplace_back(text_.substr(start, at_ - start));
    Token token{.kind = Token::kNumber, .whole = is_whole(written), .place = out_.numbers_.size() - 1};
    if (token.whole) {
      if (written.size() > kMostDigits) throw ParseError(start, "'" + written + "' is too large");
      token.integer = std::stoll(written);
    }
    emit_operand(token);
  }
  void name() {
    const size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_')) ++at_;
    const std::string word(text_.substr(start, at_ - start));
    if (word == "ceil" && take('(')) {
      sum();
      expect(',');
      sum();
      expect(')');
      emit(Token::kCeil);
      return;
    }
    auto found = std::find(out_.names_.begin(), out_.names_.end(), word);
    if (found == out_.names_.end()) found = out_.names_.insert(out_.names_.end(), word);
    emit_operand({.kind = Token::kName, .place = size_t(found - out_.names_.begin())});
  }

  std::string_view text_;
  Expression& out_;
  size_t at_ = 0;
  int levels_ = 0;
  size_t waiting_ = 0;  ///< operands on the evaluation stack
};

Expression::Expression(std::string_view text) : text_(text) { ExpressionParser(text, *this).parse(); }

}  // namespace assay
