// The op of scaled GEMMs: its parts, the outputs it accepts, its mutants, and cases of dumped tensors.
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
  bool of_blocks = false;         ///< true: takes contracts with block scales; false: contracts with other scales
  std::vector<RoleSpec> scales{};  ///< scale_a, scale_b
  std::vector<std::string> columns{};
  std::set<std::string> optional_columns{};
  std::vector<RoleSpec> experts{};  ///< ops of grouped GEMMs only: the tensors that state the rows of experts
  bool sorted_ids = false;          ///< grouped GEMMs of slots in blocks of one expert

  bool of_experts() const { return !experts.empty(); }
  /// Whether the op takes contracts with block scales. Grouped GEMMs have one op for both kinds.
  bool takes(bool blocks) const { return of_experts() || blocks == of_blocks; }
};

Op gemm_op(GemmOpParts parts);

/// The tensors that state the rows of each expert.
std::vector<RoleSpec> roles_of_experts();

// The accepted outputs of a GEMM case, its mutants, and all known algorithm variants.

/// One answer per algorithm variant of the contract; one variant must explain the whole tensor.
Expectation expect_product(const GemmCase& c, const DotContract& contract, const Problem& problem);

std::vector<Hypothesis> gemm_hypotheses(const GemmCase& c);

/// All variants of every instruction with these formats: promotion intervals, split-K counts and orders of scales, independent of
/// the contract. A name lists all of these. Some variants give the same sums for this k; only other inputs distinguish them.
Expectation every_program(const GemmCase& c, const Problem& problem);

// Converts a user's tensors to a GEMM case: infers m, n, k, scales and result format from shapes and formats.

/// m, n and k come from a [m, k] and b [n, k], the result's format from d, and the granularity of scales from the extents of
/// scale_a and scale_b (the first that fits, if the contract takes several). Block scales are stored as the contract's layouts
/// state: packed, tiled or strided; the layout with their shape and strides is used. Throws UsageError naming the tensor:
/// missing, empty, a shape that fits no scales of the contract, or storage that two layouts interpret differently. Throws
/// TableError for inputs or results that the contract does not have.
DumpCase gemm_case_of_dump(const Op& op, const DumpRequest& request);

// Changes of a call that must not change the bits of the other elements, for any algorithm: the order of columns, NaN in another
// row, the scale of another row, padding of the scales, the row stride, the order of slots in a block.

/// Calls that differ from the case's own call in one such way: columns in reverse order; a row of NaN (other numbers if the
/// format has none); one scale of a and one of b changed; other bytes where the scale buffers have no scale, which a quantizer
/// may leave undefined; gaps between rows of a, b and d. Calls that the shape does not allow are left out. Groups of
/// rows have only the call with other padding; slots have only the calls of slot_relations().
std::vector<Relation> gemm_relations(const GemmCase& c, const Problem& problem);

// Statistical check of an unknown kernel: it fails if its errors are larger or more biased than those of every known algorithm.

/// Statistics of the errors of some outputs, each error divided by the sum of the magnitudes of its products: mean away from
/// zero, and standard deviation.
struct ErrorStatistic {
  double bias = 0, spread = 0;
};

/// The statistics that known algorithms give on the data of a case with other seeds.
///
/// Three parts of d share no row and no column, so their data are independent. Each algorithm variant is run kRuns times, which
/// gives the range of its statistics in each part. A correct kernel of that variant lies beyond one end of the range in one part
/// with probability 1 / (kRuns + 1), whatever the distribution, and in all three with its cube. Only a bias or spread that is too
/// large fails, so a verdict is wrong with probability at most 3 / 201^3 = 4e-7. A more accurate kernel passes.
class ErrorStatistics {
 public:
  static constexpr int kParts = 3, kRuns = 200;
  static constexpr double kLeastPower = 0.99;
  using OfParts = std::array<ErrorStatistic, kParts>;

  /// Calibrates with the algorithms of the contract's members, unless the case cannot have a verdict. Candidate models of an
  /// undocumented instruction do not count as known algorithms, since all of them may be wrong.
  explicit ErrorStatistics(const GemmCase& c);

  /// The share of runs in which a kernel with one fraction bit less is detected; the minimum over the known algorithms.
  double power() const { return power_; }
  bool has_power() const { return power_ >= kLeastPower; }
  /// "no power here: ...", or what the check can detect.
  const std::string& words() const { return words_; }

  OfParts of(const Problem& problem, const HostTensor& d) const;
  /// Whether the statistics lie outside the ranges of every known algorithm.
  bool refutes(const OfParts& seen) const;

 private:
  struct Range {
    ErrorStatistic low, high;
  };
  using Ranges = std::array<Range, kParts>;

  OfParts of(const Problem& problem, const std::vector<double>& d) const;
  void calibrate();

  GemmCase case_;
  std::vector<Ranges> programs_;
  double power_ = 0;
  std::string words_;
};

/// Calibrated once per case.
std::shared_ptr<const ErrorStatistics> error_statistics(const GemmCase& c);

/// The verdict, if the check has power: errors that no known algorithm makes.
std::vector<Violation> error_violations(const GemmCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

// Text about a scaled GEMM: the trace of one element, and distances from the exact product.

/// Trace of an element with the contract's first variant: every term of a short chain (a run of instructions), or each chain with
/// its exact sum; then promotions, scales, the result, and the exact dot product.
std::vector<std::string> trace_product(const GemmCase& c, const Problem& problem, int64_t row, int64_t column);

/// Remarks in every verdict: the distance of the worst element from the exact dot product, in ulp and relative to the error bound
/// for any order of additions; and whether results are too large or too small overall. For a large GEMM only some evenly spread
/// rows are computed exactly; the first remark then states how many.
std::vector<std::string> product_remarks(const GemmCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

}  // namespace assay
