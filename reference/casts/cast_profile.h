// Casts of real implementations as rows of contracts/casts.csv: format, rounding, saturation, NaN, and where a row's facts come from.
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

// Formats that casts start from, by their bit patterns; f64 is one of them and is no format of tensors.

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

/// Nullptr if there is none of that name.
const CastSource* find_cast_source(std::string_view name);

/// The number that a pattern stands for; exact. NaN and Inf as such.
double value_of(const CastSource& source, uint64_t pattern);

// What one implementation makes of every input of a cast: a row of contracts/casts.csv, and its answer for one input.

/// The row of the registry.
const Flow& cast_flow();

/// What becomes of a number that does not fit.
enum class Beyond {
  kLargest,             ///< the largest value
  kSpecial,             ///< Inf or NaN, see special_code()
  kSpecialAboveLargest  ///< the same, and already above the largest value, before any rounding
};

enum class Negative {
  kSign,       ///< keeps its sign
  kMagnitude,  ///< is taken for its magnitude
  kCode        ///< becomes one code
};

/// A step beside the one rounding, on numbers.
struct CastStep {
  enum Kind {
    kRound,   ///< to the nearest number of `format`, beyond it Inf
    kClamp,   ///< to the largest magnitude of `format`, Inf too
    kFlush,   ///< below the normal range of `format` the zero of its sign
    kAddZero  ///< -0 becomes +0
  } kind;
  const Format* format = nullptr;

  double of(double x) const;
};

/// Inputs that the rules do not describe, with those of the other sign: a code, or a factor that the input is multiplied by.
struct Anomaly {
  uint64_t first, last;  ///< patterns without sign
  std::optional<uint32_t> code;
  double factor = 1;
};

struct CastProfile {
  std::string id;
  const CastSource* from = nullptr;
  const Format* format = nullptr;  ///< of the codes
  Rounding rounding = Rounding::kNearestEven;
  Beyond overflow = Beyond::kLargest;  ///< of finite numbers
  Beyond infinity = Beyond::kLargest;  ///< of Inf; never kSpecialAboveLargest
  uint32_t nan = 0, minus_nan = 0;     ///< codes of NaN by its sign
  Negative negative = Negative::kSign;
  uint32_t negative_code = 0;    ///< of kCode
  std::optional<uint32_t> zero;  ///< code of both zeros; without it they are numbers like others
  std::vector<Anomaly> anomalies;
  std::vector<CastStep> before, after;  ///< the rounding; no row has any
};

/// Reads a row of casts.csv. Throws TableError naming the cell.
CastProfile read_cast(const ContractRow& row);

/// The same cast of numbers that are first widened, exactly, to its own source: what becomes of bf16 and f16 in casts that go
/// through float. Its own source gives the profile itself. Throws std::invalid_argument if that source is not narrower.
CastProfile widened_from(const CastSource& source, const CastProfile& profile);

/// The code of one input.
uint32_t cast(const CastProfile& profile, uint64_t input);

// The words of casts.csv for rounding and for what is too large, as they are read and as mistakes are named.

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

/// The word of a value. Every value has one.
template <class Value, size_t N>
constexpr const char* word_of(const CellWord<Value> (&words)[N], Value value) {
  return std::find_if(std::begin(words), std::end(words), [&](const CellWord<Value>& w) { return w.value == value; })->word;
}

}  // namespace assay
