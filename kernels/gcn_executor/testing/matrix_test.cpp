// Compares gfx950's matrix instructions, compiled by clang, with sums of doubles. This file defines the register layouts
// independently of build_matrix.cpp.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "kernels/gcn_executor/testing/machine.h"

namespace assay_gcn {
namespace {

constexpr const char* kModels[] = {"as_gfx942", "one_rounding", "each_product"};

/// A narrow float format: exponent bits, mantissa bits, bias.
struct Narrow {
  int exponent, mantissa, bias;
  int bits() const { return 1 + exponent + mantissa; }
  double value(uint32_t code) const {
    const int fraction = static_cast<int>(code & ((1u << mantissa) - 1)),
              field = static_cast<int>(code >> mantissa & ((1u << exponent) - 1));
    const double magnitude =
        field == 0 ? std::ldexp(fraction, 1 - bias - mantissa) : std::ldexp(fraction + (1 << mantissa), field - bias - mantissa);
    return code >> (bits() - 1) & 1 ? -magnitude : magnitude;
  }
};
/// Formats in the order of cbsz and blgp: e4m3, e5m2, e2m3, e3m2, e2m1.
constexpr Narrow kFormats[] = {{4, 3, 7}, {5, 2, 15}, {2, 3, 1}, {3, 2, 3}, {2, 1, 1}};

struct Random {
  uint64_t state = 7;
  uint32_t operator()(uint32_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state >> 33) % below;
  }
};

/// A matrix of `lines` rows and `length` columns of codes, with a scale for each 32 codes of a row.
struct Codes {
  int lines, length;
  Narrow format;
  std::vector<uint32_t> code;
  std::vector<uint8_t> scale;

  Codes(int rows, int k, const Narrow& of)
      : lines(rows),
        length(k),
        format(of),
        code(static_cast<size_t>(rows) * static_cast<size_t>(k)),
        scale(code.size() / 32, 127) {}
  uint32_t& at(int line, int k) { return code[static_cast<size_t>(line) * static_cast<size_t>(length) + static_cast<size_t>(k)]; }
  uint8_t& scale_at(int line, int k) {
    return scale[(static_cast<size_t>(line) * static_cast<size_t>(length) + static_cast<size_t>(k)) / 32];
  }
  double value(int line, int k) {
    const int e = scale_at(line, k);
    return e == 255 ? std::numeric_limits<double>::quiet_NaN() : std::ldexp(format.value(at(line, k)), e - 127);
  }
  /// Random codes whose products have similar exponents, so that their sums are exact in double.
  void fill(Random& random, bool scales) {
    for (uint32_t& c : code) {
      const uint32_t field =
          format.exponent > 3 ? static_cast<uint32_t>(format.bias - 3) + random(7) : random(1u << format.exponent);
      c = random(2) << (format.bits() - 1) | field << format.mantissa | random(1u << format.mantissa);
    }
    for (uint8_t& s : scale) s = scales ? static_cast<uint8_t>(125 + random(5)) : uint8_t{127};
  }
  /// The 64 lanes' registers, with 32 codes of a row each. For 8-bit codes, registers 4-7 hold 16 codes that begin k / 2 after those in registers 0-3.
  std::vector<std::array<uint32_t, 8>> registers() {
    std::vector<std::array<uint32_t, 8>> lanes(64);
    const int bits = format.bits(), groups = 64 / lines;
    for (int line = 0; line < lines; ++line)
      for (int k = 0; k < length; ++k) {
        int group = k / 32, place = k % 32;
        if (bits == 8) group = k % (16 * groups) / 16, place = k % 16 + (k >= 16 * groups ? 16 : 0);
        auto& words = lanes[static_cast<size_t>(line + lines * group)];
        const uint64_t shifted = static_cast<uint64_t>(at(line, k)) << bits * place % 32;
        words[static_cast<size_t>(bits * place / 32)] |= static_cast<uint32_t>(shifted);
        if (shifted >> 32 != 0) words[static_cast<size_t>(bits * place / 32 + 1)] |= static_cast<uint32_t>(shifted >> 32);
      }
    return lanes;
  }
  /// Scale words of the 64 lanes: lane `line + lines * block` has that block's scale in byte `byte`, and random other bytes.
  std::vector<uint32_t> scales(int byte, Random& random) {
    std::vector<uint32_t> words(64);
    for (int lane = 0; lane < 64; ++lane) {
      uint32_t& word = words[static_cast<size_t>(lane)];
      word = random(1u << 31);
      word &= ~(255u << 8 * byte);
      word |= static_cast<uint32_t>(scale_at(lane % lines, 32 * (lane / lines))) << 8 * byte;
    }
    return words;
  }
};

/// Index of element (line, column) of D in the lanes' registers: lane * registers per lane + register.
size_t place_of(int size, int line, int column) {
  const int groups = 64 / size, registers = size * size / 64, lane = column + size * (line / 4 % groups);
  return static_cast<size_t>(lane * registers + line % 4 + 4 * (line / (4 * groups)));
}

float expected(const char* model, int length, const std::function<double(int)>& product, float c) {
  if (std::string(model) == "each_product") {
    for (int k = 0; k < length; ++k) c = static_cast<float>(c + product(k));
    return c;
  }
  double sum = c;
  for (int k = 0; k < length; ++k) sum += product(k);
  return static_cast<float>(sum);
}

/// Runs `kernel` and compares each element of D with the sum of products of a and b.
void compare(const char* model, const std::string& kernel, int size, Codes a, Codes b, int byte_a, int byte_b,
             bool small_integers) {
  Random random;
  Machine machine(std::string("matrix=") + model, ASSAY_TEST_KERNELS_GFX950);
  std::vector<float> c(static_cast<size_t>(size) * static_cast<size_t>(size));
  for (float& x : c)
    x = small_integers ? static_cast<float>(random(9)) - 4 : std::ldexp(static_cast<float>(random(1 << 20)) - (1 << 19), -16);
  float* d = machine.buffer(c);
  auto *x = machine.buffer(a.registers()), *y = machine.buffer(b.registers());
  auto *of_x = machine.buffer(a.scales(byte_a, random)), *of_y = machine.buffer(b.scales(byte_b, random));
  if (kernel == "unscaled_16")
    machine.run(kernel, 1, 64, x, y, d);
  else
    machine.run(kernel, 1, 64, x, y, d, of_x, of_y);
  for (int line = 0; line < size; ++line)
    for (int column = 0; column < size; ++column) {
      const size_t at = place_of(size, line, column);
      const float wanted = expected(
          model, a.length, [&](int k) { return a.value(line, k) * b.value(column, k); }, c[at]);
      if (std::isnan(wanted))
        ASSERT_TRUE(std::isnan(d[at])) << kernel << " " << model << " row " << line << " column " << column;
      else
        ASSERT_EQ(d[at], wanted) << kernel << " " << model << " row " << line << " column " << column;
    }
}

struct ScaledCase {
  int a, b, byte_a, byte_b;  ///< as in SCALED of kernels.hip
};
constexpr ScaledCase kScaled[] = {{0, 0, 0, 0}, {0, 1, 1, 2}, {2, 3, 3, 0}, {4, 4, 2, 1}, {4, 0, 0, 3}, {3, 2, 1, 1}};

TEST(GcnMatrix, ScaledProductsOfEveryFormatAndScaleByte) {
  Random random;
  for (const ScaledCase& one : kScaled)
    for (const int size : {16, 32}) {
      Codes a(size, size == 16 ? 128 : 64, kFormats[one.a]), b(size, a.length, kFormats[one.b]);
      a.fill(random, true);
      b.fill(random, true);
      a.scale_at(3, 32) = 255;
      const std::string kernel = "scaled_" + std::to_string(size) + "_" + std::to_string(one.a) + "_" + std::to_string(one.b);
      for (const char* model : {"one_rounding", "each_product"})
        compare(model, kernel, size, a, b, one.byte_a, one.byte_b, false);
    }
}

// Sums of small integers are exact in every model, so they show whether every product is added.
TEST(GcnMatrix, SumsOfSmallIntegersAreExactInEveryModel) {
  Random random;
  for (const ScaledCase& one : kScaled)
    for (const int size : {16, 32}) {
      Codes a(size, size == 16 ? 128 : 64, kFormats[one.a]), b(size, a.length, kFormats[one.b]);
      for (Codes* m : {&a, &b})
        for (uint32_t& code : m->code)
          code = static_cast<uint32_t>(m->format.bias + static_cast<int>(random(2))) << m->format.mantissa |
                 random(2) << (m->format.bits() - 1);
      const std::string kernel = "scaled_" + std::to_string(size) + "_" + std::to_string(one.a) + "_" + std::to_string(one.b);
      for (const char* model : kModels) compare(model, kernel, size, a, b, one.byte_a, one.byte_b, true);
      if (one.a == 0 && one.b == 0 && size == 16)
        for (const char* model : kModels) compare(model, "unscaled_16", size, a, b, 0, 0, true);
    }
}

/// Element [0, 0] of a 16 x 16 x 128 e4m3 GEMM with these factors in the first row of A and the first column of B, and this c.
float element(const char* model, const std::vector<std::pair<uint32_t, uint32_t>>& products, float c) {
  Codes a(16, 128, kFormats[0]), b = a;
  for (size_t k = 0; k < products.size(); ++k) {
    a.at(0, static_cast<int>(k)) = products[k].first;
    b.at(0, static_cast<int>(k)) = products[k].second;
  }
  Machine machine(std::string("matrix=") + model, ASSAY_TEST_KERNELS_GFX950);
  std::vector<float> sums(256);
  sums[0] = c;
  float* d = machine.buffer(sums);
  machine.run("unscaled_16", 1, 64, machine.buffer(a.registers()), machine.buffer(b.registers()), d);
  return d[0];
}

TEST(GcnMatrix, TheModelsDiffer) {
  constexpr uint32_t kMost = 0x7E, kLeast = 0x01;  // 448 and 2^-9
  // 448^2 + 2^-18 - 448^2: depending on the model, the result is 2^-18 or 0.
  const std::vector<std::pair<uint32_t, uint32_t>> cancels = {{kMost, kMost}, {kLeast, kLeast}, {kMost | 0x80, kMost}};
  EXPECT_EQ(element("one_rounding", cancels, 0), std::ldexp(1.0f, -18));
  EXPECT_EQ(element("each_product", cancels, 0), 0.0f);
  EXPECT_EQ(element("as_gfx942", cancels, 0), 0.0f);
  // 128 products of 2^-18 and c = 256: each is below half an ulp of 256 (2^-16), but their sum is 2^-11.
  const std::vector<std::pair<uint32_t, uint32_t>> many(128, {kLeast, kLeast});
  EXPECT_EQ(element("one_rounding", many, 256), 256 + std::ldexp(1.0f, -11));
  EXPECT_EQ(element("each_product", many, 256), 256.0f);
  EXPECT_EQ(element("as_gfx942", many, 256), 256 + std::ldexp(1.0f, -11));
}

/// Each lane holds `part` consecutive elements: lane `line + size * (k / part)` holds element k of row `line`.
template <class T>
void compare_plain(const char* kernel, int size, int length, double scale) {
  Random random;
  const int part = length * size / 64;
  for (const char* model : kModels) {
    const bool integers = std::string(model) == "as_gfx942";
    std::vector<T> a(static_cast<size_t>(size * length)), b = a;
    for (auto* m : {&a, &b})
      for (T& v : *m)
        v = static_cast<T>((static_cast<double>(random(integers ? 7u : 200u)) - (integers ? 3 : 100)) * (integers ? 1 : scale));
    const auto of = [&](const std::vector<T>& m, int line, int k) {
      return static_cast<double>(m[static_cast<size_t>((line + size * (k / part)) * part + k % part)]);
    };
    Machine machine(std::string("matrix=") + model, ASSAY_TEST_KERNELS_GFX950);
    std::vector<float> c(static_cast<size_t>(size) * static_cast<size_t>(size), 3.0f);
    float* d = machine.buffer(c);
    machine.run(kernel, 1, 64, machine.buffer(a), machine.buffer(b), d);
    for (int line = 0; line < size; ++line)
      for (int column = 0; column < size; ++column) {
        const float wanted = expected(
            model, length, [&](int k) { return of(a, line, k) * of(b, column, k); }, 3.0f);
        ASSERT_EQ(d[place_of(size, line, column)], wanted) << kernel << " " << model << " row " << line << " column " << column;
      }
  }
}

/// bf16: the upper half of an f32.
struct Bf16 {
  uint16_t bits = 0;
  Bf16() = default;
  explicit Bf16(double value) {
    const float exact = static_cast<float>(value);
    uint32_t word = 0;
    std::memcpy(&word, &exact, 4);
    bits = static_cast<uint16_t>(word >> 16);
  }
  explicit operator double() const {
    const uint32_t word = uint32_t{bits} << 16;
    float value = 0;
    std::memcpy(&value, &word, 4);
    return value;
  }
};

TEST(GcnMatrix, HalvesOnGfx950) {
  compare_plain<_Float16>("plain_f16", 16, 32, 1.0 / 64);
  compare_plain<Bf16>("plain_bf16", 32, 16, 1.0 / 64);
}

TEST(GcnMatrix, WithoutAModelTheKernelStops) {
  Machine machine("", ASSAY_TEST_KERNELS_GFX950);
  const std::string why = message_of(
      [&] { machine.run("plain_fp8", 1, 64, machine.buffer<long>(64), machine.buffer<long>(64), machine.buffer<float>(256)); });
  EXPECT_NE(why.find("choose a candidate model by matrix=as_gfx942, one_rounding or each_product"), std::string::npos) << why;
  EXPECT_NE(message_of([] { options_of("matrix=exact"); }).find("expected matrix=as_gfx942|one_rounding|each_product"),
            std::string::npos);
}

// Converts f32 to fp4 by v_cvt_scalef32_pk_fp4_*, and back, through the builtins that HIP uses.
TEST(GcnMatrix, Fp4CodesAreNearestAndEveryByteIsReached) {
  constexpr int kCount = 4096;
  Random random;
  std::vector<float> x(8 * kCount), scale(kCount);
  for (size_t i = 0; i < x.size(); ++i) {
    if (i % 8 == 0) scale[i / 8] = std::ldexp(1.0f, static_cast<int>(random(60)) - 30);
    const float number = static_cast<float>(random(4096)) / 512 - 4;
    x[i] = (i % 5 == 0 ? static_cast<float>(random(33)) / 2 - 8 : number * 1.75f) * scale[i / 8];
    if (i % 97 == 0) x[i] = random(2) != 0 ? HUGE_VALF : -HUGE_VALF;
  }
  Machine machine("", ASSAY_TEST_KERNELS_GFX950);
  auto* packed = machine.buffer<uint32_t>(kCount);
  auto* back = machine.buffer<float>(8 * kCount);
  machine.run("to_fp4", kCount / 256, 256, machine.buffer(x), machine.buffer(scale), packed, back);
  const auto value = [](uint32_t code) { return kFormats[4].value(code); };
  for (size_t i = 0; i < x.size(); ++i) {
    const double wanted = static_cast<double>(x[i]) / scale[i / 8], magnitude = std::fabs(wanted);
    uint32_t best = 7;
    for (uint32_t code = 7; code-- > 0;) {
      const double far = std::fabs(value(best) - magnitude), near = std::fabs(value(code) - magnitude);
      if (near < far || (near == far && code % 2 == 0)) best = code;
    }
    const uint32_t code = packed[i / 8] >> 4 * (i % 8) & 15,
                   expected_code = (std::isinf(wanted) ? 7u : best) | (std::signbit(wanted) ? 8u : 0u);
    ASSERT_EQ(code, expected_code) << x[i] << " with scale " << scale[i / 8];
    ASSERT_EQ(back[i], static_cast<float>(value(code) * scale[i / 8])) << code;
  }
}

TEST(GcnMatrix, Fp8OnGfx950) {
  Random random;
  for (const char* model : {"one_rounding", "each_product"}) {
    Codes a(16, 32, kFormats[0]), b = a;
    a.fill(random, false);
    b.fill(random, false);
    std::vector<uint64_t> x(64), y(64);
    for (int line = 0; line < 16; ++line)
      for (int k = 0; k < 32; ++k) {
        x[static_cast<size_t>(line + 16 * (k / 8))] |= static_cast<uint64_t>(a.at(line, k)) << 8 * (k % 8);
        y[static_cast<size_t>(line + 16 * (k / 8))] |= static_cast<uint64_t>(b.at(line, k)) << 8 * (k % 8);
      }
    Machine machine(std::string("matrix=") + model, ASSAY_TEST_KERNELS_GFX950);
    float* d = machine.buffer(std::vector<float>(256, 1.0f));
    machine.run("plain_fp8", 1, 64, machine.buffer(x), machine.buffer(y), d);
    for (int line = 0; line < 16; ++line)
      for (int column = 0; column < 16; ++column) {
        const float wanted = expected(
            model, 32, [&](int k) { return a.value(line, k) * b.value(column, k); }, 1.0f);
        ASSERT_EQ(d[place_of(16, line, column)], wanted) << model << " row " << line << " column " << column;
      }
  }
}

}  // namespace
}  // namespace assay_gcn
