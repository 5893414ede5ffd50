// Input generators by name ("fills"). Each is made to expose one kind of mistake. The same request always gives the same bits.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "harness/core/tensor.h"
#include "reference/formats/format.h"

namespace assay {

/// Values of an operand that is already filled, for generators that depend on another operand.
struct FilledOperand {
  std::string role;
  std::vector<int64_t> shape;  ///< generators take n, k and the number of experts from it
  std::vector<double> values;  ///< row-major
};

/// The logical elements of a tensor, each plus `offset`, which the kernel adds to an element before it uses it.
FilledOperand filled_operand(const HostTensor& tensor, double offset = 0);

struct FillRequest {
  std::string name;           ///< empty: all bytes are 0, and the caller provides the data
  uint64_t seed = 0;
  int64_t group_size = 0;     ///< columns per group (0: the whole row); the last group of a row may be shorter
  const Format* q = nullptr;  ///< the op's output format, for generators that target its codes; nullptr: the tensor's own
                              ///< format
  uint32_t tensor = 0;        ///< index of the tensor in the problem, which selects its random stream
  int exponent = 0;           ///< all values are multiplied by 2^exponent
  const std::vector<FilledOperand>* operands = nullptr;  ///< tensors of the problem that are already filled; nullptr: none
  int rank = 0, ranks = 1;    ///< rank that owns the tensor, and number of ranks
};

/// Fills the logical elements, viewed as [m, n] with n the last extent. Unused storage gets NaN (the largest integer for integer
/// formats), so that results show if a kernel reads padding. Allocates `tensor.bytes`.
///
/// Values are computed in double and rounded once to the tensor's format: to nearest even, saturating. The arithmetic is exact or
/// on integers, so that the same request gives the same bits on every machine. Throws std::invalid_argument for an unknown name
/// (its message lists all names), a missing operand, or values that the tensor's format cannot represent, such as midpoints of q.
void fill(HostTensor& tensor, const FillRequest& request);

struct FillInfo {
  std::string name;
  std::string aims_at;  ///< the values, and which mistakes they detect; one line
  /// Kinds of operands. Each op with an operand of such a kind must have a case with this generator
  /// (suites/case_coverage_test.cpp). "numbers": any values. "quantized": the op only quantizes them. "ranges": the op quantizes
  /// them with a zero point. "normed": x of norms. "weights": of norms. "gates": of activations. "ranks": terms of sums over
  /// ranks or experts. "factors": of GEMMs. "second_factors": only b of GEMMs. "terms": of instructions. "scales",
  /// "block_scales", "zero_points". "packed": scales to pack. "copies": only copied.
  std::vector<std::string> suits{};
};

/// log2 of the value if the generator writes the same power of two everywhere: 5 for gate_open. 0 for all other generators.
int exponent_of_constant(const std::string& fill);

/// All generators, in documentation order.
std::vector<FillInfo> all_fills();

// Counter-based random numbers: the same (seed, stream, index) gives the same bits on every machine, in any order of calls.

/// Philox4x32 with ten rounds (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// A random stream of a seed. Different streams of a seed are independent.
class Random {
 public:
  Random(uint64_t seed, uint32_t stream) : key_{uint32_t(seed), uint32_t(seed >> 32)}, stream_(stream) {}

  /// 128 random bits for an index; with another `lane`, the same index gives other bits.
  std::array<uint32_t, 4> block(int64_t index, uint32_t lane = 0) const {
    return philox4x32({uint32_t(index), uint32_t(uint64_t(index) >> 32), stream_, lane}, key_);
  }
  uint32_t word(int64_t index, uint32_t lane = 0) const { return block(index, lane)[0]; }

  /// Uniform in [0, 1), a multiple of 2^-32.
  double uniform(int64_t index, uint32_t lane = 0) const { return word(index, lane) * 0x1p-32; }

  /// Uniform in [0, bound).
  int64_t below(int64_t bound, int64_t index, uint32_t lane = 0) const {
    return int64_t((uint64_t{word(index, lane)} * uint64_t(bound)) >> 32);
  }

  bool coin(int64_t index, uint32_t lane = 0) const { return word(index, lane) >> 31; }

  /// Mean 0, variance 1, magnitude at most 6: the sum of twelve 16-bit integers. Exact, so it does not depend on a math library.
  double normal(int64_t index) const;
  /// Sets values[i] to normal(first + i). Faster than single calls.
  void normals(int64_t first, std::span<double> values) const;

 private:
  std::array<uint32_t, 2> key_;
  uint32_t stream_;
};

// Conversion of doubles to the nearest code, for input generators. Integer arithmetic only.

/// Nearest code, ties to even, saturating at the largest finite value. Inf is kept if the format has it; NaN becomes the
/// canonical NaN. e8m0: nearest power of two, at least 2^-127; the sign is ignored.
uint32_t nearest_code(const Format& format, double value);

}  // namespace assay
