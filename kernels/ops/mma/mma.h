// One instruction of a tensor core after the other on tiles of its own size, one tile a block.
#pragma once

#include "kernels/ops/catalogue.h"
#include "kernels/ops/dispatch.h"
#include "kernels/ops/mma/run.h"
#include "kernels/units/mma.h"

namespace assay_kernels {

struct MmaArguments {
  const uint8_t *a, *b, *sfa, *sfb, *c;
  uint8_t* d;
  int64_t steps;  ///< instructions one after the other, each with the result of the one before as its c
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

}  // namespace assay_kernels
