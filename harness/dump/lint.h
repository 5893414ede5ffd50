// Lint for quantized checkpoints: it finds blocks and scales that no correct quantizer writes. Needs no unquantized weights.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/dump/dump.h"

namespace assay {

/// One kind of problem in one tensor.
struct LintFinding {
  std::string tensor;  ///< name of the tensor of codes, or of a global scale
  std::string what;    ///< "NaN scale"
  int64_t blocks = 0, of = 0;  ///< blocks with the problem, and all blocks of the tensor
  std::string first;   ///< "row 5, block 7: scale byte 0x7f"
};

struct LintReport {
  int64_t tensors = 0;                ///< quantized tensors that were read
  uint64_t bytes = 0;                 ///< their size, scales included
  std::vector<std::string> schemes;   ///< "224 NVFP4 (ModelOpt)"
  std::vector<std::string> unknown;   ///< names of scale tensors whose scheme is unknown
  std::vector<LintFinding> findings;  ///< in the order of the files
};

/// Checks the quantized tensors of .safetensors files, such as the shards of a checkpoint. Recognizes FP8 with block
/// scales, MXFP8, MXFP4 and NVFP4 by the tensor names of compressed-tensors, ModelOpt, Quark and DeepSeek. Maps the files into
/// memory and releases what it has read. Throws DumpError; Throws UsageError if no tensor is quantized.
LintReport lint_checkpoint(const std::vector<std::string>& files);

/// The report as text.
std::string lint_text(const LintReport& report);

}  // namespace assay
