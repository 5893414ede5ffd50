// Outputs held against an answer, element by element.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/core/op.h"

namespace assay {

enum class Held : uint8_t {
  kNo,   ///< the answer does not allow the stored code
  kYes,  ///< it does
  kAny   ///< it allows everything, and so says nothing
};

/// Tensor after tensor, in logical order.
using HeldTensors = std::vector<std::vector<Held>>;

HeldTensors hold(const Expectation& answer, const std::vector<HostTensor>& outputs);

/// How a hypothesis does where the contract fails and where it does not.
struct Tally {
  int64_t failing = 0, explained = 0, contradicted = 0;
  bool most_of_a_tensor = false;  ///< explains three quarters of the failing elements of some tensor

  int64_t left() const { return failing - explained + contradicted; }
  bool counts() const { return most_of_a_tensor && explained >= 4 * contradicted; }
};

Tally tally(const HeldTensors& contract, const HeldTensors& hypothesis);

/// Failing elements that one answer explains and the other does not.
int64_t explained_by_one_alone(const HeldTensors& contract, const HeldTensors& one, const HeldTensors& other);

}  // namespace assay
