// The matrix of values that a generator fills, divided into groups. Internal to harness/fill.
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/fill/fill.h"
#include "reference/formats/format.h"

namespace assay::fills {

struct Sheet {
  int64_t rows, columns, group_size;
  const Format& format;  ///< format of the tensor
  const Format& q;       ///< the op's output format, for generators that target its codes
  Random random;
  std::vector<double> values;                            ///< row-major; initially zero
  std::vector<std::pair<int64_t, uint32_t>> codes;       ///< (element, code): stored instead of values[element], for codes that
                                                         ///< no double represents
  const std::vector<FilledOperand>* operands = nullptr;  ///< other operands of the problem, or nullptr
  int rank = 0, ranks = 1;                               ///< rank that owns the tensor, and number of ranks
  Random shared;                                         ///< stream shared by all ranks
  std::set<std::string> read = {};                       ///< roles of the operands that the generator read

  /// The values of an operand. Throws std::invalid_argument that names the generator `fill` if there is none.
  const std::vector<double>& operand(const std::string& role, const std::string& fill);

  int64_t groups_per_row() const { return columns == 0 ? 0 : (columns + group_size - 1) / group_size; }
  int64_t groups() const { return rows * groups_per_row(); }
  double max_q() const { return max_finite(q); }
};

/// One group: its number on the sheet, its position, and its elements [begin, end).
struct Group {
  int64_t number, row, in_row, begin, end;
  int64_t size() const { return end - begin; }
};

template <class Visit>
void for_each_group(const Sheet& sheet, Visit visit) {
  const int64_t per_row = sheet.groups_per_row();
  for (int64_t number = 0; number < sheet.groups(); ++number) {
    const int64_t row = number / per_row, in_row = number % per_row;
    const int64_t begin = row * sheet.columns + in_row * sheet.group_size;
    visit(Group{number, row, in_row, begin, std::min(begin + sheet.group_size, (row + 1) * sheet.columns)});
  }
}

/// Lanes of the random stream: draws with the same index and different lanes are independent.
enum Lane : uint32_t { kValue = 0, kSign = 1, kExponent = 2, kPlace = 3, kGroup = 4, kPick = 5, kOther = 6 };

/// 2^exponent, exact.
double power_of_two(int exponent);

/// Exponent of the format's largest finite number.
int max_exponent(const Format& format);

/// Rounds `value` to a code, and returns the value of the code that is `codes` codes further.
double neighbour(const Format& format, double value, int codes);

/// The code of a NaN. Successive values of `which` give the canonical NaN, the NaN with the smallest payload and a negative NaN,
/// as far as the format has them.
uint32_t nan_code(const Format& format, int64_t which);

/// -1 or 1, equal for all elements of the group.
double sign_of_group(const Sheet& sheet, const Group& group);

/// Fills a group so that its largest magnitude is `amax`, in a random element with a random sign. The magnitudes of the other
/// elements are uniform between 0 and `amax`.
void fill_group_with_amax(Sheet& sheet, const Group& group, double amax);

using Maker = void (*)(Sheet&);

// value_fills.cpp: independent elements
void normal(Sheet&);
void uniform01(Sheet&);
void wide(Sheet&);
void ramp(Sheet&);
void zeros(Sheet&);
void ones(Sheet&);
void gamma(Sheet&);
void outliers(Sheet&);
void huge(Sheet&);
void eps_dominated(Sheet&);
void off_center(Sheet&);
void scales(Sheet&);
void pow2_scales(Sheet&);
void scales_of_seven(Sheet&);
void half_tenfold(Sheet&);
void row_octaves(Sheet&);
void zero_points(Sheet&);
void far_zero_points(Sheet&);
void lone_mantissa(Sheet&);
void gate_open(Sheet&);
void gate_closed(Sheet&);
void swallowed(Sheet&);
void edge_scales(Sheet&);
void subnormal(Sheet&);

// gemm_fills.cpp: tensor core operands
void uniform_bits(Sheet&);
void near_one(Sheet&);
void half_zeros(Sheet&);
void mostly_zeros(Sheet&);
void tiny(Sheet&);
void near_overflow(Sheet&);
void pairs(Sheet&);
void opposite_pairs(Sheet&);
void zero_signs(Sheet&);
void kept_bit(Sheet&);
void kept_bit_partner(Sheet&);
void least_bit(Sheet&);
void least_bit_partner(Sheet&);
void half_ulp(Sheet&);
void half_ulp_partner(Sheet&);
void four_k(Sheet&);
void zero_beside_tiny(Sheet&);
void huge_beside_tiny(Sheet&);
void subnormal_pairs(Sheet&);
void subnormal_pairs_partner(Sheet&);
void far_below_one(Sheet&);
void zero_beside_least(Sheet&);
void huge_beside_least(Sheet&);
void far_scales(Sheet&);
void end_scales(Sheet&);
void low_scales(Sheet&);

// gemm_fills.cpp: GEMM operands
void amax_scaled(Sheet&);
void amax_scaled_positive(Sheet&);
void few_maxima(Sheet&);
void exact_sums(Sheet&);
void block_outliers(Sheet&);
void codes_with_nans(Sheet&);
void one_hot_rows(Sheet&);
void codes_in_turn(Sheet&);
void equal_pairs(Sheet&);
void cancelling_pairs(Sheet&);
void amax_scales(Sheet&);
void about_64(Sheet&);
void lowest(Sheet&);
void least_signs(Sheet&);
void one_in_the_middle(Sheet&);
void one_in_the_middle_partner(Sheet&);
void equal_blocks(Sheet&);
void opposite_blocks(Sheet&);
void paired_scales(Sheet&);

// group_fills.cpp: all-reduce inputs
void rank_integers(Sheet&);
void rank_counts(Sheet&);
void ranks_alike(Sheet&);
void rank_cancel(Sheet&);
void rank_overflow(Sheet&);
void rank_specials(Sheet&);

// group_fills.cpp: generators that depend on the norm's weights
void pinned_ties(Sheet&);
void tie_weights(Sheet&);
void tie_weights_less_one(Sheet&);

// group_fills.cpp: one group at a time
void quiet(Sheet&);
void nan_beside_huge(Sheet&);
void quiet_specials(Sheet&);
void specials(Sheet&);
void lone(Sheet&);
void steps(Sheet&);
void distinct(Sheet&);
void pow2_edge(Sheet&);
void octaves(Sheet&);

// value_fills.cpp: output codes and their midpoints
void ties(Sheet&);
void near_ties(Sheet&);
void every_code(Sheet&);

// value_fills.cpp: one group at a time, by minimum and maximum
void extent_ties(Sheet&);
void odd_ranges(Sheet&);
void end_ranges(Sheet&);

// value_fills.cpp: ends of groups, rows and blocks of rows; rows with NaN or Inf
void ends(Sheet&);
void spoiled_rows(Sheet&);

// gemm_fills.cpp: groups by the exponent of their scale
void infinities(Sheet&);
void exponent_rules(Sheet&);
void every_scale(Sheet&);

}  // namespace assay::fills
