// MXFP8 quantization in registers: blocks of 32 elements with one power-of-two scale.
#pragma once

#include "kernels/ops/call.h"
#include "kernels/ops/kernel_common.h"
#include "kernels/ops/quant_group/quant_group_kernel.h"
#include "kernels/ops/quant_group/quant_group_rules.h"

namespace assay_kernels {

// Positions of scale bytes: row-major, or in the tiles that block-scaled GEMMs read.

enum class ScaleTile : int32_t { kNone, k128x4, k8x4, k32x8, k32x4 };

/// Offset of the scale byte of row r and block g. `padded_groups`: blocks per row, padded to whole tiles.
/// Source: flashinfer quantization_utils.cuh (fb28d724) get_sf_out_offset_128x4; aiter mx_quant_utils.h and shuffle.py
/// shuffle_scale_n32k4 (e4048607).
SIMT_DEVICE int64_t place_in_tiles(ScaleTile tile, int64_t padded_groups, int64_t r, int32_t g) {
  switch (tile) {
    case ScaleTile::k128x4:
      return (r >> 7) * 128 * padded_groups + (g >> 2) * 512 + (r & 31) * 16 + (r >> 5 & 3) * 4 + (g & 3);
    case ScaleTile::k8x4:
      return (r >> 3) * 8 * padded_groups + (g >> 2) * 32 + (r & 7) * 4 + (g & 3);
    case ScaleTile::k32x8:
      return (r >> 5) * 32 * padded_groups + (g >> 3) * 256 + (g & 3) * 64 + (r & 15) * 4 + (g >> 2 & 1) * 2 + (r >> 4 & 1);
    case ScaleTile::k32x4:
      return (r >> 5) * 32 * padded_groups + (g >> 2) * 128 + (r & 31) * 4 + (g & 3);
    default:
      return r * padded_groups + g;
  }
}

/// Where a kernel stores scale bytes: `groups` bytes (one per block) for each of `rows` rows, padded to whole tiles.
struct BytesOut {
  uint8_t* data;
  int64_t rows, padded_rows;
  int32_t groups, padded_groups;  ///< blocks per row; the same, padded to whole tiles
  ScaleTile tile;
  Divider by_groups;

  SIMT_DEVICE int64_t place(int64_t r, int32_t g) const { return place_in_tiles(tile, padded_groups, r, g); }
  SIMT_DEVICE int64_t tensor_of(int64_t /*row*/) const { return 0; }
  SIMT_DEVICE bool uses(int64_t /*row*/) const { return true; }

  /// Writes zeros to the padding of tiles, if the contract does so. All threads of the grid share the work.
  template <class Rules>
  SIMT_DEVICE void write_absent() const {
    if constexpr (Rules::kWritesPadding) {
      const int64_t first = simt::block() * simt::block_size() + simt::thread(), threads = simt::grid_size() * simt::block_size();
      const int32_t absent = padded_groups - groups;
      for (int64_t i = first; i < rows * absent; i += threads) data[place(i / absent, groups + int32_t(i % absent))] = 0;
      for (int64_t i = first; i < (padded_rows - rows) * padded_groups; i += threads)
        data[place(rows + i / padded_groups, int32_t(i % padded_groups))] = 0;
    }
  }
};

/// Scale bytes of experts, or of batches of equal size. Rows are consecutive; each expert's scales begin a new tile of 128 rows.
struct ExpertBytesOut {
  uint8_t* data;
  int64_t rows;
  int32_t groups, padded_groups;
  int32_t experts;
  const int32_t* first_row;    ///< first row of each expert, then the number of all rows
  const int32_t* first_scale;  ///< first row of scales of each expert, then the number of all rows of scales
  Divider by_groups;

  /// The expert of a row: the last expert whose first row is <= row, because experts may have no rows.
  SIMT_DEVICE int32_t expert_of(const int32_t* first, int64_t row) const {
    int32_t low = 0, high = experts - 1;
    while (low < high) {
      const int32_t middle = (low + high + 1) / 2;
      if (first[middle] <= row)
        low = middle;
      else
        high = middle - 1;
    }
    return low;
  }
  /// Index of the tensor scale that applies to a row: the row's expert.
  SIMT_DEVICE int64_t tensor_of(int64_t row) const { return expert_of(first_row, row); }
  SIMT_DEVICE bool uses(int64_t /*row*/) const { return true; }
  SIMT_DEVICE int64_t place(int64_t row, int32_t g) const {
    const int32_t e = expert_of(first_row, row);
    return int64_t{first_scale[e]} * padded_groups + place_in_tiles(ScaleTile::k128x4, padded_groups, row - first_row[e], g);
  }

  /// If the contract does so, writes zeros to the padding blocks of existing rows, and to rows of scales after an expert's last row.
  template <class Rules>
  SIMT_DEVICE void write_absent() const {
    const int64_t first = simt::block() * simt::block_size() + simt::thread(), threads = simt::grid_size() * simt::block_size();
    const int32_t absent = padded_groups - groups;
    if constexpr (Rules::kWritesPadding)
      for (int64_t i = first; i < rows * absent; i += threads) data[place(i / absent, groups + int32_t(i % absent))] = 0;
    if constexpr (Rules::kWritesAbsentRows) {
      for (int64_t i = first; i < int64_t{first_scale[experts]} * padded_groups; i += threads) {
        const int64_t tile_row = i / padded_groups;
        const int32_t e = expert_of(first_scale, tile_row), g = int32_t(i - tile_row * padded_groups);
        const int64_t row = tile_row - first_scale[e];
        if (row >= first_row[e + 1] - first_row[e])
          data[int64_t{first_scale[e]} * padded_groups + place_in_tiles(ScaleTile::k128x4, padded_groups, row, g)] = 0;
      }
    }
  }
};

/// Scale bytes of masked experts. Each expert has the same number of rows, of which the first tokens[expert] are in use. Its
/// scales begin a new tile of 128 rows.
struct MaskedBytesOut {
  uint8_t* data;
  int64_t rows;  ///< rows of all experts, used or not
  int32_t groups, padded_groups;
  int64_t padded_room;  ///< rows of scales per expert
  const int32_t* tokens;  ///< rows in use, one number per expert
  Divider by_room, by_groups;

  SIMT_DEVICE int64_t expert_of(int64_t row) const { return by_room.quotient(uint32_t(row)); }
  SIMT_DEVICE int64_t row_in_expert(int64_t row) const { return row - expert_of(row) * by_room.divisor; }
  SIMT_DEVICE int64_t tensor_of(int64_t row) const { return expert_of(row); }
  SIMT_DEVICE bool uses(int64_t row) const { return row_in_expert(row) < tokens[expert_of(row)]; }
  SIMT_DEVICE int64_t place(int64_t row, int32_t g) const {
    return expert_of(row) * padded_room * padded_groups + place_in_tiles(ScaleTile::k128x4, padded_groups, row_in_expert(row), g);
  }
  template <class Rules>
  SIMT_DEVICE void write_absent() const {
    static_assert(!Rules::kWritesPadding, "kernels of masked experts must not write padding");
  }
};

// MXFP8: blocks of 32 elements with an E8M0 scale. Code that all contracts share; quant_mx_contracts.h has the contracts.

/// The exponent byte of y >= 0, rounded up as by cvt.rp.satfinite.ue8m0x2.f32: 0 for y <= 2^-127, 254 for Inf, 255 for NaN.
SIMT_DEVICE uint32_t e8m0_ceil(float y) {
  const uint32_t b = simt::bits(y);
  if (b > 0x7f800000u) return 255u;
  if (b <= 0x00400000u) return 0u;
  const uint32_t e = exponent_ceil(y);
  return e < 254u ? e : 254u;
}

/// 2^(e - 127); NaN for 255.
SIMT_DEVICE float e8m0_value(uint32_t e) { return simt::from_bits(e == 0u ? 0x00400000u : e == 255u ? 0x7fc00000u : e << 23); }

/// 2^(127 - e), exact even if it is subnormal; NaN for 255.
SIMT_DEVICE float e8m0_reciprocal(uint32_t e) {
  return simt::from_bits(e == 254u ? 0x00400000u : e == 255u ? 0x7fc00000u : (254u - e) << 23);
}

/// Defaults. A contract computes a block's exponent byte from its amax, and defines the multiplier of the elements and the steps
/// before and after the multiplication.
struct MxRules : GroupRules {
  using Element = simt::Multiply;
  static constexpr bool kWritesAbsentRows = true;  ///< true: writes zeros to an expert's tiles after the expert's last row
  SIMT_DEVICE static float amax(float widest) { return widest; }
  SIMT_DEVICE static float multiplier(float /*amax*/, uint32_t e) { return e8m0_reciprocal(e); }
  SIMT_DEVICE static float before(float v) { return v; }
};

// MXFP8 quantization in registers: 16-bit elements, eight per load; four adjacent threads share a block of 32.

inline constexpr int kMxBlock = 32, kMxLanes = kMxBlock / 8;

template <class T, class Out>
struct MxArguments {
  const T* x;
  uint8_t* q;
  Out out;
};

/// Quantizes a block of 32 elements. 32 / kElements threads have kElements consecutive elements each; kElements is a multiple of 8.
template <class Rules, int kWarp, class Out, int kElements>
SIMT_DEVICE void quantize_block(const float (&x)[kElements], bool live, uint8_t* q, const Out& out, int64_t row, int32_t group) {
  constexpr int kLanes = kMxBlock / kElements;
  const float widest = simt::lane_reduce<kWarp, Rules::template kReach<kWarp, kLanes>>(
      widest_of<Rules>(x), [](float a, float b) { return Rules::widest(a, b); });
  const float amax = Rules::amax(widest);
  const uint32_t exponent = Rules::exponent(amax);
  const typename Rules::Element element(Rules::multiplier(amax, exponent));
  float u[kElements];
  SIMT_UNROLL
  for (int i = 0; i < kElements; ++i) u[i] = Rules::clamp(element(Rules::before(x[i])));
  if (!live) return;
  SIMT_UNROLL
  for (int i = 0; i < kElements; i += 8) simt::store8(q + i, Rules::Code::encode4(u + i), Rules::Code::encode4(u + i + 4));
  if (simt::thread() % kLanes == 0) out.data[out.place(row, group)] = uint8_t(exponent);
}

/// x is dense, so its blocks follow each other in memory. A thread block handles kRegisterLoads runs of 128 consecutive loads.
template <class Rules, class T, int kWarp, class Out>
SIMT_KERNEL void quant_mx(MxArguments<T, Out> a) {
  const uint32_t blocks = uint32_t(a.out.rows * a.out.groups);
  const int64_t first = simt::block() * (kRegisterThreads * kRegisterLoads) + simt::thread();
  LaneWords<1> x[kRegisterLoads] = {};
  SIMT_UNROLL
  for (int k = 0; k < kRegisterLoads; ++k) {
    const int64_t load = first + k * kRegisterThreads;
    if (load < int64_t{blocks} * kMxLanes) x[k].load(a.x + load * 8);
  }
  SIMT_UNROLL
  for (int k = 0; k < kRegisterLoads; ++k) {
    const int64_t load = first + k * kRegisterThreads;
    const uint32_t block = uint32_t(load / kMxLanes);
    const uint32_t row = a.out.by_groups.quotient(block);
    float v[8];
    x[k].template widen_to<T>(v);
    quantize_block<Rules, kWarp>(v, block < blocks, a.q + load * 8, a.out, row, int32_t(block - row * a.out.by_groups.divisor));
  }
  a.out.template write_absent<Rules>();
}

// Host side of MXFP8 quantization: reads the call and launches the kernels.

inline const Values kMxLayouts{"e8m0_row", "e8m0_128x4", "e8m0_8x4", "e8m0_32x8", "e8m0_n32k4"};

/// Checks `scale`: an E8M0 byte per block, in the layout given by the parameters scale_tile_rows and scale_tile_columns.
BytesOut bytes_out(const Call& call, Shape x);

/// Checks `scale` for experts. `expert_offsets` has the first row of each expert, `blockscale_offsets` its first row of scales.
ExpertBytesOut expert_bytes_out(const Call& call, Shape x, int block = kMxBlock, int scale_type = ASSAY_FLOAT8_E8M0FNU);

/// Checks `q`: one-byte elements of the given type and shape. The block size 32 must divide the number of columns.
void expect_mx_codes(const Call& call, Shape shape, int code_type);

/// Checks `x` and `q`. Returns the shape of x.
Shape mx_shape(const Call& call, int code_type);

template <class Rules, class Out>
void launch_mx(const Call& call, Shape shape, const Out& out) {
  if (shape.rows == 0) return;
  constexpr int64_t kRun = kRegisterThreads * kRegisterLoads;
  const simt::Launch grid = call.grid((shape.rows * shape.columns / 8 + kRun - 1) / kRun, kRegisterThreads);
  with_half_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    const MxArguments<T, Out> a{data_of<T>(call.input("x")), static_cast<uint8_t*>(call.output("q").data), out};
    with_warp(call, [&](auto warp) { simt::launch(quant_mx<Rules, T, decltype(warp)::value, Out>, grid, a); });
  });
}

template <class Rules>
void run_mx(const Call& call) {
  const Shape shape = mx_shape(call, Rules::Code::kType);
  launch_mx<Rules>(call, shape, bytes_out(call, shape));
}

template <class Rules>
void run_mx_experts(const Call& call) {
  const Shape shape = mx_shape(call, Rules::Code::kType);
  launch_mx<Rules>(call, shape, expert_bytes_out(call, shape));
}

}  // namespace assay_kernels
