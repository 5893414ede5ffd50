// The CPU library through its own door, against plain loops: it quantizes by groups and by rows, with 32 and 64 lanes, and says
// what is wrong with a call.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "kernels/testing/oracle.h"
#include "kernels/testing/quantized.h"

namespace assay_kernels {
namespace {

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
          for (int64_t j = 0; j < group; ++j) amax = std::fmax(amax, std::fabs(value(x[size_t(g * group + j)])));
          const float s = amax / 448.0f;
          ASSERT_EQ(out.scale[size_t(g)], simt::bits(s)) << kernel << " warp " << warp << " group " << g;
          for (int64_t j = 0; j < group; ++j) {
            const size_t i = size_t(g * group + j);
            ASSERT_EQ(out.q[i], oracle::e4m3fn_sat(std::fmin(std::fmax(value(x[i]) / s, -448.0f), 448.0f)))
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
        std::fill(x.begin(), x.begin() + 128, uint16_t(0));  // a group of zeros: byte 94
        const auto out = quantize(kernel, "vllm.group_fp8_packed", x, m, n, 128, Layout::kPacked, warp);
        for (int64_t p = 0; p < words; ++p)
          for (int64_t r = 0; r < aligned; ++r) {
            if (p == words - 1 && r >= m) continue;  // beyond the allocation
            uint32_t word = 0;
            for (int64_t k = 0; r < m && k < 4 && 4 * p + k < groups; ++k) {
              double amax = 1e-10f;
              for (int64_t j = 0; j < 128; ++j)
                amax = std::fmax(amax, std::fabs(value(x[size_t(r * n + (4 * p + k) * 128 + j)])));
              int e = -33;  // 2^-33 is the floor
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

/// One group of 128: amax 448 in element 0, `special` in element 1. Its scale and the code of the special element.
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
      ASSERT_EQ(call.parameter("warp", warp).run(library(), "quant_group", "vllm.per_token", "quant_token"), ASSAY_OK)
          << call.message();
      for (int64_t r = 0; r < m; ++r) {
        float amax = 0;
        for (int64_t j = 0; j < n; ++j) amax = std::fmax(amax, std::fabs(value(x[size_t(r * n + j)])));
        ASSERT_EQ(scale[size_t(r)], std::fmax(amax / 448.0f, 1.0f / (448.0f * 512.0f)));
        for (int64_t j = 0; j < n; ++j) {
          const size_t i = size_t(r * n + j);
          ASSERT_EQ(q[i], oracle::e4m3fn_sat(std::fmax(std::fmin(value(x[i]) / scale[size_t(r)], 448.0f), -448.0f))) << i;
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
  EXPECT_EQ(call.run(library(), "quant_group", "vllm.per_token_ub", "quant_token"), ASSAY_FAILED);
  EXPECT_THAT(call.message(), HasSubstr("no parameter 'scale_ub'"));
  call.parameter("scale_ub", 2);
  ASSERT_EQ(call.run(library(), "quant_group", "vllm.per_token_ub", "quant_token"), ASSAY_OK) << call.message();
  for (float s : scale) EXPECT_EQ(s, 2.0f / 448.0f);
  for (size_t i = 0; i < q.size(); ++i)
    ASSERT_EQ(q[i], oracle::e4m3fn_sat(std::fmax(std::fmin(value(x[i]) / scale[0], 448.0f), -448.0f))) << i;
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
                            .run(library(), "quant_group", "vllm.group_fp8", "quant_group.register");
    return Answer(status, c.message());
  };
  EXPECT_EQ(call(128, 32, x), Answer(ASSAY_FAILED, "group_size 128 does not divide the row of 192"));
  EXPECT_EQ(call(96, 32, x), Answer(ASSAY_UNSUPPORTED, "groups of 32, 64 or 128 elements only"));
  EXPECT_EQ(call(96, 16, x), Answer(ASSAY_UNSUPPORTED, "no warps of 16 lanes here"));
  EXPECT_EQ(call(96, 32, x + 1), Answer(ASSAY_UNSUPPORTED, "tensor 'x' is not aligned to 16 bytes"));
  EXPECT_EQ(call(64, 32, x), Answer(ASSAY_FAILED, "tensor 'scale' has shape [1, 2], expected [1, 3]"));
  CallBuilder c;
  EXPECT_EQ(c.run(library(), "quant_group", "vllm.group_fp8", "nobody"), ASSAY_UNSUPPORTED);
  EXPECT_THAT(c.message(), HasSubstr("no kernel 'nobody'"));
  EXPECT_EQ(c.run(library(), "quant_group", "vllm.group_fp8", "quant_group.register"), ASSAY_FAILED) << "no skip";
  EXPECT_STREQ(c.message(), "the call has no tensor 'x'");
}

}  // namespace
}  // namespace assay_kernels
