// A "witness": recorded outputs of the implementation that a contract describes, on inputs that distinguish the contract from its
// mutants. One safetensors file per contract; its metadata hold the provenance and the calls as JSON.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/core/op.h"

namespace assay {

/// Provenance of the outputs. All fields are empty if there are only inputs.
struct WitnessOrigin {
  std::string package;  ///< name and version or commit: "vllm 0.33.0"
  std::string kernel;   ///< function that was called
  std::string flags;    ///< build flags that change bits
  std::string on;       ///< GPU, driver and toolkit, or the CPU
  std::string date;     ///< "2026-11-24"
};

struct WitnessCall {
  std::string from;  ///< case that the inputs come from, and which of its rows
  Case one;          ///< case for these inputs; it is in no table
  Problem problem;
  CallResult result{};  ///< outputs are empty for a file with inputs only
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

/// Throws DumpError: not a recorded call, damage, an unknown op, or tensors that no longer match the op's cases.
Witness read_witness(const std::string& file, const OpNamed& op_named);

/// All .safetensors files in a folder and its subfolders, sorted. Throws UsageError if there are none.
std::vector<std::string> witness_files(const std::string& folder);

}  // namespace assay
