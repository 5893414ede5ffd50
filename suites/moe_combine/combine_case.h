// One case of op moe_combine: its tensors, and the reference's view of them. Also the first step of fused ops on several ranks.
#pragma once

#include <string>
#include <vector>

#include "harness/core/case.h"
#include "reference/flow/combine/combine.h"
#include "suites/rows/case_cells.h"

namespace assay {

struct CombineCase {
  Combine contract;
  const Format* x = nullptr;
  int64_t m = 0, topk = 1, n = 1;
  bool absent = false;     ///< some ids are < 0, or some rows are < 0 or not in use
  bool elsewhere = false;  ///< there is an expert_map, and every second expert is on another device
  bool nan_padding = false;
  std::string fill, weights, shared;  ///< input generators
  double factor = 1;
  uint64_t seed = 0;
  int warp = 0;
  int rank = 0, ranks = 1;  ///< each rank has other data; generators of ranks see the slots of all ranks

  const std::string& id() const { return contract.row->id; }
  /// The number of experts is odd, so that (first + 2 k) mod experts gives different experts, both odd and even.
  int64_t experts() const { return 2 * topk + 1; }
  /// Rows of x. With row_of_slot, some of them belong to no slot.
  int64_t rows() const;
};

/// Throws TableError. `row`: the case's contract, or the contract that it refers to. In fused ops the column for `weights` is
/// named router_weights.
CombineCase read_combine_case(const Cells& cells, const ContractRow& row);

/// Parts of a case's name: ".k8.absent.f2.5" and ".scales.nan_padding".
std::string combine_shape(const CombineCase& c);
std::string combine_fills(const CombineCase& c);

/// All tensors of the call, and y.
Problem combine_problem(const CombineCase& c);

/// The reference's view of the tensors of `problem`, which must outlive it.
CombineInputs combine_inputs(const CombineCase& c, const Problem& problem);

}  // namespace assay
