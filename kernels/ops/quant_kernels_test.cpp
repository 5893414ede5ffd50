// Compares quantization kernels with plain loops through the C ABI: groups, per-tensor scales, and tiles of several rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "kernels/simt/simt.h"
#include "kernels/testing/library.h"
#include "kernels/testing/oracle.h"

namespace assay_kernels {
namespace {

// Group and per-token quantization with 32 and 64 lanes, and error messages for invalid calls.

using testing::HasSubstr;

TEST(QuantGroup, GivesWhatAPlainLoopGives) {
  for (const auto& [m, n, group] :
       {std::array<int64_t, 3>{1, 128, 128}, {5, 896, 128}, {3, 320, 64}, {7, 96, 32}, {33, 7168, 128}})
    for (const int warp : {32, 64})
      for (const char* kernel : {"quant_group.register", "quant_group.shared"}) {
        const auto x = random_bf16(size_t(m * n), uint32_t(m + n));
        const auto out = quantize(kernel, "vllm.group_fp8", x, m, n, group, Layout::kRow, warp);
        for (int64_t g = 0; g < m * n / group; ++g) {
          float amax = 1e-10f;
          for (int64_t j = 0; j < group; ++j) amax = std::fmax(amax, std::fabs(bf16_value(x[size_t(g * group + j)])));
          const float s = amax / 448.0f;
          ASSERT_EQ(out.scale[size_t(g)], simt::bits(s)) << kernel << " warp " << warp << " group " << g;
          for (int64_t j = 0; j < group; ++j) {
            const size_t i = size_t(g * group + j);
            ASSERT_EQ(out.q[i], oracle::e4m3fn_sat(std::fmin(std::fmax(bf16_value(x[i]) / s, -448.0f), 448.0f)))
                << kernel << " element " << i;
          }
        }
      }
}

TEST(QuantGroup, PacksExponentsAndWritesThePadding) {
  for (const auto& [m, groups] : {std::array<int64_t, 2>{1, 1}, {3, 5}, {5, 7}, {4, 4}, {6, 56}})
    for (const int warp : {32, 64})
      for (const char* kernel : {"quant_group.register", "quant_group.shared"}) {
        const int64_t n = groups * 128, aligned = (m + 3) / 4 * 4, words = (groups + 3) / 4;
        auto x = random_bf16(size_t(m * n), uint32_t(m * 10 + groups));
        std::fill(x.begin(), x.begin() + 128, uint16_t(0));  // a group of zeros has exponent byte 94
        const auto out = quantize(kernel, "vllm.group_fp8_packed", x, m, n, 128, Layout::kPacked, warp);
        for (int64_t p = 0; p < words; ++p)
          for (int64_t r = 0; r < aligned; ++r) {
            if (p == words - 1 && r >= m) continue;  // outside the allocation
            uint32_t word = 0;
            for (int64_t k = 0; r < m && k < 4 && 4 * p + k < groups; ++k) {
              double amax = 1e-10f;
              for (int64_t j = 0; j < 128; ++j)
                amax = std::fmax(amax, std::fabs(bf16_value(x[size_t(r * n + (4 * p + k) * 128 + j)])));
              int e = -33;  // 2^-33 is the smallest scale
              while (std::ldexp(448.0, e) < amax) ++e;
              word |= uint32_t(e + 127) << 8 * k;
            }
            ASSERT_EQ(out.scale[size_t(p * aligned + r)], word)
                << kernel << " word " << p << " row " << r << " of " << m << "x" << groups;
          }
      }
}

TEST(QuantGroup, BothVariantsGiveTheSameBitsForEveryContractAndLayout) {
  const int64_t m = 7, n = 768;
  auto x = random_bf16(size_t(m * n), 3);
  std::fill(x.begin() + 128, x.begin() + 256, uint16_t(0x8000));
  x[300] = 0x7fc0, x[520] = 0x7f80, x[700] = 0xff80, x[900] = 0x0001;
  const std::vector<std::pair<const char*, Type>> contracts = {
      {"vllm.group_fp8", kE4m3fn},          {"vllm.group_fp8_fnuz", kE4m3fnuz},   {"vllm.group_fp8_ue8m0", kE4m3fn},
      {"vllm.group_triton", kE4m3fn},       {"vllm.group_native", kE4m3fn},       {"vllm.group_native_ue8m0", kE4m3fn},
      {"vllm.group_triton_ue8m0", kE4m3fn}, {"sglang.group_8bit", kE4m3fn},       {"aiter.per_1x128", kE4m3fn},
      {"aiter.per_1x128_fnuz", kE4m3fnuz},  {"deepgemm.per_token_cast", kE4m3fn}, {"deepgemm.per_token_cast_ue8m0", kE4m3fn}};
  for (const auto& [contract, code] : contracts)
    for (const Layout layout : {Layout::kRow, Layout::kColumn, Layout::kTma}) {
      const auto expected = quantize("quant_group.shared", contract, x, m, n, 64, layout, 32, code);
      for (const int warp : {32, 64})
        EXPECT_EQ(quantize("quant_group.register", contract, x, m, n, 64, layout, warp, code), expected) << contract;
    }
  for (const char* contract : {"vllm.group_fp8_packed", "sglang.group_8bit_ue8m0"}) {
    const auto expected = quantize("quant_group.shared", contract, x, m, n, 128, Layout::kPacked, 64);
    for (const int warp : {32, 64})
      EXPECT_EQ(quantize("quant_group.register", contract, x, m, n, 128, Layout::kPacked, warp), expected) << contract;
  }
}

/// Quantizes a group of 128 with amax 448 in element 0 and `special` in element 1. Returns its scale and the code of the special
/// element.
std::pair<uint32_t, uint8_t> special(const char* contract, uint16_t element, Type code = kE4m3fn) {
  std::vector<uint16_t> x(128);
  x[0] = 0x43e0, x[1] = element;
  const auto out = quantize("quant_group.register", contract, x, 1, 128, 128, Layout::kRow, 32, code);
  return {out.scale[0], out.q[1]};
}

TEST(QuantGroup, NanBecomesWhatEachContractSays) {
  const uint16_t nan = 0x7fc0;
  const uint32_t one = simt::bits(1.0f);
  EXPECT_EQ(special("vllm.group_fp8", nan), std::pair(one, uint8_t(0xfe)));
  EXPECT_EQ(special("aiter.per_1x128", nan), std::pair(one, uint8_t(0xfe)));
  EXPECT_EQ(special("sglang.group_8bit", nan).second, 0x7f);
  EXPECT_TRUE(std::isnan(simt::from_bits(special("vllm.group_native", nan).first)));
  EXPECT_TRUE(std::isnan(simt::from_bits(special("deepgemm.per_token_cast", nan).first)));
  EXPECT_EQ(special("deepgemm.per_token_cast", nan).second & 0x7f, 0x7f);
  EXPECT_EQ(special("deepgemm.per_token_cast_ue8m0", nan).first, simt::bits(0x1p127f));
  EXPECT_EQ(special("vllm.group_fp8", 0x8000).second, 0x80);
  EXPECT_EQ(special("vllm.group_fp8_fnuz", 0x8000, kE4m3fnuz).second, 0x00);
}

TEST(QuantGroup, ZerosTakeTheFloorOfEachContract) {
  const std::vector<uint16_t> x(128);
  const auto scale = [&](const char* contract) {
    return quantize("quant_group.shared", contract, x, 1, 128, 128, Layout::kRow, 32).scale[0];
  };
  EXPECT_EQ(scale("vllm.group_fp8"), 0x2a7b5123u);
  EXPECT_EQ(scale("vllm.group_fp8_ue8m0"), 94u << 23);
  EXPECT_EQ(scale("vllm.group_triton_ue8m0"), 85u << 23);
  EXPECT_EQ(scale("vllm.group_native"), 0x36924925u);
  EXPECT_EQ(scale("vllm.group_native_ue8m0"), 0x36924925u);
  EXPECT_EQ(scale("deepgemm.per_token_cast_ue8m0"), 105u << 23);
}

TEST(QuantToken, TakesTheRowAsItsGroup) {
  for (const auto& [m, n] : {std::array<int64_t, 2>{3, 8}, {5, 264}, {4, 7168}, {2, 16384}})
    for (const int warp : {32, 64}) {
      const auto x = random_bf16(size_t(m * n), uint32_t(n));
      std::vector<uint8_t> q(x.size());
      std::vector<float> scale(size_t(m), -1.0f);
      CallBuilder call;
      call.matrix("x", kBf16, false, m, n, x.data())
          .matrix("q", kE4m3fn, true, m, n, q.data())
          .matrix("scale", kF32, true, m, 1, scale.data());
      ASSERT_EQ(call.parameter("warp", warp).run(cpu_library(), "quant_group", "vllm.per_token", "quant_token"), ASSAY_OK)
          << call.message();
      for (int64_t r = 0; r < m; ++r) {
        float amax = 0;
        for (int64_t j = 0; j < n; ++j) amax = std::fmax(amax, std::fabs(bf16_value(x[size_t(r * n + j)])));
        ASSERT_EQ(scale[size_t(r)], std::fmax(amax / 448.0f, 1.0f / (448.0f * 512.0f)));
        for (int64_t j = 0; j < n; ++j) {
          const size_t i = size_t(r * n + j);
          ASSERT_EQ(q[i], oracle::e4m3fn_sat(std::fmax(std::fmin(bf16_value(x[i]) / scale[size_t(r)], 448.0f), -448.0f))) << i;
        }
      }
    }
}

TEST(QuantToken, AnUpperBoundIsOneOfAmax) {
  const int64_t m = 3, n = 264;
  const auto x = random_bf16(size_t(m * n), 7);
  std::vector<uint8_t> q(x.size());
  std::vector<float> scale(size_t(m), -1.0f);
  CallBuilder call;
  call.matrix("x", kBf16, false, m, n, x.data()).matrix("q", kE4m3fn, true, m, n, q.data());
  call.matrix("scale", kF32, true, m, 1, scale.data()).parameter("warp", 32);
  EXPECT_EQ(call.run(cpu_library(), "quant_group", "vllm.per_token_ub", "quant_token"), ASSAY_FAILED);
  EXPECT_THAT(call.message(), HasSubstr("no parameter 'scale_ub'"));
  call.parameter("scale_ub", 2);
  ASSERT_EQ(call.run(cpu_library(), "quant_group", "vllm.per_token_ub", "quant_token"), ASSAY_OK) << call.message();
  for (float s : scale) EXPECT_EQ(s, 2.0f / 448.0f);
  for (size_t i = 0; i < q.size(); ++i)
    ASSERT_EQ(q[i], oracle::e4m3fn_sat(std::fmax(std::fmin(bf16_value(x[i]) / scale[0], 448.0f), -448.0f))) << i;
}

TEST(Refusals, SayWhatIsWrong) {
  alignas(16) uint16_t x[256] = {};
  alignas(16) uint8_t q[256];
  float scale[8];
  using Answer = std::pair<assay_status, std::string>;
  const auto call = [&](double group, double warp, const uint16_t* data) {
    CallBuilder c;
    c.matrix("x", kBf16, false, 1, 192, data).matrix("q", kE4m3fn, true, 1, 192, q).matrix("scale", kF32, true, 1, 2, scale);
    const auto status = c.parameter("group_size", group)
                            .parameter("warp", warp)
                            .run(cpu_library(), "quant_group", "vllm.group_fp8", "quant_group.register");
    return Answer(status, c.message());
  };
  EXPECT_EQ(call(128, 32, x), Answer(ASSAY_FAILED, "group_size 128 does not divide the row length 192"));
  EXPECT_EQ(call(96, 32, x), Answer(ASSAY_UNSUPPORTED, "this kernel supports only groups of 32, 64 or 128 elements"));
  EXPECT_EQ(call(96, 16, x), Answer(ASSAY_UNSUPPORTED, "this library has no kernel for warps of 16 lanes"));
  EXPECT_EQ(call(96, 32, x + 1), Answer(ASSAY_UNSUPPORTED, "tensor 'x' is not aligned to 16 bytes"));
  EXPECT_EQ(call(64, 32, x), Answer(ASSAY_FAILED, "tensor 'scale' has shape [1, 2], expected [1, 3]"));
  CallBuilder c;
  EXPECT_EQ(c.run(cpu_library(), "quant_group", "vllm.group_fp8", "nobody"), ASSAY_UNSUPPORTED);
  EXPECT_THAT(c.message(), HasSubstr("no kernel 'nobody'"));
  EXPECT_EQ(c.run(cpu_library(), "quant_group", "vllm.group_fp8", "quant_group.register"), ASSAY_FAILED) << "a failure, not a skip";
  EXPECT_STREQ(c.message(), "the call has no tensor 'x'");
}

// Compares the CPU library with plain loops through the C ABI: casts, and per-tensor quantization with computed or input scales.

using testing::HasSubstr;

TEST(Cast, GivesWhatAPlainLoopGivesForAnyLength) {
  for (const int64_t n : {1, 15, 16, 17, 1000, 16384, 16384 + 5, 70000}) {
    for (const int warp : {32, 64}) {
      const auto x = random_bf16(size_t(n), uint32_t(n), 20);
      std::vector<uint8_t> q(size_t(n) + 1, 0xa5);
      CallBuilder call;
      call.matrix("x", kBf16, false, 1, n, x.data()).matrix("q", kE4m3fn, true, 1, n, q.data()).parameter("warp", warp);
      ASSERT_EQ(call.run(cpu_library(), "cast", "cuda.e4m3fn_sat", "cast"), ASSAY_OK) << call.message();
      for (int64_t i = 0; i < n; ++i) ASSERT_EQ(q[size_t(i)], oracle::e4m3fn_sat(bf16_value(x[size_t(i)]))) << n << " " << i;
      EXPECT_EQ(q.back(), 0xa5) << "beyond the end";
      EXPECT_EQ(call.run(cpu_library(), "cast", "cuda.e5m2_sat", "cast"), ASSAY_UNSUPPORTED);
      EXPECT_THAT(call.message(), HasSubstr("q must have the code type of contract cuda.e5m2_sat"));
    }
  }
}

/// Matrices of about one 16-byte load, of about one thread block, and of several thread blocks.
constexpr std::array<std::array<int64_t, 2>, 6> kTensorShapes = {{{1, 1}, {3, 5}, {1, 8192}, {1, 8193}, {7, 1171}, {37, 1024}}};

TEST(QuantTensor, TakesAllRowsForItsScaleWhateverWasThere) {
  for (const auto& [m, n] : kTensorShapes)
    for (const int warp : {32, 64}) {
      const auto x = random_bf16(size_t(m * n), uint32_t(m * n));
      std::vector<uint8_t> q(x.size() + 1, 0xa5);
      float scale = 1e30f, amax = 0;
      CallBuilder call;
      call.matrix("x", kBf16, false, m, n, x.data()).matrix("q", kE4m3fn, true, m, n, q.data());
      call.matrix("scale", kF32, true, 1, 1, &scale).parameter("warp", warp);
      ASSERT_EQ(call.run(cpu_library(), "quant_tile", "vllm.per_tensor", "quant_tensor"), ASSAY_OK) << call.message();
      for (uint16_t code : x) amax = std::fmax(amax, std::fabs(bf16_value(code)));
      ASSERT_EQ(scale, amax / 448.0f);
      const float inverse = 1.0f / scale;
      for (size_t i = 0; i < x.size(); ++i)
        ASSERT_EQ(q[i], oracle::e4m3fn_sat(std::fmax(std::fmin(bf16_value(x[i]) * inverse, 448.0f), -448.0f))) << i;
      EXPECT_EQ(q.back(), 0xa5) << "beyond the end";
    }
}

TEST(QuantTensor, OfZerosHasNoScaleAndCodesOfNaN) {
  const std::vector<uint16_t> x(64, 0);
  std::vector<uint8_t> q(x.size());
  float scale = 1;
  CallBuilder call;
  call.matrix("x", kBf16, false, 8, 8, x.data()).matrix("q", kE4m3fn, true, 8, 8, q.data());
  call.matrix("scale", kF32, true, 1, 1, &scale).parameter("warp", 32);
  ASSERT_EQ(call.run(cpu_library(), "quant_tile", "vllm.per_tensor", "quant_tensor"), ASSAY_OK) << call.message();
  EXPECT_EQ(scale, 0.0f);
  EXPECT_EQ(q, std::vector<uint8_t>(64, 0x7e));
  ASSERT_EQ(call.run(cpu_library(), "quant_tile", "vllm.per_tensor_native", "quant_tensor"), ASSAY_OK) << call.message();
  EXPECT_EQ(scale, 1.0f / (448.0f * 512.0f));
  EXPECT_EQ(q, std::vector<uint8_t>(64, 0));
}

TEST(QuantStatic, MultipliesByTheReciprocalOfTheGivenScale) {
  for (const auto& [m, n] : kTensorShapes) {
    const auto x = random_bf16(size_t(m * n), uint32_t(m + n));
    std::vector<uint8_t> q(x.size() + 1, 0xa5);
    const float scale = 0.7f, inverse = 1.0f / scale;
    CallBuilder call;
    call.matrix("x", kBf16, false, m, n, x.data()).matrix("q", kE4m3fn, true, m, n, q.data());
    call.matrix("scale", kF32, false, 1, 1, &scale).parameter("warp", 32);
    ASSERT_EQ(call.run(cpu_library(), "quant_static", "vllm.static", "quant_static"), ASSAY_OK) << call.message();
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_EQ(q[i], oracle::e4m3fn_sat(std::fmax(std::fmin(bf16_value(x[i]) * inverse, 448.0f), -448.0f))) << i;
    EXPECT_EQ(q.back(), 0xa5) << "beyond the end";
  }
}

// Blocks of 128 x 128, and quantization by group scales that are inputs.

std::vector<uint16_t> random_tiles(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<uint16_t> x(count);
  for (auto& e : x) e = simt::bf16_bits_from_float(std::ldexp(normal(random), int(random() % 16)));
  return x;
}

/// Matrices of whole 128 x 128 blocks, of blocks cut off by an edge, and with rows that are not a whole number of 16-byte loads.
constexpr std::array<std::array<int64_t, 2>, 6> kShapes = {{{128, 128}, {256, 384}, {1, 1}, {129, 136}, {5, 1001}, {200, 77}}};

TEST(QuantBlock, TakesTheAmaxOfItsBlockAndWritesNothingBeyond) {
  for (const auto& [m, n] : kShapes)
    for (const int warp : {32, 64}) {
      const auto x = random_tiles(size_t(m * n), uint32_t(m + n));
      const int64_t rows = (m + 127) / 128, columns = (n + 127) / 128;
      std::vector<uint8_t> q(x.size() + 1, 0xa5);
      std::vector<float> scale(size_t(rows * columns) + 1, -1.0f), amax(scale.size(), 0.0f);
      CallBuilder call;
      call.matrix("x", kBf16, false, m, n, x.data()).matrix("q", kE4m3fn, true, m, n, q.data());
      call.matrix("scale", kF32, true, rows, columns, scale.data()).parameter("warp", warp);
      ASSERT_EQ(call.run(cpu_library(), "quant_tile", "deepgemm.per_block_cast", "quant_block"), ASSAY_OK) << call.message();
      const auto block = [&, n = n](size_t i) { return size_t(int64_t(i) / n / 128 * columns + int64_t(i) % n / 128); };
      for (size_t i = 0; i < x.size(); ++i) amax[block(i)] = std::fmax(amax[block(i)], std::fabs(bf16_value(x[i])));
      for (size_t b = 0; b + 1 < scale.size(); ++b) ASSERT_EQ(scale[b], amax[b] / 448.0f) << m << "x" << n << " block " << b;
      for (size_t i = 0; i < x.size(); ++i)
        ASSERT_EQ(q[i], oracle::e4m3fn_nosat(bf16_value(x[i]) * (1.0f / scale[block(i)]))) << m << "x" << n << " element " << i;
      EXPECT_EQ(q.back(), 0xa5);
      EXPECT_EQ(scale.back(), -1.0f);
    }
}

TEST(QuantBlock, OfOneNaNIsAllNaNAndItsNeighbourIsNot) {
  auto x = random_tiles(128 * 256, 7);
  x[100 * 256 + 3] = 0x7fc0;
  std::vector<uint8_t> q(x.size());
  std::vector<float> scale(2);
  CallBuilder call;
  call.matrix("x", kBf16, false, 128, 256, x.data()).matrix("q", kE4m3fn, true, 128, 256, q.data());
  call.matrix("scale", kF32, true, 1, 2, scale.data()).parameter("warp", 32);
  ASSERT_EQ(call.run(cpu_library(), "quant_tile", "deepgemm.per_block_cast", "quant_block"), ASSAY_OK) << call.message();
  EXPECT_TRUE(std::isnan(scale[0]));
  EXPECT_FALSE(std::isnan(scale[1]));
  for (size_t i = 0; i < q.size(); ++i) ASSERT_EQ((q[i] & 0x7f) == 0x7f, i % 256 < 128) << i;
}

struct Groups {
  int64_t m, n, rows, columns;  ///< shape of x, and of a group
};

TEST(QuantStaticGroups, TakesTheScaleOfItsGroupWhateverTheStrides) {
  for (const Groups& g : {Groups{6, 256, 1, 256},
                          {6, 256, 6, 1},
                          {6, 256, 1, 128},
                          {256, 256, 128, 128},
                          {12, 96, 2, 3},
                          {12, 96, 4, 12},
                          {6, 77, 2, 11},
                          {6, 77, 3, 7},
                          {7, 1, 1, 1}})
    for (const char* layout : {"row", "column", "one"}) {
      const int64_t rows = g.m / g.rows, columns = g.n / g.columns;
      const std::string name = layout;
      const std::vector<int64_t> strides = name == "row"      ? std::vector<int64_t>{columns, 1}
                                           : name == "column" ? std::vector<int64_t>{1, rows}
                                                              : std::vector<int64_t>{0, 0};
      const auto x = random_tiles(size_t(g.m * g.n), uint32_t(g.n));
      std::vector<uint8_t> q(x.size() + 1, 0xa5);
      std::vector<float> scale(name == "one" ? 1 : size_t(rows * columns));
      for (size_t i = 0; i < scale.size(); ++i) scale[i] = 0.3f + float(i % 89) * 0.7f;
      CallBuilder call;
      call.matrix("x", kBf16, false, g.m, g.n, x.data()).matrix("q", kE4m3fn, true, g.m, g.n, q.data());
      call.tensor("scale", kF32, false, {rows, columns}, strides, scale.data(), scale.size() * 4).parameter("warp", 32);
      ASSERT_EQ(call.run(cpu_library(), "quant_static", "vllm.static_group", "quant_static.groups"), ASSAY_OK) << call.message();
      for (int64_t i = 0; i < g.m * g.n; ++i) {
        const float s = scale[size_t(i / g.n / g.rows * strides[0] + i % g.n / g.columns * strides[1])];
        const float v = std::fmax(std::fmin(bf16_value(x[size_t(i)]) * (1.0f / s), 448.0f), -448.0f);
        ASSERT_EQ(q[size_t(i)], oracle::e4m3fn_sat(v)) << g.rows << "x" << g.columns << " " << layout << " element " << i;
      }
      EXPECT_EQ(q.back(), 0xa5);
    }
}

/// Scales that differ in their exponents by position; without `power_of_two` they also differ in mantissa and sign.
std::vector<float> scales(int64_t m, int64_t n, bool power_of_two) {
  std::vector<float> all;
  for (int64_t i = 0; i < m * n; ++i)
    all.push_back(simt::from_bits(uint32_t(100 + (7 * (i / n) + i % n) % 56) << 23 |
                                  (power_of_two ? 0u : uint32_t(i * 2654435761u) & 0x807fffffu)));
  return all;
}

TEST(PackScales, PutsFourExponentsIntoAWordAndTouchesNoOther) {
  for (const auto& [m, n] : {std::array<int64_t, 2>{1, 1}, {3, 5}, {5, 4}, {8, 7}, {68, 150}, {64, 128}, {4, 130}})
    for (const bool mn_major : {false, true})
      for (const char* contract : {"deepgemm.pack_ue8m0@2.5", "deepgemm.pack_ue8m0@2.6", "deepgemm.pack_ue8m0_torch"}) {
        const bool torch = std::string(contract) == "deepgemm.pack_ue8m0_torch";
        const auto x = scales(m, n, !torch);
        const int64_t words = (n + 3) / 4, pitch = (m + 3) / 4 * 4;
        std::vector<uint32_t> out(size_t(m + (words - 1) * pitch), 0xa5a5a5a5u);
        std::vector<float> turned(x.size());
        for (int64_t i = 0; i < m * n; ++i) turned[size_t(i % n * m + i / n)] = x[size_t(i)];
        CallBuilder call;
        call.tensor("x", kF32, false, {m, n}, mn_major ? std::vector<int64_t>{1, m} : std::vector<int64_t>{n, 1},
                    mn_major ? turned.data() : x.data(), x.size() * 4);
        call.tensor("scale", kInt32, true, {m, words}, {1, pitch}, out.data(), out.size() * 4).parameter("warp", 32);
        ASSERT_EQ(call.run(cpu_library(), "pack_scales", contract, "pack_scales"), ASSAY_OK) << call.message();
        for (int64_t w = 0; w < words; ++w)
          for (int64_t r = 0; r < pitch && size_t(w * pitch + r) < out.size(); ++r) {
            uint32_t expected = r < m ? 0 : torch ? 0 : 0xa5a5a5a5u;
            for (int64_t j = 0; j < 4 && r < m && 4 * w + j < n; ++j)
              expected |= (simt::bits(x[size_t(r * n + 4 * w + j)]) >> 23 & 255u) << (8 * j);
            ASSERT_EQ(out[size_t(w * pitch + r)], expected) << contract << " " << m << "x" << n << " row " << r << " word " << w;
          }
      }
}

TEST(PackScales, LetsAMantissaRunIntoItsNeighbourWhereNothingIsMasked) {
  alignas(16) const float x[4] = {1.0f, 1.5f, 1.0f, 1.0f};
  const auto word = [&](const char* contract) {
    alignas(16) uint32_t out[4] = {};
    CallBuilder call;
    call.matrix("x", kF32, false, 1, 4, x).matrix("scale", kInt32, true, 1, 1, out);
    EXPECT_EQ(call.run(cpu_library(), "pack_scales", contract, "pack_scales"), ASSAY_OK) << call.message();
    return out[0];
  };
  EXPECT_EQ(word("deepgemm.pack_ue8m0@2.5"), 0x7f7f7fffu);
  EXPECT_EQ(word("deepgemm.pack_ue8m0_torch"), 0x7f7f7f7fu);
}

TEST(PackScales, TransposesWithoutPacking) {
  for (const auto& [m, n] : {std::array<int64_t, 2>{1, 1}, {3, 5}, {68, 150}, {64, 32}}) {
    const auto x = scales(m, n, false);
    const int64_t pitch = (m + 3) / 4 * 4;
    std::vector<float> out(size_t(m + (n - 1) * pitch), -1.0f);
    CallBuilder call;
    call.matrix("x", kF32, false, m, n, x.data()).tensor("scale", kF32, true, {m, n}, {1, pitch}, out.data(), out.size() * 4);
    ASSERT_EQ(call.run(cpu_library(), "pack_scales", "deepgemm.mn_major_tma_aligned_f32", "pack_scales"), ASSAY_OK) << call.message();
    for (int64_t i = 0; i < int64_t(out.size()); ++i)
      ASSERT_EQ(simt::bits(out[size_t(i)]), simt::bits(i % pitch < m ? x[size_t(i % pitch * n + i / pitch)] : -1.0f))
          << m << "x" << n << " " << i;
  }
}

TEST(TileRefusals, SayWhatIsWrong) {
  alignas(16) uint16_t x[16] = {};
  alignas(16) uint8_t q[16];
  float scale[16] = {};
  CallBuilder blocks;
  blocks.matrix("x", kBf16, false, 2, 8, x).matrix("q", kE4m3fn, true, 2, 8, q).matrix("scale", kF32, true, 2, 1, scale);
  EXPECT_EQ(blocks.run(cpu_library(), "quant_tile", "deepgemm.per_block_cast", "quant_block"), ASSAY_FAILED);
  EXPECT_STREQ(blocks.message(), "tensor 'scale' has shape [2, 1], expected [1, 1]");
  CallBuilder groups;
  groups.matrix("x", kBf16, false, 2, 8, x).matrix("q", kE4m3fn, true, 2, 8, q).matrix("scale", kF32, false, 1, 3, scale);
  EXPECT_EQ(groups.run(cpu_library(), "quant_static", "vllm.static_group", "quant_static.groups"), ASSAY_FAILED);
  EXPECT_STREQ(groups.message(), "scale [1, 3] does not divide x [2, 8] into equal groups");
}

}  // namespace

}  // namespace assay_kernels
