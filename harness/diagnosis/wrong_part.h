// Regularities of wrong outputs that need no knowledge of the op: a constant factor, shifted rows, another order, what the tensor
// held before the call. They name mistakes that are not a change of a contract's formula. Also: one output with wrong elements,
// the input of the rules (structure.cpp, values.cpp) and facts (facts.cpp).
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/case.h"
#include "harness/core/expectation.h"
#include "harness/diagnosis/diagnose.h"

namespace assay {

/// A rule that gives the wrong elements of one output from the right ones.
struct Regularity {
  std::string part;       ///< label of the output
  std::string words;      ///< "4 times the expected values"
  int64_t failing = 0;    ///< elements of that output outside their accepted set, without the `left_out` ones
  int64_t explained = 0;  ///< the number of these elements with the value that the rule gives
  int64_t left_out = 0;   ///< wrong elements for which the rule gives no value, for example because it copies padding there
  bool decides = false;   ///< the tensor holds another type of data; then every other cause of the failure is dropped
  bool is_fact = false;   ///< says what the wrong elements have in common, but does not give their values (facts.cpp)
  std::string note = {};  ///< follows the counts: "; the other 975 elements are right: ..."
  std::string input = {};  ///< "x has NaN": the wrong elements are exactly those that depend on such inputs

  bool complete() const { return explained == failing; }
};

/// Returns, for each output with elements outside, at most one rule, then facts. A fact is what the inputs of wrong elements have
/// in common; if no rule gives all wrong elements, also NaN and rows of other data. A rule must give at least three quarters of
/// the wrong elements, and at least four unless it is about zeros. A rule about places says from where values were copied. If the
/// wrong elements hold few codes, such a rule must also hold for right elements. Of a contract's variants (at most eight), the
/// one with the most explained elements counts. Each must be computed again. The search ends at a variant of more than 2^24
/// elements or 2^30 multiply-accumulates, or if `budget` is spent. If nothing was found before, `budget` notes that.
std::vector<Regularity> regularities(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs,
                                     WorkBudget& budget);

/// "pattern: d holds 4 times the expected values (512 of 512 wrong elements)".
std::string in_words(const Regularity& found);

/// The words that begin a fact about whole rows or columns of errors.
inline constexpr const char* kEveryElement = "errors in every element of ";

/// A rule about values must explain this many elements; fewer may match by chance.
inline constexpr int64_t kFewest = 4;
/// A rule is tried on this number of failing elements, before it is tried on all of them.
inline constexpr size_t kProbes = 16;
/// If the wrong elements hold fewer than kManyCodes codes, a rule about places must hold for right elements too, and needs at
/// least kEnoughOfFewCodes wrong elements.
inline constexpr size_t kManyCodes = 4, kEnoughOfFewCodes = 16;
/// Source of an element for which a rule about places gives no value: the rule points to padding, or to no element.
inline constexpr int64_t kNowhere = -1;

/// A rule, found by structure.cpp or values.cpp, that turns right elements into the wrong ones.
struct Explanation {
  std::string words;
  int64_t explained = 0;  ///< failing elements
  int64_t left_out = 0;   ///< failing elements that the rule does not cover
  bool decides = false;   ///< see Regularity
  bool is_value = false;  ///< says which code the elements hold, but not why these elements
  std::string note = {};  ///< see Regularity

  /// Left-out elements count as explained, so that a rule gains nothing by leaving elements out.
  int64_t score() const { return explained + left_out; }
};
using Rule = std::optional<Explanation>;

/// A rule about places, compared with all elements of a tensor.
struct Moved {
  int64_t explained = 0;     ///< wrong elements that hold the value expected at their source
  int64_t left_out = 0;      ///< wrong elements that have no source
  int64_t contradicted = 0;  ///< right elements that the rule calls wrong; counted only if the wrong ones hold few codes
};

/// Whether all rows of a tensor lie in its storage, if they are one stride apart as TensorSpec::row() says. False for views whose
/// leading dimensions overlap.
inline bool has_rows(const TensorSpec& spec) {
  if (spec.shape.empty() || spec.shape.back() == 0) return false;
  const int64_t rows = spec.elements() / spec.shape.back();
  return rows == 0 || spec.row(rows - 1) + (spec.shape.back() - 1) * spec.strides.back() < spec.storage;
}

/// Whether codes of the format are floating-point values, and not integers, raw bytes or scales.
inline bool is_number(const Format& format) {
  return !format.is_integer() && format.specials != Specials::kBits && format.specials != Specials::kScale;
}
/// Whether a kernel may read the elements of this tensor as fp16, bf16 or fp32 numbers.
inline bool holds_numbers(const HostTensor& tensor) {
  const TensorSpec& spec = tensor.spec;
  return access_of(tensor) != Access::kOut && !tensor.bytes.empty() && is_number(*spec.format) && spec.format->bits >= 16 &&
         spec.format->bits <= 32 && !spec.packed && has_rows(spec);
}
/// The numbers of a tensor that has rows, row by row.
inline std::vector<double> numbers_of(const HostTensor& tensor) {
  std::vector<double> numbers;
  for (int64_t i = 0; i < tensor.spec.elements(); ++i)
    numbers.push_back(decode(*tensor.spec.format, tensor.code(tensor.spec.place(i))));
  return numbers;
}
inline std::string hex(const Format& format, uint32_t code) { return fmt::format("0x{:0{}x}", code, (format.bits + 3) / 4); }

inline std::string value_text(const Format& format, uint32_t code) {
  const double value = decode(format, code);
  return std::isnan(value) ? hex(format, code) + " (NaN)" : fmt::format("{} ({:.6g})", hex(format, code), value);
}

/// One output: its accepted intervals, the codes it holds, and the elements outside.
class WrongPart {
 public:
  WrongPart(const WholePart& whole, const HostTensor& tensor)
      : whole_(whole), tensor_(tensor), stored_(stored_elements(whole.part, tensor)) {
    const int64_t elements = part().elements();
    codes_.resize(size_t(elements));
    for (int64_t i = 0; i < elements; ++i) {
      const int64_t offset = whole.offset_at(i);
      if (offset < 0 || offset >= stored_) {
        complete_ = false;
        return;
      }
      codes_[size_t(i)] = load_code(part(), tensor, offset);
      if (!accepts(i, codes_[size_t(i)])) failing_.push_back(i);
    }
    held_ = distinct(kManyCodes);
  }

  const Part& part() const { return whole_.part; }
  /// The label of the part, followed by its rank unless the rank is 0 or is already in the label.
  std::string label() const {
    const std::string label = part().label();
    return part().rank == 0 || label.find("rank ") != std::string::npos ? label
                                                                        : label + " of rank " + std::to_string(part().rank);
  }
  const Format& format() const { return *part().format; }
  const HostTensor& tensor() const { return tensor_; }
  /// False if an element lies outside the tensor's storage.
  bool complete() const { return complete_; }
  const std::vector<int64_t>& failing() const { return failing_; }
  const std::vector<uint32_t>& codes() const { return codes_; }
  Interval accepted(int64_t element) const { return whole_.at(element); }
  bool accepts(int64_t element, uint32_t code) const { return whole_.at(element).holds(format(), ordinal(format(), code)); }
  /// The expected code, if there is exactly one; NaN counts.
  std::optional<uint32_t> due(int64_t element) const {
    const Interval accepted = whole_.at(element);
    if (!accepted.single()) return std::nullopt;
    return code_from_ordinal(format(), accepted.low);
  }
  /// Value in the middle of the accepted interval, or nothing if it accepts everything or NaN.
  std::optional<double> middle(int64_t element) const {
    const Interval accepted = whole_.at(element);
    if (accepted.any() || is_nan_ordinal(accepted.low) || is_nan_ordinal(accepted.high)) return std::nullopt;
    const double low = decode(format(), code_from_ordinal(format(), accepted.low));
    return low + (decode(format(), code_from_ordinal(format(), accepted.high)) - low) / 2;
  }
  double value(int64_t element) const { return decode(format(), codes_[size_t(element)]); }

  /// Number of failing elements for which `rule` holds; 0 if it fails for most of kProbes failing elements, spread evenly.
  int64_t count(const std::function<bool(int64_t element)>& rule) const {
    int64_t explained = 0;
    for (size_t i = 0; i < kProbes; ++i) explained += rule(failing_[i * failing_.size() / kProbes]);
    if (2 * explained < int64_t(kProbes)) return 0;
    return std::count_if(failing_.begin(), failing_.end(), rule);
  }
  /// Whether the failing elements hold enough different codes to distinguish rules about places.
  bool shows_places() const { return held_ == kManyCodes || (held_ >= 2 && failing_.size() >= kEnoughOfFewCodes); }
  /// Compares each failing element with the value expected at source(element). Nothing if the rule explains too little. With only
  /// two codes, half of all wrong sources fit by chance. So if the failing elements hold few codes, right ones are compared too.
  std::optional<Moved> moved(const std::function<int64_t(int64_t element)>& source) const {
    const auto holds = [&](int64_t i, int64_t from) { return accepts(from, codes_[size_t(i)]); };
    const auto not_against = [&](int64_t i) {
      const int64_t from = source(i);
      return from == kNowhere || holds(i, from);
    };
    if (count(not_against) == 0) return std::nullopt;
    Moved all;
    for (const int64_t i : failing_) {
      const int64_t from = source(i);
      (from == kNowhere ? all.left_out : all.explained) += from == kNowhere || holds(i, from);
    }
    const auto failing = int64_t(failing_.size());
    if (all.explained < kFewest || 2 * all.left_out > failing) return std::nullopt;
    if (held_ == kManyCodes && !everywhere_) return all;
    for (int64_t i = 0; i < part().elements(); ++i)
      all.contradicted += accepts(i, codes_[size_t(i)]) && !not_against(i);
    constexpr int64_t kAtMost = 8;  // at the edges of a tensor, a kernel may read anything
    if (everywhere_ && (all.explained + all.left_out < failing || kAtMost * all.contradicted > all.explained)) return std::nullopt;
    if (4 * (failing - all.explained - all.left_out + all.contradicted) > failing) return std::nullopt;
    return all;
  }
  /// From now on, rules about places must hold for right elements too, and for all wrong ones.
  void demand_everywhere() { everywhere_ = true; }
  /// Number of distinct codes that the failing elements hold, up to `most`.
  size_t distinct(size_t most) const {
    std::set<uint32_t> seen;
    for (const int64_t element : failing_) {
      seen.insert(codes_[size_t(element)]);
      if (seen.size() == most) break;
    }
    return seen.size();
  }

 private:
  const WholePart& whole_;
  const HostTensor& tensor_;
  const int64_t stored_;
  bool complete_ = true, everywhere_ = false;
  size_t held_ = 0;  ///< distinct codes of the failing elements, at most kManyCodes
  std::vector<uint32_t> codes_;
  std::vector<int64_t> failing_;
};

// Rules about values (values.cpp).

/// One factor between actual and expected values: a power of two, a small integer or the inverse of one, of either sign.
Rule factor(const WrongPart& wrong);
/// A factor made of the call's scales: the kernel uses another scale, multiplies instead of divides, or leaves a scale out.
Rule factor_of_scales(const WrongPart& wrong, const Problem& problem);
/// Codes that were made with the scale of another group or row. `all`: all outputs, among them the scales, which must be right.
Rule scale_of_another_group(const WrongPart& wrong, const std::vector<WrongPart>& all);
/// fp32 outputs that hold the expected values rounded or truncated to a 16-bit format.
Rule of_fewer_bits(const WrongPart& wrong);
/// Values from a limit on are stored as the largest code, although the limit lies below the format's largest value.
Rule largest_code_too_early(const WrongPart& wrong);
/// The largest number where Inf is expected, or Inf where the largest number is expected.
Rule wrong_overflow(const WrongPart& wrong);
/// One factor that is neither a power of two nor a small integer, for example from a wrong constant: "448/449 times".
Rule constant_ratio(const WrongPart& wrong);
/// The expected values plus one constant.
Rule constant_difference(const WrongPart& wrong);
/// Wrong rows that one or two numbers per row explain: stored = factor * expected + shift * (an input that has one row). A wrong
/// mean or variance of a row does that.
Rule numbers_of_rows(const WrongPart& wrong, const Problem& problem);
/// Bits of the expected codes that are flipped, set, cleared or shifted.
Rule bits_of_codes(const WrongPart& wrong);
/// bf16 outputs that hold bits 15..30 of the fp32 result instead of bits 16..31, or lower ones.
Rule lower_bits_of_result(const WrongPart& wrong);
/// Elements that hold the value cast to an integer, where the value's code is expected.
Rule number_for_code(const WrongPart& wrong);
/// 8-bit codes that are stored at a constant distance from where the contract expects them.
struct Elsewhere {
  int64_t explained = 0;  ///< wrong elements whose code is displaced by this distance
  std::string note;       ///< "; columns 0..15 of row 3 are stored 96 bytes after their expected address"
};
std::optional<Elsewhere> written_elsewhere(const WrongPart& wrong);
/// `holds`: all wrong elements are one code too far from zero, or all are one code too near, as with a wrong rounding.
/// `of_subnormals`: the fact that this is so where subnormal numbers are expected, and only there.
struct OneCodeOff {
  bool holds = false;
  std::optional<Regularity> of_subnormals;
};
OneCodeOff one_code_off(const WrongPart& wrong);

// Rules for wrong values that do not come from the input at their place (constant_values.cpp).

/// All wrong elements of a row hold the right code of the row's first column, or of the column before its first wrong one. A loop
/// that stores the value of an earlier group does that.
Rule held_on(const WrongPart& wrong);
/// One code in all wrong elements: 0 where small results are expected, the NaN of a fnuz format instead of 0, or any other code.
Rule one_code(const WrongPart& wrong);
/// A wrong clamp: elements whose expected value lies beyond a limit (of either sign) hold it; no right element lies beyond it.
Rule clamped(const WrongPart& wrong);
/// Vectors or rows that repeat the codes of the previous one: the kernel stores an array that it did not fill again.
Rule same_codes_again(const WrongPart& wrong);
/// Exponent bytes that follow from integer arithmetic on the input's bits with a wrong shift, offset or clamp.
Rule integers_of_input(const WrongPart& wrong, const Problem& problem);
/// Every row of the output holds the data of an input that has one row, such as a norm's weights.
Rule of_a_vector(const WrongPart& wrong, const Problem& problem);

/// "NaN wherever 0 is expected": errors in all elements whose expected value belongs to a class, such as zeros, infinite numbers
/// or subnormal numbers, and in no others (expected_classes.cpp).
Rule told_by_expected_class(const WrongPart& wrong);

// Variables that are used before they are set (unset_values.cpp).

/// Wrong elements that hold the bytes with which a compiler fills variables without an initial value.
Rule stored_fill(const WrongPart& wrong);
/// Wrong elements that were computed from such bytes: huge numbers, or -Inf, without the expected signs.
Rule computed_from_fill(const WrongPart& wrong);

/// Sums over ranks that count the input of a rank several times, or leave it out (rank_sums.cpp).
Rule counts_of_ranks(const WrongPart& wrong, const Problem& problem);
/// Sums over ranks in which the input of one rank stands for those of all ranks. It also holds where the inputs of the ranks
/// nearly cancel, so that counts_of_ranks() finds no counts.
Rule one_rank_for_all(const WrongPart& wrong, const Problem& problem);

/// The input whose memory an output uses, or the data that an in-place tensor held before the call (unwritten.cpp); nullptr if
/// there is none.
const HostTensor* held_before(const Problem& problem, const TensorSpec& output);

// Rules about codes (code_maps.cpp).

/// A map from expected to stored codes that holds for every element: "0x3 (1.5) wherever 0x2 (1) is expected". Few codes may
/// change, and positions must not tell the wrong elements apart.
Rule map_of_codes(const WrongPart& wrong);
/// Errors in every block whose scale has one code (or a code beyond a limit), and in no other block. The stored scales must be
/// right. `all`: all outputs.
std::optional<Regularity> told_by_scale_codes(const WrongPart& wrong, const std::vector<WrongPart>& all);
/// One of these rules for each output with wrong elements. Empty if neither holds for one of them, if the answer is a GEMM's, or
/// if `budget` does not suffice.
std::vector<Regularity> told_by_codes(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs,
                                      WorkBudget& budget);

/// The numbers of an output's wrong elements and of its right ones. Elements that accept every code are in neither list.
struct WrongAndRight {
  std::vector<int64_t> wrong, right;
};
WrongAndRight wrong_and_right(const WrongPart& part);

// Addresses of stores (stored_addresses.cpp).

/// For an output with elements that were never written: "address: where scale is stored, bits 5..6 of the row number are not
/// used, and bits 0..1 of the row number are used twice", if this tells every written place and its code. Empty if nothing does.
/// `wrote_behind`: the call also wrote behind the end of this tensor.
std::string wrong_address_of_stores(const WholePart& whole, const HostTensor& tensor,
                                    const std::function<bool(int64_t offset)>& is_written, bool wrote_behind = false);

// Data at wrong addresses, found by a search for the bytes (displaced.cpp).

/// For an in-place tensor: "each row is stored 96 bytes after its address", or "all rows in a block of 512 bytes are stored at byte 0
/// of the block". Empty if neither holds.
std::string stored_elsewhere(const WrongPart& wrong);
/// Rows that an output should copy from an input, copied from a constant number of bytes away.
Rule copied_from_elsewhere(const WrongPart& wrong, const Problem& problem);
/// For an output with elements that were never written: "address: each row of d is stored 1 row later", if all its elements are
/// written there, some of them outside of the part; they may hold other values if the part itself is never written.
std::string stored_at_distance(const WholePart& whole, const HostTensor& tensor,
                               const std::function<bool(int64_t offset)>& is_written);

/// For an output of which only row 0 is written, with wrong values: "address: all rows of d are stored to row 0, and all rows of a and
/// b are read from row 0", if the values are as expected then (stored_addresses.cpp). Empty otherwise.
std::string zero_pitches(const BoundCase& bound, const Problem& problem, const WholePart& whole,
                         const std::vector<HostTensor>& outputs, WorkBudget& budget);

/// Codes of numbers that belong in other columns, if the scales are wrong too, because the numbers at the ends of a vector are other data
/// (scale_values.cpp). `all`: all outputs.
Rule numbers_of_other_columns(const WrongPart& wrong, const std::vector<WrongPart>& all);

/// The same for a wrong index within vectors that lie in one group, such as the first pair of each 8 in place of all four pairs.
/// Every code of the output must fit (numbers_in_vectors.cpp).
Rule numbers_of_vectors(const WrongPart& wrong, const std::vector<WrongPart>& all);

/// The expected values plus or minus a product of scales or a bias (constant_values.cpp).
Rule plus_scales(const WrongPart& wrong, const Problem& problem);

/// An input that is only multiplied by a vector and added to another one, as in x * gamma + beta: a stage before that is left out
/// (stored_formulas.cpp). If one factor for each row explains the output too, there is no rule.
Rule only_scaled(const WrongPart& wrong, const Problem& problem);
/// The expected values plus one whole number. Unlike constant_difference(), this compares accepted intervals and right elements.
Rule one_number_for_all(const WrongPart& wrong);

/// Words that are an OR of shifted codes, with one wrong shift (code_bits.cpp).
Rule one_shift_of_a_word(const WrongPart& wrong);

// Facts about wrong elements whose values no rule gives (facts.cpp).

/// The fact that exactly the elements at some storage offsets are wrong, such as 0 mod 64.
std::optional<Regularity> flat_places(const WrongPart& wrong);
/// The fact that exactly the elements are wrong where another output, which is right, is 0. `all`: all outputs.
std::optional<Regularity> where_an_output_is_zero(const WrongPart& wrong, const std::vector<WrongPart>& all);

/// NaN where a number is expected, or a number where NaN is expected.
std::optional<Regularity> nan_or_number(const WrongPart& wrong);

/// The rows and the columns that have a failing element.
std::pair<std::set<int64_t>, std::set<int64_t>> failing_rows_and_columns(const WrongPart& wrong);

/// The fact that every element of some rows or columns is wrong, and no other element.
std::optional<Regularity> whole_rows_or_columns(const WrongPart& wrong);

/// "rows whose slot_mapping is 0": a property that an index input has for all of `rows` and for none of `others`. Row numbers are
/// positions in that index input. Empty if there is no such property.
std::string rows_of_index(const std::set<int64_t>& rows, const std::set<int64_t>& others, const Problem& problem);
/// The fact that errors lie in all rows that rows_of_index() describes, and in no other.
std::optional<Regularity> rows_told_by_index(const WrongPart& wrong, const Problem& problem);

/// Consecutive rows that hold plausible values of other data: rows that were not written, for example.
std::optional<Regularity> rows_of_other_data(const WrongPart& wrong, const std::vector<WrongPart>& all);

/// What the inputs of nearly all wrong elements contain, and the inputs of right elements seldom do: NaN, a negative number, ...
/// `elementwise`: an output element depends on the input elements of its own columns, unlike that of a GEMM.
std::optional<Regularity> common_input(const WrongPart& wrong, const Problem& problem, bool elementwise);

/// A range of an input that all of `wrong` have at their position, and none of `right`: "x[i, j] is at least 80". Both arguments
/// are element indices of `part`. Only inputs with the shape of the output count, or with twice as many columns. Empty if there
/// is none.
std::string input_range_apart(const std::vector<int64_t>& wrong, const std::vector<int64_t>& right, const Part& part,
                              const Problem& problem);
/// For a hypothesis that explains every wrong element, but would make right ones wrong: ", only where in a group |x[i, j]|
/// reaches 120" if the groups of elements with wrong elements all have such an input, and no group does that the hypothesis would
/// make wrong (input_ranges.cpp). Empty if they do not, or if the evidence is too small. All elements must be compared.
std::string groups_apart(const Answer& answer, const Memberships& contract, const Memberships& hypothesis,
                         const Problem& problem);
/// A fact: all elements in such a range are wrong, and no others are.
std::optional<Regularity> range_of_input(const WrongPart& wrong, const Problem& problem);

/// Describes positions that include all of `wrong` and none of `right`, such as ", only in columns 0, 8, ...". Both arguments
/// are element indices of a tensor with `columns` columns. Tries a run of columns in each 2, 4, 8, ... columns; then columns,
/// rows or elements from an index on, or up to it. Empty if none fits.
std::string places_apart(const std::vector<int64_t>& wrong, const std::vector<int64_t>& right, int64_t columns);

}  // namespace assay
