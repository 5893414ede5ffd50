// A case of op moe_combine: its tensors, and what the reference reads from them. Fused ops on several ranks may begin with it.
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
  bool absent = false;     ///< some slots have no expert: their id is < 0, or their row of x is < 0 or unused
  bool elsewhere = false;  ///< there is an expert_map, which places every second expert on another device
  bool nan_padding = false;
  std::string fill, weights, shared;  ///< input generators
  double factor = 1;
  uint64_t seed = 0;
  int warp = 0;
  int rank = 0, ranks = 1;  ///< each rank has its own data; rank_* generators treat each slot of a rank as a rank

  const std::string& id() const { return contract.row->id; }
  /// An odd number of experts: then (first + 2 k) mod experts gives a token different experts, with odd and even numbers.
  int64_t experts() const { return 2 * topk + 1; }
  /// Rows of x. If the contract has row_of_slot, kSpareRows rows belong to no slot.
  int64_t rows() const;
};

/// Throws TableError. `row`: the case's contract or, in a fused op, a contract that the case's contract refers to. In fused ops
/// the column for `weights` is named router_weights.
CombineCase read_combine_case(const Cells& cells, const ContractRow& row);

/// Parts of a case id, such as ".k8.absent.f2.5" and ".scales.nan_padding".
std::string combine_shape(const CombineCase& c);
std::string combine_fills(const CombineCase& c);

/// The call: all input tensors, and y.
Problem combine_problem(const CombineCase& c);

/// The reference's inputs. They refer to the tensors of `problem`, which must outlive them.
CombineInputs combine_inputs(const CombineCase& c, const Problem& problem);

}  // namespace assay
