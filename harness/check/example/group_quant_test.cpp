// A user's kernel under GoogleTest: bf16 to e4m3fn in groups of 128, checked against contract vllm.group_fp8.
// SPDX-License-Identifier: Apache-2.0
#include <assay/conforms.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace {

/// Rounds to nearest, ties to even; saturates at 448.
uint8_t to_e4m3fn(float value) {
  const float magnitude = std::min(std::fabs(value), 448.0f);
  const int exponent = std::max(magnitude > 0 ? std::ilogb(magnitude) : -6, -6);
  const int steps = int(std::nearbyint(std::ldexp(magnitude, 3 - exponent)));  // in units of 2^(exponent - 3); 16 is the next
                                                                               // binade
  return uint8_t((std::signbit(value) ? 0x80 : 0) | (exponent + 6) * 8 + steps);
}

float from_bf16(uint16_t code) {
  const uint32_t bits = uint32_t(code) << 16;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// The kernel under test.
void group_quant(const std::vector<uint16_t>& x, std::vector<uint8_t>& q, std::vector<float>& scale) {
  for (size_t group = 0; group < scale.size(); ++group) {
    float amax = 1e-10f;
    for (size_t i = group * 128; i < group * 128 + 128; ++i) amax = std::max(amax, std::fabs(from_bf16(x[i])));
    const float s = amax / 448.0f;
    for (size_t i = group * 128; i < group * 128 + 128; ++i) q[i] = to_e4m3fn(std::clamp(from_bf16(x[i]) / s, -448.0f, 448.0f));
    scale[group] = s;
  }
}

TEST(GroupQuant, ConformsToTheContractOfVllm) {
  constexpr int64_t m = 64, n = 1024;
  std::vector<uint16_t> x(m * n);
  std::mt19937 bits(1);
  std::normal_distribution<float> normal;
  for (uint16_t& code : x) {
    const float value = normal(bits);
    std::memcpy(&code, reinterpret_cast<const char*>(&value) + 2, sizeof code);  // bf16 is the upper half of fp32
  }
  std::vector<uint8_t> q(x.size());
  std::vector<float> scale(x.size() / 128);
  group_quant(x, q, scale);

  assay::Tensors call;
  call.add("x", "bf16", {m, n}, x.data()).add("q", "e4m3fn", {m, n}, q.data()).add("scale", "f32", {m, n / 128}, scale.data());
  EXPECT_THAT(call, assay::ConformsTo("vllm.group_fp8"));
}

}  // namespace
