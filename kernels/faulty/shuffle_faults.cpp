// A weight shuffled wrong, each as it went wrong somewhere or may.
#include "kernels/ops/catalogue.h"
#include "kernels/ops/shuffle_weight/shuffle.h"

namespace assay_kernels {
namespace {

/// The copy into a parameter that exists: what was shuffled is not what is read.
struct ShuffleNothing : AiterShuffle16 {
  SIMT_DEVICE static int64_t target(int64_t plain, int64_t) { return plain; }
};

/// Sixteen elements a run, of which each has two bytes.
struct ShuffleRunsOfBytes : AiterShuffle16 {
  SIMT_DEVICE static int64_t place(int64_t row, int64_t run, int64_t runs_of_row, int64_t) {
    return row / kRows * (runs_of_row * kRows) + run / 2 * (2 * kRows) + row % kRows * 2 + run % 2;
  }
};

/// The tile of the other instruction.
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

/// Rows of a tile whole, one after the other: the permutation of the last two axes is missing.
struct ShuffleRowsWhole : AiterShuffle16 {
  SIMT_DEVICE static int64_t place(int64_t row, int64_t run, int64_t runs_of_row, int64_t runs_of_tile) {
    return row / kRows * (runs_of_row * kRows) + run / runs_of_tile * (kRows * runs_of_tile) + row % kRows * runs_of_tile + run % runs_of_tile;
  }
};

/// Shuffled where it should go back.
struct UnshuffleShuffles : Unshuffle16 {
  SIMT_DEVICE static int64_t source(int64_t plain, int64_t) { return plain; }
  SIMT_DEVICE static int64_t target(int64_t, int64_t shuffled) { return shuffled; }
};

template <class Rules>
Kernel of_shuffle(const char* name, const char* cites, const Values& types = {"e4m3fn", "e4m3fnuz", "int8", "bf16", "f16"},
                  const assay::plugin::MultipleOf& multiple_of = {}) {
  return {name, "shuffle_weight", {Rules::kContract}, {{"x", types}, {"warp", simt::kWarpSizes}}, multiple_of, run_shuffle<Rules>, name, cites,
          "shuffle_weight"};
}

}  // namespace

std::vector<Kernel> shuffle_faults() {
  return {
      of_shuffle<ShuffleNothing>("shuffle_nothing", "SGLang, AITER bpreshuffle: is_shuffled is lost by copy_, and nothing can tell"),
      of_shuffle<ShuffleRunsOfBytes>("shuffle_runs_of_bytes", "AITER shuffle_weight: K = 16 // element_size", kHalf),
      of_shuffle<ShuffleTileOf32>("shuffle_tile_of_32", "AITER shuffle_weight: layout (32, 16) for (16, 16)", {"e4m3fn", "bf16"},
                                  {{"n", 32}}),
      of_shuffle<ShuffleTileOf16>("shuffle_tile_of_16", "AITER shuffle_weight: layout (16, 16) for (32, 16)"),
      of_shuffle<ShuffleRowsWhole>("shuffle_rows_whole", "AITER shuffle_weight: permute(0, 1, 3, 4, 2, 5)"),
      of_shuffle<UnshuffleShuffles>("unshuffle_shuffles", "a permutation taken for its own inverse"),
  };
}

}  // namespace assay_kernels
