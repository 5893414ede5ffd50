// One case of op gemm_scaled, read and checked: a matrix product of codes with one scale a tensor, a token or a channel.
#pragma once

#include <string>

#include "harness/core/case.h"
#include "harness/core/op.h"
#include "reference/flow/dot/predict.h"

namespace assay {

struct GemmCase {
  DotContract contract;
  int64_t m = 0, n = 0, k = 0;
  std::string fill, b;  ///< of a, b
  GemmScales scales = GemmScales::kTensors;
  std::string scale;          ///< fill of both
  const Format* y = nullptr;  ///< of the result and of the bias
  std::string bias;           ///< its fill; empty: none
  uint64_t seed = 0;
  int warp = 0;

  const std::string& id() const { return contract.row->id; }
  bool a_has_scales_of_rows() const { return scales == GemmScales::kTokens || scales == GemmScales::kTokensAndChannels; }
  bool b_has_scales_of_rows() const { return scales == GemmScales::kChannels || scales == GemmScales::kTokensAndChannels; }
};

/// Throws TableError naming row and column: a contract that is no matrix product, scales, a result or a bias that it does not
/// have, and so many products of integers that int32 could overflow.
GemmCase read_gemm_case(const Case& c);

/// a, b, scale_a, scale_b, bias if there is one, and d.
Problem gemm_problem(const GemmCase& c);

/// The tensors of a problem as the reference reads them; they must live as long.
DotInputs gemm_inputs(const GemmCase& c, const Problem& problem);

/// The case and problem whose row i is row rows[i].
std::pair<Case, Problem> gemm_with_rows(const Case& c, const Problem& problem, const std::vector<int64_t>& rows);

}  // namespace assay
