// Norms as MPFR programs, step by step: rms_norm and layer_norm.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/recipe.h"
#include "reference/testing/mpfr_programs.h"

namespace assay::norm_rows {

// Rows for tests of norms, and values of an interval.

inline constexpr char kNA[] = "vllm.rms_norm@v0.19.1", kNB[] = "vllm.rms_norm@2026-06-18",
                      kFused[] = "assay.rms_norm_group_packed";
inline constexpr double kEps = 1e-6;

struct Row {
  std::vector<double> x, gamma;
};

/// A typical row: x from N(0, scale) and gamma from N(1, 0.1), both rounded to the input format.
inline Row normal_row(const Format& format, int n, unsigned seed, double scale = 1) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  Row row;
  for (int i = 0; i < n; ++i)
    row.x.push_back(nearest(format, scale * normal(engine))), row.gamma.push_back(nearest(format, 1 + 0.1 * normal(engine)));
  return row;
}

inline bool inside(Span span, double value) { return span.low <= value && value <= span.high; }

/// `count` evenly spaced f32 values of an interval, including both ends.
inline std::vector<double> numbers_of(Span span, int64_t count) {
  const int64_t low = ordinal_of_value(kF32, span.low), high = ordinal_of_value(kF32, span.high);
  std::vector<double> all;
  for (int64_t i = 0; i < count; ++i)
    all.push_back(decode(kF32, code_from_ordinal(kF32, int32_t(low + (high - low) * i / (count - 1)))));
  return all;
}

}  // namespace assay::norm_rows

namespace assay::layer_norms {

// Rows for norms that subtract the mean, and a float program of such norms with right and wrong options.

inline constexpr char kTwoPass[] = "flashinfer.layer_norm";
inline constexpr double kEps = 1e-6;

/// x from N(mean, 1), rounded to the input format; gamma from N(1, 0.1) and beta from N(0, 1) in fp32.
inline RowInputs normal_row(const Format& format, int n, unsigned seed, double mean) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  RowInputs row;
  row.eps = kEps;
  for (int i = 0; i < n; ++i) {
    row.x.push_back(nearest(format, mean + normal(engine)));
    row.gamma.push_back(nearest(kF32, 1 + 0.1 * normal(engine)));
    row.beta.push_back(nearest(kF32, normal(engine)));
  }
  return row;
}

inline constexpr int kChain = 3;

/// Sums in several orders. Two of them add four terms first (neighbours, or a quarter of the row apart), then these sums
/// pairwise. One adds all terms pairwise. One adds them one after another, deeper than the trees of the contracts.
inline float sum_of(std::vector<float> terms, int order) {
  const size_t each = order == kChain ? terms.size() : 4, chains = terms.size() / each;
  if (order != 2) {
    std::vector<float> sums(chains, 0.0f);
    for (size_t i = 0; i < terms.size(); ++i) sums[order == 1 ? i % chains : i / each] += terms[i];
    terms = sums;
  }
  for (size_t n = terms.size(); n > 1; n = (n + 1) / 2)
    for (size_t i = 0; i < n / 2; ++i) terms[i] += terms[n - 1 - i];
  return terms[0];
}

/// Options of a norm kernel. Some values are mistakes.
struct Way {
  int order = 0;
  bool fused = false, one_pass = false;
  bool keeps_mean = false, less_one = false, no_beta = false, rounds_first = false;
};

inline std::vector<double> layer_norm(const Format& format, const RowInputs& row, const Way& way) {
  const float n = float(row.x.size());
  std::vector<float> x(row.x.begin(), row.x.end()), squares;
  const float mean = sum_of(x, way.order) / n;
  for (float v : x) squares.push_back(way.one_pass ? v * v : (v - mean) * (v - mean));
  float variance = sum_of(squares, way.order) / (way.less_one ? n - 1 : n);
  if (way.one_pass) variance -= mean * mean;
  const float r = float(nearest(kF32, in_reals(mpfr_rec_sqrt, Real(double(variance + float(row.eps))))));
  std::vector<double> y;
  for (size_t i = 0; i < x.size(); ++i) {
    float v = (way.keeps_mean ? x[i] : x[i] - mean) * r;
    if (way.rounds_first) v = float(nearest(format, double(v)));
    const float w = float(row.gamma[i]), b = way.no_beta ? 0.0f : float(row.beta[i]);
    y.push_back(nearest(format, double(way.fused ? std::fma(v, w, b) : float(v * w) + b)));
  }
  return y;
}

inline bool inside(Span span, double value) { return span.any() || (span.low <= value && value <= span.high); }

inline int64_t outside(const Spans& spans, const std::vector<double>& values) {
  int64_t count = 0;
  for (size_t i = 0; i < values.size(); ++i) count += !inside(spans[i], values[i]);
  return count;
}

}  // namespace assay::layer_norms
