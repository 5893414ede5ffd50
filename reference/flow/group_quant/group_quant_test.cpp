// Compares group quantization with MPFR programs.
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <sstream>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/flow/row.h"
#include "reference/testing/contract_tables.h"
#include "reference/testing/legal_results.h"
#include "reference/testing/mpfr_programs.h"
#include "reference/testing/quant_programs.h"

namespace assay::quant_twin {

// Compares group quantizations with hand-written programs.

namespace {

using namespace quant_programs;

/// vLLM's packed UE8M0 quantization: the scale is rounded up to a power of two.
Group group_fp8_packed(const std::vector<double>& x) {
  double y = fl(Real(amax_of(x)) / 448);
  const double floor = fl(Real("1e-10"));
  if (y < floor) y = floor;
  Group g{std::isinf(y) ? y : 0x1p-149, {}};
  while (g.scale < y) g.scale *= 2;
  const double inverse = std::isinf(g.scale) ? 0 : fl(Real(1) / Real(g.scale));
  for (double v : x)
    g.codes.push_back(e4m3(max_then_min(std::isinf(v) && inverse == 0 ? std::nan("") : fl(Real(v) * Real(inverse)))));
  return g;
}

using Twin = std::function<Group(const std::vector<double>&)>;

std::string disagreement(const char* id, const Twin& twin, const std::vector<std::vector<double>>& rows, int64_t group_size,
                         const Format& x) {
  for (const auto& row : rows) {
    const RowOutputs out = evaluated(id, row, group_size, x);
    for (size_t g = 0; g < out.scale.size(); ++g) {
      const auto begin = row.begin() + long(g) * group_size;
      const Group expected = twin(std::vector<double>(begin, begin + group_size));
      std::ostringstream where;
      where << std::hexfloat << id << " " << x.name << " group " << g << ": ";
      if (!out.scale[g].pinned() || !same_number(out.scale[g].low, expected.scale)) {
        where << "scale " << out.scale[g].low << " .. " << out.scale[g].high << " for " << expected.scale;
        return where.str();
      }
      for (size_t i = 0; i < size_t(group_size); ++i) {
        const Span q = out.q[g * size_t(group_size) + i];
        if (q.pinned() && code_of(kE4M3Fn, q.low) == expected.codes[i]) continue;
        where << "x = " << *(begin + long(i)) << " gives " << q.low << " .. " << q.high << " for code " << expected.codes[i];
        return where.str();
      }
    }
  }
  return {};
}

TEST(QuantTwin, Fp32AndPackedRowsEqualTheProgramsWrittenByHand) {
  for (const Format* x : {&kBf16, &kF16, &kF32}) {
    for (int64_t group_size : {32, 128}) {
      EXPECT_EQ(disagreement("vllm.group_fp8", group_fp8, rows_of(*x, group_size), group_size, *x), "");
      EXPECT_EQ(disagreement("vllm.group_fp8_packed", group_fp8_packed, rows_of(*x, group_size), group_size, *x), "");
    }
  }
}

TEST(QuantTwin, AProgramWithOneMistakeIsSeen) {
  const Twin min_then_max = [](const std::vector<double>& x) {
    Group g = group_fp8(x);
    for (size_t i = 0; i < x.size(); ++i)
      if (std::isnan(x[i])) g.codes[i] = 0x7e;
    return g;
  };
  const Twin multiplies = [](const std::vector<double>& x) {
    Group g = group_fp8(x);
    for (size_t i = 0; i < x.size(); ++i) g.codes[i] = e4m3(max_then_min(fl(Real(x[i]) * Real(fl(Real(1) / Real(g.scale))))));
    return g;
  };
  const Twin reciprocal_of_448 = [](const std::vector<double>& x) {
    Group g = group_fp8(x);
    g.scale = fl(Real(amax_of(x)) * Real(fl(Real(1) / 448)));
    return g;
  };
  const Twin drops_the_last = [](const std::vector<double>& x) {
    std::vector<double> short_of_one(x.begin(), x.end() - 1);
    Group g = group_fp8(short_of_one);
    g.codes = group_fp8(x).codes;
    return g;
  };
  const Twin floors = [](const std::vector<double>& x) {
    Group g = group_fp8_packed(x);
    g.scale /= 2;
    return g;
  };
  const auto rows = rows_of(kBf16, 128);
  for (const Twin& wrong : {min_then_max, multiplies, reciprocal_of_448, drops_the_last, Twin(group_fp8_packed)})
    EXPECT_NE(disagreement("vllm.group_fp8", wrong, rows, 128, kBf16), "");
  for (const Twin& wrong : {floors, Twin(group_fp8)})
    EXPECT_NE(disagreement("vllm.group_fp8_packed", wrong, rows, 128, kBf16), "");
}

}  // namespace

}  // namespace assay::quant_twin

namespace assay::quant_catalogue {

// Codes of each quantization for zeros, signs, tiny and huge values, NaN and Inf.

namespace {

using namespace quant_programs;

constexpr char kG[] = "vllm.group_fp8", kP[] = "vllm.group_fp8_packed", kT[] = "vllm.group_triton_ue8m0", kK[] = "vllm.per_token";

struct Answer {
  RowOutputs out;
  uint32_t scale_bits() const { return out.scale[0].pinned() ? code_of(kF32, out.scale[0].low) : 0xdeadbeef; }
  uint32_t byte() const {
    if (!out.scale[0].pinned()) return 0xdead;
    return code_of(kE8M0, std::isinf(out.scale[0].low) ? std::nan("") : out.scale[0].low);
  }
  uint32_t code(size_t i, const Format& f = kE4M3Fn) const { return out.q[i].pinned() ? code_of(f, out.q[i].low) : 0xdead; }
};

/// The results for a group of 128 elements: `front`, then zeros.
Answer answer(const char* id, std::vector<double> front) {
  front.resize(128, 0.0);
  return {evaluated(id, front, 128)};
}

TEST(QuantCatalogue, Z0AGroupOfZeros) {
  EXPECT_EQ(answer(kG, {}).scale_bits(), 0x2A7B5123u);
  EXPECT_EQ(answer(kG, {}).code(0), 0u);
  EXPECT_EQ(answer(kP, {}).byte(), 94u);
  EXPECT_EQ(answer(kT, {}).byte(), 85u);
  EXPECT_EQ(answer(kK, {}).scale_bits(), 0x36924925u);
  EXPECT_EQ(answer(kK, {}).code(127), 0u);
  EXPECT_EQ(answer("deepgemm.per_token_cast_ue8m0", {}).byte(), 105u);
  EXPECT_EQ(answer("vllm.group_fp8_ue8m0", {}).byte(), 94u);
  EXPECT_NE(answer(kP, {1}).byte(), 94u) << "the floor holds for quiet groups only";
}

TEST(QuantCatalogue, Z1AndZ2SignsOfZero) {
  for (const char* id : {kG, kP, kK}) {
    EXPECT_EQ(answer(id, {448, -0.0}).code(1), 0x80u) << id;
    EXPECT_EQ(answer(id, {448, -0x1p-20}).code(1), 0x80u) << id;
    EXPECT_EQ(answer(id, {448, 0.0}).code(1), 0x00u) << id;
  }
  EXPECT_EQ(answer("vllm.group_fp8_fnuz", {224, -0.0}).code(1, kE4M3Fnuz), 0x00u);
  EXPECT_EQ(answer("vllm.group_fp8_fnuz", {224, -0x1p-20}).code(1, kE4M3Fnuz), 0x00u);
  EXPECT_EQ(answer("vllm.group_fp8_fnuz", {224, -1}).code(1, kE4M3Fnuz), code_of(kE4M3Fnuz, -1));
}

TEST(QuantCatalogue, P0ToP4AmaxAtTheEdges) {
  EXPECT_EQ(answer(kG, {448}).scale_bits(), 0x3F800000u);
  EXPECT_EQ(answer(kP, {448}).byte(), 127u);
  EXPECT_EQ(answer(kP, {450}).byte(), 128u);
  EXPECT_EQ(answer(kG, {224}).out.scale[0].low, 0.5);
  EXPECT_EQ(answer(kP, {224}).byte(), 126u);
  const double quiet = nearest(kBf16, Real("1e-9"));
  EXPECT_EQ(answer(kP, {quiet}).byte(), 94u);
  EXPECT_EQ(answer(kT, {quiet}).byte(), 89u);
  EXPECT_EQ(answer("deepgemm.per_token_cast_ue8m0", {quiet}).byte(), 105u);
  const double below = next_down(kBf16, 0x1p-9), above = next_up(kBf16, 0x1p-9);
  EXPECT_EQ(answer(kK, {below}).scale_bits(), 0x36924925u);
  EXPECT_NE(answer(kK, {above}).scale_bits(), 0x36924925u);
  EXPECT_EQ(answer(kG, {below}).out.scale[0].low, fl(Real(below) / 448));
}

TEST(QuantCatalogue, N0ANanIsLaunderedAsTheClampSays) {
  const double nan = std::nan("");
  EXPECT_EQ(answer(kG, {448, nan}).code(1), 0xfeu);
  EXPECT_EQ(answer(kP, {448, nan}).code(1), 0xfeu);
  EXPECT_EQ(answer(kK, {448, nan}).code(1), 0x7eu);
  EXPECT_EQ(answer("sglang.group_8bit", {448, nan}).code(1), 0x7fu);
  EXPECT_EQ(answer("aiter.per_1x128", {448, nan}).code(1), 0xfeu);
  EXPECT_EQ(answer(kG, {448, nan}).scale_bits(), 0x3F800000u) << "and amax drops it";
  for (size_t i : {0, 1, 127})
    EXPECT_EQ(answer("deepgemm.per_token_cast", {448, nan}).code(i), 0x7fu) << "torch keeps it: all NaN";
}

TEST(QuantCatalogue, I0OneInfinity) {
  for (const char* id : {kG, kP}) {
    const Answer a = answer(id, {1, HUGE_VAL, -3});
    EXPECT_EQ(a.out.scale[0].low, HUGE_VAL) << id;
    EXPECT_EQ(a.code(0), 0x00u) << id;
    EXPECT_EQ(a.code(1), 0xfeu) << id;
    EXPECT_EQ(a.code(2), 0x80u) << id;
  }
  EXPECT_EQ(answer(kP, {1, HUGE_VAL}).byte(), 255u);
  EXPECT_NE(answer(kP, {1}).byte(), 255u);
}

TEST(QuantCatalogue, W0NeighbouringGroupsKeepTheirOwnAmax) {
  std::vector<double> row(256, 0.0);
  row[5] = 1, row[200] = 448;
  const RowOutputs out = evaluated(kG, row, 128);
  EXPECT_EQ(code_of(kF32, out.scale[0].low), 0x3B124925u);
  EXPECT_EQ(out.scale[1].low, 1);
  EXPECT_EQ(evaluated(kG, row, 256).scale[0].low, 1) << "one group of both would hide the smaller";
}

TEST(QuantCatalogue, R0AProductOnATieTellsTheOrderOfTheSteps) {
  int exact = 0, above = 0, free = 0;
  for (int mantissa = 128; mantissa < 256; mantissa += 8) {
    const double amax = mantissa, x = 0.375 * amax;  // x * 448 / amax is 168, halfway between the codes of 160 and 176
    const uint32_t code = answer(kG, {amax, x}).code(1);
    EXPECT_EQ(code, group_fp8({amax, x}).codes[1]);
    EXPECT_TRUE(code == 0x72 || code == 0x73);
    (code == 0x72 ? exact : above) += 1;
    EXPECT_EQ(answer(kP, {amax, 0}).out.q[0].pinned(), true);
    const Span either = answer("sglang.group_8bit", {amax, x}).out.q[1];
    EXPECT_TRUE(either.low <= 160 && 160 <= either.high);
    free += either.low == 160 && either.high == 176;
  }
  EXPECT_GT(exact, 0);
  EXPECT_GT(above, 0) << "the quotient lands one ulp above the tie for some amax";
  EXPECT_GT(free, 0) << "within 2 ulp of fast division both codes are legal";
}

}  // namespace

}  // namespace assay::quant_catalogue

namespace assay::quant_shared {

// Scales that several rows share, and scales that are inputs.

namespace {

using eval_cells::accepts;
using namespace quant_programs;

/// vLLM's static quantization: x times the reciprocal of the scale; the reciprocal is rounded to f32.
std::vector<uint32_t> codes_by_reciprocal(const std::vector<double>& x, double scale) {
  const double inverse = scale == 0 ? HUGE_VAL : std::isinf(scale) ? 0 : fl(Real(1) / Real(scale));
  std::vector<uint32_t> codes;
  for (double v : x) {
    const bool undefined = std::isnan(v) || (std::isinf(inverse) && v == 0) || (inverse == 0 && std::isinf(v));
    const double product = undefined                              ? std::nan("")
                           : std::isinf(v) || std::isinf(inverse) ? v * inverse
                                                                  : fl(Real(v) * Real(inverse));
    codes.push_back(e4m3(min_then_max(product)));
  }
  return codes;
}

void expect_codes(const Spans& q, const std::vector<uint32_t>& codes, const std::string& where) {
  ASSERT_EQ(q.size(), codes.size());
  for (size_t i = 0; i < codes.size(); ++i)
    ASSERT_TRUE(q[i].pinned() && code_of(kE4M3Fn, q[i].low) == codes[i]) << where << " element " << i;
}

TEST(QuantTwin, OneScaleForAllRowsEqualsTheProgramWrittenByHand) {
  for (const Format* x : {&kBf16, &kF16, &kF32}) {
    const Contract contract = contract_of("vllm.per_tensor", *x);
    const auto rows = rows_of(*x, 32);
    for (size_t first = 0; first + 1 < rows.size(); ++first) {
      double amax = 0;
      Spans maxima = group_maxima(*contract.group_quant(), Spans(rows[first]), 128);
      join_maxima(*contract.group_quant(), maxima, group_maxima(*contract.group_quant(), Spans(rows[first + 1]), 128));
      for (const auto& row : {rows[first], rows[first + 1]})
        for (double v : row)
          if (std::fabs(v) > amax) amax = std::fabs(v);  // false for NaN, so NaN is ignored
      const double scale = std::isinf(amax) ? amax : fl(Real(amax) / 448);
      for (const auto& row : {rows[first], rows[first + 1]}) {
        const RowOutputs out = evaluate_row(contract, {row, {}, 0, 128, HUGE_VAL, {}, maxima}, nullptr, *x);
        ASSERT_TRUE(out.scale[0].pinned() && same_number(out.scale[0].low, scale)) << first;
        expect_codes(out.q, codes_by_reciprocal(row, scale), std::string(x->name) + " rows from " + std::to_string(first));
      }
    }
  }
}

/// torch's amax of a block, at least 1e-4, and a cast that does not saturate. Source: DeepGEMM utils/math.py 54e22612.
TEST(QuantTwin, BlocksOfManyRowsAndCutOffColumnsEqualTheProgramWrittenByHand) {
  for (const Format* x : {&kBf16, &kF32}) {
    const Contract contract = contract_of("deepgemm.per_block_cast", *x);
    auto rows = rows_of(*x, 32);
    for (auto& row : rows) row.resize(77);  // groups of 32, 32 and 13
    for (size_t first = 0; first + 1 < rows.size(); ++first) {
      Spans maxima = group_maxima(*contract.group_quant(), Spans(rows[first]), 32);
      join_maxima(*contract.group_quant(), maxima, group_maxima(*contract.group_quant(), Spans(rows[first + 1]), 32));
      for (size_t r : {first, first + 1}) {
        const RowOutputs out = evaluate_row(contract, {rows[r], {}, 0, 32, HUGE_VAL, {}, maxima}, nullptr, *x);
        ASSERT_EQ(out.scale.size(), 3u);
        for (size_t i = 0; i < 77; ++i) {
          double amax = fl(Real("1e-4"));
          for (size_t j = i / 32 * 32; j < std::min<size_t>(77, i / 32 * 32 + 32); ++j)
            for (size_t both : {first, first + 1})
              if (std::isnan(rows[both][j]) || std::fabs(rows[both][j]) > amax)
                amax = std::fabs(rows[both][j]) + (std::isnan(amax) ? amax : 0);
          const double scale = std::isfinite(amax) ? fl(Real(amax) / 448) : amax;
          ASSERT_TRUE(same_number(out.scale[i / 32].low, scale)) << first << " " << i;
          const double inverse = std::isinf(scale) ? 0 : std::isnan(scale) ? scale : fl(Real(1) / Real(scale)), v = rows[r][i];
          const bool nan = std::isnan(v) || std::isnan(inverse) || (std::isinf(v) && inverse == 0);
          const double product = nan ? std::nan("") : fl(Real(v) * Real(inverse));
          ASSERT_EQ(code_of(kE4M3Fn, out.q[i].low) & 0x7f, e4m3(product) & 0x7f) << first << " " << i;
        }
      }
    }
  }
}

TEST(QuantTwin, AGivenScaleIsTakenAsItIs) {
  for (double scale : {1.0, 7.0, fl(Real("0.0123")), 0x1p-140, 0.0, HUGE_VAL}) {
    const Contract contract = contract_of("vllm.static", kBf16);
    for (const auto& row : rows_of(kBf16, 32)) {
      const RowOutputs out = evaluate_row(contract, {row, {}, 0, 128, HUGE_VAL, {scale}}, nullptr, kBf16);
      EXPECT_EQ(out.scale.size(), 0u) << "it is not an output";
      const double by = scale == 0x1p-140 ? 0 : scale;  // the reciprocal of 2^-140 overflows to Inf
      expect_codes(out.q, codes_by_reciprocal(row, by), std::to_string(scale));
    }
  }
}

TEST(QuantTwin, TheBoundIsOneOfAmaxAndRoundedToF32) {
  const Contract contract = contract_of("vllm.per_token_ub", kBf16);
  std::vector<double> x(128, 1.5);
  x[7] = 96;
  const auto scale_under = [&](double bound) {
    return evaluate_row(contract, {x, {}, 0, 128, bound}, nullptr, kBf16).scale[0].low;
  };
  EXPECT_EQ(scale_under(HUGE_VAL), fl(Real(96) / 448));
  EXPECT_EQ(scale_under(4), fl(Real(4) / 448));
  EXPECT_EQ(scale_under(0.1), fl(Real(fl(Real("0.1"))) / 448));
  EXPECT_EQ(scale_under(0), fl(Real(1) / (448 * 512))) << "the floor is above every bound";
}

TEST(QuantGivenScale, CodesAreJudgedWithTheScaleThatWasStored) {
  const Contract contract = contract_of("vllm.group_triton", kBf16);
  std::mt19937 engine(73);
  std::normal_distribution<double> normal;
  std::vector<double> x;
  for (int i = 0; i < 128; ++i) x.push_back(nearest(kBf16, normal(engine)));
  const RowInputs inputs{x, {}, 0, 128};
  const RowOutputs wide = evaluate_row(contract, inputs, nullptr, kBf16);
  ASSERT_FALSE(wide.scale[0].pinned()) << "a Triton division is free by 2 ulp";
  const StoredRow low{{}, {}, {wide.scale[0].low}}, wrong{{}, {}, {2 * wide.scale[0].high}};
  const auto open = [](const RowOutputs& out) {
    int count = 0;
    for (size_t i = 0; i < out.q.size(); ++i) count += !out.q[i].pinned();
    return count;
  };
  const RowOutputs given = evaluate_row(contract, inputs, &low, kBf16), ignored = evaluate_row(contract, inputs, &wrong, kBf16);
  EXPECT_LE(open(given), open(wide));
  EXPECT_EQ(open(ignored), open(wide)) << "a scale that the contract forbids narrows nothing";
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_GE(given.q[i].low, wide.q[i].low);
    EXPECT_LE(given.q[i].high, wide.q[i].high);
  }
}

/// scale = e4m3(amax * (1/448) * g) and code = x * (g / scale); each operation is rounded.
TEST(QuantTwin, AScaleBelowAnOuterOneIsRelativeToIt) {
  const contract_tables::TableFile file(contract_tables::kQuantHeader +
                                        "two.levels,e4m3fn,448,absmax,mul(1/M) mul(g) to(e4m3fn),rdiv(g),mul(m) "
                                        "to(q),4+tensor,row,rows:unspecified,2026,,here,because\n");
  ContractTables tables = ContractTables::load(contract_tables::kFolder);
  tables.add(file.path());
  const Contract contract = bind(tables, "two.levels", kF32);
  const std::vector<double> x = {1, -2.5, 0.375, 3, 100, 7, -0.0625, 50};
  for (const double g : {1.0, 24.0, 300.5}) {
    RowInputs inputs{x, {}, 0, 4};
    inputs.outer_scale = g;
    const RowOutputs out = evaluate_row(contract, inputs, nullptr, kF32);
    for (size_t group = 0; group < 2; ++group) {
      double amax = 0;
      for (size_t i = 4 * group; i < 4 * group + 4; ++i) amax = std::max(amax, std::fabs(double(float(x[i]))));
      const double scale =
          decode(kE4M3Fn, e4m3(min_then_max(fl(Real(fl(Real(amax) * Real(fl(Real(1) / Real(448))))) * Real(g)))));
      EXPECT_EQ(out.scale[group].low, scale) << g;
      const double m = fl(Real(g) / Real(scale));
      for (size_t i = 4 * group; i < 4 * group + 4; ++i)
        EXPECT_EQ(out.q[i].low, decode(kE4M3Fn, e4m3(min_then_max(fl(Real(float(x[i])) * Real(m)))))) << g << " " << i;
    }
  }
}

TEST(QuantTwin, OfFourBitsNaNIsTheLargestNumber) {
  const contract_tables::TableFile file(
      contract_tables::kQuantHeader + "four.bits,e2m1,6,absmax,div(M),,div(s) to(q),4,row,rows:unspecified,2026,,here,because\n");
  ContractTables tables = ContractTables::load(contract_tables::kFolder);
  tables.add(file.path());
  const std::vector<double> x = {std::nan(""), 12, -12, 1};
  const RowOutputs out = evaluate_row(bind(tables, "four.bits", kF32), {x, {}, 0, 4}, nullptr, kF32);
  EXPECT_EQ(out.scale[0].low, 2);
  const std::vector<double> codes = {6, 6, -6, 0.5};
  for (size_t i = 0; i < codes.size(); ++i) EXPECT_EQ(out.q[i].low, codes[i]) << i;
}

/// e2m1 by comparison with the midpoints of its values, ties to the even code. NaN becomes 6 (PTX ISA, cvt.rn.satfinite).
double e2m1(double v) {
  const double m = std::fabs(v), values[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6}, upper[] = {0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5};
  if (std::isnan(v)) return 6;
  size_t code = 0;
  while (code < 7 && (m > upper[code] || (m == upper[code] && code % 2 == 1))) ++code;
  return std::copysign(values[code], v);
}

/// vLLM v0.33.0, nvfp4_utils.cuh; reciprocals are rounded to nearest. With guards_scale, the multiplier is 0 if the scale is 0;
/// otherwise it is 0 if amax is 0.
std::vector<double> nvfp4(const std::vector<double>& x, double g, bool guards_scale, double& scale) {
  double amax = 0;
  for (double v : x) amax = std::fmax(amax, std::fabs(v));
  scale = decode(kE4M3Fn, e4m3(min_then_max(fl(Real(g) * Real(fl(Real(amax) * Real(fl(Real(1) / 6))))))));
  const bool zero = guards_scale ? scale == 0 : amax == 0;
  const double m = zero ? 0 : scale == 0 ? HUGE_VAL : fl(Real(1) / Real(fl(Real(scale) * Real(fl(Real(1) / Real(g))))));
  std::vector<double> codes;
  for (double v : x) codes.push_back(e2m1(std::isinf(m) ? v * m : fl(Real(v) * Real(m))));
  return codes;
}

TEST(QuantTwin, Nvfp4HoldsTheProgramWrittenByHandAndNoOther) {
  const Contract contract = contract_of("vllm.nvfp4", kBf16);
  int64_t outside = 0, open = 0, all = 0;
  for (const auto& whole : rows_of(kBf16, 32))
    for (const double g : {0.5, 24.0, 672.0, 3000.0}) {
      std::vector<double> x(whole.begin(), whole.begin() + 16);
      if (std::any_of(x.begin(), x.end(), [](double v) { return !std::isfinite(v); })) continue;
      RowInputs inputs{x, {}, 0, 16};
      inputs.outer_scale = g;
      const RowOutputs out = evaluate_row(contract, inputs, nullptr, kBf16);
      double scale = 0, other = 0;
      const std::vector<double> right = nvfp4(x, g, true, scale), wrong = nvfp4(x, g, false, other);
      ASSERT_TRUE(accepts(out.scale[0], scale)) << scale;
      for (size_t i = 0; i < x.size(); ++i) {
        ASSERT_TRUE(accepts(out.q[i], right[i])) << x[i] << " " << g;
        outside += !accepts(out.q[i], wrong[i]), open += !out.q[i].pinned(), ++all;
      }
    }
  EXPECT_GT(outside, 0) << "a guard of amax";
  EXPECT_LT(open, all / 20) << "what reciprocals leave free";
}

double fl_or_infinite(double v, double w) { return std::isfinite(v) && std::isfinite(w) ? fl(Real(v) * Real(w)) : v * w; }
double amax_of_finite(const std::vector<double>& x) {
  double amax = 0;
  for (double v : x) amax = std::fmax(amax, std::fabs(v));
  return amax;
}

/// The scale of a block, and the multiplier of its elements.
struct ScaledBlock {
  double scale, multiplier;
};
using ScaleRule = ScaledBlock (*)(double amax, double g);

double quotient(double v, double w) { return w == 0 ? (v == 0 ? std::nan("") : HUGE_VAL) : fl(Real(v) / Real(w)); }

/// TransformerEngine core_nvfp4.cuh d0067d0d. FlashInfer computes the same without fast math.
ScaledBlock transformer_engine(double amax, double g) {
  const double scale = decode(kE4M3Fn, e4m3(fl(Real(amax) * Real(fl(Real(g) * Real(fl(Real(1) / 6)))))));
  return {scale, std::fmin(quotient(1, fl(Real(scale) * Real(fl(Real(1) / Real(g))))), max_finite(kF32))};
}

/// FlashInfer quantization_utils.cuh fb28d724 with FLASHINFER_DISABLE_FP4_QUANT_FAST_MATH, compiled with -use_fast_math. The
/// flag flushes subnormal numbers, so an amax that is subnormal in fp32 counts as 0.
ScaledBlock flashinfer_exact(double amax, double g) {
  return amax < 0x1p-126 ? ScaledBlock{0, 0} : transformer_engine(amax, g);
}

/// torchao nvfp4_tensor.py v0.18.0 on a CPU.
ScaledBlock torchao(double amax, double g) {
  const double v = fl(Real(fl(Real(amax) / 6)) / Real(g));
  const double scale = decode(kE4M3Fn, e4m3(std::fmin(std::fmax(v, 0x1p-6), 448)));
  return {scale, fl(Real(fl(Real(1) / Real(g))) / Real(scale))};
}
ScaledBlock torchao_without_tensor_scale(double amax, double) {
  const double scale = decode(kE4M3Fn, e4m3(std::fmin(std::fmax(fl(Real(amax) / 6), 0x1p-6), 448)));
  return {scale, fl(Real(1) / Real(scale))};
}

/// The power of two at or below amax / 4, times 2^more. torchao's to_mx v0.18.0 rounds amax to a power of two: down (FLOOR), up
/// (CEIL), or after rounding it to one mantissa bit (EVEN).
ScaledBlock by_exponent(double amax, int more) {
  if (amax == 0) return {0x1p-127, 0x1p126};
  const int exponent = std::max(std::min(std::ilogb(amax) + more - 2, 126), -127);
  return {std::ldexp(1.0, exponent), std::ldexp(1.0, -std::max(exponent, -126))};
}
double significand(double amax) { return amax == 0 ? 0 : amax / std::ldexp(1.0, std::ilogb(amax)); }
ScaledBlock mx_floor(double amax, double) { return by_exponent(amax, 0); }
ScaledBlock mx_ceil(double amax, double) { return by_exponent(amax, significand(amax) > 1); }
ScaledBlock mx_even(double amax, double) { return by_exponent(amax, significand(amax) >= 1.75); }

TEST(AbsoluteMaximum, AnElementThatMayBeAnythingLeavesNoNanWhereNanIsDropped) {
  Spans row(std::vector<double>{-3, 0, 2});
  row.set(1, any_number());
  const Span all = absolute_maximum(row, 0, 3, Reduction::kAbsMaxOfAllNan);
  EXPECT_EQ(all.low, 3);
  EXPECT_EQ(all.high, HUGE_VAL);
  EXPECT_EQ(absolute_maximum(row, 0, 3, Reduction::kAbsMax).low, 3);
  EXPECT_TRUE(absolute_maximum(row, 0, 3, Reduction::kAbsMaxKeepNan).any()) << "it may be NaN";
  EXPECT_TRUE(absolute_maximum(row, 1, 1, Reduction::kAbsMaxOfAllNan).any()) << "all may be NaN";
}

TEST(QuantTwin, Fp4EqualsTheProgramsWrittenByHand) {
  const struct {
    const char* contract;
    ScaleRule rule;
    int64_t block;
  } programs[] = {{"transformer_engine.nvfp4", transformer_engine, 16},
                  {"flashinfer.nvfp4_cute_exact", transformer_engine, 16},
                  {"flashinfer.nvfp4_exact", flashinfer_exact, 16},
                  {"torchao.nvfp4", torchao, 16},
                  {"torchao.nvfp4_block", torchao_without_tensor_scale, 16},
                  {"torchao.mxfp4_floor", mx_floor, 32},
                  {"torchao.mxfp4_ceil", mx_ceil, 32},
                  {"torchao.mxfp4_even", mx_even, 32}};
  for (const auto& program : programs) {
    const Contract contract = contract_of(program.contract, kBf16);
    for (const auto& whole : rows_of(kBf16, 32))
      for (const double g : {0.0015, 0.5, 24.0, 672.0, 3000.0}) {
        std::vector<double> x(whole.begin(), whole.begin() + program.block);
        if (std::any_of(x.begin(), x.end(), [](double v) { return !std::isfinite(v); })) continue;
        RowInputs inputs{x, {}, 0, program.block};
        inputs.outer_scale = fl(Real(g));
        const RowOutputs out = evaluate_row(contract, inputs, nullptr, kBf16);
        const ScaledBlock block = program.rule(amax_of_finite(x), inputs.outer_scale);
        ASSERT_TRUE(out.scale[0].pinned() && out.scale[0].low == block.scale)
            << program.contract << " " << block.scale << " " << out.scale[0].low;
        for (size_t i = 0; i < x.size(); ++i)
          ASSERT_TRUE(out.q[i].pinned() && out.q[i].low == e2m1(fl_or_infinite(x[i], block.multiplier)))
              << program.contract << " " << x[i] << " " << g;
      }
  }
}

/// FlashInfer quantization_utils.cuh fb28d724, 4over6 without fast math: the scale that maps amax to the code of 4 or of 6.
ScaledBlock of_four_or_six(double amax, double g, bool four) {
  const double six = fl(Real(fl(Real(amax) / 6)) * Real(g));
  const double scale = decode(kE4M3Fn, e4m3(four ? fl(Real(six) * Real("1.5")) : six));
  return {scale, std::fmin(quotient(1, fl(Real(scale) * Real(fl(Real(1) / Real(g))))), max_finite(kF32))};
}
/// The sum of the errors' magnitudes, added in the order of the elements.
double summed_errors(const std::vector<double>& x, const ScaledBlock& block, double g) {
  double sum = 0;
  for (double v : x) {
    const double code = e2m1(fl_or_infinite(v, block.multiplier));
    const double read_back = fl(Real(fl(Real(code) * Real(block.scale))) * Real(fl(Real(1) / Real(g))));
    sum = fl(Real(sum) + Real(std::fabs(fl(Real(read_back) - Real(v)))));
  }
  return sum;
}

TEST(QuantTwin, ABlockTakesTheRivalScaleIfItsCodesErrLess) {
  const Contract contract = contract_of("flashinfer.nvfp4_4over6_exact", kBf16);
  int own = 0, rival = 0, open = 0;
  const auto check = [&](const std::vector<double>& x, double g) {
    RowInputs inputs{x, {}, 0, 16};
    inputs.outer_scale = g;
    const RowOutputs out = evaluate_row(contract, inputs, nullptr, kBf16);
    const ScaledBlock six = of_four_or_six(amax_of_finite(x), g, false), four = of_four_or_six(amax_of_finite(x), g, true);
    const bool takes_four = summed_errors(x, four, g) < summed_errors(x, six, g);
    const ScaledBlock& block = takes_four ? four : six;
    if (!out.scale[0].pinned()) {
      ++open;
      EXPECT_TRUE(may_equal(out.scale[0], block.scale));
      return;
    }
    ++(takes_four ? rival : own);
    ASSERT_EQ(out.scale[0].low, block.scale) << g;
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_TRUE(out.q[i].pinned() && out.q[i].low == e2m1(fl_or_infinite(x[i], block.multiplier))) << x[i] << " " << g;
  };
  for (const auto& whole : rows_of(kBf16, 32))
    for (const double g : {0.5, 24.0, 672.0, double(fl(Real("0.3")))}) {
      const std::vector<double> x(whole.begin(), whole.begin() + 16);
      const double amax = amax_of_finite(x);
      if (std::isfinite(amax) && amax > 0x1p-60 && amax < 0x1p60 &&
          std::none_of(x.begin(), x.end(), [](double v) { return std::isnan(v); }))
        check(x, g);
    }
  std::mt19937 random(6);
  for (int k = 0; k < 300; ++k) {
    std::vector<double> x(16);
    for (double& v : x) v = std::ldexp(double(int(random() % 255) - 127), int(random() % 3) - 6);
    check(x, k % 2 ? 64.0 : fl(Real("44.8")));
  }
  EXPECT_GT(own, 50);
  EXPECT_GT(rival, 50);
  EXPECT_LT(open, (own + rival) / 10);
  std::vector<double> both(16, 0.0);  // neither scale gives 6 an error, so the block takes the scale for 6
  both[3] = 6;
  check(both, 1);
  RowInputs inputs{both, {}, 0, 16};
  inputs.outer_scale = 1;
  EXPECT_EQ(evaluate_row(contract, inputs, nullptr, kBf16).q[3].low, 6);
}

}  // namespace

}  // namespace assay::quant_shared
