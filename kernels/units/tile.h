// What mma() works on: a tile of accumulators spread over threads, and operands in memory.
#pragma once

#include <type_traits>

#include "kernels/units/unit.h"

namespace assay_kernels::units {

/// Factors of one instruction, k innermost: the first k of row 0, and bytes from one row to the next. Any memory that all threads
/// can read; a device wants rows that are aligned to 16 bytes. Scales are a byte for every kScaleBlock of a row.
struct Operands {
  const uint8_t *a, *b;
  int64_t a_pitch, b_pitch;
  const uint8_t *sfa = nullptr, *sfb = nullptr;
  int64_t sfa_pitch = 0, sfb_pitch = 0;
};

/// Whether a unit has scales.
template <class U, class = void>
struct BlockOf {
  static constexpr int value = 0;
};
template <class U>
struct BlockOf<U, std::enable_if_t<(U::kScaleBlock > 0)>> {
  static constexpr int value = U::kScaleBlock;
};

/// Of an instruction's operands in memory.
template <class U>
struct Bytes {
  static constexpr int kRow = U::kK * U::A::kMemoryBits / 8, kColumn = U::kK * U::B::kMemoryBits / 8;
  static constexpr int kScales = BlockOf<U>::value == 0 ? 0 : U::kK / (BlockOf<U>::value == 0 ? 1 : BlockOf<U>::value);
};

}  // namespace assay_kernels::units
