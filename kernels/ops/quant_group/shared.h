// Group quantization through shared memory: any element type, any group of up to 512 elements in fours.
#pragma once

#include "kernels/ops/quant_group/arguments.h"

namespace assay_kernels {

inline constexpr int kSharedThreads = 128;
inline constexpr int kTeamLanes = 16;  ///< threads that share a group
inline constexpr int kTeams = kSharedThreads / kTeamLanes;
inline constexpr int kMaxSharedGroup = 512;

/// What the teams of a block share: one object for all kernels of this file, for on the CPU each costs every worker thread its
/// size.
struct Staging {
  float tile[kTeams][kMaxSharedGroup];
  float scales[kTeams];
};
SIMT_DEVICE Staging& staging() {
  SIMT_SHARED Staging shared;
  return shared;
}

/// A block takes kTeams neighbouring groups. Packed scales: rows are rounded up to whole words, and a team beyond the row's last
/// group has no elements and the scale 0, whose exponent field is the 0 that the padding must hold.
template <class Rules, class T, int kWarp>
SIMT_KERNEL void quant_group_shared(GroupArguments<T> a) {
  auto& [tile, scales] = staging();
  const int32_t per_row = int32_t(a.scales.by_groups.divisor);
  const auto group_of = [&](int team, uint32_t& row, int32_t& group) {
    const uint32_t place = uint32_t(simt::block() * kTeams + team);
    row = a.scales.by_groups.quotient(place);
    group = int32_t(place - row * uint32_t(per_row));
    return row < a.scales.rows && group < a.scales.groups;
  };
  uint32_t row;
  int32_t group;

  // The block's threads read neighbouring elements, four each, whatever team they belong to.
  for (int e = 4 * simt::thread(); e < kTeams * a.group_size; e += 4 * kSharedThreads) {
    const int team = e / a.group_size, j = e % a.group_size;
    if (!group_of(team, row, group)) continue;
    const T* x = a.x + (int64_t{row} * a.scales.groups + group) * a.group_size + j;
    for (int i = 0; i < 4; ++i) tile[team][j + i] = simt::to_float(x[i]);
  }
  Rules::staged();

  const int team = simt::thread() / kTeamLanes;
  const int lane = simt::thread() % kTeamLanes;
  const bool live = group_of(team, row, group);
  const int elements = live ? a.group_size : 0;
  float widest = 0.0f;
  for (int j = 4 * lane; j < elements; j += 4 * kTeamLanes)
    for (int i = 0; i < 4; ++i) widest = Rules::widest(widest, simt::magnitude(tile[team][j + i]));
  widest = simt::lane_reduce<kWarp, kTeamLanes>(widest, [](float x, float y) { return Rules::widest(x, y); });

  const float amax = Rules::amax(widest);
  const float scale = Rules::scale(amax);
  const typename Rules::Element element(Rules::operand(amax, scale));
  uint8_t* q = a.q + (int64_t{row} * a.scales.groups + group) * a.group_size;
  for (int j = 4 * lane; j < elements; j += 4 * kTeamLanes) {
    float u[4];
    for (int i = 0; i < 4; ++i) u[i] = Rules::clamp(element(tile[team][j + i]));
    simt::store4(q + j, Rules::Code::encode4(u));
  }

  if constexpr (Rules::kPacked && Rules::kWritesPadding) {
    if (lane == 0) scales[team] = live ? scale : 0.0f;
    simt::barrier();
    if (lane == 0 && team % 4 == 0 && live) {
      static_cast<uint32_t*>(a.scales.data)[group / 4 * a.scales.padded_rows + row] = Rules::pack(scales + team);
      pad_rows<Rules>(a.scales, row, group / 4);
    }
  } else {
    if (lane == 0 && live) store_scale<Rules>(a.scales, row, group, scale);
  }
}

}  // namespace assay_kernels
