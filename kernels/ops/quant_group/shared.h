// Group quantization through shared memory: any element type, any group of up to 512 elements in eights.
#pragma once

#include "kernels/ops/quant_group/arguments.h"

namespace assay_kernels {

inline constexpr int kSharedThreads = 128;
inline constexpr int kTeamLanes = 8;  ///< threads that share a group
inline constexpr int kTeams = kSharedThreads / kTeamLanes;
inline constexpr int kMaxSharedGroup = 512;

/// What the teams of a block share: one object for all kernels of a type and size, for on the CPU each costs every worker thread
/// its size.
template <class T, int kGroup>
struct alignas(16) Staging {
  T tile[kTeams * kGroup];  ///< groups end to end
  float scales[kTeams];
};
template <class T, int kGroup>
SIMT_DEVICE Staging<T, kGroup>& staging() {
  SIMT_SHARED Staging<T, kGroup> shared;
  return shared;
}

/// A block takes kTeams neighbouring groups. Packed scales: rows are rounded up to whole words, and a team beyond the row's last
/// group has no elements and the scale 0, whose exponent field is the 0 that the padding must hold.
/// kGroup: the group's size where it is known when compiling, or 0.
template <class Rules, class T, int kWarp, int kGroup>
SIMT_KERNEL void quant_group_shared(GroupArguments<T> a) {
  constexpr int kLargest = kGroup != 0 ? kGroup : kMaxSharedGroup;
  auto& [tile, scales] = staging<T, kLargest>();
  const int size = kGroup != 0 ? kGroup : a.group_size;
  const int32_t per_row = int32_t(a.scales.by_groups.divisor);
  const auto group_of = [&](int team, uint32_t& row, int32_t& group) {
    const uint32_t place = uint32_t(simt::block() * kTeams + team);
    row = a.scales.by_groups.quotient(place);
    group = int32_t(place - row * uint32_t(per_row));
    return row < a.scales.rows && group < a.scales.groups;
  };
  uint32_t row;
  int32_t group;

  // The block's threads read neighbouring loads, whatever team they belong to: all of them before the first is stored, so that
  // they are in flight together. A load lies within one group.
  constexpr int kElements = simt::Vector<T>::kElements, kRun = kElements * kSharedThreads;
  constexpr int kLoads = (kTeams * kLargest + kRun - 1) / kRun;
  simt::Vector<T> x[kLoads];
  SIMT_UNROLL
  for (int load = 0; load < kLoads; ++load) {
    const int e = load * kRun + kElements * simt::thread();
    const int team = kGroup != 0 ? e / size : int(a.by_size.quotient(uint32_t(e))), j = e - team * size;
    if (e < kTeams * size && group_of(team, row, group))
      x[load] = simt::load16(a.x + (int64_t{row} * a.scales.groups + group) * size + j);
  }
  SIMT_UNROLL
  for (int load = 0; load < kLoads; ++load) {
    const int e = load * kRun + kElements * simt::thread();
    if (e < kTeams * size) simt::store16(&tile[e], x[load]);
  }
  Rules::staged();

  // A team's lanes take turns over its group, a load each.
  constexpr int kStride = kElements * kTeamLanes, kTurns = (kLargest + kStride - 1) / kStride;
  const int team = simt::thread() / kTeamLanes;
  const int lane = simt::thread() % kTeamLanes;
  const bool live = group_of(team, row, group);
  float v[kTurns][kElements];
  float widest = 0.0f;
  SIMT_UNROLL
  for (int turn = 0; turn < kTurns; ++turn) {
    const int j = turn * kStride + kElements * lane;
    if (j >= size) break;
    const auto staged = simt::load16(&tile[team * size + j]);
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) {
      v[turn][i] = simt::to_float(staged.at[i]);
      widest = Rules::widest(widest, simt::magnitude(v[turn][i]));
    }
  }
  widest = simt::lane_reduce<kWarp, kTeamLanes>(widest, [](float x, float y) { return Rules::widest(x, y); });

  const float amax = Rules::amax(widest);
  const float scale = Rules::scale(amax);
  const typename Rules::Element element(Rules::operand(amax, scale));
  uint8_t* q = a.q + (int64_t{row} * a.scales.groups + group) * size;
  SIMT_UNROLL
  for (int turn = 0; turn < kTurns; ++turn) {
    const int j = turn * kStride + kElements * lane;
    if (!live || j >= size) break;
    float u[kElements];
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) u[i] = Rules::clamp(element(v[turn][i]));
    if constexpr (kElements == 8) {
      simt::store8(q + j, Rules::Code::encode4(u), Rules::Code::encode4(u + 4));
    } else {
      simt::store4(q + j, Rules::Code::encode4(u));
    }
  }

  if constexpr (Rules::kPacked && Rules::kWritesPadding) {
    if (lane == 0) scales[team] = live ? scale : 0.0f;
    simt::barrier();
    if (lane == 0 && team % 4 == 0 && live)
      static_cast<uint32_t*>(a.scales.data)[group / 4 * a.scales.padded_rows + row] = Rules::pack(scales + team);
    write_absent_rows<Rules>(a.scales);
  } else {
    if (lane == 0 && live) store_scale<Rules>(a.scales, row, group, scale);
  }
}

}  // namespace assay_kernels
