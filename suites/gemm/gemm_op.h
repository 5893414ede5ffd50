// The op of scaled GEMMs: its parts, the outputs it accepts, its mutants, and cases of dumped tensors.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/core/op.h"
#include "reference/flow/dot/dot_mutants.h"
#include "suites/gemm/gemm_case.h"

namespace assay {

/// The parts that differ between ops.
struct GemmOpParts {
  std::string name;
  bool of_blocks = false;         ///< whether it takes contracts with block scales, or those with other scales
  std::vector<RoleSpec> scales{};  ///< scale_a, scale_b
  std::vector<std::string> columns{};
  std::set<std::string> optional_columns{};
  std::vector<RoleSpec> experts{};  ///< ops of grouped GEMMs only: the tensors that state the rows of experts

  bool of_experts() const { return !experts.empty(); }
  /// Whether it takes contracts with such scales; grouped GEMMs have one op for both.
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
/// the contract. Names contain all of these. Some variants add identically for this k; only other data distinguish them.
Expectation every_program(const GemmCase& c, const Problem& problem);

// Converts a user's tensors to a GEMM case: infers m, n, k, scales and result format from shapes and formats.

/// m, n and k come from a [m, k] and b [n, k], the result's format from d, and the granularity of scales from the extents of
/// scale_a and scale_b (the first that fits, if the contract takes several). Block scales are stored as the contract's layouts
/// state: packed, tiled or strided; the layout with their shape and strides is used. Throws UsageError naming the tensor:
/// missing, empty, a shape that fits no scales of the contract, or storage that two layouts interpret differently. Throws
/// TableError for what the contract does not have.
DumpCase gemm_case_of_dump(const Op& op, const DumpRequest& request);

}  // namespace assay
