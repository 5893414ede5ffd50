// Acceptance rules of other projects as data (rules.csv): how they compare a kernel's outputs with a reference.
//
// No verdict of Assay uses them. They are applied to faulty and healthy kernels to measure what they detect.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "suites/judges/answer.h"

namespace assay::judges {

enum class Judgement {
  kAccepts,
  kRefuses,
  kCannot  ///< the rule does not support this format
};

/// One comparison. `bounds` contains what its measure needs: rtol, atol, share, steps, elements, limit.
struct Check {
  std::string what;        ///< codes, scale, zero, storage, dequantized, output, residual
  std::string measure;     ///< see measures.h
  bool of_kernel = false;  ///< rtol is relative to the kernel's number instead of the reference's
  std::string only;        ///< code format that the rule is made for; empty: any
  std::map<std::string, double> bounds;

  bool has(const std::string& bound) const { return bounds.contains(bound); }
  double bound(const std::string& name) const { return bounds.at(name); }
};

struct Rule {
  std::string id;
  std::vector<std::string> kinds;  ///< op kinds: quant, norm, norm_quant, reduce, reduce_norm, gemm
  std::string recipe;
  std::vector<std::array<std::string, 2>>
      pairs;                              ///< contracts of kernel and reference that the project itself compares, if we have both
  std::vector<std::vector<Check>> parts;  ///< each part must be accepted by one of its checks
  std::string source, status, why;

  bool is_for(const std::string& kind) const;
  bool compares(const std::string& contract, const std::string& reference) const;
};

/// Reads rules.csv. Throws TableError: an unknown measure or bound, a missing or invalid bound, parts out of order.
std::vector<Rule> load_rules(const std::string& file);

Judgement judge(const Rule& rule, const Answer& kernel, const Answer& reference);

}  // namespace assay::judges
