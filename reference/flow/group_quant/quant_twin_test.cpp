// Quantizations by group against programs written by hand.
#include <gtest/gtest.h>

#include <functional>
#include <sstream>

#include "reference/contracts/rows.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/flow/row.h"
#include "reference/testing/f32.h"
#include "reference/testing/quant_programs.h"
#include "reference/testing/real.h"

namespace assay::quant_twin {
namespace {

using namespace quant_programs;

/// vLLM's packed UE8M0 quantization: the smallest power of two that is not below the scale.
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
