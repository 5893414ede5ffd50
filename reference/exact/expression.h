// Small arithmetic expressions in table cells: constants of recipes ("1/(512*M)") and addresses of layouts ("4*((g/4)*A+r)+g%4").
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "reference/formats/format.h"

namespace assay {

/// A syntax error: its description, and the index of the character where it is (from 0).
struct ParseError : std::runtime_error {
  ParseError(size_t position, const std::string& what) : std::runtime_error(what), position(position) {}
  size_t position;
};

/// Grammar: sums, differences, products, quotients, remainders, unary minus, integer powers such as 2^-24, parentheses, ceil(a,b)
/// = a rounded up to a multiple of b, decimal numbers, names. Limits: 256 levels of nesting; 256 numbers, names and operators;
/// 4096 digits per number.
class Expression {
 public:
  /// Throws ParseError.
  explicit Expression(std::string_view text);

  const std::string& text() const { return text_; }
  const std::vector<std::string>& names() const { return names_; }

  /// The value in integers, where division rounds down. `values` are in the order of names(). Throws std::out_of_range for a
  /// missing name, and std::domain_error for a division by zero, a power that is not an integer, a number with a fraction, or a
  /// value that does not fit in 64 bits.
  int64_t integer(std::span<const int64_t> values) const;
  int64_t integer(const std::map<std::string, int64_t>& values) const;

  /// The exact rational value, rounded once to nearest even in `format`. Throws std::out_of_range for a missing name, and
  /// std::domain_error for a division by zero, `%` or ceil, a power that is not an integer, a value outside the format's range,
  /// or a numerator or denominator of more than 4096 bits on the way.
  double rounded(const std::map<std::string, std::string>& constants, const Format& format) const;

 private:
  struct Token {
    enum Kind { kNumber, kName, kAdd, kSubtract, kMultiply, kDivide, kRemainder, kNegate, kCeil, kPower } kind;
    bool whole = false;   ///< for a number: whether it is an integer (stored in `integer`)
    size_t place = 0;     ///< for a number: index into numbers_; for a name: index into names_
    int64_t integer = 0;
  };
  friend class ExpressionParser;
  std::string text_;
  std::vector<std::string> names_, numbers_;
  std::vector<Token> postfix_;

  static constexpr size_t kDeepest = 32;     ///< largest depth of the evaluation stack
  static constexpr size_t kMostTokens = 256;  ///< our longest cell has 31 tokens
};

}  // namespace assay
