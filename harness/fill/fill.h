// Input data by name. A fill is made to corner one thing; its bits never change.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/tensor.h"

namespace assay {

/// A tensor of the problem that was filled before, as values: what a fill that sees all operands looks at.
struct FilledOperand {
  std::string role;
  std::vector<int64_t> shape;  ///< so also what n, k and the number of experts are
  std::vector<double> values;  ///< row-major
};

/// The logical elements of a tensor. `offset`: what a kernel adds to each before it uses them.
FilledOperand filled_operand(const HostTensor& tensor, double offset = 0);

struct FillRequest {
  std::string name;
  uint64_t seed = 0;
  int64_t group_size = 0;     ///< columns of one group; the last group of a row may be shorter. 0: the whole row
  const Format* q = nullptr;  ///< format that the op quantizes to, where the fill aims at its codes; nullptr: the tensor's own
  uint32_t tensor = 0;        ///< ordinal of the tensor in the problem; each gets numbers of its own
  int exponent = 0;           ///< all values are taken 2^this times
  const std::vector<FilledOperand>* operands = nullptr;  ///< of the problem, those that are there already; nullptr: none
  int rank = 0, ranks = 1;    ///< whose numbers they are, of how many that are added up
};

/// Fills the logical elements, seen as [m, n] with n the last extent, and writes NaN (the largest integer) into storage that no
/// logical element uses, so that a kernel that reads padding shows it. Sizes `tensor.bytes`.
///
/// Values are made in double and rounded once, to nearest even and saturating, to the tensor's format. Integer or exact
/// arithmetic only: the same request gives the same bits on every machine. Throws std::invalid_argument: unknown name (all are
/// listed), a fill whose points the tensor's format cannot hold (ties of q), or one that lacks an operand.
void fill(HostTensor& tensor, const FillRequest& request);

struct FillInfo {
  std::string name;
  std::string aims_at;  ///< one line
  /// Kinds of operands whose cases must have it: "numbers", those of these that are "quantized" or "normed" as they are, "gates",
  /// "ranges" under a zero point, "weights" of norms, "scales", "block_scales" and "packed" ones, "zero_points", "factors" of GEMMs and
  /// "second_factors" that go with one of them,
  /// "terms" of instructions, "ranks", "copies".
  std::vector<std::string> suits{};
};

/// The power of two that a fill puts everywhere, as its exponent: 5 of gate_open. 0 of all others.
int exponent_of_constant(const std::string& fill);

/// Every fill, in the order of the documentation.
std::vector<FillInfo> all_fills();

}  // namespace assay
