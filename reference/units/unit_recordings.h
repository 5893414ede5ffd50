// Observed behaviour of tensor cores: recorded results, and accepted intervals of instructions with undocumented truncations.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "reference/recipe/recipe.h"
#include "reference/units/unit.h"

namespace assay {

// Results recorded on real tensor cores by MATLAB-tensor-core (commit b12b5a7, model_validation), in folders GPU/FORMAT.
// `a_GPU_FORMAT.txt` and `b_..`: a dot product per line, operands as hexadecimal f32 words. `c_GPU_fp32.txt`: addends, which the
// recording program rounded to the result's format. `d_GPU_fp32.txt` or `d_GPU_fp16.txt`: results. c and d hold f32 words in
// binary digits; fp16 results are widened to f32.

/// A row of contracts/unit_recordings.csv: the instruction that produced a set of recordings.
struct RecordedUnit {
  std::string unit;            ///< id
  std::string gpu, format, d;  ///< as in the file names
  bool c_is_zero = false;      ///< true: the recording program ignored the file of addends
};
/// Throws TableError.
std::vector<RecordedUnit> load_recorded_units(const std::string& file);

struct RecordedSet {
  std::string folder;          ///< folder of the format
  std::string gpu, format, d;  ///< "H100", "E4M3", "fp32"
  std::string name() const { return gpu + "/" + format + "/" + d; }
};

/// Every recorded set in a folder, sorted by name. Throws std::runtime_error if it is no folder or has no set.
std::vector<RecordedSet> recorded_sets(const std::string& folder);

struct RecordedMatches {
  int64_t vectors = 0, matches = 0;
  int64_t first_line = 0;                ///< 1-based line of the first vector that differs; 0: none differs
  uint32_t recorded = 0, predicted = 0;  ///< codes of d in that line
};

/// Compares unit_definition.h with a recorded set. Throws std::runtime_error with file and line if a line is missing, a word is
/// malformed, or its value does not exist in the instruction's format.
RecordedMatches match_recorded(const Unit& unit, bool c_is_zero, const RecordedSet& set);

// The possible results of a tensor core whose truncations are undocumented. The row defines the order of products and the
// exponents, but each truncation and each rounding may or may not happen.

/// True if Replay supports the instruction: it aligns and adds products of one-byte codes, d has 32 bits, scales (if any) are
/// e8m0, and it neither flushes subnormals nor limits products.
bool can_be_replayed(const Unit& unit);

/// Results of one instruction as intervals.
///
/// Bound: each term of an aligned sum keeps all its bits, or loses the bits more than `fraction_bits` below the largest exponent
/// of the terms and c. The interval contains the result of every combination. Truncation is one-sided: a positive term can only
/// become smaller.
/// Special values: a sum with NaN or infinities is NaN or Inf, as in IEEE 754.
/// Throws std::invalid_argument unless can_be_replayed(unit).
class Replay {
 public:
  explicit Replay(const Unit& unit);

  /// Scale codes of the blocks of one row of a and one row of b, for an instruction that applies scales.
  struct Scales {
    const std::byte *a = nullptr, *b = nullptr;
  };

  /// Runs the instructions for `products` products of two rows of codes, from c = 0. Both ends of the interval are values of the
  /// instruction's d.
  Span chain(const std::byte* a, const std::byte* b, int64_t products) { return chain(a, b, {}, products); }
  Span chain(const std::byte* a, const std::byte* b, Scales scales, int64_t products) {
    return ended(advanced(a, b, scales, products, {0, 0}));
  }
  /// As chain(), but starts from c and leaves out ended(). Dot products that begin with the same codes can share the result.
  Span advanced(const std::byte* a, const std::byte* b, int64_t products, Span c) { return advanced(a, b, {}, products, c); }
  Span advanced(const std::byte* a, const std::byte* b, Scales scales, int64_t products, Span c);
  /// The last step: moves both ends outward to values of d.
  static Span ended(Span c);

 private:
  struct Factor {
    double value = 0;
    int exponent = 0;
  };
  struct Term {
    double value = 0;
    int exponent = 0;
  };
  struct Sum {
    Span span;
    int exponent;  ///< exponent to which the terms were aligned
  };

  std::array<Factor, 256> factors_of(const Format& format) const;
  Span instruction(const std::byte* a, const std::byte* b, Scales scales, int64_t products, Span c);
  Span block(const Term* terms, Span c);
  Sum aligned(const Term* terms, int count, int least) const;
  Span joined(const Term* terms, Span c);
  int exponent_of(Span c) const;        ///< largest exponent that a value in `c` can have
  int least_exponent_of(Span c) const;  ///< smallest exponent that a value in `c` can have
  Span rounded(Span sum, bool to_nearest, int bits) const;

  Unit unit_;
  std::array<Factor, 256> a_, b_;
  std::vector<int> order_;
  std::vector<Term> terms_;
  std::vector<Sum> sums_;  ///< one per partial sum of a block
};

}  // namespace assay
