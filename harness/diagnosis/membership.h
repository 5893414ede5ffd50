// Compares outputs with an answer, element by element, on the steps of a sample.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "harness/core/op.h"
#include "harness/core/sample.h"

namespace assay {

enum class Membership : uint8_t {
  kOutside,  ///< the answer rejects the stored code
  kInside,   ///< the answer accepts it
  kAnything  ///< the answer accepts every code
};

/// Result of comparing outputs with an answer.
struct Memberships {
  std::vector<std::vector<Membership>> parts;  ///< per part: the elements of the sample, in order
  std::set<int64_t> outside_steps;             ///< steps with an element outside
  std::set<int64_t> violated_steps;            ///< steps whose elements are right one by one but break a rule together

  int64_t elements() const;
};

/// Compares with the answer that has the fewest elements outside. An element whose offset is outside the storage counts as
/// outside. Violations between tensors are ignored: they hold for a mutant as for the contract.
Memberships memberships(const Expectation& expectation, const std::vector<HostTensor>& outputs, const Sample& sample);

/// Counts for a hypothesis where the contract fails and where it holds. A step that breaks a rule without an element outside
/// counts as one element.
struct Tally {
  int64_t failing = 0, explained = 0, contradicted = 0;
  bool most_of_a_part = false;  ///< explains three quarters of the failing elements of some part, or of the violated steps

  int64_t left() const { return failing - explained + contradicted; }
  bool counts() const { return most_of_a_part && explained >= 4 * contradicted; }
};

Tally tally(const Memberships& contract, const Memberships& hypothesis);

/// Number of failing elements that exactly one of the two answers explains.
int64_t explained_by_one_alone(const Memberships& contract, const Memberships& one, const Memberships& other);

}  // namespace assay
