// Group quantization in registers or in shared memory, per-token quantization, and the host side that launches them.
#pragma once

#include "kernels/ops/kernel_common.h"
#include "kernels/ops/quant_group/quant_group_rules.h"

namespace assay_kernels {

// Tensors of a group quantization as the kernels see them, and stores of scales and codes.

template <class T>
struct GroupArguments {
  const T* x;
  uint8_t* q;
  ScalesOut scales;
  int32_t group_size;
  Divider by_size;        ///< divides by group_size
  float scale_ub = 0.0f;  ///< upper limit of amax or scale, in contracts that have one
};

/// Writes zeros to the unused bytes of each row's last word of packed scales, if the contract does so. All threads of the grid call it.
template <class Rules>
SIMT_DEVICE void write_absent_groups(const ScalesOut& out) {
  if constexpr (Rules::kPacked && Rules::kWritesPadding) {
    if (out.groups % 4 == 0) return;
    const int64_t last = (out.groups - 1) / 4 * out.padded_rows;
    for (int64_t row = simt::block() * simt::block_size() + simt::thread(); row < out.rows;
         row += simt::grid_size() * simt::block_size())
      for (int32_t k = out.groups % 4; k < 4; ++k) static_cast<uint8_t*>(out.data)[4 * (last + row) + k] = 0;
  }
}

/// The first block writes zero words for padding rows, except in the last column of words, whose padding rows are not allocated.
template <class Rules>
SIMT_DEVICE void write_absent_rows(const ScalesOut& out) {
  if constexpr (Rules::kPacked && Rules::kWritesPadding && Rules::kWritesRows) {
    if (simt::block() != 0 || out.padded_rows == out.rows) return;
    for (int32_t column = simt::thread(); 4 * (column + 1) < out.groups; column += simt::block_size())
      for (int64_t row = out.rows; row < out.padded_rows; ++row)
        static_cast<uint32_t*>(out.data)[column * out.padded_rows + row] = 0;
  }
}

/// Stores a group's scale. One thread of the group calls it.
template <class Rules>
SIMT_DEVICE void store_scale(const ScalesOut& out, int64_t row, int32_t group, float scale) {
  if constexpr (Rules::kPacked) {
    static_cast<uint8_t*>(out.data)[4 * (group / 4 * out.padded_rows + row) + group % 4] = uint8_t(simt::bits(scale) >> 23);
  } else {
    static_cast<float*>(out.data)[Rules::place(out, row, group)] = scale;
  }
}

/// Stores eight or sixteen codes.
template <int kWords>
SIMT_DEVICE void store_code_words(uint8_t* q, const uint32_t (&codes)[kWords]) {
  SIMT_UNROLL
  for (int i = 0; i < kWords; i += kWords % 4 == 0 ? 4 : 2) {
    if constexpr (kWords % 4 == 0) {
      simt::store16(reinterpret_cast<uint32_t*>(q) + i, simt::Vector<uint32_t>{{codes[i], codes[i + 1], codes[i + 2], codes[i + 3]}});
    } else {
      simt::store8(q + 4 * i, codes[i], codes[i + 1]);
    }
  }
}

/// Quantizes a group that kLanes threads hold, and stores its scale and codes. v: kElements consecutive elements of this thread;
/// `widest`: their largest magnitude. All threads of the warp must call it; threads that are not `live` store nothing.
template <class Rules, int kWarp, int kLanes, int kElements>
SIMT_DEVICE void quantize_elements(const float (&v)[kElements], float widest, bool live, uint8_t* q, const ScalesOut& out,
                                   int64_t row, int32_t group, float scale_ub = 0.0f) {
  static_assert(kElements % 8 == 0, "the kernel stores eight codes at a time");
  widest = simt::lane_reduce<kWarp, Rules::template kReach<kWarp, kLanes>>(widest,
                                                                           [](float a, float b) { return Rules::widest(a, b); });

  const float amax = Rules::amax(widest);
  float scale;
  if constexpr (Rules::kBounded) {
    scale = Rules::scale_within(amax, scale_ub);
  } else {
    scale = Rules::scale(amax);
  }
  if (!live) return;
  uint32_t codes[kElements / 4];
  const CodesOf<Rules> codes_of(Rules::operand(amax, scale));
  codes_of(v, codes);
  store_code_words(q, codes);
  if (simt::thread() % kLanes == 0) store_scale<Rules>(out, row, group, scale);
}

/// Does what the function above does, but first computes the largest magnitude of the thread's elements.
template <class Rules, int kWarp, int kLanes, int kElements>
SIMT_DEVICE void quantize_elements(const float (&v)[kElements], bool live, uint8_t* q, const ScalesOut& out, int64_t row,
                                   int32_t group, float scale_ub = 0.0f) {
  quantize_elements<Rules, kWarp, kLanes>(v, widest_of<Rules>(v, Rules::widest_of_none()), live, q, out, row, group, scale_ub);
}

// Group quantization in registers: 16-bit elements, eight per load; 4, 8 or 16 adjacent threads share a group.

inline constexpr int kRegisterThreads = 128;
inline constexpr int kRegisterLoads = 4;  ///< loads in flight per thread

/// x is dense, so its groups follow each other in memory. A block handles kRegisterLoads runs of 128 consecutive loads.
template <class Rules, class T, int kWarp, int kLanes>
SIMT_KERNEL void quant_group_register(GroupArguments<T> a) {
  const uint32_t groups = uint32_t(a.scales.rows * a.scales.groups);
  const int64_t first = simt::block() * (kRegisterThreads * kRegisterLoads) + simt::thread();
  LaneWords<1> x[kRegisterLoads] = {};
  SIMT_UNROLL
  for (int k = 0; k < kRegisterLoads; ++k) {
    const int64_t load = first + k * kRegisterThreads;
    if (load < int64_t{groups} * kLanes) x[k].load(a.x + load * 8);
  }
  SIMT_UNROLL
  for (int k = 0; k < kRegisterLoads; ++k) {
    const int64_t load = first + k * kRegisterThreads;
    const uint32_t group = uint32_t(load / kLanes);
    const uint32_t row = a.scales.by_groups.quotient(group);
    float v[8];
    x[k].template widen_to<T>(v);
    quantize_elements<Rules, kWarp, kLanes>(v, group < groups, a.q + load * 8, a.scales, row,
                                            int32_t(group - row * a.scales.by_groups.divisor));
  }
  write_absent_groups<Rules>(a.scales);
  write_absent_rows<Rules>(a.scales);
}

// Group quantization through shared memory: any element type, and any group of up to 512 elements that is a multiple of eight.

inline constexpr int kSharedThreads = 128;
inline constexpr int kTeamLanes = 8;  ///< threads per group
inline constexpr int kTeams = kSharedThreads / kTeamLanes;
inline constexpr int kMaxSharedGroup = 512;

/// Shared memory of a block. Each team of kTeamLanes threads quantizes one group. Kernels with equal T and kGroup use one declaration.
template <class T, int kGroup>
struct alignas(16) Staging {
  T tile[kTeams * kGroup];  ///< contiguous groups
  float scales[kTeams];
};
template <class T, int kGroup>
SIMT_DEVICE Staging<T, kGroup>& staging() {
  SIMT_SHARED(shared, Staging<T, kGroup>);
  return shared;
}

/// A block handles kTeams consecutive groups, one per team. Packed scales need whole words, so in a row's last word, some teams may
/// have no group. Such a team has no elements, and its scale 0 gives the byte 0, as the padding requires. kGroup: the group size if
/// it is a compile-time constant, otherwise 0.
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

  // Consecutive threads read consecutive loads, whatever their teams. All loads are issued before the first store to shared
  // memory, so that they are in flight together. A load never spans two groups.
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

  // The lanes of a team go through their group in turns; in each turn, a lane handles one load.
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

// Dynamic per-token quantization: one block per row, with the row in registers.

template <class Rules, class T, int kWarp, int kLoads>
SIMT_KERNEL void quant_token(GroupArguments<T> a) {
  constexpr int kElements = simt::Vector<T>::kElements;
  const auto first = static_cast<typename Rules::Offset>(simt::block() * a.group_size);
  const int loads = a.group_size / kElements;
  simt::Vector<T> x[kLoads];
  float widest = 0.0f;
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int load = k * simt::block_size() + simt::thread();
    x[k] = load < loads ? simt::load16(a.x + first + load * kElements) : simt::Vector<T>{};
  }
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    SIMT_UNROLL
    for (int i = 0; i < kElements; ++i) widest = Rules::widest(widest, simt::magnitude(simt::to_float(x[k].at[i])));
  }
  widest = simt::block_reduce<kWarp>(
      widest, 0.0f, [](float u, float v) { return Rules::widest(u, v); }, [] { simt::barrier(); });

  const float amax = Rules::amax(widest);
  float scale;
  if constexpr (Rules::kBounded) {
    scale = Rules::scale_within(amax, a.scale_ub);
  } else {
    scale = Rules::scale(amax);
  }
  const typename Rules::Element element(Rules::operand(amax, scale));
  if (simt::thread() == 0) store_scale<Rules>(a.scales, simt::block(), 0, scale);
  SIMT_UNROLL
  for (int k = 0; k < kLoads; ++k) {
    const int load = k * simt::block_size() + simt::thread();
    if (load >= loads) continue;
    SIMT_UNROLL
    for (int i = 0; i < kElements; i += 4) {
      float u[4];
      SIMT_UNROLL
      for (int j = 0; j < 4; ++j) u[j] = Rules::clamp(element(simt::to_float(x[k].at[i + j])));
      simt::store4(a.q + first + load * kElements + i, Rules::Code::encode4(u));
    }
  }
}

// Host side of group quantization: reads the call and launches the kernels.

/// `q` and `scale` of a call, checked. x is [rows, columns].
struct GroupOutputs {
  uint8_t* q;
  ScalesOut scales;
};
GroupOutputs group_outputs(const Call& call, Shape x, int64_t group_size, int code_type, bool packed);

/// The call's group_size; it must divide the number of columns.
int64_t group_size_of(const Call& call, Shape x);

template <class Rules>
void run_register(const Call& call) {
  const assay_tensor& x = call.input("x");
  expect_aligned(x);
  expect_aligned(call.output("q"));
  const Shape shape = dense_matrix(x);
  const int64_t size = group_size_of(call, shape);
  const GroupOutputs out = group_outputs(call, shape, size, Rules::Code::kType, Rules::kPacked);
  if (shape.rows == 0) return;
  const int64_t loads = shape.rows * shape.columns / 8;
  const simt::Launch grid =
      call.grid((loads + kRegisterThreads * kRegisterLoads - 1) / (kRegisterThreads * kRegisterLoads), kRegisterThreads);
  with_half_type(x, [&](auto type) {
    using T = decltype(type);
    const GroupArguments<T> a{data_of<T>(x), out.q, out.scales, int32_t(size), Divider::by(uint32_t(size))};
    with_warp(call, [&](auto warp) {
      constexpr int kWarp = decltype(warp)::value;
      if (size == 32) return simt::launch(quant_group_register<Rules, T, kWarp, 4>, grid, a);
      if (size == 64) return simt::launch(quant_group_register<Rules, T, kWarp, 8>, grid, a);
      if (size == 128) return simt::launch(quant_group_register<Rules, T, kWarp, 16>, grid, a);
      unsupported("this kernel supports only groups of 32, 64 or 128 elements");
    });
  });
}

template <class Rules>
void run_shared(const Call& call) {
  const assay_tensor& x = call.input("x");
  const Shape shape = dense_matrix(x);
  const int64_t size = group_size_of(call, shape);
  if (size > kMaxSharedGroup || size % 8 != 0)
    unsupported("group_size must be a multiple of 8, at most " + std::to_string(kMaxSharedGroup));
  expect_aligned(x);
  expect_aligned(call.output("q"));
  GroupOutputs out = group_outputs(call, shape, size, Rules::Code::kType, Rules::kPacked);
  if (shape.rows == 0) return;
  // Groups per row, rounded up to a multiple of four (whole words) if scales are packed.
  const int64_t places = Rules::kPacked ? (out.scales.groups + 3) / 4 * 4 : out.scales.groups;
  out.scales.by_groups = Divider::by(uint32_t(places));
  const simt::Launch grid = call.grid((shape.rows * places + kTeams - 1) / kTeams, kSharedThreads);
  with_type(x, [&](auto type) {
    using T = decltype(type);
    const GroupArguments<T> a{data_of<T>(x), out.q, out.scales, int32_t(size), Divider::by(uint32_t(size))};
    with_warp(call, [&](auto warp) {
      constexpr int kWarp = decltype(warp)::value;
      if (size == 128) return simt::launch(quant_group_shared<Rules, T, kWarp, 128>, grid, a);
      simt::launch(quant_group_shared<Rules, T, kWarp, 0>, grid, a);
    });
  });
}

template <class Rules>
void run_token(const Call& call) {
  const assay_tensor& x = call.input("x");
  expect_aligned(x);
  expect_aligned(call.output("q"));
  const Shape shape = dense_matrix(x);
  const GroupOutputs out = group_outputs(call, shape, shape.columns, Rules::Code::kType, Rules::kPacked);
  if (shape.columns % 8 != 0) unsupported("the row length must be a multiple of 8");
  if (shape.rows == 0) return;
  with_type(x, [&](auto type) {
    using T = decltype(type);
    GroupArguments<T> a{data_of<T>(x), out.q, out.scales, int32_t(shape.columns), {}};
    if (Rules::kBounded) a.scale_ub = float(call.number("scale_ub"));
    const int64_t loads = shape.columns / simt::Vector<T>::kElements;
    const simt::Launch grid = call.grid(shape.rows, simt::block_threads(loads, call.warp()));
    with_warp(call, [&](auto warp) {
      with_loads(loads, grid.threads,
                 [&](auto each) { simt::launch(quant_token<Rules, T, decltype(warp)::value, decltype(each)::value>, grid, a); });
    });
  });
}

}  // namespace assay_kernels
