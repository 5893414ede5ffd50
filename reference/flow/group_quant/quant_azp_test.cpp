// Compares int8 quantization with MPFR programs.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/row.h"
#include "reference/testing/mpfr_programs.h"
#include "reference/testing/quant_programs.h"

namespace assay::int8_twin {

// Compares int8 quantizations, with and without a zero point, with hand-written programs.

namespace {

using namespace int8_programs;
double less(double a, double b) { return fl(in_reals(mpfr_sub, a, b)); }

using Twin = std::function<Group(const Numbers&)>;

/// vLLM scaled_quant.cu 180df48e, dynamic scales: the multiplier is 127 / amax, or 0 for a row of zeros.
Group per_token(const Numbers& x) {
  const double amax = amax_from(0, x), inverse = amax == 0 ? 0 : divided(127, amax);
  Group g{divided(amax, 127), {}, {}};
  for (double v : x) g.codes.push_back(whole(to_even, times(v, inverse), -128, 127));
  return g;
}

Group per_token_azp(const Numbers& x) {
  double lo = max_finite(kF32), hi = -lo;
  for (double v : x) {
    if (v < lo) lo = v;  // false for NaN, so NaN is ignored
    if (v > hi) hi = v;
  }
  Group g{divided(less(hi, lo), 255), {}, {}};
  const double middle = less(-128, divided(lo, g.scale)), inverse = divided(1, g.scale);
  const bool defined = !std::isnan(middle) && std::fabs(middle) < 0x1p31;
  if (defined) g.zero = whole(to_even, middle, kLeast32, kMost32);
  for (double v : x) g.codes.push_back(defined ? std::optional(code_about(v, inverse, *g.zero)) : std::nullopt);
  return g;
}

/// The contract that Assay proposes: the range includes 0; the width of an empty range counts as 255.
Group proposed_azp(const Numbers& x) {
  double lo = 0, hi = 0;
  for (double v : x) {
    if (v < lo) lo = v;
    if (v > hi) hi = v;
  }
  Group g{divided(less(hi, lo), 255), {}, {}};
  if (g.scale == 0) g.scale = 1;
  g.zero = whole(to_even, less(-128, divided(lo, g.scale)), kLeast32, kMost32);
  for (double v : x) g.codes.push_back(code_about(v, divided(1, g.scale), *g.zero));
  return g;
}

std::string disagreement(const char* id, const Twin& twin, const std::vector<Numbers>& rows, int64_t group_size,
                         const Format& x) {
  const Contract contract = bind(tables(), id, x);
  for (const Numbers& row : rows) {
    const RowOutputs out = evaluate_row(contract, {row, {}, 0, group_size}, nullptr, x);
    for (size_t g = 0; g < out.scale.size(); ++g) {
      const auto begin = row.begin() + long(g) * group_size;
      const Group expected = twin(Numbers(begin, begin + group_size));
      std::ostringstream where;
      where << std::hexfloat << id << " " << x.name << " group " << g << ": ";
      if (!out.scale[g].pinned() || !same_number(out.scale[g].low, expected.scale)) {
        where << "scale " << out.scale[g].low << " .. " << out.scale[g].high << " for " << expected.scale;
        return where.str();
      }
      const auto agrees = [](Span span, const std::optional<int64_t>& value) {
        return value ? span.pinned() && span.low == double(*value) : span.any();
      };
      if (out.zero.size() > 0 && !agrees(out.zero[g], expected.zero)) {
        where << "zero point " << out.zero[g].low << " for " << expected.zero.value_or(-999);
        return where.str();
      }
      for (size_t i = 0; i < size_t(group_size); ++i) {
        const Span q = out.q[g * size_t(group_size) + i];
        if (agrees(q, expected.codes[i])) continue;
        where << "x = " << *(begin + long(i)) << " gives " << q.low << " .. " << q.high << " for "
              << expected.codes[i].value_or(-999);
        return where.str();
      }
    }
  }
  return {};
}

TEST(Int8Twin, RowsEqualTheProgramsWrittenByHand) {
  for (const Format* x : {&kBf16, &kF16, &kF32}) {
    EXPECT_EQ(disagreement("vllm.group_int8", group_int8, rows_of(*x), 32, *x), "");
    EXPECT_EQ(disagreement("vllm.per_token_int8", per_token, rows_of(*x), 128, *x), "");
    EXPECT_EQ(disagreement("vllm.per_token_int8_azp", per_token_azp, rows_of(*x), 128, *x), "");
    EXPECT_EQ(disagreement("assay.per_token_int8_azp", proposed_azp, rows_of(*x), 128, *x), "");
  }
}

TEST(Int8Twin, AProgramWithOneMistakeIsSeen) {
  const Twin to_nearest = [](const Numbers& x) {
    Group g = group_int8(x);
    for (size_t i = 0; i < x.size(); ++i)
      if (std::isfinite(x[i])) g.codes[i] = whole(to_even, divided(x[i], g.scale), -128, 127);
    return g;
  };
  const Twin by_inverse = [](const Numbers& x) {
    Group g = per_token(x);
    for (size_t i = 0; i < x.size(); ++i) g.codes[i] = whole(to_even, times(x[i], divided(1, g.scale)), -128, 127);
    return g;
  };
  const Twin rounded_once = [](const Numbers& x) {
    Group g = per_token_azp(x);
    for (size_t i = 0; g.zero && i < x.size(); ++i)
      g.codes[i] = whole(to_even, fl(Real(times(x[i], divided(1, g.scale))) + Real(*g.zero)), -128, 127);
    return g;
  };
  const Twin azp_cut_off = [](const Numbers& x) {
    Group g = per_token_azp(x);
    double lo = HUGE_VAL;
    for (double v : x) lo = std::fmin(lo, v);
    if (g.zero) g.zero = whole(inward, less(-128, divided(lo, g.scale)), kLeast32, kMost32);
    return g;
  };
  const auto rows = rows_of(kBf16);
  EXPECT_NE(disagreement("vllm.group_int8", to_nearest, rows, 32, kBf16), "");
  for (const Twin& wrong : {by_inverse, Twin(group_int8)})
    EXPECT_NE(disagreement("vllm.per_token_int8", wrong, rows, 128, kBf16), "");
  for (const Twin& wrong : {rounded_once, azp_cut_off, Twin(proposed_azp)})
    EXPECT_NE(disagreement("vllm.per_token_int8_azp", wrong, rows, 128, kBf16), "");
}

}  // namespace

}  // namespace assay::int8_twin

namespace assay::int8_catalogue {

// Codes of each int8 quantization for constant rows, sums beyond int32, ties and NaN.

namespace {

using namespace int8_programs;

// ---- special inputs whose results are known

RowOutputs of_row(const char* id, Numbers front, double rest = 0) {
  front.resize(128, rest);
  return evaluate_row(bind(tables(), id, kBf16), {front, {}, 0, 128}, nullptr, kBf16);
}

TEST(Int8Catalogue, C0AConstantRowIsUndefinedUpstreamAndExactInTheProposal) {
  for (double c : {3.0, -0.375, 0.0}) {
    const RowOutputs upstream = of_row("vllm.per_token_int8_azp", {}, c), proposed = of_row("assay.per_token_int8_azp", {}, c);
    EXPECT_TRUE(same_number(upstream.scale[0].low, 0.0)) << "the scale is specified";
    EXPECT_TRUE(upstream.zero[0].any() && upstream.q[0].any()) << "what follows from min / 0 is not";
    const double restored = fl(Real(proposed.q[0].low - proposed.zero[0].low) * Real(proposed.scale[0].low));
    EXPECT_TRUE(proposed.q[0].pinned() && round_to(kBf16, restored, Rounding::kNearestEven, Overflow::kSpecial) == c) << c;
  }
  EXPECT_TRUE(of_row("vllm.per_token_int8_azp", {1}, 3).q[0].pinned()) << "two numbers make a range";
}

TEST(Int8Catalogue, C1ASumBeyondInt32Saturates) {
  const auto code = [](double x, double azp) {
    return evaluate_row(bind(tables(), "vllm.static_int8_azp", kBf16), {{x}, {}, 0, 1, HUGE_VAL, {fl(Real("1e-10"))}, {}, {azp}},
                        nullptr, kBf16)
        .q[0]
        .low;
  };
  EXPECT_EQ(code(1, 1), 127) << "a sum that wraps gives -128";
  EXPECT_EQ(code(-1, -1), -128);
  EXPECT_EQ(code(0, 1), 1);
}

TEST(Int8Catalogue, C2HalvesAndNineTenthsTellThreeRoundingsApart) {
  // The scale is 1, because amax is 127.
  const Numbers x = {127, 2.5, 3.5, 1.8984375, -2.5, -3.5, -1.8984375};
  const auto codes = [&](const char* id) {
    Numbers all;
    const RowOutputs out = of_row(id, x);
    for (size_t i = 1; i < x.size(); ++i) all.push_back(out.q[i].low == out.q[i].high ? out.q[i].low : -999);
    return all;
  };
  EXPECT_EQ(codes("vllm.group_int8"), (Numbers{2, 3, 1, -2, -3, -1}));
  EXPECT_EQ(codes("vllm.per_token_int8"), (Numbers{2, 4, 2, -2, -4, -2}));
  // The multiplier 127 / 127 may be off by 2 ulp, so a tie may be rounded either way: at the upper end, away from zero.
  const RowOutputs away = of_row("vllm.per_token_int8_triton", x);
  EXPECT_EQ(away.q[1].high, 3);
  EXPECT_EQ(away.q[4].low, -3);
  EXPECT_EQ(away.q[3].low, 2);
}

TEST(Int8Catalogue, ANanIsWhatEachCastMakesOfIt) {
  const double nan = std::nan("");
  EXPECT_EQ(of_row("vllm.group_int8", {127, nan}).q[1].low, -128) << "max drops it for -128";
  EXPECT_EQ(of_row("sglang.group_int8", {127, nan}).q[1].low, -128);
  EXPECT_EQ(of_row("vllm.per_token_int8", {127, nan}).q[1].low, 0) << "PTX ISA, cvt.rni.sat.s8.f32";
  for (const char* id : {"aiter.group_int8", "aiter.per_token_int8", "vllm.per_token_int8_triton", "vllm.per_token_int8_rocm"}) {
    EXPECT_TRUE(of_row(id, {127, nan}).q[1].any()) << id << ": undefined";
    EXPECT_FALSE(of_row(id, {127, nan}).q[2].any()) << id << ": and nothing else is";
  }
  EXPECT_TRUE(of_row("aiter.per_token_int8", {}).q[0].any()) << "a row of zeros: 0 * Inf";
  EXPECT_EQ(of_row("vllm.per_token_int8", {}).q[0].low, 0);
}

}  // namespace

}  // namespace assay::int8_catalogue

namespace assay::int8_given {

// Scales and zero points that are inputs, and codes that are checked with the stored scale and zero point.

namespace {

using namespace int8_programs;

TEST(Int8Twin, AGivenScaleAndZeroPointAreTakenAsTheyAre) {
  for (double scale : {1.0, 7.0, fl(Real("0.0123")), 0.0, 0x1p-140, HUGE_VAL}) {
    for (double azp : {0.0, 5.0, -128.0, 2147483647.0, -2147483648.0}) {
      for (const Numbers& row : rows_of(kBf16)) {
        const RowInputs inputs{row, {}, 0, 128, HUGE_VAL, {scale}, {}, {azp}};
        const RowOutputs out = evaluate_row(bind(tables(), "vllm.static_int8_azp", kBf16), inputs, nullptr, kBf16);
        const RowOutputs plain = evaluate_row(bind(tables(), "vllm.static_int8", kBf16), inputs, nullptr, kBf16);
        EXPECT_EQ(out.scale.size() + out.zero.size(), 0u) << "they are not outputs";
        for (size_t i = 0; i < row.size(); ++i) {
          ASSERT_EQ(out.q[i].low, double(code_about(row[i], divided(1, scale), int64_t(azp))))
              << row[i] << " " << scale << " " << azp;
          ASSERT_EQ(plain.q[i].low, double(whole(to_even, divided(row[i], scale), -128, 127))) << row[i] << " / " << scale;
        }
      }
    }
  }
}

// ---- a stored scale or zero point narrows what is computed from it

/// The shipped tables, plus a row whose divisions may be off by 2 ulp.
ContractTables with_a_free_row() {
  const auto path = std::filesystem::temp_directory_path() / ("int8_twin_test_" + std::to_string(::getpid()) + ".csv");
  std::ofstream(path) << "id,lo,hi,q,L,scale,zero,mult,code,group,layouts,pad,since,until,source,why\n"
                      << "my.free,least,greatest,int8,255,hi: sub(lo) div(L)~2,lo: div(s)~2 neg sub(128) to(int32),rcp,"
                      << "mul(m) int32: rint add(azp) to(q),row,row,rows:untouched,2026-11-21,,a test,free\n";
  ContractTables all = tables();
  all.add(path.string());
  std::filesystem::remove(path);
  return all;
}

TEST(Int8Given, CodesAreJudgedWithTheScaleAndTheZeroPointThatWereStored) {
  const Contract contract = bind(with_a_free_row(), "my.free", kF32);
  RandomNumbers random(91);
  int free = 0;
  for (int trial = 0; trial < 4000; ++trial) {
    // With scale 1, -lo is a number of halves, so the zero point is next to a tie.
    const double lo = -double(random.below(200)) - 0.5;
    const Numbers x = {lo, lo + 255, 0.25, 17, -3};
    const RowInputs inputs{x, {}, 0, 5};
    const RowOutputs wide = evaluate_row(contract, inputs, nullptr, kF32);
    ASSERT_FALSE(wide.scale[0].pinned());
    for (double azp : {wide.zero[0].low, wide.zero[0].high}) {
      const StoredRow stored{{}, {}, {1}, {azp}}, wrong{{}, {}, {1}, {azp + 9}};
      const RowOutputs given = evaluate_row(contract, inputs, &stored, kF32),
                       ignored = evaluate_row(contract, inputs, &wrong, kF32);
      if (given.zero[0].pinned()) continue;  // only one zero point is accepted for the stored scale
      ++free;
      EXPECT_EQ(given.zero[0].high - given.zero[0].low, 1) << "what is accepted does not narrow";
      for (size_t i = 0; i < x.size(); ++i) {
        const Span q = given.q[i];
        EXPECT_TRUE(q.pinned() && wide.q[i].low <= q.low && q.high <= wide.q[i].high);
        EXPECT_EQ(q.low, double(std::min<int64_t>(127, std::max<int64_t>(-128, whole(to_even, x[i], -999, 999) + int64_t(azp)))));
      }
      EXPECT_FALSE(ignored.q[4].pinned()) << "a zero point that the contract forbids narrows nothing";
    }
  }
  EXPECT_GT(free, 100);
}

}  // namespace

}  // namespace assay::int8_given
