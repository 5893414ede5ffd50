// Compares small kernels, compiled by clang for gfx942, with plain C++ loops. Also tests what the executor must reject or report.
#include "kernels/gcn_executor/executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>

#include "kernels/gcn_executor/program.h"
#include "kernels/gcn_executor/testing/machine.h"
#include "kernels/gcn_executor/wave.h"

namespace assay_gcn {
namespace {

uint64_t random_state = 1;
uint32_t random_word() {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return static_cast<uint32_t>(random_state >> 32);
}
template <class T>
std::vector<T> random_patterns(size_t count) {
  std::vector<T> values(count);
  for (T& value : values) {
    const uint64_t word = random_word() | static_cast<uint64_t>(random_word()) << 32;
    std::memcpy(&value, &word, sizeof value);
  }
  return values;
}
/// Random bit patterns mixed with special values and their neighbours.
std::vector<float> floats(size_t count) {
  std::vector<float> values = random_patterns<float>(count);
  const uint32_t specials[] = {0,          0x80000000, 1,          0x007FFFFF, 0x00800000, 0x7F7FFFFF,
                               0x7F800000, 0xFF800000, 0x7FC00000, 0x3F800000, 0x40000000};
  for (size_t i = 0; i < count; i += 7) std::memcpy(&values[i], &specials[i / 7 % std::size(specials)], 4);
  return values;
}

template <class T>
bool same(T a, T b) {  // all NaNs are equal
  return (a != a && b != b) || std::memcmp(&a, &b, sizeof a) == 0;
}

class GcnLanes : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (const std::string why = message_of([&] { lanes_of(GetParam()); }); !why.empty()) GTEST_SKIP() << why;
  }
  std::string options() const { return "lanes=" + GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(GcnExecutor, GcnLanes, testing::Values("portable", "AVX2", "AVX-512"),
                         [](const auto& name) { return name.param == "AVX-512" ? std::string("AVX512") : name.param; });

// LLVM builds IEEE division and square root from approximate instructions. The quotients and roots must be exact for every error of these instructions that the
// ISA allows.
TEST_P(GcnLanes, DivisionAndSquareRootAreIeee) {
  constexpr int kCount = 6000;
  const std::vector<float> x = floats(kCount), y = [&] {
    std::vector<float> values = floats(kCount + 3);
    values.erase(values.begin(), values.begin() + 3);
    return values;
  }();
  for (const char* approximate : {"nearest", "up", "down", "random"}) {
    Machine machine(options() + ",approximate=" + approximate);
    float *quotient = machine.buffer<float>(kCount), *root = machine.buffer<float>(kCount);
    machine.run("divide", (kCount + 255) / 256, 256, machine.buffer(x), machine.buffer(y), quotient, root, kCount);
    for (int i = 0; i < kCount; ++i) {
      ASSERT_TRUE(same(quotient[i], x[i] / y[i])) << x[i] << " / " << y[i] << ", " << approximate;
      ASSERT_TRUE(same(root[i], std::sqrt(x[i]))) << x[i] << ", " << approximate;
    }
    EXPECT_FALSE(machine.device.approximate_instructions().empty());
  }
}

TEST_P(GcnLanes, DivisionAndSquareRootOfDoublesAreIeee) {
  constexpr int kCount = 4000;
  const std::vector<double> x = random_patterns<double>(kCount), y = random_patterns<double>(kCount);
  Machine machine(options());
  double *quotient = machine.buffer<double>(kCount), *root = machine.buffer<double>(kCount);
  machine.run("divide64", (kCount + 255) / 256, 256, machine.buffer(x), machine.buffer(y), quotient, root, kCount);
  for (int i = 0; i < kCount; ++i) {
    ASSERT_TRUE(same(quotient[i], x[i] / y[i])) << x[i] << " / " << y[i];
    ASSERT_TRUE(same(root[i], std::sqrt(x[i]))) << x[i];
  }
}

TEST_P(GcnLanes, FusedMultiplyAdd) {
  constexpr int kCount = 4096;
  const std::vector<float> x = floats(kCount), y = floats(kCount), z = floats(kCount);
  Machine machine(options());
  float* out = machine.buffer<float>(kCount);
  machine.run("fused", 16, 256, machine.buffer(x), machine.buffer(y), machine.buffer(z), out, kCount);
  for (int i = 0; i < kCount; ++i) ASSERT_TRUE(same(out[i], std::fma(x[i], y[i], z[i]))) << x[i] << " " << y[i] << " " << z[i];
}

/// The nearest e4m3fnuz code, found by trying all codes. Out of range: NaN (0x80), or the largest value if `saturates`.
uint8_t nearest_fnuz(float x, bool saturates) {
  const auto value = [](int code) {
    return code >> 3 == 0 ? std::ldexp(code, -10) : std::ldexp(8 + (code & 7), (code >> 3) - 11);
  };
  const uint8_t sign = std::signbit(x) ? 0x80 : 0;
  const double magnitude = std::fabs(static_cast<double>(x));
  if (std::isnan(x)) return 0x80;
  if (magnitude >= 248) return saturates ? 0x7F | sign : 0x80;
  int code = 0;
  while (code < 0x7F && value(code + 1) <= magnitude) ++code;
  const double below = magnitude - value(code), above = code == 0x7F ? 1e9 : value(code + 1) - magnitude;
  if (above < below || (above == below && (code & 1) != 0)) ++code;
  return code == 0 ? 0 : static_cast<uint8_t>(code | sign);
}

TEST_P(GcnLanes, Fp8CodesAreNearestAndOverflowFollowsMode) {
  std::vector<float> x;
  for (uint32_t high = 0; high < 65536; high += 3)
    for (const uint32_t low : {0u, 1u, 0x8000u}) {
      const uint32_t word = high << 16 | low;
      float value;
      std::memcpy(&value, &word, 4);
      x.push_back(value);
    }
  if (x.size() % 2 != 0) x.push_back(0);
  const int n = static_cast<int>(x.size() / 2);
  for (const int saturates : {0, 1}) {
    Machine machine(options());
    auto* out = machine.buffer<unsigned short>(x.size() / 2);
    machine.run("to_fp8", static_cast<uint32_t>(n + 255) / 256, 256, machine.buffer(x), out, n, saturates);
    const auto* codes = reinterpret_cast<const uint8_t*>(out);
    for (size_t i = 0; i < x.size(); ++i) {
      if (saturates && std::isinf(x[i])) continue;  // the ISA saturates Inf, but libraries differ
      ASSERT_EQ(codes[i], nearest_fnuz(x[i], saturates != 0)) << x[i];
    }
  }
}

/// Executes the table's instruction `name` on sources that hold `words`, and returns the first lane's result.
uint32_t value_of(const LaneTable& table, const char* name, const State& state, std::initializer_list<uint32_t> words) {
  std::vector<std::vector<u32>> rows;
  for (const uint32_t word : words) rows.emplace_back(2 * kLanes, word);
  std::vector<const u32*> sources;
  for (const auto& one : rows) sources.push_back(one.data());
  std::vector<u32> result(4 * kLanes);
  for (size_t k = 0; k < table.count; ++k)
    if (std::string(table.entries[k].name) == name) return table.entries[k].body(sources.data(), result.data(), state), result[0];
  ADD_FAILURE() << name << " is not in the table";
  return 0;
}
float float_of(uint32_t word) {
  float value;
  std::memcpy(&value, &word, 4);
  return value;
}
uint32_t word_of(float value) {
  uint32_t word;
  std::memcpy(&word, &value, 4);
  return word;
}

// Counts ordered pairs of finite codes whose sum does not convert to a finite code. The expected counts were seen on hardware:
// rocm-systems issue 9556.
TEST_P(GcnLanes, SumsOfFp8CodesLeaveTheRangeAsOftenAsOnHardware) {
  const LaneTable& table = lanes_of(GetParam());
  const auto count = [&](uint32_t is_gfx950, bool is_bf8, uint32_t mode) {
    State state;
    state.mode = 0xF0u | mode;
    state.is_gfx950 = is_gfx950;
    const char *decode = is_bf8 ? "v_cvt_f32_bf8" : "v_cvt_f32_fp8", *encode = is_bf8 ? "v_cvt_pk_bf8_f32" : "v_cvt_pk_fp8_f32";
    float of_code[256];
    for (uint32_t code = 0; code < 256; ++code) of_code[code] = float_of(value_of(table, decode, state, {code}));
    int left = 0;
    for (const float x : of_code)
      for (const float y : of_code)
        if (std::isfinite(x) && std::isfinite(y))
          left += !std::isfinite(of_code[value_of(table, encode, state, {word_of(x + y), 0}) & 255]);
    return left;
  };
  EXPECT_EQ(count(0, false, 0), 496);
  EXPECT_EQ(count(0, true, 0), 120);
  EXPECT_EQ(count(1, false, 0), 436);
  EXPECT_EQ(count(1, true, 0), 120);
  EXPECT_EQ(count(0, false, kFp16Overflow), 0);
  EXPECT_EQ(count(1, true, kFp16Overflow), 0);
}

TEST_P(GcnLanes, InstructionsThatOnlyGfx950Has) {
  const LaneTable& table = lanes_of(GetParam());
  State state;
  state.mode = 0xF0u;
  state.is_gfx950 = 1;
  for (int round = 0; round < 200; ++round) {
    const uint32_t x = random_word(), y = random_word(), z = random_word(), truth = random_word() & 255;
    uint32_t expected = 0;
    for (unsigned bit = 0; bit < 32; ++bit) {
      const uint32_t row = (x >> bit & 1) << 2 | (y >> bit & 1) << 1 | (z >> bit & 1);
      expected |= (truth >> row & 1) << bit;
    }
    ASSERT_EQ(value_of(table, "v_bitop3_b32", state, {x, y, z, truth}), expected);
    const auto held = [](int64_t value, int64_t low, int64_t high) {
      return static_cast<uint32_t>(std::clamp(value, low, high)) & 255;
    };
    const int64_t a = static_cast<int32_t>(x) >> (z & 31), b = static_cast<int32_t>(y) >> (z & 31);
    ASSERT_EQ(value_of(table, "v_ashr_pk_i8_i32", state, {x, y, z}), held(a, -128, 127) | held(b, -128, 127) << 8);
    ASSERT_EQ(value_of(table, "v_ashr_pk_u8_i32", state, {x, y, z}), held(a, 0, 255) | held(b, 0, 255) << 8);
    // The instruction uses only the exponent of a scale and ignores its mantissa.
    const int exponent = static_cast<int>(random_word() % 40) - 20;
    const float value =
        std::ldexp(static_cast<float>(random_word() % 4096) - 2048, static_cast<int>(random_word() % 12) - 14 + exponent);
    const uint32_t scale = word_of(std::ldexp(1.0f, exponent)) | (random_word() & 0x7FFFFF);
    const uint32_t plain = value_of(table, "v_cvt_pk_fp8_f32", state, {word_of(std::ldexp(value, -exponent)), 0}) & 255;
    ASSERT_EQ(value_of(table, "v_cvt_scalef32_pk_fp8_f32", state, {word_of(value), 0, scale}) & 255, plain)
        << value << " " << exponent;
    const float back = float_of(value_of(table, "v_cvt_scalef32_pk_f32_fp8", state, {plain, scale}));
    ASSERT_TRUE(same(back, std::ldexp(float_of(value_of(table, "v_cvt_f32_fp8", state, {plain})), exponent)));
  }
}

TEST_P(GcnLanes, HalvesRoundOnce) {
  constexpr int kCount = 8192;
  Machine machine(options());
  const auto x = random_patterns<_Float16>(kCount), y = random_patterns<_Float16>(kCount), z = random_patterns<_Float16>(kCount);
  auto *sum = machine.buffer<_Float16>(kCount), *product = machine.buffer<_Float16>(kCount),
       *fma = machine.buffer<_Float16>(kCount);
  machine.run("half_arithmetic", 32, 256, machine.buffer(x), machine.buffer(y), machine.buffer(z), sum, product, fma, kCount);
  for (int i = 0; i < kCount; ++i) {
    const double a = static_cast<double>(x[i]), b = static_cast<double>(y[i]), c = static_cast<double>(z[i]);
    ASSERT_TRUE(same(sum[i], static_cast<_Float16>(a + b)));  // a + b is exact in a double
    ASSERT_TRUE(same(product[i], static_cast<_Float16>(a * b)));
    // long double has 64 bits, so this is exact for most elements; the other elements are not checked
    const long double exact = static_cast<long double>(a) * b + c;
    if (std::isfinite(static_cast<double>(exact)) && static_cast<long double>(a) * b == exact - c &&
        exact - static_cast<long double>(a) * b == c) {
      ASSERT_TRUE(same(fma[i], static_cast<_Float16>(exact))) << a << " " << b << " " << c;
    }
  }
}

uint32_t bits_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
bool is_signalling_nan(float x) { return x != x && (bits_of(x) & 0x400000) == 0; }

/// HIP kernels run in IEEE mode: a maximum with a signalling NaN is that NaN, made quiet; a quiet NaN loses against a number.
TEST_P(GcnLanes, ASignallingNanIsTheMaximumAndTheMinimum) {
  constexpr int kCount = 8192;
  Machine machine(options());
  std::vector<float> x = floats(kCount), y = floats(kCount);
  const uint32_t nans[] = {0x7F800001, 0xFF812345, 0x7FC00000};
  for (int i = 0; i < kCount; i += 5) std::memcpy(&(i % 2 ? x : y)[size_t(i)], &nans[i / 5 % 3], 4);
  auto *largest = machine.buffer<float>(kCount), *smallest = machine.buffer<float>(kCount),
       *middle = machine.buffer<float>(kCount);
  machine.run("extremes", 32, 256, machine.buffer(x), machine.buffer(y), largest, smallest, middle, kCount);
  int signalling = 0, numbers = 0;
  for (size_t i = 0; i < kCount; ++i) {
    const float a = x[i], b = y[i];
    if (is_signalling_nan(a) || is_signalling_nan(b)) {
      const uint32_t quiet = bits_of(is_signalling_nan(a) ? a : b) | 0x400000;
      ASSERT_EQ(bits_of(largest[i]), quiet) << i;
      ++signalling;
    } else if (a != a || b != b) {
      ASSERT_TRUE(same(largest[i], a != a ? b : a)) << i;
      ASSERT_TRUE(same(smallest[i], a != a ? b : a)) << i;
      ASSERT_TRUE(same(middle[i], std::fmin(a != a ? b : a, 1.0f))) << "the least of the three";
      ++numbers;
    } else {
      ASSERT_EQ(largest[i], std::max(a, b));
      ASSERT_EQ(smallest[i], std::min(a, b));
      ASSERT_EQ(middle[i], std::max(std::min(a, b), std::min(std::max(a, b), 1.0f)));
    }
  }
  EXPECT_GT(signalling, 500);
  EXPECT_GT(numbers, 200);
}

TEST_P(GcnLanes, ABitFieldBeyondTheWordIsFilledWithItsSign) {
  const std::vector<uint32_t> x = {0x80000000, 0x80000000, 0x40000000, 0xF0, 0xFFFFFFFF, 0x98E86300},
                              offset = {28, 31, 28, 4, 0, 14}, width = {8, 2, 8, 4, 0, 20};
  Machine machine(options());
  auto* out = machine.buffer<int>(x.size());
  machine.run("field", 1, 64, machine.buffer(x), machine.buffer(offset), machine.buffer(width), out, int(x.size()));
  EXPECT_EQ(std::vector<int>(out, out + x.size()), (std::vector<int>{-8, -1, 4, -1, 0, int(0xFFFE63A1)}));
}

TEST_P(GcnLanes, LanesDiverge) {
  constexpr int kCount = 1000;
  std::vector<int> trips(kCount);
  for (int& trip : trips) trip = static_cast<int>(random_word() % 200);
  Machine machine(options());
  int* out = machine.buffer<int>(kCount);
  machine.run("diverge", 4, 256, machine.buffer(trips), out, kCount);
  for (int i = 0; i < kCount; ++i) {
    int s = i;
    for (int k = 0; k < trips[static_cast<size_t>(i)]; ++k)
      s = s & 1 ? static_cast<int>(3u * static_cast<unsigned>(s) + 1) : s / 2 - k;
    ASSERT_EQ(out[i], s) << i;
  }
}

std::vector<int> numbers(size_t count) {
  std::vector<int> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<int>(i * i % 1009);
  return values;
}
int sum_of(const std::vector<int>& values, size_t begin, size_t count) {
  int sum = 0;
  for (size_t i = begin; i < begin + count; ++i) sum += values[i];
  return sum;
}

TEST(GcnExecutor, BarriersHoldUnderEverySchedule) {
  const std::vector<int> x = numbers(1024);
  for (const char* schedule : {"ahead", "lockstep", "random,seed=1", "random,seed=2"}) {
    Machine machine(std::string("races,schedule=") + schedule);
    int* out = machine.buffer<int>(1024);
    machine.run("tree", 4, 256, machine.buffer(x), out);
    for (size_t i = 0; i < 1024; ++i) ASSERT_EQ(out[i], sum_of(x, i / 256 * 256, 256)) << schedule;
    EXPECT_EQ(machine.device.races(), std::vector<std::string>()) << schedule;
  }
}

TEST(GcnExecutor, RacesAreNamedWithBothInstructions) {
  Machine machine("races");
  machine.run("racy_tree", 1, 256, machine.buffer(numbers(256)), machine.buffer<int>(256));
  ASSERT_FALSE(machine.device.races().empty());
  const std::string race = machine.device.races()[0];
  for (const char* text : {"race in racy_tree at LDS offset ", "ds_write", "ds_read", "racy_tree+0x", "nothing orders them"})
    EXPECT_NE(race.find(text), std::string::npos) << race;

  Machine groups("races");
  groups.run("racy_groups", 3, 64, groups.buffer<int>(1));
  ASSERT_EQ(groups.device.races().size(), 1u);
  EXPECT_NE(groups.device.races()[0].find("byte 0 of buffer 'buffer'"), std::string::npos) << groups.device.races()[0];

  Machine silent;  // race detector off
  silent.run("racy_tree", 1, 256, silent.buffer(numbers(256)), silent.buffer<int>(256));
  EXPECT_TRUE(silent.device.races().empty());
}

// Waves may use different bytes of one word. A read of another wave's byte must be reported, whichever wave wrote last.
TEST(GcnExecutor, BytesOfOneWordBelongToTheirWaves) {
  const auto races = [](const char* schedule, int by, int reads) {
    Machine machine(std::string("races,schedule=") + schedule);
    machine.run("bytes_of_waves", 1, 256, machine.buffer<unsigned char>(320), by, reads);
    return machine.device.races();
  };
  for (const char* schedule : {"ahead", "lockstep", "random,seed=1", "random,seed=2"}) {
    EXPECT_EQ(races(schedule, 0, 0), std::vector<std::string>()) << schedule;
    EXPECT_EQ(races(schedule, 0, 1), std::vector<std::string>()) << schedule;
    EXPECT_EQ(races(schedule, 3, 2), std::vector<std::string>()) << schedule;
    for (const int by : {1, 2, 3}) {
      const std::vector<std::string> found = races(schedule, by, 1);
      ASSERT_EQ(found.size(), 1u) << schedule << " " << by;
      EXPECT_NE(found[0].find("at LDS offset "), std::string::npos) << found[0];
      EXPECT_NE(found[0].find("wave " + std::to_string(by)), std::string::npos) << found[0];
    }
  }
}

TEST(GcnExecutor, AButterflyFor32LanesIsWrongOn64) {
  const std::vector<int> x = numbers(256);
  Machine machine;
  int *of_32 = machine.buffer<int>(256), *of_64 = machine.buffer<int>(256);
  machine.run("sum_of_32", 1, 256, machine.buffer(x), of_32);
  machine.run("sum_of_64", 1, 256, machine.buffer(x), of_64);
  for (size_t i = 0; i < 256; ++i) {
    EXPECT_EQ(of_64[i], sum_of(x, i / 64 * 64, 64));
    EXPECT_EQ(of_32[i], sum_of(x, i / 32 * 32, 32));
    EXPECT_NE(of_32[i], of_64[i]);
  }
}

TEST(GcnExecutor, AtomicsAndGroupsThatWait) {
  Machine machine("races");
  auto* counter = machine.buffer<unsigned>(1);
  auto* wide = machine.buffer<unsigned long long>(1);
  machine.run("count", 3, 200, counter, wide);
  EXPECT_EQ(*counter, 3u * 199 * 200 / 2);
  EXPECT_EQ(*wide, 599ull << 33);
  auto* flags = machine.buffer<unsigned>(5);
  machine.run("relay", 5, 64, flags);
  EXPECT_EQ(flags[0], 5u);
  EXPECT_EQ(machine.device.races(), std::vector<std::string>());
}

/// The turn of a group that only polls must end early. Otherwise it executes 200,000 instructions before the next group runs.
TEST(GcnExecutor, AGroupThatPollsLetsOthersRun) {
  for (const char* schedule : {"ahead", "lockstep", "random"}) {
    Machine machine(std::string("schedule=") + schedule);
    auto* flags = machine.buffer<unsigned>(9);
    machine.run("relay", 9, 64, flags);
    EXPECT_EQ(flags[0], 9u) << schedule;
    EXPECT_LT(machine.device.clock, 20000u) << schedule;
  }
}

TEST(GcnExecutor, PackedAtomicsRoundOnce) {
  // f16: 1 + 2^-11 is a tie; 1 + 3 * 2^-11 rounds up; 65504 + 16 is Inf; 2^-24 + 2^-24 stays subnormal.
  // bf16: 1 + 2^-8 is a tie; 1 + 3 * 2^-8 rounds up; the largest value twice is Inf; 2^-133 + 2^-133 stays subnormal.
  const struct {
    unsigned f16, bf16, x_f16, x_bf16, sum_f16, sum_bf16;
  } cases[] = {{0x3C00, 0x3F80, 0x1000, 0x3B80, 0x3C00, 0x3F80},
               {0x3C00, 0x3F80, 0x1600, 0x3C40, 0x3C02, 0x3F82},
               {0x7BFF, 0x7F7F, 0x4C00, 0x7F7F, 0x7C00, 0x7F80},
               {0x0001, 0x0001, 0x0001, 0x0001, 0x0002, 0x0002},
               {0x8000, 0x8000, 0x8000, 0x8000, 0x8000, 0x8000}};
  for (const auto& each : cases)
    for (const bool is_f16 : {true, false}) {
      Machine machine;
      const unsigned old = is_f16 ? each.f16 : each.bf16, x = is_f16 ? each.x_f16 : each.x_bf16;
      const unsigned sum = is_f16 ? each.sum_f16 : each.sum_bf16;
      const std::vector<unsigned> before(64, old << 16 | old);
      unsigned* const at[] = {machine.buffer(before), machine.buffer(before)};
      machine.run("add_pairs", 1, 64, at[0], at[1], machine.buffer(std::vector<unsigned>(64, x << 16 | x)));
      EXPECT_EQ(at[is_f16 ? 0 : 1][63], sum << 16 | sum) << old << " + " << x;
    }
}

TEST(GcnExecutor, AddressesOutsideOfBuffersStopTheKernel) {
  Machine machine;
  float *x = machine.buffer<float>(64), *out = machine.buffer<float>(64);
  machine.run("reads_behind", 1, 64, x, out, 0);
  const std::string why = message_of([&] { machine.run("reads_behind", 1, 64, x, out, 1); });
  for (const char* text : {"kernel reads_behind, group 0, wave 0", "global_load_dword", "load of 4 bytes",
                           "0 bytes past the end of buffer 'buffer' (256 bytes)", "lane 63"})
    EXPECT_NE(why.find(text), std::string::npos) << why;
}

TEST(GcnExecutor, AnUnknownInstructionStopsTheKernelWithItsText) {
  Machine machine;
  const std::string why = message_of([&] { machine.run("unknown_instruction", 1, 64, machine.buffer<float>(64)); });
  EXPECT_NE(why.find("v_cubeid_f32 v1, v1, v1, v1: not implemented: v_cubeid_f32"), std::string::npos) << why;
}

TEST(GcnExecutor, ScratchIsOfEachLane) {
  std::vector<int> index(64);
  for (int& i : index) i = static_cast<int>(random_word() % 32);
  Machine machine;
  int* out = machine.buffer<int>(64);
  machine.run("stack", 1, 64, machine.buffer(index), out);
  for (int i = 0; i < 64; ++i) EXPECT_EQ(out[i], index[static_cast<size_t>(i)] * index[static_cast<size_t>(i)] + i);
}

// All builds of the lane arithmetic must give the same bits on random patterns, including NaN payloads.
TEST(GcnExecutor, EveryInstructionHasTheSameBitsInEveryBuild) {
  const LaneTable& portable = portable_lanes();
  size_t compared = 0;
  for (const char* name : {"AVX2", "AVX-512"}) {
    if (!message_of([&] { lanes_of(name); }).empty()) continue;
    const LaneTable& other = lanes_of(name);
    ASSERT_EQ(other.count, portable.count);
    for (size_t k = 0; k < portable.count; ++k) {
      for (int round = 0; round < 40; ++round) {
        std::vector<u32> rows[4];
        const u32* sources[4];
        for (int s = 0; s < 4; ++s) {
          rows[s] = random_patterns<u32>(2 * kLanes);
          if (round % 2 == 0)
            for (size_t i = 0; i < rows[s].size(); i += 3)
              rows[s][i] = round % 4 == 0 ? rows[s][i] % 64 : rows[s][i] & 0xFF80FFFFu;
          sources[s] = rows[s].data();
        }
        State state;
        state.mode = kIeee | 0xF0u | (round % 3 == 0 ? u32{kFp16Overflow} : 0u);
        state.is_gfx950 = round % 5 == 0;
        std::vector<u32> a(4 * kLanes), b(4 * kLanes);
        portable.entries[k].body(sources, a.data(), state);
        other.entries[k].body(sources, b.data(), state);
        ASSERT_EQ(a, b) << portable.entries[k].name << " in " << name;
        ++compared;
      }
    }
  }
  if (compared == 0) GTEST_SKIP() << "this CPU has neither AVX2 nor AVX-512";
}

TEST(GcnExecutor, OptionsThatDoNotExistAreRefused) {
  EXPECT_NE(message_of([] { options_of("seeds=3"); }).find("option 'seeds=3': expected races, seed=N"), std::string::npos);
  EXPECT_NE(message_of([] { options_of("schedule=fast"); }).find("expected schedule=ahead|lockstep|random"), std::string::npos);
  EXPECT_NE(message_of([] { lanes_of("AVX9"); }).find("expected portable, or AVX2 or AVX-512"), std::string::npos);
}

TEST(GcnExecutor, WhatIsNoCodeObjectIsRefused) {
  Memory memory;
  const auto load = [&](const std::string& bytes) {
    return message_of([&] { CodeObject(bytes.data(), bytes.size(), memory); });
  };
  EXPECT_NE(load("\177ELF").find("cut off"), std::string::npos);
  EXPECT_NE(load(std::string(4096, 'x')).find("expected a 64-bit ELF file for AMDGPU"), std::string::npos);
  const std::string whole = bytes_of_file(ASSAY_TEST_KERNELS);
  for (size_t size = 64; size < whole.size(); size += 61) EXPECT_NE(load(whole.substr(0, size)), "") << size;
}

}  // namespace
}  // namespace assay_gcn
