// The ops of scaled GEMMs: their descriptions, accepted outputs, mutants, and cases made of dumped tensors.
#pragma once

#include <array>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "harness/core/op.h"
#include "reference/flow/dot/dot_mutants.h"
#include "suites/gemm/gemm_case.h"

namespace assay {

/// What differs between the GEMM ops.
struct GemmOpParts {
  std::string name;
  bool of_blocks = false;         ///< true: accepts contracts with block scales; false: contracts with other scales
  std::vector<RoleSpec> scales{};  ///< scale_a, scale_b
  std::vector<std::string> columns{};
  std::set<std::string> optional_columns{};
  std::vector<RoleSpec> experts{};  ///< only for grouped GEMMs: the tensors that state which rows belong to which expert
  bool sorted_ids = false;          ///< only for grouped GEMMs: sorted_token_ids lists slots in blocks of one expert

  bool of_experts() const { return !experts.empty(); }
  /// Whether the op accepts contracts with (`blocks`) or without block scales. An op of grouped GEMMs accepts both.
  bool takes(bool blocks) const { return of_experts() || blocks == of_blocks; }
};

Op gemm_op(GemmOpParts parts);

/// The tensors that state which rows belong to which expert.
std::vector<RoleSpec> roles_of_experts();

// The accepted outputs of a GEMM case, its mutants, and all known algorithm variants.

/// The accepted outputs, one alternative for each algorithm variant of the contract. One variant must explain the whole tensor.
Expectation expect_product(const GemmCase& c, const DotContract& contract, const Problem& problem);

std::vector<Hypothesis> gemm_hypotheses(const GemmCase& c);

/// The outputs of every known algorithm, whatever the contract: each instruction for the formats of a and b, with each promotion
/// interval, split-K count and order of scales. An algorithm's name states these four. At a small k, several may have equal sums.
Expectation every_program(const GemmCase& c, const Problem& problem);

// Makes a GEMM case from a user's tensors (a dump): infers m, n, k, scales and result format from shapes and formats.

/// Takes m, n and k from `a` [m, k] and `b` [n, k], and the result's format from d. Of the contract's granularities of scales,
/// chooses the first that fits the shapes of scale_a and scale_b. Block scales may be packed, tiled or strided; the case gets the
/// contract's layout with their shape and strides. Throws UsageError about a tensor that is missing or empty, whose shape fits no
/// scales of the contract, or whose storage fits two layouts that read it differently. Throws TableError for inputs or results
/// that the contract does not have.
DumpCase gemm_case_of_dump(const Op& op, const DumpRequest& request);

// Changed calls after which all elements that the change does not concern must keep their bits, for any algorithm. Examples:
// other orders of columns or of the slots in a block, NaN in a row, another scale of a row.

/// Each call has one of these changes; changes that the shape does not allow are left out:
/// - columns in reverse order
/// - a row of `a` with NaN, or with other values if the format has no NaN
/// - another value of one scale: of `a`, of `b`, or an outer scale (global_scale_a, global_scale_b)
/// - other bytes in the padding of the scale buffers, which a quantizer may leave undefined
/// - gaps between rows of `a`, `b` and d
/// With groups of rows, or with gaps between rows, only the padding changes. With slots, returns only slot_relations().
std::vector<Relation> gemm_relations(const GemmCase& c, const Problem& problem);

// Statistical check of an unknown kernel: it fails if its errors are larger or more biased than those of every known algorithm.

/// Statistics of the errors in a part of d. Each error is divided by the sum of the magnitudes of the element's products. `bias`:
/// mean of the errors away from zero; `spread`: their standard deviation.
struct ErrorStatistic {
  double bias = 0, spread = 0;
};

/// The statistics that known algorithms give for a case, measured on data with other seeds.
///
/// Three parts of d share no row and no column, so their data are independent. Each algorithm variant runs kRuns times, which
/// gives a range of its statistics in each part. A correct kernel of that variant lies beyond one end of a range in one part with
/// probability 1 / (kRuns + 1), and in all three parts with the cube of that. Only a bias or spread that is too large fails, so a
/// verdict is wrong with probability at most 3 / 201^3 = 4e-7. A more accurate kernel passes.
class ErrorStatistics {
 public:
  static constexpr int kParts = 3, kRuns = 200;
  static constexpr double kLeastPower = 0.99;
  using OfParts = std::array<ErrorStatistic, kParts>;

  /// Runs the known algorithms of the contract, unless the case cannot have a verdict. Candidate models of an undocumented
  /// instruction are no known algorithms, since all of them may be wrong.
  explicit ErrorStatistics(const GemmCase& c);

  /// The share of runs that are detected if a kernel keeps one fraction bit less; the smallest over the known algorithms.
  double power() const { return power_; }
  bool has_power() const { return power_ >= kLeastPower; }
  /// A sentence: "no check of error sizes: ...", or which errors the check can detect.
  const std::string& words() const { return words_; }

  OfParts of(const Problem& problem, const HostTensor& d) const;
  static OfParts errors_of(const GemmCase& c, const Problem& problem, const HostTensor& d);
  /// Whether the bias or the spread is larger than the range of every known algorithm, in all parts of d.
  bool refutes(const OfParts& seen) const;
  /// True if a few runs show that refutes() is false, which is so for most correct kernels and saves the calibration. Each
  /// further run can only widen a range.
  static bool cannot_refute(const GemmCase& c, const OfParts& seen);

 private:
  struct Range {
    ErrorStatistic low, high;
  };
  using Ranges = std::array<Range, kParts>;

  static constexpr int kFewRuns = 8;
  static bool outside(const Ranges& ranges, const OfParts& seen);
  static Ranges ranges_of(const std::vector<OfParts>& runs);
  void calibrate();

  GemmCase case_;
  std::vector<Ranges> programs_;
  double power_ = 0;
  std::string words_;
};

/// The statistics of a case, computed once per case.
std::shared_ptr<const ErrorStatistics> error_statistics(const GemmCase& c);

/// A violation if the errors fit no known algorithm and the check has power; otherwise empty.
std::vector<Violation> error_violations(const GemmCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

// Text about a scaled GEMM: the trace of an element, and how far outputs lie from the exact product.

/// The trace of an element, computed by the contract's first algorithm variant: every term if k is small, otherwise the exact sum
/// of each accumulator; then promotions, scales, the result and the exact dot product.
std::vector<std::string> trace_product(const GemmCase& c, const Problem& problem, int64_t row, int64_t column);

/// Remarks for a verdict: how far the worst element is from the exact dot product, in ulp and relative to the error bound for any
/// order of additions; and whether results are mostly too large or too small. For a large GEMM only some rows, evenly spread, are
/// computed exactly; the first remark then states how many.
std::vector<std::string> product_remarks(const GemmCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

}  // namespace assay
