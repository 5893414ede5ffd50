// Finds data that distinguish two contracts, and the size of the difference.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "harness/core/op.h"

namespace assay {

/// One output tensor under two contracts.
struct SeparatedTensor {
  std::string name;
  int64_t elements = 0, outside = 0;
  int64_t worst_ulps = 0;  ///< in ulp of the first contract's format
  double worst_part = 0;   ///< relative to the larger of the two values
};

/// One data set under two contracts.
struct Separation {
  std::string data;  ///< case id without contract and warp size
  std::vector<SeparatedTensor> tensors;
  std::string witness;  ///< first element that differs, with both codes; empty if none does
};

/// Compares the contracts on every quick case of `a` that `b` can also take; each data set once.
std::vector<Separation> separate(std::span<const Op> ops, const std::vector<Case>& cases, const std::string& a, const std::string& b);

/// The same case and data under another contract; null if that contract lacks the groups or the layout.
std::unique_ptr<const BoundCase> under_contract(const Op& op, const Case& one, const std::string& contract);

}  // namespace assay
