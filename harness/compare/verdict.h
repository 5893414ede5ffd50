// The outcome of one case on one kernel: which elements are wrong and where, and what the data can detect.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/expectation.h"
#include "harness/core/tensor.h"
#include "reference/formats/format.h"

namespace assay {

// One element of an output tensor: its value and its accepted interval.

/// The values that a report prints for one element.
struct Element {
  std::array<int64_t, 2> at{};  ///< logical row and column
  uint32_t code = 0;
  double value = 0;
  uint32_t low_code = 0, high_code = 0;
  double low = 0, high = 0;
  int64_t ulps = 0;     ///< signed distance to the nearest accepted value; 0 for NaN, or if only the sign of zero is wrong
  bool outside = true;  ///< lies outside its interval; the right neighbours shown beside a wrong element do not
};

/// Distance of ordinal `o` from the middle of the interval, in units of half its width: 1 at its ends. Needs low < high, no NaN.
double budget_use(Interval accepted, int32_t o);

/// The functions below take storage offsets in elements of the part's format, which may differ from the tensor's: a tensor of
/// bytes can hold records with numbers of several formats. Each packed 4-bit code counts as an element.

/// Number of the part's elements that fit in the tensor's storage.
int64_t stored_elements(const Part& part, const HostTensor& tensor);

/// The bytes that hold the element at a storage offset. A packed 4-bit code shares its byte with another one.
ByteRange bytes_of_element(const Part& part, const TensorSpec& spec, int64_t offset);

/// The code at a storage offset.
uint32_t load_code(const Part& part, const HostTensor& tensor, int64_t offset);

/// The element of a part at a row and a column, where the output holds `code`.
Element element_at(const Part& part, int64_t row, int64_t column, Interval accepted, uint32_t code);

// Fast conversion of many codes to ordinals, at memory bandwidth.

/// Sets ordinals[i] to the ordinal of code i. `codes` holds ordinals.size() elements of the format, without gaps.
void ordinals_of_codes(const Format& format, const std::byte* codes, std::span<int32_t> ordinals);

bool all_equal(const int32_t* a, const int32_t* b, int64_t count);

// Where the elements of one part are wrong, and by how much, in bounded memory.

/// Counts for the elements whose accepted values share one exponent.
struct Magnitude {
  int64_t elements = 0, outside = 0;
  int64_t worst_ulps = 0;
  int64_t sum_ulps = 0;  ///< sum of the distances of elements outside their intervals
};

/// Ascending row or column numbers in [0, size) as text: "0..3, 7"; periodic ones as "4..7 of each 8" or "7 of each 8, from 512
/// on, up to 1023". After eight ranges: "... (40 in all)".
std::string numbers_text(const std::set<int64_t>& numbers, int64_t size);
/// numbers_text() after the word `what`: "row 1 of 2", "columns 5..7 of 8"; empty if `numbers` has all numbers below `size`.
std::string places_text(const char* what, const std::set<int64_t>& numbers, int64_t size);
/// Rows and columns together: "row 1 of 2, columns 5..7 of 8".
std::string places_text(const std::set<int64_t>& rows, int64_t of_rows, const std::set<int64_t>& columns, int64_t of_columns);

/// A set of at most kMost numbers. When more are added, it forgets them all and many() becomes true.
class FewNumbers {
 public:
  static constexpr size_t kMost = 1024;

  void add(int64_t number) {
    if (many_) return;
    numbers_.insert(number);
    if (numbers_.size() > kMost) many_ = true, numbers_.clear();
  }
  void merge(const FewNumbers& other) {
    for (const int64_t number : other.numbers_) add(number);
    if (other.many_) many_ = true, numbers_.clear();
  }
  /// True if more than kMost numbers were added; the set is then empty.
  bool many() const { return many_; }
  const std::set<int64_t>& all() const { return numbers_; }

 private:
  std::set<int64_t> numbers_;
  bool many_ = false;
};

struct Picture {
  static constexpr int64_t kMostRows = 64, kMostColumns = 112;  ///< upper bounds on the number of cells
  static constexpr int kZero = std::numeric_limits<int>::min(), kNotFinite = std::numeric_limits<int>::max();

  /// The part is divided into rows x columns cells of cell_rows x cell_columns elements, both powers of two. So a cell contains
  /// whole quantization groups or lies in one, if their size is a power of two. Cells at the lower and right edge may be smaller.
  int64_t cell_rows = 1, cell_columns = 1;
  int64_t rows = 0, columns = 0;
  std::vector<int32_t> outside;  ///< number of elements outside their intervals in each cell, in row-major order
  FewNumbers rows_outside, columns_outside;  ///< rows and columns with an element outside its interval
  std::vector<int32_t> joint;    ///< number of places of violations in each cell, in row-major order; empty if there are none

  static constexpr int kMostBin = 33;  ///< enough bins for distances between 32-bit codes
  std::array<int64_t, 2 * kMostBin + 1> by_distance{};  ///< elements outside their intervals; index kMostBin + distance_bin()
  int64_t became_nan = 0, should_be_nan = 0, other_nan = 0, sign_of_zero = 0;  ///< wrong elements, error not in ulp

  /// The next three members cover only the elements of the Sample.
  std::array<int64_t, 12> budget{};      ///< elements that accept several codes, counted by budget_bin()
  std::map<int, Magnitude> magnitudes;   ///< key: exponent of the nearest accepted value, kZero or kNotFinite
  std::vector<Element> around;           ///< the worst element and its neighbours

  /// An empty picture for a part of that shape.
  static Picture blank(const std::array<int64_t, 2>& shape);
  size_t cell(int64_t row, int64_t column) const { return size_t(row / cell_rows * columns + column / cell_columns); }
  int64_t cell_elements(int64_t row, int64_t column, const std::array<int64_t, 2>& shape) const;

  /// Number of elements outside their intervals by distance_bin(), without empty bins.
  std::map<int, int64_t> ulps() const;

  /// Counts an element outside its accepted interval, by cell and by distance.
  void add_outside(const Element& e, int64_t row, int64_t column);
  /// Counts a place of a violation; a whole row counts in each of its cells.
  void add_joint(int64_t row, int64_t column);
  /// Adds the counts of add_outside() and add_joint() of another picture of the same part.
  void merge(const Picture& other);
  /// Second pass, over the Sample: counts all elements of a block by budget use and by magnitude.
  void look_closer(const SampleBlock& at, const AcceptedRows& rows, const Part& part, const HostTensor& tensor);
};

/// The k with 2^(k-1) <= |ulps| < 2^k, with the sign of `ulps`; 0 for distance 0.
int distance_bin(int64_t ulps);

/// The bin of a budget use: tenths 0 to 9 for uses up to 1; 10 for uses up to 2; 11 for larger ones.
int budget_bin(double use);

/// The element at row and column `worst` of part number `index`, with its neighbours in the same row. In a column vector, the
/// neighbours are in the same column.
std::vector<Element> elements_around(const Answer& answer, size_t index, const HostTensor& tensor,
                                     const std::array<int64_t, 2>& worst);

// The detection power of a case's data: which mutants of its contract they expose, and which codes occur in its outputs.

/// Counts of codes in one output tensor. An element counts as subnormal only if all of its accepted codes are subnormal; the
/// other counts follow the same rule. So every correct kernel stores at least this many such codes.
struct DataPower {
  std::string tensor, format;
  int64_t elements = 0;
  std::bitset<256> codes;  ///< codes that some element must have; 8-bit formats only
  int64_t subnormal = 0;   ///< nonzero magnitude below the normal range
  int64_t saturated = 0;   ///< magnitude is the largest finite one of the format
  int64_t not_a_number = 0;
  bool operator==(const DataPower&) const = default;
};

struct Power {
  int64_t faults = 0;  ///< number of the contract's mutants that some input can expose; 0: not computed
  std::vector<std::string>
      blind_to{};  ///< the mutants among these that this case does not detect. A mutant listed in the case's `blind_to` counts as
                   ///< detected only if the first row of the data detects it
  std::vector<DataPower> data{};  ///< counts for each output tensor
  /// Mutants in the case's `blind_to` that its inputs do expose, but not in the first row. Only for golden/power and POWER.md.
  std::vector<std::string> seen_later{};

  bool operator==(const Power&) const = default;
  int64_t seen() const { return faults - int64_t(blind_to.size()); }  ///< number of mutants that this case exposes
};

DataPower data_power(const WholePart& expected);

/// kNotJudged is the initial value. A verdict that keeps it states the reason in its message and is never expected.
enum class Outcome { kPass, kFail, kSkip, kUntrusted, kBroken, kFlaky, kNotJudged };

constexpr const char* name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPass:
      return "pass";
    case Outcome::kFail:
      return "fail";
    case Outcome::kSkip:
      return "skip";
    case Outcome::kUntrusted:
      return "untrusted";
    case Outcome::kBroken:
      return "broken";
    case Outcome::kFlaky:
      return "flaky";
    case Outcome::kNotJudged:
      return "unjudged";
  }
  return "?";
}

/// What the comparison found in one output tensor.
struct TensorFinding {
  std::string name;
  std::string format;
  std::array<int64_t, 2> shape{};
  int64_t elements = 0;
  int64_t outside = 0;      ///< elements outside their accepted set
  int64_t single_code = 0;  ///< elements with exactly one accepted code
  int64_t unjudged = 0;
  int64_t padding_wrong = 0;                    ///< padding elements that violate their PaddingRule
  int64_t toward_zero = 0, away_from_zero = 0;  ///< wrong elements with a smaller, or larger, magnitude than accepted
  int64_t worst_ulps = 0;
  double budget_use = 0;  ///< largest (distance from the middle) / (half width) over elements with a width; 0 when all are pinned
  Element first, worst;
  std::string padding_first;       ///< describes the first wrong padding element
  std::string reason;              ///< why an element may have several codes, e.g. "rsqrt~2 61 %"
  std::vector<std::string> notes;  ///< op-specific facts: "q follows the stored scale in 12 of 12 groups"

  std::optional<Picture> picture;  ///< where wrong elements are; empty if there are none

  bool agrees() const { return outside == 0 && padding_wrong == 0; }  ///< says nothing about violations, which are in the verdict
};

/// Result of the invariance tests of a kernel (run_case.h).
struct Climb {
  std::vector<std::string> held;                            ///< levels that passed: all bits were the same
  std::vector<std::pair<std::string, std::string>> absent;  ///< levels that could not be tested, and why
  std::string broken;                                       ///< name of the first level that failed; empty if none did
  std::string message;                                      ///< what failed on that level: which element, which bits
  bool breaks_contract = false;     ///< outputs of the failed level violate the contract
  std::vector<std::string> with{};  ///< if level `calls` failed: ids of the other cases that were called
};

/// What `assay gate` found when it compared a verdict with its baseline. The first six are the states of docs/exit-codes.md.
enum class GateState { kNew, kGone, kKnown, kFixed, kChanged, kSameBits, kNotInBaseline };
inline constexpr std::array kGateStates = {GateState::kNew,     GateState::kGone,     GateState::kKnown,        GateState::kFixed,
                                           GateState::kChanged, GateState::kSameBits, GateState::kNotInBaseline};

constexpr const char* name(GateState state) {
  constexpr std::array kNames = {
      "new", "gone", "known", "fixed", "changed within the budget", "same bits", "not in the baseline"};
  return kNames[size_t(state)];
}

struct GateFinding {
  GateState state = GateState::kNew;
  bool passes = false;                 ///< the gate may pass with this verdict
  std::string note{};                  ///< why the verdict has this state, if the state does not say it
  std::vector<std::string> changes{};  ///< for each part: how many elements changed, by how much, and which first
};

struct Verdict {
  std::string case_id;
  std::string kernel;
  std::string backend;
  Outcome outcome = Outcome::kNotJudged;
  std::string message;                 ///< why the outcome is skip, broken, untrusted or not_judged; one line
  std::vector<TensorFinding> tensors;  ///< if the outputs were compared: one for each part of the closest answer
  std::vector<Violation> violations;   ///< if the outputs were compared: the first few violations
  std::string program_said{};          ///< the algorithm that the library reported; if not empty, only this variant is accepted
  std::string program;                 ///< the variant of the contract that the outputs are closest to, if the contract has
                                       ///< several
  std::string looked_at;               ///< which rows the search for causes examined; empty if it examined all
  std::vector<std::string> causes;     ///< for a failure: mutants and patterns that explain it, best first, or "no known cause"
  Power power;                         ///< what the case's data can detect; not computed if the call gave no outputs
  double seconds = 0;                  ///< wall time of the kernel call alone
  std::string why, origin, repro;      ///< what the case is for, its table row, and the command that repeats it
  std::string op, contract, arch, warp;  ///< case parameters by which summaries group verdicts; empty if the op lacks them
  bool offered = true;                   ///< false: the library has no kernel for the case, so none was called
  bool device_lost = false;              ///< the device was lost, and the kernel is not the cause; exit code 3
  std::optional<Climb> climb;            ///< set if invariance tests were requested and the outputs agree
  std::string expected = "pass";         ///< outcome that the known-failures list names for this verdict
  std::string deviation;                 ///< the matching row of the known-failures list as text; empty if none matches
  std::optional<GateFinding> gate;       ///< set by `assay gate`, which then decides whether the verdict is as expected
};

/// Elements outside their accepted sets, in all outputs.
inline int64_t elements_outside(const Verdict& verdict) {
  int64_t outside = 0;
  for (const TensorFinding& tensor : verdict.tensors) outside += tensor.outside;
  return outside;
}

/// True if the run may pass with this verdict. A skip never fails a run: the library does not offer the case, or its kernel
/// returned ASSAY_UNSUPPORTED. If the known-failures list expects `flaky`, a pass and a fail are as expected, too, since such a
/// kernel returns either.
inline bool as_expected(const Verdict& verdict) {
  if (verdict.outcome == Outcome::kNotJudged || verdict.device_lost) return false;
  if (verdict.gate) return verdict.gate->passes;
  if (verdict.expected == name(Outcome::kFlaky) && (verdict.outcome == Outcome::kPass || verdict.outcome == Outcome::kFail))
    return true;
  if (verdict.outcome == Outcome::kSkip && verdict.deviation.empty()) return true;
  return verdict.expected == name(verdict.outcome);
}

}  // namespace assay
