// mma: one tensor core instruction, executed on many tiles.
#pragma once

#include <map>
#include <utility>

#include "kernels/ops/call.h"
#include "kernels/ops/kernel_common.h"
#include "kernels/units/mma.h"

namespace assay_kernels {

// Checks the tensors of a call, which hold tiles. A tile has the m and n of one instruction; its k is a multiple of the instruction's k.

struct TileShape {
  int64_t tiles, rows, columns;
};

/// The data of a dense tensor of the given shape, with elements of `bits` bits. Rejects any other tensor.
const uint8_t* tiles_of(const Call& call, const char* role, bool is_output, const TileShape& shape, int bits);
/// Number of tiles, from the shape of `c`: [tiles, m, n].
int64_t tile_count(const Call& call);
/// k, from the shape of `a`: [tiles, m, k].
int64_t products_of(const Call& call);

// Executes an instruction `steps` times in sequence on each tile. Each thread block has one tile.

struct MmaArguments {
  const uint8_t *a, *b, *sfa, *sfb, *c;
  uint8_t* d;
  int64_t steps;  ///< number of instructions in sequence; each uses the previous result as its c
};

template <class U, int kWarp>
SIMT_KERNEL void mma_tiles(MmaArguments x) {
  using D = typename U::D;
  using Bytes = units::Bytes<U>;
  using Word = std::conditional_t<D::kBits == 16, uint16_t, uint32_t>;
  const int64_t tile = simt::block(), first = tile * U::kM * U::kN;
  const Word* c = reinterpret_cast<const Word*>(x.c) + first;
  units::Tile<U, kWarp> d;
  SIMT_UNROLL
  for (int i = 0; i < d.kElements; ++i) d.at[i] = c[d.row(i) * U::kN + d.column(i)];

  units::Operands step;
  step.a_pitch = x.steps * Bytes::kRow, step.b_pitch = x.steps * Bytes::kColumn;
  step.sfa_pitch = step.sfb_pitch = x.steps * Bytes::kScales;
  step.a = x.a + tile * U::kM * step.a_pitch, step.b = x.b + tile * U::kN * step.b_pitch;
  if (Bytes::kScales != 0) step.sfa = x.sfa + tile * U::kM * step.sfa_pitch, step.sfb = x.sfb + tile * U::kN * step.sfb_pitch;
  for (int64_t s = 0; s < x.steps; ++s) {
    units::mma<U, kWarp>(d, step);
    step.a += Bytes::kRow, step.b += Bytes::kColumn;
    if (Bytes::kScales != 0) step.sfa += Bytes::kScales, step.sfb += Bytes::kScales;
  }
  Word* to = reinterpret_cast<Word*>(x.d) + first;
  SIMT_UNROLL
  for (int i = 0; i < d.kElements; ++i) to[d.row(i) * U::kN + d.column(i)] = Word(d.at[i]);
}

template <class U>
void run_mma(const Call& call) {
  using Bytes = units::Bytes<U>;
  const int64_t tiles = tile_count(call), products = products_of(call), steps = products / U::kK;
  if (products != steps * U::kK) unsupported("k must be a multiple of " + std::to_string(U::kK));
  MmaArguments x{};
  x.steps = steps;
  x.a = tiles_of(call, "a", false, {tiles, U::kM, products}, U::A::kMemoryBits);
  x.b = tiles_of(call, "b", false, {tiles, U::kN, products}, U::B::kMemoryBits);
  x.c = tiles_of(call, "c", false, {tiles, U::kM, U::kN}, U::D::kBits);
  x.d = const_cast<uint8_t*>(tiles_of(call, "d", true, {tiles, U::kM, U::kN}, U::D::kBits));
  if (Bytes::kScales != 0) {
    x.sfa = tiles_of(call, "sfa", false, {tiles, U::kM, steps * Bytes::kScales}, 8);
    x.sfb = tiles_of(call, "sfb", false, {tiles, U::kN, steps * Bytes::kScales}, 8);
  }
  if (tiles == 0) return;
  with_warp(call,
            [&](auto warp) { simt::launch(mma_tiles<U, warp.value>, call.grid(tiles, units::kThreads<U, warp.value>), x); });
}

// Rows of the kernel table for the instructions of a list: one row for each tile size.

template <class Units>
void run_mma_by_contract(const Call& call) {
  Units::for_each([&](auto unit) {
    using U = decltype(unit);
    if (call.contract() == U::kContract) run_mma<U>(call);
  });
}

template <class Units>
std::vector<Kernel> mma_rows() {
  std::map<std::pair<int, int>, std::vector<std::string>> by_tile;
  Units::for_each([&](auto unit) {
    using U = decltype(unit);
    by_tile[{U::kM, U::kN}].push_back(U::kContract);
  });
  std::vector<Kernel> rows;
  for (const auto& [tile, contracts] : by_tile)
    rows.push_back({"mma",
                    "mma",
                    contracts,
                    {{"m", {tile.first}}, {"n", {tile.second}}, {"warp", simt::kWarpSizes}},
                    {},
                    run_mma_by_contract<Units>});
  return rows;
}

}  // namespace assay_kernels
