// What tensor cores were seen to do: recordings of instructions, and replays of a GEMM by candidate models.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "reference/recipe/recipe.h"
#include "reference/units/unit.h"

namespace assay {

// Results that real tensor cores gave, as MATLAB-tensor-core records them (b12b5a7, model_validation): a folder for every GPU and
// in it one for every format, with `a_GPU_FORMAT.txt` and `b_..` (a dot product a line, operands as hexadecimal words of f32),
// `c_GPU_fp32.txt` (addends, which were rounded to the format of the result) and `d_GPU_fp32.txt`, `d_GPU_fp16.txt` (results),
// words of f32 in binary digits; those of fp16 are widened.

/// A row of contracts/unit_recordings.csv: which unit made a set.
struct RecordedUnit {
  std::string unit;            ///< id
  std::string gpu, format, d;  ///< as the files are called
  bool c_is_zero = false;      ///< the addends of the file were not used
};
/// Throws TableError.
std::vector<RecordedUnit> load_recorded_units(const std::string& file);

struct RecordedSet {
  std::string folder;          ///< of the format
  std::string gpu, format, d;  ///< "H100", "E4M3", "fp32"
  std::string name() const { return gpu + "/" + format + "/" + d; }
};

/// Every set under a folder, by name. Throws std::runtime_error if it is no folder or holds none.
std::vector<RecordedSet> recorded_sets(const std::string& folder);

struct RecordedMatches {
  int64_t vectors = 0, matches = 0;
  int64_t first_line = 0;                ///< of the files, 1-based: of the first vector that differs; 0: none does
  uint32_t recorded = 0, predicted = 0;  ///< codes of d there
};

/// Holds the definition of a unit against a set. Throws std::runtime_error with file and line if a file lacks lines, or a word is
/// none or no number of the unit's format.
RecordedMatches match_recorded(const Unit& unit, bool c_is_zero, const RecordedSet& set);

// What a tensor core may make of an element if nobody knows which of its losses of bits happen: its order and its exponents are those of
// the row, each cut and each rounding may be made or left out.

/// Whether a unit can be replayed: products of codes of a byte that are aligned and added, without scales of its own.
bool can_be_replayed(const Unit& unit);

/// Sums of one unit as spans.
///
/// Bound   A term of an aligned sum loses what lies below `fraction_bits` under the largest exponent of the terms and of c, or nothing;
///         whatever is cut in whichever of these ways, the sum lies in the span. Truncation is one-sided: a positive term can only lose.
/// Edges   A sum with NaN or infinities is theirs: NaN, or Inf.
/// Throws  std::invalid_argument for a unit that cannot be replayed.
class Replay {
 public:
  explicit Replay(const Unit& unit);

  /// Instructions for so many products of two rows of codes, from c = 0; both ends are numbers of the unit's d.
  Span chain(const std::byte* a, const std::byte* b, int64_t products);

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
    int exponent;  ///< that its terms were aligned to
  };

  std::array<Factor, 256> factors_of(const Format& format) const;
  Span instruction(const std::byte* a, const std::byte* b, int64_t products, Span c);
  Span block(const Term* terms, Span c);
  Sum aligned(const Term* terms, int count, int least) const;
  Span joined(const Term* terms, Span c);
  int exponent_of(Span c) const;        ///< the largest that it may have
  int least_exponent_of(Span c) const;
  Span rounded(Span sum, bool to_nearest, int bits) const;

  Unit unit_;
  std::array<Factor, 256> a_, b_;
  std::vector<int> order_;
  std::vector<Term> terms_;
  std::vector<Sum> sums_;  ///< of the parts of one block
};

}  // namespace assay
