// One case of a quantized GEMM, parsed and validated. Scales are per tensor, token, channel or block.
#pragma once

#include <string>

#include "harness/core/bound_case.h"
#include "harness/core/case.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/flow/dot/dot_predict.h"

namespace assay {

struct GemmCase {
  DotContract contract;
  int64_t m = 0, n = 0, k = 0;
  std::string fill, b;  ///< generators of a and b
  GemmScales scales;                 ///< with the layouts of this case
  std::string scale;                 ///< fill of both, and of an outer level
  const Format* y = nullptr;         ///< of the result and of the bias
  bool has_bias = false;
  std::string bias, c, azp;          ///< fills of a bias, of what is added, of zero points, if there are such
  uint64_t seed = 0;
  int warp = 0;

  /// Layout of block scales; nullptr: one dense column.
  const Layout* layout_a() const { return scales.a.block().layout; }
  const Layout* layout_b() const { return scales.b.block().layout; }
  /// Whether scales are bytes, packed or not, and whether these are exponents.
  bool scales_are_bytes() const { return layout_a() && layout_a()->element->bytes() == 1; }
  bool scales_are_powers() const { return scales_are_bytes() && layout_a()->element->specials == Specials::kScale; }
  bool has_zero_points() const { return contract.azp != GemmAzp::kNone; }
  /// Whether a and b have two codes in a byte.
  bool packs_codes() const { return contract.unit.a->bits == 4; }
  const std::string& id() const { return contract.row->id; }
  LevelGrid shape_of_scale_a() const { return scales.of_a(m, k); }
  LevelGrid shape_of_scale_b() const { return scales.of_b(n, k); }
  LevelGrid outer_of_a() const { return scales.a.outer()->grid(m, k); }
  LevelGrid outer_of_b() const { return scales.b.outer()->grid(n, k); }
  /// Whether each row of a has a scale of the outer level, and each row of b.
  bool has_outer_of_rows_of_a() const { return scales.a.outer() && outer_of_a().row_block > 0; }
  bool has_outer_of_rows_of_b() const { return scales.b.outer() && outer_of_b().row_block > 0; }
};

/// Throws TableError naming row and column: a contract that is not a GEMM; scales, a layout, a result or a bias that it does not
/// have; or a k for which int32 could overflow.
GemmCase read_gemm_case(const Case& c);

/// a, b, scale_a, scale_b, the scales of an outer level, bias and c if present, and d.
Problem gemm_problem(const GemmCase& c);

/// The tensors of a problem in the reference's form; `problem` must outlive the result.
DotInputs gemm_inputs(const GemmCase& c, const Problem& problem);

/// The problem whose row i is row rows[i] of `problem`.
Problem gemm_with_rows(const GemmCase& c, const Problem& problem, const std::vector<int64_t>& rows);

}  // namespace assay
