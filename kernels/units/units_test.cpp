// Tests the emulated instructions on inputs whose result was measured, is published, or can be derived by hand. Each test
// computes one element of D from a few products; all other operands are zero.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "kernels/units/mma.h"

namespace assay_kernels::units {
namespace {

struct Product {
  int k;
  double a, b;
};

/// The code of a value that the format can represent.
template <class F>
uint32_t code_of(double value) {
  if (value == 0) return std::signbit(value) ? F::kSign : 0u;
  int exponent = 0;
  const double significand = std::frexp(std::fabs(value), &exponent);
  const uint32_t code = rounded<F>(value < 0, uint64_t(std::ldexp(significand, 53)), exponent - 53, Rounding::kTowardZero);
  const Number back = number_of<F>(code);
  EXPECT_EQ(std::ldexp(double(back.significand), back.exponent - F::kMantissa), value) << "not representable in the format";
  return code;
}

/// Computes one element of d by one instruction.
template <class U>
uint32_t result(const std::vector<Product>& products, uint32_t c) {
  Number a[U::kK], b[U::kK];
  const auto put = [](int k, double x, double y, Number* a, Number* b) {
    using A = typename U::A;
    using B = typename U::B;
    a[k] = U::template factor<A>(number_of<A>(code_of<A>(x)), k), b[k] = U::template factor<B>(number_of<B>(code_of<B>(y)), k);
  };
  for (int k = 0; k < U::kK; ++k) put(k, 0, 0, a, b);
  for (const Product& p : products) put(p.k, p.a, p.b, a, b);
  return U::template element<U>(a, b, nullptr, nullptr, c);
}

template <class U>
uint32_t result(const std::vector<Product>& products, double c) {
  return result<U>(products, code_of<typename U::D>(c));
}

constexpr uint32_t kZero = 0;

// The sum 128 * 128 - 128 * 128 + 2^-4 * b shows how many fraction bits each instruction keeps: with one bit fewer, it is 0.
TEST(Units, KeepAsManyBitsOfAProductAsTheChipDoes) {
  const auto third = [](double b) { return std::vector<Product>{{0, 128, 128}, {1, -128, 128}, {2, 0x1p-4, b}}; };
  EXPECT_EQ(result<Sm70MmaF16F32>(third(0x1p-5), kZero), 0x3b000000u);
  EXPECT_EQ(result<Sm70MmaF16F32>(third(0x1p-6), kZero), 0u);
  EXPECT_EQ(result<Sm80MmaF16F32>(third(0x1p-6), kZero), 0x3a800000u);
  EXPECT_EQ(result<Sm80MmaF16F32>(third(0x1p-7), kZero), 0u);
  EXPECT_EQ(result<Sm90MmaF16F32>(third(0x1p-7), kZero), 0x3a000000u);
  EXPECT_EQ(result<Sm90MmaF16F32>(third(0x1p-8), kZero), 0u);
  EXPECT_EQ(result<Gfx90aMfmaF16F32>(third(0x1p-8), kZero), 0x39800000u);
}

TEST(Units, CutOffTowardZeroOnNvidiaAndDownOnCdna3) {
  const std::vector<Product> cancelled = {{0, 128, 128}, {1, -128, 128}};
  EXPECT_EQ(result<Sm90MmaF16F32>(cancelled, -0x1p-30), 0u);
  EXPECT_EQ(result<Sm90MmaF16F32>(cancelled, -1.5 * 0x1p-11), 0xba000000u);
  EXPECT_EQ(result<Gfx942MfmaF16F32>(cancelled, -0x1p-30), 0xba800000u);
  EXPECT_EQ(result<Gfx942MfmaF16F32>(cancelled, 0x1p-30), 0u);
  EXPECT_EQ(result<Gfx90aMfmaF16F32>(cancelled, -0x1p-30), 0xb0800000u);
  EXPECT_EQ((result<Gfx942MfmaE4m3fnuzF32>({{0, 128, 128}, {2, -128, 128}}, -0x1p-30)), 0u) << "fp8 drops such a small c";
}

TEST(Units, RoundTheirResultAsTheChipDoes) {
  const std::vector<Product> sum = {{0, 64, 64}, {1, 64, 64}, {2, 64, 64}, {3, 64, 64}};
  EXPECT_EQ(result<Sm90MmaF16F32>(sum, 0.75 * 0x1p-9), 0x46800000u);
  EXPECT_EQ(result<Gfx942MfmaF16F32>(sum, 0.75 * 0x1p-9), 0x46800001u);
  EXPECT_EQ(result<Sm90MmaF16F16>({{0, 128, 128}}, 12.0), 0x7401u) << "2^14 + 12 to steps of 16";
}

TEST(Units, AlignProductsByTheSumOfExponents) {
  EXPECT_EQ(result<Sm90MmaF16F32>({{0, 96, 192}, {1, -96, 192}}, 0x1p-12), 0x39800000u) << "by 13, not 14";
  EXPECT_EQ(result<Sm90MmaF16F32>({{0, 144, 128}, {1, -144, 128}}, 0x1p-12), 0u) << "by 14";
}

// 2^-9 is subnormal in e4m3 and normal in fp16. Two products with this value cancel; c or a third product is at or below their last bit.
TEST(Units, AlignSubnormalsOfE4m3AsNumbersOfF16WhereTheyAreUnpacked) {
  const std::vector<Product> cancelled = {{0, 0x1p-9, 1}, {1, -0x1p-9, 1}};
  EXPECT_EQ(result<Sm90MmaE4m3UnpackedF32>(cancelled, 0x1p-34), 0x2e800000u);
  EXPECT_EQ(result<Sm90MmaE4m3UnpackedF32>(cancelled, 0x1p-35), 0u);
  EXPECT_EQ(result<Sm120MmaE4m3F32>(cancelled, 0x1p-31), 0x30000000u) << "by the least exponent of e4m3";
  EXPECT_EQ(result<Sm120MmaE4m3F32>(cancelled, 0x1p-32), 0u);
  EXPECT_EQ(result<Sm90MmaE4m3E5m2F32>({{0, 0x1p-9, 0x1p15}, {1, -0x1p-9, 0x1p15}, {4, 0x1p-3, 0x1p-16}}, kZero), 0x36000000u);
  EXPECT_EQ(result<Sm90MmaE4m3E5m2F32>({{0, 0x1p-9, 0x1p15}, {1, -0x1p-9, 0x1p15}, {4, 0x1p-4, 0x1p-16}}, kZero), 0u);
  EXPECT_EQ(result<Sm90MmaE5m2F32>({{0, 0x1p-16, 0x1p15}, {1, -0x1p-16, 0x1p15}, {4, 0x1p-8, 0x1p-16}}, kZero), 0x33800000u)
      << "f16 has no smaller exponents than e5m2";
  EXPECT_EQ(result<Sm90MmaE5m2F32>({{0, 0x1p-16, 0x1p15}, {1, -0x1p-16, 0x1p15}, {4, 0x1p-9, 0x1p-16}}, kZero), 0u);
}

TEST(Units, TakeAZeroForNoTerm) {
  EXPECT_EQ(result<Sm90MmaBf16F32>({{0, 0.0, 0x1p100}, {1, 0x1p-60, 0x1p-60}}, kZero), 0x03800000u);
  EXPECT_EQ(result<Sm90MmaBf16F32>({{0, 0x1p-76, 0x1p-76},
                                    {1, 0x1p-76, 0x1p-76},
                                    {2, 0x1p-76, 0x1p-76},
                                    {3, 0x1p-76, 0x1p-76},
                                    {4, 0x1p-76, 0x1p-76},
                                    {5, 0x1p-76, 0x1p-76},
                                    {6, 0x1p-76, 0x1p-76},
                                    {7, 0x1p-76, 0x1p-76}},
                                   kZero),
            1u)
      << "the least exponent is -133, not -126";
}

TEST(Units, HopperKeepsThirteenBitsOfAnFp8Accumulator) {
  EXPECT_EQ(result<Sm90WgmmaE4m3F32>({}, 0x3f800001u), 0x3f800000u);
  EXPECT_EQ(result<Sm90WgmmaE4m3F32>({}, 0x7f7fffffu), 0x7f7ffc00u);
  EXPECT_EQ(result<Sm90MmaE4m3F32>({}, 0x3f800001u), 0x3f800001u);
  EXPECT_EQ(result<Sm90WgmmaE4m3F32>({{0, 64, 64}, {1, -64, 64}, {2, 1, 0.5}}, kZero), 0x3f000000u);
  EXPECT_EQ(result<Sm90WgmmaE4m3F32>({{0, 64, 64}, {1, -64, 64}, {2, 0.5, 0.5}}, kZero), 0u);
}

TEST(Units, OneNanZerosWithoutSignAndOverflow) {
  const uint32_t nan = 0xffc12345u;
  EXPECT_EQ(result<Sm90MmaBf16F32>({}, nan), 0x7fffffffu);
  EXPECT_EQ(result<Gfx942MfmaBf16F32>({}, nan), 0x7fc00000u);
  EXPECT_EQ(result<Sm90MmaBf16F32>({{0, -0.0, 1}}, 0x80000000u), 0u);
  EXPECT_EQ(result<Sm90MmaBf16F32>({{0, 1, 0x1p103}}, 0x7f7fffffu), 0x7f7fffffu);
  EXPECT_EQ(result<Sm90MmaBf16F32>({{0, 1, 0x1p104}}, 0x7f7fffffu), 0x7f800000u);
  EXPECT_EQ(result<Sm90MmaBf16F32>({{0, 0x1p127, 2}, {1, 0x1p127, -2}}, kZero), 0u) << "products have no limit";
  EXPECT_EQ(result<Gfx942MfmaBf16F32>({{0, 0x1p127, 2}, {1, 0x1p127, -2}}, kZero), 0x7fc00000u) << "products of 2^128 are Inf";
}

TEST(Units, EvenAndOddKHaveSumsOfTheirOwnInFp8OfCdna3) {
  EXPECT_EQ((result<Gfx942MfmaE4m3fnuzF32>({{0, 64, 64}, {2, -64, 64}, {1, -0x1p-7, 0x1p-6}}, kZero)), 0xb9800000u);
  EXPECT_EQ((result<Gfx942MfmaE4m3fnuzF32>({{0, 64, 64}, {2, -64, 64}, {4, -0x1p-7, 0x1p-6}}, kZero)), 0u);
}

TEST(Units, AddOnceByIeee) {
  EXPECT_EQ(added<F32>(0x3f800000u, 0x33800000u), 0x3f800000u) << "1 + 2^-24 ties to even";
  EXPECT_EQ(added<F32>(0x3f800001u, 0x33800000u), 0x3f800002u);
  EXPECT_EQ(added<F32>(0x3f800000u, 0x33800001u), 0x3f800001u);
  EXPECT_EQ(added<F32>(0x3f800000u, 0xa0000000u), 0x3f800000u);
  EXPECT_EQ(added<F32>(0x80000000u, 0x80000000u), 0x80000000u);
  EXPECT_EQ(added<F32>(0x80000000u, 0u), 0u);
  EXPECT_EQ(added<F16>(0x7bffu, 0x4c00u), 0x7c00u) << "65504 + 16";
  EXPECT_EQ(added<F16>(0x0001u, 0x8001u), 0u);
}

/// added<F32>() must give the bits of this machine's float addition.
TEST(Units, AddAsThisMachineDoes) {
  uint64_t state = 1;
  const auto next = [&] { return uint32_t((state = state * 6364136223846793005u + 1442695040888963407u) >> 32); };
  for (int i = 0; i < 1000000; ++i) {
    const uint32_t x = next(), y = i % 2 == 0 ? next() : (x ^ 0x80000000u) + next() % 0x02000000u;
    const float sum = simt::from_bits(x) + simt::from_bits(y);
    if (std::isnan(sum)) continue;
    ASSERT_EQ(added<F32>(x, y), simt::bits(sum)) << std::hex << x << " " << y;
  }
}

/// Calls mma() in a branch: the lanes of the warp must wait for each other there.
void in_a_branch(uint8_t* memory) {
  Tile<Sm90MmaF16F32, 32> d{};
  const Operands x{memory, memory, 32, 32};
  if (simt::thread() < 16)
    mma<Sm90MmaF16F32, 32>(d, x);
  else
    simt::shuffle_xor<32>(1.0f, 1);
}

TEST(Units, AreCalledByAllLanesTogether) {
  std::vector<uint8_t> memory(1024);
  try {
    simt::launch(in_a_branch, {1, 32, 32, nullptr, 1}, memory.data());
    FAIL() << "only half of the warp called mma()";
  } catch (const simt::cpu::Divergence& error) {
    EXPECT_NE(std::string(error.what()).find("wait at a tensor core instruction"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace assay_kernels::units
