// Which data tell two contracts apart, and by how much.
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
  int64_t worst_ulps = 0;  ///< of the first contract's format
  double worst_part = 0;   ///< of the larger of the two numbers
};

/// One data set under two contracts.
struct Separation {
  std::string data;  ///< the case without its contract and warp
  std::vector<SeparatedTensor> tensors;
  std::string witness;  ///< the first element that differs, with both codes; empty if none does
};

/// Every quick case of contract `a` that can be judged under `b` too, on the inputs of `a`; each data set once.
std::vector<Separation> separate(std::span<const Op> ops, const std::vector<Case>& cases, const std::string& a, const std::string& b);

/// The case under another contract, on its own data; null if that contract lacks its groups or layout.
std::unique_ptr<const BoundCase> under_contract(const Op& op, const Case& one, const std::string& contract);

}  // namespace assay
