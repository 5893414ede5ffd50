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

/// What is wrong with a piece of text, and at which character of it (from 0).
struct ParseError : std::runtime_error {
  ParseError(size_t position, const std::string& what) : std::runtime_error(what), position(position) {}
  size_t position;
};

/// Grammar: sums, differences, products, quotients, remainders, unary minus, integer powers as 2^-24, parentheses,
/// ceil(a,b) = a rounded up to a multiple of b, decimal numbers, names. At most 256 levels of nesting, 256 numbers, names and operators,
/// and 4096 digits in a number.
class Expression {
 public:
  /// Throws ParseError.
  explicit Expression(std::string_view text);

  const std::string& text() const { return text_; }
  const std::vector<std::string>& names() const { return names_; }

  /// Integer value, division rounding down; `values` in the order of names(). Throws std::out_of_range on a missing name and
  /// std::domain_error on a division by zero, a power that is no integer, a number with a fraction or a value beyond 64 bits.
  int64_t integer(std::span<const int64_t> values) const;
  int64_t integer(const std::map<std::string, int64_t>& values) const;

  /// Exact rational value rounded once, to nearest even, to `format`. Throws std::out_of_range on a missing name and
  /// std::domain_error on a division by zero, `%` or ceil, a power that is no integer, a value that does not fit in the format and one
  /// whose numerator or denominator has more than 4096 bits on the way.
  double rounded(const std::map<std::string, std::string>& constants, const Format& format) const;

 private:
  struct Token {
    enum Kind { kNumber, kName, kAdd, kSubtract, kMultiply, kDivide, kRemainder, kNegate, kCeil, kPower } kind;
    bool whole = false;   ///< of a number: `integer` is it
    size_t place = 0;     ///< of a number as written in numbers_, of a name in names_
    int64_t integer = 0;
  };
  friend class ExpressionParser;
  std::string text_;
  std::vector<std::string> names_, numbers_;
  std::vector<Token> postfix_;

  static constexpr size_t kDeepest = 32;     ///< numbers that wait at once
  static constexpr size_t kMostTokens = 256;  ///< the longest cell of ours has 31
};

}  // namespace assay
