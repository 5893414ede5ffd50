// One case of a matrix product of codes, read and checked: one scale a tensor, a token or a channel, or a scale for each block.
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
  std::string fill, b;  ///< of a, b
  GemmScales scales;                 ///< with the layouts of this case
  std::string scale;                 ///< fill of both, and of an outer level
  const Format* y = nullptr;         ///< of the result and of the bias
  std::string bias;                  ///< its fill; empty: none
  std::string c;                     ///< its fill; empty: none
  std::string azp;                   ///< fill of zero points; empty: none
  uint64_t seed = 0;
  int warp = 0;

  /// Of scales of blocks; nullptr: one column, dense.
  const Layout* layout_a() const { return scales.a.block().layout; }
  const Layout* layout_b() const { return scales.b.block().layout; }
  /// Whether scales are bytes, in words or by themselves, and whether these are exponents.
  bool scales_are_bytes() const { return layout_a() && layout_a()->element->bytes() == 1; }
  bool scales_are_powers() const { return scales_are_bytes() && layout_a()->element->specials == Specials::kScale; }
  /// Whether a and b have two codes in a byte.
  bool packs_codes() const { return contract.unit.a->bits == 4; }
  const std::string& id() const { return contract.row->id; }
  LevelGrid shape_of_scale_a() const { return scales.of_a(m, k); }
  LevelGrid shape_of_scale_b() const { return scales.of_b(n, k); }
  LevelGrid outer_of_a() const { return scales.a.outer()->grid(m, k); }
  LevelGrid outer_of_b() const { return scales.b.outer()->grid(n, k); }
};

/// Throws TableError naming row and column: a contract that is no matrix product, scales, a layout, a result or a bias that it does
/// not have, and so many products of integers that int32 could overflow.
GemmCase read_gemm_case(const Case& c);

/// a, b, scale_a, scale_b, the scales of an outer level, bias and c if there are any, and d.
Problem gemm_problem(const GemmCase& c);

/// The tensors of a problem as the reference reads them; they must live as long.
DotInputs gemm_inputs(const GemmCase& c, const Problem& problem);

/// The problem whose row i is row rows[i].
Problem gemm_with_rows(const GemmCase& c, const Problem& problem, const std::vector<int64_t>& rows);

}  // namespace assay
