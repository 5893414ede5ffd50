// How four fp32 scales become a word, or one stays what it is. Sources: DeepGEMM
// deep_gemm/include/deep_gemm/impls/smxx_layout.cuh (1f3b8059), csrc/jit_kernels/impls/smxx_layout.hpp (0274ad7b).
#pragma once

#include "kernels/ops/quant_group/rules.h"

namespace assay_kernels {

struct PackRules {
  static constexpr int kValues = 4;         ///< scales of a word
  static constexpr bool kPadsRows = false;  ///< zeros in the words of rows beyond the last
  static constexpr bool kGaps = false;      ///< rows of groups, with rows between them that hold nothing
  /// What a row's last word has for scales that the row lacks.
  SIMT_DEVICE static uint32_t absent() { return 0; }
  /// Place of word `column` of a row.
  SIMT_DEVICE static int64_t place(int64_t row, int64_t column, int64_t padded_rows, int64_t /*words*/) {
    return column * padded_rows + row;
  }
};

/// Right for powers of two alone; whoever calls it says that they are. Before 2.6 nobody looked, after it a device assert.
struct DeepgemmPack25 : PackRules {
  static constexpr const char* kContract = "deepgemm.pack_ue8m0@2.5";
  SIMT_DEVICE static uint32_t word(const uint32_t* v) { return v[0] >> 23 | v[1] >> 15 | v[2] >> 7 | v[3] << 1; }
};

struct DeepgemmPack26 : DeepgemmPack25 {
  static constexpr const char* kContract = "deepgemm.pack_ue8m0@2.6";
};

/// `psum_layout` holds the end of each group; the next one begins at the alignment. What lies between has words of zero.
struct DeepgemmPackPsum26 : DeepgemmPack25 {
  static constexpr const char* kContract = "deepgemm.pack_ue8m0_psum@2.6";
  static constexpr bool kGaps = true;
};

/// x.view(int32) >> 23 as uint8, four bytes as an int32, into a tensor of zeros.
struct DeepgemmPackTorch : PackRules {
  static constexpr const char* kContract = "deepgemm.pack_ue8m0_torch";
  static constexpr bool kPadsRows = true;
  SIMT_DEVICE static uint32_t word(const uint32_t* v) {
    return (v[0] >> 23 & 255u) | (v[1] >> 23 & 255u) << 8 | (v[2] >> 23 & 255u) << 16 | (v[3] >> 23 & 255u) << 24;
  }
};

struct DeepgemmMnMajorTmaAlignedF32 : PackRules {
  static constexpr const char* kContract = "deepgemm.mn_major_tma_aligned_f32";
  static constexpr int kValues = 1;
  SIMT_DEVICE static uint32_t word(const uint32_t* v) { return v[0]; }
};

/// A list of rules, for dispatch by the contract's id.
template <class... Rules>
struct PackList {
  template <class F>
  static bool with(const std::string& contract, F f) {
    return ((contract == Rules::kContract && (f(Rules{}), true)) || ...);
  }
  static void append_ids(std::vector<std::string>& ids) { (ids.push_back(Rules::kContract), ...); }
};

}  // namespace assay_kernels
