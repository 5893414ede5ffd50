// int8 quantizations, with and without a zero point, against programs written by hand.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <sstream>

#include "reference/contracts/rows.h"
#include "reference/flow/row.h"
#include "reference/testing/f32.h"
#include "reference/testing/int8_programs.h"
#include "reference/testing/real.h"

namespace assay::int8_twin {
namespace {

using namespace int8_programs;
double less(double a, double b) { return fl(in_reals(mpfr_sub, a, b)); }

using Twin = std::function<Group(const Numbers&)>;

/// vLLM scaled_quant.cu 180df48e, dynamic: the multiplier is 127 / amax, 0 for a row of zeros.
Group per_token(const Numbers& x) {
  const double amax = amax_from(0, x), inverse = amax == 0 ? 0 : divided(127, amax);
  Group g{divided(amax, 127), {}, {}};
  for (double v : x) g.codes.push_back(whole(to_even, times(v, inverse), -128, 127));
  return g;
}

Group per_token_azp(const Numbers& x) {
  double lo = max_finite(kF32), hi = -lo;
  for (double v : x) {
    if (v < lo) lo = v;  // false for NaN
    if (v > hi) hi = v;
  }
  Group g{divided(less(hi, lo), 255), {}, {}};
  const double middle = less(-128, divided(lo, g.scale)), inverse = divided(1, g.scale);
  const bool defined = !std::isnan(middle) && std::fabs(middle) < 0x1p31;
  if (defined) g.zero = whole(to_even, middle, kLeast32, kMost32);
  for (double v : x) g.codes.push_back(defined ? std::optional(code_about(v, inverse, *g.zero)) : std::nullopt);
  return g;
}

/// The proposal: the range holds 0; a range of 0 counts as 255.
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
