// Acceptance rules of other projects as data (rules.csv): how their tests compare a kernel's outputs with a reference.
//
// Assay's verdicts do not use these rules. Applied to faulty and healthy kernels, the rules show what the projects' tests detect.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/core/op.h"

namespace assay::judges {

/// A tensor as codes and values, row by row. format is nullptr if the op has no such tensor.
struct Numbers {
  const Format* format = nullptr;
  std::vector<uint32_t> codes;
  std::vector<double> values;
};

/// Decodes codes to values.
Numbers numbers(const Format& format, std::vector<uint32_t> codes);

struct Answer {
  Numbers result;                        ///< q or d, or y if the op does not quantize; all ranks one after the other
  Numbers residual;                      ///< the stored residual of all ranks; absent if the op has none
  Numbers zero;                          ///< zero points, if the op stores them
  Numbers scale;                         ///< scales, one for each group; absent if the op stores none
  std::vector<std::byte> scale_storage;  ///< all bytes of the scale tensor, with padding
  std::vector<double> dequantized;       ///< (q - zero point) * scale in fp32, as the projects' tests compute it
  std::vector<double> input;             ///< x
};

/// Whether a rule can compare these outputs: codes, results of a norm, or a scaled GEMM. False for an activation without
/// quantization, whose y has half the columns of x.
bool is_comparable(const Problem& problem);

/// Converts the outputs of a call with ranks, of a GEMM or of a row-wise op. The problem must be comparable.
Answer answer_of(const Case& one, const Problem& problem, const std::vector<HostTensor>& outputs);

enum class Judgement {
  kAccepts,
  kRefuses,
  kCannot  ///< the rule does not support this format
};

/// One comparison. `bounds` holds the numbers that the measure needs: rtol, atol, share, steps, elements, limit.
struct Check {
  std::string what;        ///< what is compared: codes, scale, zero, storage, dequantized, output, residual
  std::string measure;     ///< see measures() in judge_rules.cpp
  bool of_kernel = false;  ///< rtol is relative to the kernel's value, not the reference's
  std::string only;        ///< the code format for which the rule is made; empty: all
  std::map<std::string, double> bounds;

  bool has(const std::string& bound) const { return bounds.contains(bound); }
  double bound(const std::string& name) const { return bounds.at(name); }
};

struct Rule {
  std::string id;
  std::vector<std::string> kinds;  ///< op kinds: quant, norm, norm_quant, reduce, reduce_norm, gemm
  std::string recipe;
  std::vector<std::array<std::string, 2>>
      pairs;                              ///< contracts of kernel and reference that the project's test compares with each other
  std::vector<std::vector<Check>> parts;  ///< the rule accepts if in each part at least one check accepts
  std::string source, status, why;

  bool is_for(const std::string& kind) const;
  bool compares(const std::string& contract, const std::string& reference) const;
};

/// Reads rules.csv. Throws TableError for an unknown measure, an unknown, missing or invalid bound, or parts out of order.
std::vector<Rule> load_rules(const std::string& file);

/// Whether the rule accepts the kernel's outputs, compared with those of the reference.
Judgement judge(const Rule& rule, const Answer& kernel, const Answer& reference);

}  // namespace assay::judges
