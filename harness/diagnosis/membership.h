// Outputs compared with an answer, element by element, on the steps of a sample.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "harness/core/op.h"
#include "harness/core/sample.h"

namespace assay {

enum class Membership : uint8_t {
  kOutside,  ///< the answer does not allow the stored code
  kInside,   ///< it does
  kAnything  ///< it allows everything, and so says nothing
};

/// What an answer says of outputs.
struct Memberships {
  std::vector<std::vector<Membership>> parts;  ///< of each part the elements of the sample, in their order
  std::set<int64_t> outside_steps;             ///< in which some element is outside
  std::set<int64_t> violated_steps;            ///< in which elements are right one by one and not together

  int64_t elements() const;
};

/// Of several answers the one with the fewest elements outside. An element that an answer looks for outside the storage is
/// outside. Violations between tensors are left out: they hold for an edited contract as for the right one.
Memberships memberships(const Expectation& expectation, const std::vector<HostTensor>& outputs, const Sample& sample);

/// How a hypothesis does where the contract fails and where it does not. A step that violates the contract without an element
/// outside counts as one element.
struct Tally {
  int64_t failing = 0, explained = 0, contradicted = 0;
  bool most_of_a_part = false;  ///< explains three quarters of the failing elements of some part, or of the violated steps

  int64_t left() const { return failing - explained + contradicted; }
  bool counts() const { return most_of_a_part && explained >= 4 * contradicted; }
};

Tally tally(const Memberships& contract, const Memberships& hypothesis);

/// Failing elements that one answer explains and the other does not.
int64_t explained_by_one_alone(const Memberships& contract, const Memberships& one, const Memberships& other);

}  // namespace assay
