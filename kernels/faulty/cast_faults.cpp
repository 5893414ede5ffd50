// Faults of casts, shuffled weights and the contiguity check. Each description cites a bug report or source, or says that the fault is invented.

#include "kernels/ops/call.h"
#include "kernels/ops/cast/cast_kernel.h"
#include "kernels/ops/layouts/shuffle_weight_kernel.h"

namespace assay_kernels {

// Casts.

/// Truncates the exponent where the contract rounds it up.
struct CastFloorForCeil : CudaE8m0Rp {
  static uint8_t encode(float v) { return simt::to_e8m0_rz_sat(v); }
};

/// Clamps before the conversion, which turns NaN into a number.
struct CastNanLaundering : CudaE4m3fnSat {
  static uint8_t encode(float v) { return simt::to_e4m3fn_sat(simt::max_number(simt::min_number(v, 448.0f), -448.0f)); }
};

/// Omits the clamp before an instruction that does not saturate.
struct CastWithoutSaturation : CudaE4m3fnSat {
  static uint8_t encode(float v) { return CudaE4m3fnNosat::encode(v); }
};

/// Returns NaN for every input above the largest value. The contract rounds first, so inputs just above this value become this value.
struct CastNanAboveLargest : CudaE4m3fnNosat {
  static uint8_t encode(float v) {
    const uint8_t nan = uint8_t(0x7fu | (simt::bits(v) >> 24 & 0x80u));
    return simt::magnitude(v) > 448.0f ? nan : CudaE4m3fnNosat::encode(v);
  }
};

/// Rounds ties away from zero.
struct CastTiesAway : CudaE4m3fnSat {
  static uint8_t encode(float v) {
    const float m = simt::magnitude(v);
    const uint32_t code = m < 0x1p-6f ? uint32_t(m * 512.0f + 0.5f) : ((simt::bits(m) + 0x80000u) >> 20) - 960u;
    return v != v ? uint8_t(0x7f) : uint8_t((simt::bits(v) >> 24 & 0x80u) | (code < 0x7eu ? code : 0x7eu));
  }
};

/// Flushes subnormal results to zero.
struct CastFlushesSubnormals : CudaE4m3fnSat {
  static uint8_t encode(float v) {
    const uint8_t code = simt::to_e4m3fn_sat(v);
    return (code & 0x7fu) < 8u ? code & 0x80u : code;
  }
};

/// Saturates at 240, the largest value of e4m3fnuz.
struct CastRange240 : CudaE4m3fnSat {
  static uint8_t encode(float v) {
    return v != v ? uint8_t(0x7f) : simt::to_e4m3fn_sat(simt::max_number(simt::min_number(v, 240.0f), -240.0f));
  }
};

/// Rounds twice: first to bf16, then to e4m3fn.
struct CastThroughBf16 : CudaE4m3fnSat {
  static uint8_t encode(float v) { return simt::to_e4m3fn_sat(simt::to_float(simt::from_float<simt::Bf16>(v))); }
};

/// Shifts a 64-bit integer by 64 or more bits. x86 masks the shift count, so tiny inputs are treated as if 2^64 times larger.
struct CastShiftWraps : CudaE4m3fnSat {
  static uint8_t encode(float v) {
    const float m = simt::magnitude(v);
    return simt::to_e4m3fn_sat(m > 0x1p-74f && m < 0x1.fp-70f ? v * 0x1p64f : v);
  }
};

/// Stores e4m3fnuz codes in an e4m3fn tensor.
struct CastFnuzForFn : CudaE4m3fnSat {
  static uint8_t encode(float v) { return simt::to_e4m3fnuz_sat(v); }
};

// Casts.

namespace {

template <class Rules>
Kernel of_casts(const char* name, const char* cites) {
  return {name, "cast", {Rules::kContract}, {{"x", kAny}, {"warp", simt::kWarpSizes}}, {}, run_cast<Rules>, name, cites, "cast"};
}

}  // namespace

std::vector<Kernel> cast_faults() {
  return {
      of_casts<CastFloorForCeil>("cast_floor_for_ceil", "vLLM #43557: this cast truncates the exponent; the contract rounds it up"),
      of_casts<CastNanLaundering>("cast_nan_laundering", "aiter e4048607 vec_convert calls v_med3_f32 without a guard for NaN, so NaN becomes a number"),
      of_casts<CastWithoutSaturation>("cast_without_saturation", "triton #7327, triton #7337: this cast does not saturate; the contract does"),
      of_casts<CastNanAboveLargest>("cast_nan_above_largest", "ROCm clr f9f995c amd_hip_fp8.h cast_to_f8: this cast returns NaN for inputs just above the "
                                                              "largest value; the contract rounds these to the largest value"),
      of_casts<CastTiesAway>("cast_ties_away", "microxcaling 7bc4195 rounds ties away from zero by default; the contract rounds them to even"),
      of_casts<CastFlushesSubnormals>("cast_flushes_subnormals",
                                      "this kernel flushes subnormal results to zero, as some hardware does"),
      of_casts<CastRange240>("cast_range_240", "vLLM #32201: 240 is used instead of 224; this kernel saturates at 240 instead of 448"),
      of_casts<CastThroughBf16>("cast_through_bf16", "vLLM #42325: a norm is rounded to 16 bits before its quantization; this cast rounds to bf16 first"),
      of_casts<CastShiftWraps>("cast_shift_wraps", "ROCm clr a853242 amd_hip_fp8.h cast_to_f8: a shift by 64 or more bits wraps, so tiny inputs are cast as if "
                                                   "they were 2^64 times larger"),
      of_casts<CastFnuzForFn>("cast_fnuz_for_fn", "HIP 7.2.4 amd_hip_fp8.h on gfx942 with NDEBUG: this cast stores e4m3fnuz codes in an e4m3fn tensor"),
  };
}

// Shuffled weights.

namespace {

/// Does not shuffle the weight, as if the loader had shuffled a copy and the kernel read the original.
struct ShuffleNothing : AiterShuffle16 {
  SIMT_DEVICE static int64_t target(int64_t plain, int64_t) { return plain; }
};

/// Moves runs of 16 elements. The correct runs have 16 bytes, which are 8 elements of 16 bits.
struct ShuffleRunsOfBytes : AiterShuffle16 {
  SIMT_DEVICE static int64_t place(int64_t row, int64_t run, int64_t runs_of_row, int64_t) {
    return row / kRows * (runs_of_row * kRows) + run / 2 * (2 * kRows) + row % kRows * 2 + run % 2;
  }
};

/// Shuffles in tiles of 32 rows, for another MFMA instruction; the contract has tiles of 16 rows.
struct ShuffleTileOf32 : AiterShuffle16 {
  SIMT_DEVICE static int64_t place(int64_t row, int64_t run, int64_t runs_of_row, int64_t runs_of_tile) {
    return AiterShuffle32::place(row, run, runs_of_row, runs_of_tile);
  }
};
struct ShuffleTileOf16 : AiterShuffle32 {
  SIMT_DEVICE static int64_t place(int64_t row, int64_t run, int64_t runs_of_row, int64_t runs_of_tile) {
    return AiterShuffle16::place(row, run, runs_of_row, runs_of_tile);
  }
};

/// Keeps the rows of a tile contiguous, because one permutation of axes is missing.
struct ShuffleRowsWhole : AiterShuffle16 {
  SIMT_DEVICE static int64_t place(int64_t row, int64_t run, int64_t runs_of_row, int64_t runs_of_tile) {
    return row / kRows * (runs_of_row * kRows) + run / runs_of_tile * (kRows * runs_of_tile) + row % kRows * runs_of_tile +
           run % runs_of_tile;
  }
};

/// Shuffles where it should undo the shuffle.
struct UnshuffleShuffles : Unshuffle16 {
  SIMT_DEVICE static int64_t source(int64_t plain, int64_t) { return plain; }
  SIMT_DEVICE static int64_t target(int64_t, int64_t shuffled) { return shuffled; }
};

template <class Rules>
Kernel of_shuffle(const char* name, const char* cites, const Values& types = {"e4m3fn", "e4m3fnuz", "int8", "bf16", "f16"},
                  const assay::plugin::MultipleOf& multiple_of = {}) {
  return {name,
          "shuffle_weight",
          {Rules::kContract},
          {{"x", types}, {"warp", simt::kWarpSizes}},
          multiple_of,
          run_shuffle<Rules>,
          name,
          cites,
          "shuffle_weight"};
}

}  // namespace

std::vector<Kernel> shuffle_faults() {
  return {
      of_shuffle<ShuffleNothing>("shuffle_nothing",
                                 "SGLang, AITER bpreshuffle: copy_ loses the flag is_shuffled; this kernel does not shuffle the weight"),
      of_shuffle<ShuffleRunsOfBytes>("shuffle_runs_of_bytes", "AITER shuffle_weight moves runs of K = 16 // element_size elements; this kernel moves runs of "
                                                              "16 elements of every type", kHalf),
      of_shuffle<ShuffleTileOf32>("shuffle_tile_of_32", "AITER shuffle_weight has tiles of layout (16, 16) and (32, 16); this kernel uses (32, 16) instead of "
                                                        "(16, 16)", {"e4m3fn", "bf16"},
                                  {{"n", 32}}),
      of_shuffle<ShuffleTileOf16>("shuffle_tile_of_16", "AITER shuffle_weight has tiles of layout (16, 16) and (32, 16); this kernel uses (16, 16) instead of "
                                                        "(32, 16)"),
      of_shuffle<ShuffleRowsWhole>("shuffle_rows_whole", "AITER shuffle_weight calls permute(0, 1, 3, 4, 2, 5); this kernel leaves out one exchange of axes"),
      of_shuffle<UnshuffleShuffles>("unshuffle_shuffles", "invented fault: this kernel shuffles the weight where it should undo the shuffle"),
  };
}

// The contiguity check. A wrong check accepts strided tensors as dense memory, or rejects dense tensors.

/// Rejects permuted dense tensors, which the weak check accepts.
struct ContiguityWholeAlone : WeakContiguousRules {
  static bool accepts(const assay_tensor& x) { return contiguous(x); }
};

/// Accepts any tensor with enough storage.
struct ContiguityRoomBehind : WeakContiguousRules {
  static bool accepts(const assay_tensor& x) { return contiguous(x) || x.bytes >= elements(x) * (x.type_bits / 8); }
};

/// Compares an element count with a byte count.
struct ContiguityElementsForBytes : WeakContiguousRules {
  static bool accepts(const assay_tensor& x) { return contiguous(x) || x.bytes == elements(x); }
};

/// Also compares the strides of dimensions of size 1, which do not matter.
struct ContiguityStrideOfOne : ContiguousRules {
  static bool accepts(const assay_tensor& x) {
    int64_t wanted = 1;
    for (int d = x.ndim - 1; d >= 0; wanted *= x.shape[d], --d)
      if (x.strides[d] != wanted) return false;
    return true;
  }
};

namespace {

template <class Rules>
Kernel of_contiguity(const char* name, const char* contract, const char* twin, const char* cites) {
  Kernel row = contiguity_row<Rules>(name, {contract});
  row.fault = name;
  row.cites = cites;
  row.twin = twin;
  return row;
}

}  // namespace

std::vector<Kernel> contiguity_faults() {
  const char *weak = "weak_contiguity.weak", *vllm = "vllm.weak_contiguous";
  return {
      of_contiguity<ContiguityWholeAlone>("contiguity_whole_alone", vllm, weak,
                                          "vllm v0.33.0 accepts permuted dense tensors, sglang 7723177a3b rejects them; this check rejects them in vllm's "
                                          "contract"),
      of_contiguity<ContiguityRoomBehind>("contiguity_room_behind", vllm, weak,
                                          "invented fault: this check accepts any tensor with enough storage, so a strided view is read as dense memory"),
      of_contiguity<ContiguityElementsForBytes>("contiguity_elements_for_bytes", vllm, weak,
                                                "FasterTransformer 480: the check compares a number of elements with a number of bytes"),
      of_contiguity<ContiguityStrideOfOne>("contiguity_stride_of_one", "sglang.contiguous", "weak_contiguity.whole",
                                           "invented fault: this check compares the strides of dimensions of size 1, which are arbitrary"),
  };
}

}  // namespace assay_kernels
