// Casts of real implementations, as rows of contracts/casts.csv: format, rounding, saturation, NaN, and the source of these
// facts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/formats/format.h"
#include "reference/formats/round.h"

namespace assay {

// Finds the code of a number by searching the values of a format. All comparisons are between exact doubles, and no float bits
// are manipulated. Casts are checked against this definition; formats/round.h computes the same values faster.

/// The code of a finite number; no value if the number rounds beyond the format's largest value (IEEE 754-2019, 4.3 and 7.4).
///
/// Formats without a sign take the magnitude. In a format without zero (e8m0), smaller numbers become its smallest value, and
/// ties round up. -0 stays -0 if the format has one.
std::optional<uint32_t> encode_finite(const Format& format, double value, Rounding rounding);

/// The code of any number. NaN becomes the canonical NaN. Numbers beyond the largest value become, with their sign, the largest
/// value or Inf (NaN if there is no Inf). Throws std::domain_error for NaN if the format has none.
uint32_t encode(const Format& format, double value, Rounding rounding, Overflow overflow);

/// Stochastic rounding with a given random number: adds random / 2^random_bits units in the last place to the magnitude, and
/// truncates. random_bits is at most 52. Nothing if the result exceeds the largest value. Source: AMD CDNA3 ISA,
/// v_cvt_sr_fp8_f32; PTX ISA, cvt.rs.
std::optional<uint32_t> encode_stochastic(const Format& format, double value, uint64_t random, int random_bits);

/// Inf with that sign if the format has Inf; else NaN, with that sign if NaN has both signs; else the largest value.
uint32_t special_code(const Format& format, bool negative);

/// The largest finite value with that sign.
uint32_t largest_code(const Format& format, bool negative);

// Source formats of casts, as bit patterns. They include f64, which is no format of tensors.

struct CastSource {
  std::string_view name;
  int bits;
  int mantissa_bits;

  uint64_t sign() const { return uint64_t{1} << (bits - 1); }
  uint64_t infinity() const { return sign() - (uint64_t{1} << mantissa_bits); }
  uint64_t last() const { return sign() | (sign() - 1); }  ///< the highest pattern
  bool is_nan(uint64_t pattern) const { return (pattern & (sign() - 1)) > infinity(); }
};

/// f32, bf16, f16, f64.
std::span<const CastSource> cast_sources();

/// The source format of that name; nullptr if there is none.
const CastSource* find_cast_source(std::string_view name);

/// The exact value of a pattern, including NaN and Inf.
double value_of(const CastSource& source, uint64_t pattern);

// The result of one implementation's cast for every input: a row of contracts/casts.csv, and its evaluation for one input.

/// The registry entry of this op kind.
const Flow& cast_flow();

/// Result of a number beyond the format's largest value.
enum class Beyond {
  kLargest,             ///< the largest value
  kSpecial,             ///< Inf or NaN, see special_code()
  kSpecialAboveLargest  ///< Inf or NaN for every number that is above the largest value before rounding
};

enum class Negative {
  kSign,       ///< a negative number keeps its sign
  kMagnitude,  ///< the magnitude of a negative number is converted
  kCode        ///< all negative numbers get the same code
};

/// A step of a mutant, before or after the cast's own rounding.
struct CastStep {
  enum Kind {
    kRound,   ///< rounds to the nearest number of `format`; Inf beyond its largest number
    kClamp,   ///< limits magnitudes, including Inf, to the largest number of `format`
    kFlush,   ///< numbers below the normal range of `format` become a zero with their sign
    kAddZero  ///< -0 becomes +0
  } kind;
  const Format* format = nullptr;

  double of(double x) const;
};

/// Inputs of both signs to which the row's other cells do not apply: all get one code, or are multiplied by a factor first.
struct Anomaly {
  uint64_t first, last;  ///< patterns without the sign bit
  std::optional<uint32_t> code;
  double factor = 1;
};

struct CastProfile {
  std::string id;
  const CastSource* from = nullptr;
  const Format* format = nullptr;  ///< format of the codes
  Rounding rounding = Rounding::kNearestEven;
  Beyond overflow = Beyond::kLargest;  ///< for finite numbers
  Beyond infinity = Beyond::kLargest;  ///< for Inf; never kSpecialAboveLargest
  uint32_t nan = 0, minus_nan = 0;     ///< codes of positive and negative NaN
  Negative negative = Negative::kSign;
  uint32_t negative_code = 0;    ///< for kCode
  std::optional<uint32_t> zero;  ///< code of both zeros; if absent, zeros are ordinary numbers
  std::vector<Anomaly> anomalies;
  std::vector<CastStep> before, after;  ///< steps before and after the rounding; only mutants have some
};

/// Reads a row of casts.csv. Throws TableError that names the cell.
CastProfile read_cast(const ContractRow& row);

/// The cast of a narrower source format that is first converted exactly to the cast's own source, as bf16 and f16 in casts
/// through float. For the cast's own source: the same profile. Throws std::invalid_argument for any other format.
CastProfile widened_from(const CastSource& source, const CastProfile& profile);

/// The code that the cast returns for one input.
uint32_t cast(const CastProfile& profile, uint64_t input);

// The words of casts.csv for rounding and overflow, for the parser and for names of mutants.

template <class Value>
struct CellWord {
  const char* word;
  Value value;
};

inline constexpr CellWord<Rounding> kRoundingWords[] = {{"nearest_even", Rounding::kNearestEven},
                                                        {"nearest_away", Rounding::kNearestAway},
                                                        {"toward_zero", Rounding::kTowardZero},
                                                        {"down", Rounding::kDown},
                                                        {"up", Rounding::kUp}};

inline constexpr CellWord<Beyond> kBeyondWords[] = {
    {"largest", Beyond::kLargest}, {"special", Beyond::kSpecial}, {"special_above_largest", Beyond::kSpecialAboveLargest}};

/// The word for a value; every value has one.
template <class Value, size_t N>
constexpr const char* word_of(const CellWord<Value> (&words)[N], Value value) {
  return std::find_if(std::begin(words), std::end(words), [&](const CellWord<Value>& w) { return w.value == value; })->word;
}

}  // namespace assay
