// A witness: what the implementation that a contract row describes returned on inputs that tell the row from its single-step
// edits. One file of safetensors for each row; its metadata hold, as JSON, what was run on what, and the calls.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/core/op.h"

namespace assay {

/// What made the outputs. All empty: only the inputs are there.
struct WitnessOrigin {
  std::string package;  ///< and version or commit: "vllm 0.33.0"
  std::string kernel;   ///< what was called
  std::string flags;    ///< of the build, where they change bits
  std::string on;       ///< chip, driver and toolkit, or the CPU
  std::string date;     ///< "2026-11-24"
};

struct WitnessCall {
  std::string from;  ///< case whose inputs they are, and which of its rows
  Case one;          ///< of these inputs; in no table
  Problem problem;
  CallResult result{};  ///< outputs are empty where none were made
};

struct Witness {
  std::string file, op, contract;
  WitnessOrigin origin{};
  std::vector<WitnessCall> calls;

  bool has_outputs() const;
  int64_t output_elements() const;
};

using OpNamed = std::function<const Op&(const std::string&)>;

/// The file as text. Throws std::logic_error if bytes do not fit a tensor.
std::string witness_text(const Witness& witness);

/// Throws DumpError: no witness, damaged, an unknown op, or tensors that are not those of the op's cases any more.
Witness read_witness(const std::string& file, const OpNamed& op_named);

/// Files of a folder and its folders that end in .safetensors, sorted. Throws UsageError if there is none.
std::vector<std::string> witness_files(const std::string& folder);

}  // namespace assay
