// Helpers for tests of input generators: a filled tensor, its values, the largest magnitude of each group.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "harness/fill/fill.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay::testing {

inline constexpr int64_t kRows = 8, kColumns = 2048, kGroup = 128;

inline HostTensor filled(const std::string& name, const Format& format = kBf16, const Format* q = &kE4M3Fn, uint64_t seed = 1) {
  HostTensor tensor{dense("x", Role::kInput, format, {kRows, kColumns}), {}};
  HostTensor gamma{dense("gamma", Role::kInput, kBf16, {kColumns}), {}};
  fill(gamma, {.name = "tie_weights", .seed = seed, .tensor = 1});
  const std::vector<FilledOperand> operands = {filled_operand(gamma)};
  fill(tensor, {.name = name, .seed = seed, .group_size = kGroup, .q = q, .operands = &operands});
  return tensor;
}

inline std::vector<double> values(const HostTensor& tensor) {
  std::vector<double> all;
  for (int64_t i = 0; i < tensor.spec.elements(); ++i) all.push_back(decode(*tensor.spec.format, tensor.code(i)));
  return all;
}

/// Largest magnitude of each group; groups with NaN give NaN.
inline std::vector<double> amaxes(const HostTensor& tensor) {
  const std::vector<double> x = values(tensor);
  std::vector<double> all;
  for (size_t begin = 0; begin < x.size(); begin += kGroup) {
    double amax = 0;
    for (size_t i = begin; i < begin + kGroup; ++i)
      amax = std::isnan(x[i]) || std::isnan(amax) ? std::nan("") : std::max(amax, std::fabs(x[i]));
    all.push_back(amax);
  }
  return all;
}

/// The share of the values for which `is` returns true.
double share(const std::vector<double>& all, const auto& is) {
  return double(std::count_if(all.begin(), all.end(), is)) / double(all.size());
}

/// Six standard deviations of a share observed among the values of filled(), if the true share is p.
inline double six_sigma(double p) { return 6 * std::sqrt(p * (1 - p) / double(kRows * kColumns)); }

/// The value `steps` codes further.
inline double next_code(const Format& format, double value, int steps) {
  return decode(format, code_from_ordinal(format, ordinal_of_value(format, value) + steps));
}

}  // namespace assay::testing
