#include "reference/recipe/formula.h"

#include <gtest/gtest.h>

#include "reference/formats/catalogue.h"
#include "reference/recipe/parse.h"
#include "reference/recipe/verbs.h"

namespace assay {
namespace {

std::string written(const std::string& cell) {
  const Names names{{{"M", "448"}}, {{"x", &kBf16}, {"q", &kE4M3Fn}}, {"s", "m", "amax", "r", "w", "n", "eps"}};
  return formula(parse_recipe(cell, names), "v");
}

TEST(Formula, ReadsAsArithmeticWithTheOrderOfTheSteps) {
  EXPECT_EQ(written("absmax max(1e-10)"), "max(max|v|, 1e-10)");
  EXPECT_EQ(written("div(n) add(eps) rsqrt~2"), "(rsqrt(v / n + eps) within 2 ulp)");
  EXPECT_EQ(written("add(eps) div(n)"), "(v + eps) / n");
  EXPECT_EQ(written("div(s) clamp(max_min,M) to(q)"), "e4m3fn(clamp(v / s, -448 .. 448, NaN to low))");
  EXPECT_EQ(written("amax: rdiv(M)~2"), "(448 / amax within 2 ulp)");
  EXPECT_EQ(written("mul(r) to(x) mul(w) to(x)"), "bf16((bf16(v * r)) * w)");
  EXPECT_EQ(written("sub(eps) mul(r) neg"), "-((v - eps) * r)");
  EXPECT_EQ(written("div(M) pow2(ceil) rcp"), "1 / (2^ceil(log2(v / 448)))");
  EXPECT_EQ(written("bf16: mul(m) to(q,nosat)"), "e4m3fn(bf16[v * m], no saturation)");
  EXPECT_EQ(written("neg exp~2+1.173v rdiv(n,fast)~2"),
            "(n / (exp(-v) within 2 + floor(1.173 |v|) ulp) within 2 ulp, or 0 beyond 2^126)");
  EXPECT_EQ(written("tanh~2^-11"), "(tanh(v) within 2^-11 of it)");
  EXPECT_EQ(written("erf~2 add(1) mul(w)"), "((erf(v) within 2 ulp) + 1) * w");
  EXPECT_EQ(written("mul(r*w)"), "v * (r * w)");
  EXPECT_EQ(written("mul(s) sub(m*r)~fma to(x)"), "bf16((v * s - m * r, one product unrounded or none))");
  EXPECT_EQ(written("mul(s) add(m)~fma"), "(v * s + m, the product rounded or not)");
  EXPECT_EQ(written(""), "v");
}

TEST(Formula, CellsThatDifferAreWrittenDifferently) {
  const char* cells[] = {"max(1)",
                         "max(1,keep)",
                         "min(1)",
                         "clamp(max_min,M)",
                         "clamp(min_max,M)",
                         "clamp(keep,M)",
                         "pow2(ceil)",
                         "pow2(floor)",
                         "pow2(even)",
                         "pow2(q75)",
                         "to(q)",
                         "to(q,nosat)",
                         "to(q,rz)",
                         "to(x)",
                         "rcp",
                         "rcp~1",
                         "exp",
                         "exp~2",
                         "exp~2+1.173v",
                         "tanh",
                         "tanh~2^-11",
                         "erf",
                         "rdiv(s)",
                         "rdiv(s,fast)",
                         "bf16: rcp",
                         "add(s) mul(m)",
                         "mul(m) add(s)",
                         "neg",
                         "abs",
                         "if0(1)",
                         "ifle(1,2)",
                         "ifle(2,1)",
                         "absmax",
                         "absmax(keep)",
                         "absmax(all)",
                         "squares",
                         "deviations"};
  for (const char* a : cells)
    for (const char* b : cells) EXPECT_EQ(written(a) == written(b), a == b) << a << " and " << b;
}

}  // namespace
}  // namespace assay
