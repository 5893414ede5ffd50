// Constant and address expressions: evaluation, text and parser.
#include "reference/exact/expression.h"

#include <algorithm>
#include <array>
#include <boost/multiprecision/cpp_int.hpp>
#include <cctype>
#include <cmath>

#include "reference/formats/round.h"

namespace assay {

using Rational = boost::multiprecision::cpp_rational;
using Integer = boost::multiprecision::cpp_int;

namespace {

constexpr int kLargestPower = 4096;
constexpr unsigned kMostBits = 4096;   ///< limit for numerator and denominator each; 2^-149, the smallest f32, needs 150
constexpr size_t kMostWritten = 1300;  ///< maximum digits of a constant; 4096 bits hold at most 1234

Rational within_limits(Rational x) {
  const Integer above = abs(numerator(x));
  if ((above != 0 && msb(above) > kMostBits) || msb(denominator(x)) > kMostBits)
    throw std::domain_error("a value has more than " + std::to_string(kMostBits) + " bits");
  return x;
}

/// A decimal number as an exact rational: its digits times a power of ten.
Rational exact_decimal(const std::string& text) {
  if (text.size() > kMostWritten) throw std::domain_error("a value has more than " + std::to_string(kMostBits) + " bits");
  const size_t e = text.find_first_of("eE");
  int exponent = e == std::string::npos ? 0 : std::stoi(text.substr(e + 1));
  std::string digits = text.substr(0, e);
  if (const size_t point = digits.find('.'); point != std::string::npos) {
    exponent -= int(digits.size() - point - 1);
    digits.erase(point, 1);
  }
  const Integer scale = boost::multiprecision::pow(Integer(10), unsigned(std::abs(exponent)));
  const Integer value(digits.empty() ? "0" : digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1)));
  return exponent >= 0 ? Rational(value * scale) : Rational(value, scale);
}

Rational power(const Rational& base, const Rational& exponent) {
  if (denominator(exponent) != 1 || abs(exponent) > kLargestPower)
    throw std::domain_error("an exponent must be an integer of at most 4096");
  const int n = exponent.convert_to<int>();
  if (base == 0 && n < 0) throw std::domain_error("division by zero");
  if (base == 0) return n == 0 ? 1 : 0;
  const auto bits = int64_t(std::max(msb(abs(numerator(base))), msb(denominator(base))));
  if (bits * std::abs(n) > int64_t{kMostBits})
    throw std::domain_error("a value has more than " + std::to_string(kMostBits) + " bits");
  const Integer above = boost::multiprecision::pow(numerator(base), unsigned(std::abs(n)));
  const Integer below = boost::multiprecision::pow(denominator(base), unsigned(std::abs(n)));
  return n < 0 ? Rational(below, above) : Rational(above, below);
}

/// Rounds the exact value once, to nearest even.
double round_rational(const Rational& x, const Format& format) {
  if (x == 0) return 0;
  const Rational magnitude = abs(x);
  int exponent = int(msb(numerator(magnitude))) - int(msb(denominator(magnitude)));
  if (power(2, exponent) > magnitude) --exponent;
  const int last_place = std::max(exponent, format.min_exponent()) - format.mantissa_bits;
  const Rational steps = magnitude / power(2, last_place);
  Integer whole = numerator(steps) / denominator(steps);
  const Rational rest = steps - Rational(whole);
  if (rest > Rational(1, 2) || (rest == Rational(1, 2) && whole % 2 == 1)) ++whole;
  const double rounded = std::ldexp(whole.convert_to<double>(), last_place);
  if (rounded > max_finite(format)) throw std::domain_error("too large for " + std::string(format.name));
  return x < 0 ? -rounded : rounded;
}

/// A value that does not fit in 64 bits means that a formula is wrong; wrapping around would give a wrong address.
[[noreturn]] void overflow() { throw std::domain_error("a value does not fit in 64 bits"); }

int64_t sum(int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) overflow();
  return result;
}

int64_t difference(int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_sub_overflow(a, b, &result)) overflow();
  return result;
}

int64_t product(int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) overflow();
  return result;
}

int64_t integer_power(int64_t base, int64_t exponent) {
  if (exponent < 0) throw std::domain_error("a negative power is not an integer");
  if (base == 0 || base == 1) return exponent == 0 ? 1 : base;
  if (base == -1) return exponent % 2 == 0 ? 1 : -1;
  int64_t result = 1;
  for (; exponent > 0; --exponent) result = product(result, base);
  return result;
}

int64_t floor_divide(int64_t a, int64_t b) {
  if (b == 0) throw std::domain_error("division by zero");
  if (b == -1) return difference(0, a);  // INT64_MIN / -1 would overflow
  return a / b - ((a % b != 0) && ((a < 0) != (b < 0)));
}

}  // namespace

int64_t Expression::integer(std::span<const int64_t> values) const {
  std::array<int64_t, kDeepest> stack;
  size_t size = 0;
  const auto push = [&](int64_t number) { stack[size++] = number; };
  const auto pop = [&] { return stack[--size]; };
  for (const Token& token : postfix_) {
    if (token.kind == Token::kNumber) {
      if (!token.whole) throw std::domain_error("'" + numbers_[token.place] + "' is not an integer in '" + text_ + "'");
      push(token.integer);
      continue;
    }
    if (token.kind == Token::kName) {
      push(values[token.place]);
      continue;
    }
    const int64_t b = pop();
    if (token.kind == Token::kNegate) {
      push(difference(0, b));
      continue;
    }
    const int64_t a = pop();
    switch (token.kind) {
      case Token::kAdd: push(sum(a, b)); break;
      case Token::kSubtract: push(difference(a, b)); break;
      case Token::kMultiply: push(product(a, b)); break;
      case Token::kDivide: push(floor_divide(a, b)); break;
      case Token::kRemainder: push(b == -1 ? 0 : difference(a, product(b, floor_divide(a, b)))); break;
      case Token::kCeil: push(product(difference(0, floor_divide(difference(0, a), b)), b)); break;
      case Token::kPower: push(integer_power(a, b)); break;
      default: break;
    }
  }
  return pop();
}

int64_t Expression::integer(const std::map<std::string, int64_t>& values) const {
  std::vector<int64_t> ordered;
  for (const std::string& name : names_) {
    const auto found = values.find(name);
    if (found == values.end()) throw std::out_of_range("unknown name '" + name + "' in '" + text_ + "'");
    ordered.push_back(found->second);
  }
  return integer(ordered);
}

double Expression::rounded(const std::map<std::string, std::string>& constants, const Format& format) const {
  std::vector<Rational> stack;
  const auto pop = [&] {
    const Rational top = stack.back();
    stack.pop_back();
    return top;
  };
  for (const Token& token : postfix_) {
    if (token.kind == Token::kNumber) {
      stack.push_back(exact_decimal(numbers_[token.place]));
      continue;
    }
    if (token.kind == Token::kName) {
      const auto found = constants.find(names_[token.place]);
      if (found == constants.end()) throw std::out_of_range("unknown name '" + names_[token.place] + "' in '" + text_ + "'");
      stack.push_back(exact_decimal(found->second));
      continue;
    }
    const Rational b = pop();
    if (token.kind == Token::kNegate) {
      stack.push_back(-b);
      continue;
    }
    const Rational a = pop();
    const auto quotient = [&]() -> Rational {
      if (b == 0) throw std::domain_error("division by zero in '" + text_ + "'");
      return a / b;
    };
    switch (token.kind) {
      case Token::kAdd: stack.push_back(within_limits(a + b)); break;
      case Token::kSubtract: stack.push_back(within_limits(a - b)); break;
      case Token::kMultiply: stack.push_back(within_limits(a * b)); break;
      case Token::kDivide: stack.push_back(within_limits(quotient())); break;
      case Token::kPower: stack.push_back(power(a, b)); break;
      default: throw std::domain_error("a constant allows only + - * / ^: '" + text_ + "'");
    }
  }
  return round_rational(stack.back(), format);
}

// Parses an expression, and reports syntax errors.

namespace {

constexpr size_t kMostDigits = 18;         ///< maximum digits of an integer, so that it fits in 64 bits
constexpr size_t kMostExponentDigits = 3;  ///< maximum digits of an exponent; no format needs more than 3
constexpr size_t kMostWrittenDigits = 4096;  ///< maximum digits of a decimal number
constexpr int kMostLevels = 256;             ///< deepest nesting of an expression; a level takes a few hundred bytes of stack

bool is_whole(const std::string& number) { return number.find_first_of(".eE") == std::string::npos; }

}  // namespace

/// Recursive-descent parser whose output is in postfix order.
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

  /// Counts one level of recursion as long as this object exists.
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
