// Search for the model that explains most of an instruction's results.
#pragma once

#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/probe/instruction.h"
#include "harness/probe/probe_data.h"
#include "reference/formats/catalogue.h"

namespace assay {

// The free parameters of a tensor core model: their values, and the inputs whose results decide them.

struct UnitParameter {
  std::string_view name;               ///< "whether c is added after the products"
  std::string_view cell;               ///< column of units.csv
  std::vector<std::string_view> data;  ///< kinds of probe_data() whose results decide it
  /// Possible values, simplest first; empty if models with the same structure of sums as `unit` do not have this parameter.
  std::vector<int> (*values)(const Instruction& instruction, const Unit& unit);
  int (*get)(const Unit& unit);
  void (*set)(Unit& unit, int value);
  bool is_number;           ///< true if adjacent values have similar effects
  bool of_several = false;  ///< each value stands for values of two other parameters, which can compensate each other
};

/// All parameters, in the order in which they are decided.
std::span<const UnitParameter> unit_parameters();

/// The simplest model for the operands: one aligned sum of all products and c.
Unit plain_unit(const Instruction& instruction);

// The parameters, in the order in which the fit decides them. Used only by parameters.cpp.

std::vector<UnitParameter> parameters_of_terms();    ///< how products become terms, and which bits of a term are kept
std::vector<UnitParameter> parameters_of_results();  ///< how c is added, and how the result is rounded
std::vector<UnitParameter> parameters_of_sums();     ///< which terms are summed together, and the smallest exponent to which
                                                     ///< terms are aligned

inline constexpr int kMostFraction = 28, kMostGroupFraction = 38, kMostJoinFraction = 40;  // the same limits as in read_sum.cpp

inline std::vector<int> range(int first, int last) {  // both ends included
  std::vector<int> all(size_t(std::max(0, last - first + 1)));
  std::iota(all.begin(), all.end(), first);
  return all;
}
inline std::vector<int> and_none(std::vector<int> all, int none) {  // `none`: the value that means absent; it comes first
  all.insert(all.begin(), none);
  return all;
}

inline bool aligned(const Unit& u) { return u.sum == ProductSum::kAligned; }
inline bool joined(const Unit& u) { return u.join == AccumulatorJoin::kJoined; }

// Candidate orders in which an instruction accumulates its products.

/// An order in which an instruction may accumulate its products.
struct UnitOrder {
  int interleave_period = 0, interleave_width = 0, take = 0, splits = 1;
};
/// All orders that may give different results: trees differ in the order of leaves, others in the products that share a part.
std::vector<UnitOrder> unit_orders(int k, bool of_trees, int most_splits);
void set_order(Unit& unit, const UnitOrder& order);

/// For each k, the smallest k' such that exchanging the products of k and k' changes no result of the model. k' is in the same
/// part of a block as k or, in a tree, is k itself or its sibling.
std::vector<int> alike_places(const Unit& unit);

// Properties of an instruction that are found without a model: which products have an effect, which can be exchanged, and whether
// c is added last. A "place" is an index k: the product of row element a[k] and column element b[k].

/// For each place, whether its product never has an effect, from observations of kind "alone". If no product has an effect, all
/// are false.
std::vector<bool> dead_places(const Instruction& instruction, const Observation& alone);

/// For each place, the first place with which its product can be exchanged without a change of the results. Only some inputs are
/// tried; for others the results may change.
std::vector<int> places_alike(const Instruction& instruction, const Ask& ask, int64_t elements, uint64_t seed);

/// True if every finite nonzero result is the IEEE sum c + r, where r is the result for c = 0. False for integers.
bool adds_c_at_the_end(const Instruction& instruction, const Ask& ask, int64_t elements, uint64_t seed);

/// Whether all places that are alike in `fine` are also alike in `coarse` (see places_alike()). Dead places are ignored.
bool refines(const std::vector<int>& fine, const std::vector<int>& coarse, const std::vector<bool>& dead);

/// Observations, and properties of the instruction that follow from them.
struct Seen {
  std::vector<Observation> all;
  std::vector<int> alike;
  bool c_at_the_end = false;

  /// Number of elements that a model does not explain; counting stops above `most`. With `kinds`: in inputs of these kinds only.
  int64_t unexplained(const Unit& unit, int64_t most, std::span<const std::string_view> kinds = {}) const;
};

struct Fit {
  Unit unit;
  int64_t unexplained = 0;
};

/// Tries the structures of sums, simplest first, each in those orders of k in which exactly the places of `seen.alike` can be
/// exchanged. Decides each parameter on the inputs made for it, then all on all inputs, until nothing improves. If there is no
/// such order, or under 1/8 is unexplained, tries orders with fewer such places. Returns a model that explains all, or the best.
Fit fit(const Instruction& instruction, const Seen& seen, uint32_t nan);

/// Decides all parameters of a model again, on all observations.
Fit improved(const Instruction& instruction, const Seen& seen, Fit from);

}  // namespace assay
