// What every matrix product does with its factors: a step of k is brought to where the unit of a block reads it.
#pragma once

#include "kernels/simt/simt.h"
#include "kernels/units/mma.h"

namespace assay_kernels {

/// Factors of one instruction, zeros beyond m, n and k.
template <class U>
struct StagedStep {
  alignas(16) uint8_t a[U::kM * U::kK];
  alignas(16) uint8_t b[U::kN * U::kK];
};

template <class U>
SIMT_DEVICE float number_of_sum(uint32_t code) {
  if constexpr (U::D::kBits == 16) return simt::to_float(simt::F16{uint16_t(code)});
  if constexpr (std::is_same_v<typename U::D, units::Int32>) return float(int32_t(code));
  float value;
  __builtin_memcpy(&value, &code, sizeof value);
  return value;
}

/// `Arguments` have m, n, k, a, b and their pitches; `Rules` say where rows of a and bytes of b lie.
template <class Rules, int kThreads, class Arguments>
SIMT_DEVICE void stage(StagedStep<typename Rules::Unit>& step, const Arguments& x, int64_t row, int64_t column, int64_t k,
                       int64_t end) {
  using U = typename Rules::Unit;
  for (int i = simt::thread(); i < U::kM * U::kK; i += kThreads) {
    const int64_t r = row + i / U::kK, at = Rules::product_at(k + i % U::kK);
    step.a[i] = r < x.m && at < end ? x.a[Rules::byte_of_a(Rules::row_of_a(r, x.m), at, x.pitch_a)] : uint8_t{0};
  }
  for (int i = simt::thread(); i < U::kN * U::kK; i += kThreads) {
    const int64_t c = column + i / U::kK, at = Rules::product_at(k + i % U::kK);
    step.b[i] = c < x.n && at < end ? x.b[Rules::byte_of_b(c, at, x.n, x.pitch_b)] : uint8_t{0};
  }
}

}  // namespace assay_kernels
