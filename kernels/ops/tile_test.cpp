// Blocks of many rows and scales of given groups, against plain loops through the C ABI.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "kernels/simt/simt.h"
#include "kernels/testing/library.h"
#include "kernels/testing/oracle.h"

namespace assay_kernels {
namespace {

using testing::HasSubstr;

const assay_library& library() { return open_library(ASSAY_CPU_LIBRARY); }

std::vector<uint16_t> random_bf16(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<uint16_t> x(count);
  for (auto& e : x) e = simt::bf16_bits_from_float(std::ldexp(normal(random), int(random() % 16)));
  return x;
}
float value(uint16_t code) { return simt::float_from_bf16_bits(code); }

/// Whole blocks, blocks that an edge cuts off, rows that are no whole loads.
constexpr std::array<std::array<int64_t, 2>, 6> kShapes = {{{128, 128}, {256, 384}, {1, 1}, {129, 136}, {5, 1001}, {200, 77}}};

TEST(QuantBlock, TakesTheAmaxOfItsBlockAndWritesNothingBeyond) {
  for (const auto& [m, n] : kShapes)
    for (const int warp : {32, 64}) {
      const auto x = random_bf16(size_t(m * n), uint32_t(m + n));
      const int64_t rows = (m + 127) / 128, columns = (n + 127) / 128;
      std::vector<uint8_t> q(x.size() + 1, 0xa5);
      std::vector<float> scale(size_t(rows * columns) + 1, -1.0f), amax(scale.size(), 0.0f);
      CallBuilder call;
      call.matrix("x", kBf16, false, m, n, x.data()).matrix("q", kE4m3fn, true, m, n, q.data());
      call.matrix("scale", kF32, true, rows, columns, scale.data()).parameter("warp", warp);
      ASSERT_EQ(call.run(library(), "quant_tile", "deepgemm.per_block_cast", "quant_block"), ASSAY_OK) << call.message();
      const auto block = [&, n = n](size_t i) { return size_t(int64_t(i) / n / 128 * columns + int64_t(i) % n / 128); };
      for (size_t i = 0; i < x.size(); ++i) amax[block(i)] = std::fmax(amax[block(i)], std::fabs(value(x[i])));
      for (size_t b = 0; b + 1 < scale.size(); ++b) ASSERT_EQ(scale[b], amax[b] / 448.0f) << m << "x" << n << " block " << b;
      for (size_t i = 0; i < x.size(); ++i)
        ASSERT_EQ(q[i], oracle::e4m3fn_nosat(value(x[i]) * (1.0f / scale[block(i)]))) << m << "x" << n << " element " << i;
      EXPECT_EQ(q.back(), 0xa5);
      EXPECT_EQ(scale.back(), -1.0f);
    }
}

TEST(QuantBlock, OfOneNaNIsAllNaNAndItsNeighbourIsNot) {
  auto x = random_bf16(128 * 256, 7);
  x[100 * 256 + 3] = 0x7fc0;
  std::vector<uint8_t> q(x.size());
  std::vector<float> scale(2);
  CallBuilder call;
  call.matrix("x", kBf16, false, 128, 256, x.data()).matrix("q", kE4m3fn, true, 128, 256, q.data());
  call.matrix("scale", kF32, true, 1, 2, scale.data()).parameter("warp", 32);
  ASSERT_EQ(call.run(library(), "quant_tile", "deepgemm.per_block_cast", "quant_block"), ASSAY_OK) << call.message();
  EXPECT_TRUE(std::isnan(scale[0]));
  EXPECT_FALSE(std::isnan(scale[1]));
  for (size_t i = 0; i < q.size(); ++i) ASSERT_EQ((q[i] & 0x7f) == 0x7f, i % 256 < 128) << i;
}

struct Groups {
  int64_t m, n, rows, columns;  ///< of x, and of a group
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
      const auto x = random_bf16(size_t(g.m * g.n), uint32_t(g.n));
      std::vector<uint8_t> q(x.size() + 1, 0xa5);
      std::vector<float> scale(name == "one" ? 1 : size_t(rows * columns));
      for (size_t i = 0; i < scale.size(); ++i) scale[i] = 0.3f + float(i % 89) * 0.7f;
      CallBuilder call;
      call.matrix("x", kBf16, false, g.m, g.n, x.data()).matrix("q", kE4m3fn, true, g.m, g.n, q.data());
      call.tensor("scale", kF32, false, {rows, columns}, strides, scale.data(), scale.size() * 4).parameter("warp", 32);
      ASSERT_EQ(call.run(library(), "quant_static", "vllm.static_group", "quant_static.groups"), ASSAY_OK) << call.message();
      for (int64_t i = 0; i < g.m * g.n; ++i) {
        const float s = scale[size_t(i / g.n / g.rows * strides[0] + i % g.n / g.columns * strides[1])];
        const float v = std::fmax(std::fmin(value(x[size_t(i)]) * (1.0f / s), 448.0f), -448.0f);
        ASSERT_EQ(q[size_t(i)], oracle::e4m3fn_sat(v)) << g.rows << "x" << g.columns << " " << layout << " element " << i;
      }
      EXPECT_EQ(q.back(), 0xa5);
    }
}

/// Scales whose bits say where they stand: exponent field and, if asked for, mantissa and sign.
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
        ASSERT_EQ(call.run(library(), "pack_scales", contract, "pack_scales"), ASSAY_OK) << call.message();
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
    EXPECT_EQ(call.run(library(), "pack_scales", contract, "pack_scales"), ASSAY_OK) << call.message();
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
    ASSERT_EQ(call.run(library(), "pack_scales", "deepgemm.mn_major_tma_aligned_f32", "pack_scales"), ASSAY_OK) << call.message();
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
  EXPECT_EQ(blocks.run(library(), "quant_tile", "deepgemm.per_block_cast", "quant_block"), ASSAY_FAILED);
  EXPECT_STREQ(blocks.message(), "tensor 'scale' has shape [2, 1], expected [1, 1]");
  CallBuilder groups;
  groups.matrix("x", kBf16, false, 2, 8, x).matrix("q", kE4m3fn, true, 2, 8, q).matrix("scale", kF32, false, 1, 3, scale);
  EXPECT_EQ(groups.run(library(), "quant_static", "vllm.static_group", "quant_static.groups"), ASSAY_FAILED);
  EXPECT_STREQ(groups.message(), "scale [1, 3] does not divide x [2, 8] into groups");
}

}  // namespace
}  // namespace assay_kernels
