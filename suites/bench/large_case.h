// A group quantization or GEMM of any size, outputs of a correct or wrong kernel, and a meter of a check's time and memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/expectation.h"
#include "harness/run/run_case.h"
#include "suites/registry.h"

namespace assay {

struct LargeCase {
  Case one;
  Problem problem;
  CallResult result;
};

/// Case of vllm.group_fp8_packed: m x n, groups of 128, bf16.
inline Case large_case(int64_t m, int64_t n) {
  Case one;
  one.op = "quant_group";
  one.tier = "full";
  one.why = "larger than any cache";
  one.origin = {"suites/bench/large_case.h", 0};
  one.parameters = {{"contract", "vllm.group_fp8_packed"},
                    {"x", "bf16"},
                    {"m", std::to_string(m)},
                    {"n", std::to_string(n)},
                    {"group_size", "128"},
                    {"layout", "ue8m0x4_tma"},
                    {"scale_ub", ""},
                    {"fill", "normal"},
                    {"seed", "1"},
                    {"warp", "32"}};
  return checked_case(shipped_ops().find(one.op), one);
}

/// Case of torch.scaled_mm_row.sm_90: [m, k] times [n, k], bf16.
inline Case large_product(int64_t m, int64_t n, int64_t k) {
  Case one;
  one.op = "gemm_scaled";
  one.tier = "full";
  one.why = "a GEMM too large for the diagnosis to recompute";
  one.origin = {"suites/bench/large_case.h", 0};
  one.parameters = {{"contract", "torch.scaled_mm_row.sm_90"},
                    {"m", std::to_string(m)},
                    {"n", std::to_string(n)},
                    {"k", std::to_string(k)},
                    {"fill", "amax_scaled"},
                    {"b", "amax_scaled"},
                    {"scales", "token_channel"},
                    {"scale", "amax_scales"},
                    {"y", "bf16"},
                    {"bias", ""},
                    {"azp", ""},
                    {"seed", "1"},
                    {"warp", "32"}};
  return checked_case(shipped_ops().find(one.op), one);
}

/// Case of deepgemm.fp8_gemm_1d2d.sm_90: the same shapes with block scales.
inline Case large_block_product(int64_t m, int64_t n, int64_t k) {
  Case one = large_product(m, n, k);
  one.op = "gemm_block_scaled";
  one.parameters.insert({{"layout_a", "tma"}, {"layout_b", "row"}, {"c", ""}});
  one.parameters["contract"] = "deepgemm.fp8_gemm_1d2d.sm_90", one.parameters["scales"] = "1x128_128x128";
  return checked_case(shipped_ops().find(one.op), one);
}

/// Writes the lowest accepted code of every element to `outputs`, at the addresses that the contract prescribes.
inline void store_answer(const Expectation& expectation, std::vector<HostTensor>& outputs) {
  const Answer& answer = expectation.any_of.front();
  for_each_block(answer, block_ranges(answer), [&](size_t, const AcceptedBlock& block) {
    for (size_t p = 0; p < answer.parts.size(); ++p) {
      const Part& part = answer.parts[p];
      HostTensor& tensor = find(outputs, part.tensor);
      const AcceptedRows& rows = block.parts[p];
      for (int64_t row = rows.first; row < rows.end; ++row)
        for (int64_t column = 0; column < part.columns(); ++column) {
          const int32_t low = rows.low[size_t((row - rows.first) * part.columns() + column)];
          const uint32_t code = code_from_ordinal(*part.format, low);
          if (part.format->bits == 8)
            tensor.bytes[size_t(part.offset(row, column))] = std::byte(code);  // offset() counts bytes, also for packed words
          else
            tensor.set_code(part.offset(row, column), code);
        }
    }
  });
}

/// The inputs of a case, and the outputs of a kernel with the mutant `mistake`, or of a correct kernel if `mistake` is empty.
inline LargeCase with_outputs(const Case& one, const std::string& mistake) {
  const Op& op = shipped_ops().find(one.op);
  LargeCase large{one, op.bind(one)->problem(), {}};
  for (const HostTensor& tensor : large.problem.tensors) {
    if (tensor.spec.role != Role::kOutput) continue;
    HostTensor output = tensor;
    output.bytes.assign(output.spec.bytes(), std::byte{0});  // the contracts above require zeros in padding
    large.result.outputs.push_back(std::move(output));
  }
  large.result.untouched.resize(large.result.outputs.size());
  large.result.in_place.resize(large.result.outputs.size());
  if (mistake.empty()) {
    store_answer(op.bind(one)->expect(large.problem, nullptr), large.result.outputs);
    return large;
  }
  for (const Hypothesis& hypothesis : op.bind(one)->mutants())
    if (hypothesis.name == mistake) store_answer(hypothesis.expect(large.problem, nullptr), large.result.outputs);
  return large;
}

/// A field of /proc/self/status in bytes, such as VmRSS or VmHWM, which that file gives in KiB.
inline int64_t memory(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return std::stoll(line.substr(name.size() + 1)) * 1024;
  return 0;
}

struct Cost {
  double seconds = 0;
  double cpu_seconds = 0;  ///< CPU time, summed over all threads
  int64_t bytes = 0;  ///< peak resident memory while f ran, minus resident memory before
};

template <class F>
Cost cost_of(F f) {
  std::ofstream("/proc/self/clear_refs") << "5";  // resets VmHWM
  const int64_t before = memory("VmRSS");
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu = std::clock();
  f();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return {took.count(), double(std::clock() - cpu) / CLOCKS_PER_SEC, memory("VmHWM") - before};
}

}  // namespace assay
