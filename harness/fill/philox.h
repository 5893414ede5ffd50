// Counter-based random numbers: the same (seed, stream, index) gives the same bits on every machine, in any order of calls.
#pragma once

#include <array>
#include <cstdint>

namespace assay {

/// Philox4x32 with ten rounds (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// One stream of a seed. Different streams are independent.
class Random {
 public:
  Random(uint64_t seed, uint32_t stream) : key_{uint32_t(seed), uint32_t(seed >> 32)}, stream_(stream) {}

  /// 128 bits for an index; `lane` separates several draws with the same index.
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

 private:
  std::array<uint32_t, 2> key_;
  uint32_t stream_;
};

}  // namespace assay
