// silu(gate) * up and its group quantization for experts that have room for as many rows each, and fewer tokens.
#pragma once

#include "kernels/ops/silu_mul_quant_group/problem.h"

namespace assay_kernels {

template <class T>
struct MaskedArguments {
  const T* x;             ///< [experts * room, 2n]: gate, then up
  uint8_t* q;             ///< [experts * room, n]
  const int32_t* tokens;  ///< of each expert
  ScalesOut scales;       ///< of one expert
  int64_t expert_stride;  ///< bytes between the scales of two experts
  Divider by_room;        ///< rows of an expert
  int64_t rows;           ///< of all experts
  int32_t n;
};

template <class Rules, class T, int kWarp, int kLanes>
SIMT_KERNEL void silu_mul_quant_masked(MaskedArguments<T> a) {
  const uint32_t groups = uint32_t(a.rows * a.scales.groups), per_row = a.scales.by_groups.divisor;
  const uint32_t piece = uint32_t(simt::block()) * kGatedThreads + uint32_t(simt::thread()), group = piece / kLanes;
  const uint32_t row = a.scales.by_groups.quotient(group), expert = a.by_room.quotient(row);
  const int64_t in_expert = int64_t{row} - int64_t{expert} * a.by_room.divisor;
  const bool live = group < groups && Rules::is_row(int32_t(in_expert), a.tokens[expert]);
  LaneWords<2> gate{}, up{};
  if (live) {
    const T* x = a.x + int64_t{row} * a.n + int64_t{piece} * kGatedElements;  // the rows before have n more elements than codes
    gate.load(x);
    up.load(x + a.n);
  }
  ScalesOut scales = a.scales;
  scales.data = static_cast<uint8_t*>(a.scales.data) + expert * a.expert_stride;
  float v[kGatedElements];
  silu_times_up<typename Rules::Activation, T>(gate, up, v);
  quantize_elements<typename Rules::Group, kWarp, kLanes>(v, live, a.q + int64_t{piece} * kGatedElements, scales, in_expert,
                                                          int32_t(group - row * per_row));
}

/// The scales of one expert and the bytes between those of two: [experts, room, columns] with strides (room * columns, 1, room).
template <class Group>
ScalesOut masked_scales(const Call& call, int64_t experts, int64_t room, int64_t groups, int64_t& expert_stride) {
  const assay_tensor& scale = call.output("scale");
  const int64_t columns = Group::kPacked ? (groups + 3) / 4 : groups;
  if (!has_type(scale, Group::kPacked ? ASSAY_INT : ASSAY_FLOAT, 32))
    unsupported("contract " + call.contract() + (Group::kPacked ? " writes packed scales: int32 words" : " writes fp32 scales"));
  const bool fits = scale.ndim == 3 && scale.shape[0] == experts && scale.shape[1] == room && scale.shape[2] == columns;
  if (!fits) failed("scale must be [experts, room, scales or words of a row]");
  if (scale.strides[0] != room * columns || scale.strides[1] != 1 || scale.strides[2] != room)
    unsupported("scales of an expert lie column-major, without a gap");
  if (uint64_t(experts * room * columns) * 4 > scale.bytes) failed("tensor 'scale': its last element lies beyond its storage");
  expert_stride = room * columns * 4;
  return {scale.data, room, int32_t(groups), 1, room, room, Divider::by(uint32_t(groups))};
}

template <class Rules>
void run_silu_mul_quant_masked(const Call& call) {
  using Group = typename Rules::Group;
  const assay_tensor &x = call.input("x"), &q = call.output("q"), &tokens = call.input("tokens");
  const Shape shape = gated_shape(call), out = dense_matrix(q);
  if (out.rows != shape.rows || out.columns != shape.columns) failed("q must have half the columns of x");
  if (!has_type(q, Group::Code::kType, 8)) unsupported(std::string("q has not the type of contract ") + Rules::kContract);
  if (!has_type(x, ASSAY_BFLOAT, 16)) unsupported("x must be bf16 for this kernel");
  if (!has_type(tokens, ASSAY_INT, 32) || tokens.ndim != 1 || tokens.shape[0] <= 0) failed("tokens must be a vector of int32");
  const int64_t experts = tokens.shape[0];
  if (shape.rows % experts != 0) failed("every expert must have room for as many rows");
  const int64_t room = shape.rows / experts;
  if (group_size_of(call, shape) != 128) unsupported("groups of 128 elements only");
  const int64_t groups = shape.columns / 128;
  if (shape.rows * groups > 0x7fffffff - 1024) unsupported("more than 2^31 groups");
  expect_aligned(q);
  int64_t expert_stride = 0;
  const ScalesOut scales = masked_scales<Group>(call, experts, room, groups, expert_stride);
  if (shape.rows == 0) return;
  const simt::Launch grid = gated_grid(call, shape);
  const MaskedArguments<simt::Bf16> a{data_of<simt::Bf16>(x),
                                      static_cast<uint8_t*>(q.data),
                                      data_of<int32_t>(tokens),
                                      scales,
                                      expert_stride,
                                      Divider::by(uint32_t(room)),
                                      shape.rows,
                                      int32_t(shape.columns)};
  with_warp(call, [&](auto warp) { simt::launch(silu_mul_quant_masked<Rules, simt::Bf16, decltype(warp)::value, 8>, grid, a); });
}

}  // namespace assay_kernels
