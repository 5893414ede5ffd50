// Acceptance rules of other projects as data (rules.csv): how they compare a kernel's outputs with a reference.
//
// No verdict of Assay uses them. They are applied to faulty and healthy kernels to measure what they detect.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/core/op.h"

namespace assay::judges {

/// One tensor in row-major order: codes and values. Without a format: absent.
struct Numbers {
  const Format* format = nullptr;
  std::vector<uint32_t> codes;
  std::vector<double> values;
};

/// Converts codes to numbers.
Numbers numbers(const Format& format, std::vector<uint32_t> codes);

struct Answer {
  Numbers result;                        ///< q, d, or y for an op without quantization; all ranks concatenated
  Numbers residual;                      ///< of all ranks, if present
  Numbers zero;                          ///< zero points, if the op stores them
  Numbers scale;                         ///< absent if the op stores none
  std::vector<std::byte> scale_storage;  ///< includes padding
  std::vector<double> dequantized;       ///< (q - zero point) * scale in fp32, as the tests compute it
  std::vector<double> input;             ///< x
};

/// Whether a rule can compare these outputs: codes, normalized numbers or a scaled GEMM. False for an activation without
/// quantization (half as wide as its x).
bool is_comparable(const Problem& problem);

/// The outputs of a call with ranks, of a GEMM, or of a row-wise op, for a comparable problem.
Answer answer_of(const Case& one, const Problem& problem, const std::vector<HostTensor>& outputs);

enum class Judgement {
  kAccepts,
  kRefuses,
  kCannot  ///< the rule does not support this format
};

/// One comparison. `bounds` contains what its measure needs: rtol, atol, share, steps, elements, limit.
struct Check {
  std::string what;        ///< codes, scale, zero, storage, dequantized, output, residual
  std::string measure;     ///< see measures() in judge_rules.cpp
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
      pairs;                              ///< contracts of kernel and reference that the project's test compares
  std::vector<std::vector<Check>> parts;  ///< each part must be accepted by one of its checks
  std::string source, status, why;

  bool is_for(const std::string& kind) const;
  bool compares(const std::string& contract, const std::string& reference) const;
};

/// Reads rules.csv. Throws TableError: an unknown measure or bound, a missing or invalid bound, parts out of order.
std::vector<Rule> load_rules(const std::string& file);

Judgement judge(const Rule& rule, const Answer& kernel, const Answer& reference);

}  // namespace assay::judges
