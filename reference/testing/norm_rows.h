// Rows for tests of norms, and the numbers in a span.
#pragma once

#include "reference/contracts/rows.h"
#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/testing/f32.h"
#include "reference/testing/real.h"
#include "reference/testing/twins.h"

namespace assay::norm_rows {

inline constexpr char kNA[] = "vllm.rms_norm@v0.19.1", kNB[] = "vllm.rms_norm@2026-06-18",
                      kFused[] = "assay.rms_norm_group_packed";
inline constexpr double kEps = 1e-6;

struct Row {
  std::vector<double> x, gamma;
};

/// A typical row: x ~ N(0, scale), gamma ~ N(1, 0.1), both in the input format.
inline Row normal_row(const Format& format, int n, unsigned seed, double scale = 1) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  Row row;
  for (int i = 0; i < n; ++i)
    row.x.push_back(nearest(format, scale * normal(engine))), row.gamma.push_back(nearest(format, 1 + 0.1 * normal(engine)));
  return row;
}

inline bool inside(Span span, double value) { return span.low <= value && value <= span.high; }

/// `count` f32 numbers of a span, evenly spaced, including both ends.
inline std::vector<double> numbers_of(Span span, int64_t count) {
  const int64_t low = ordinal_of_value(kF32, span.low), high = ordinal_of_value(kF32, span.high);
  std::vector<double> all;
  for (int64_t i = 0; i < count; ++i)
    all.push_back(decode(kF32, code_from_ordinal(kF32, int32_t(low + (high - low) * i / (count - 1)))));
  return all;
}

}  // namespace assay::norm_rows
