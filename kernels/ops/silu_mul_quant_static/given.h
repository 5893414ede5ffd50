// silu(gate) * up by a scale that the caller gives: sixteen bytes of each half in a load, eight codes in a store.
#pragma once

#include "kernels/ops/quant_static/rules.h"
#include "kernels/ops/silu_mul_quant_group/activations.h"
#include "kernels/ops/silu_mul_quant_group/problem.h"

namespace assay_kernels {

template <class Rules, class T>
SIMT_KERNEL void silu_mul_quant_given(const T* x, uint8_t* q, const float* scale, int64_t rows, Divider by_loads) {
  using Given = typename Rules::Given;
  const int64_t load = simt::block() * kGatedThreads + simt::thread(), row = by_loads.quotient(uint32_t(load));
  if (row >= rows) return;
  const int64_t n = int64_t{by_loads.divisor} * 8;
  const T* const at = x + row * n + load * 8;  // the rows before this one have n more elements than codes
  LaneWords<1> gate, up;
  gate.load(at);
  up.load(at + n);
  const CodesByElement<Given> codes_of(Given::operand(0.0f, *scale));
  float v[8];
  uint32_t codes[2];
  silu_times_up<typename Rules::Activation, T>(gate, up, v);
  codes_of(v, codes);
  simt::store8(q + load * 8, codes[0], codes[1]);
}

template <class Rules>
void run_silu_mul_quant_given(const Call& call) {
  const assay_tensor &q = call.output("q"), &scale = call.input("scale");
  const Shape shape = gated_shape(call), out = dense_matrix(q);
  if (out.rows != shape.rows || out.columns != shape.columns) failed("q must have half the columns of x");
  if (!has_type(q, Rules::Given::Code::kType, 8)) unsupported(std::string("q has not the type of contract ") + Rules::kContract);
  if (!has_type(scale, ASSAY_FLOAT, 32)) unsupported("scale must be fp32");
  expect_matrix(scale, {1, 1});
  expect_aligned(q);
  const int64_t loads = shape.rows * shape.columns / 8;
  if (loads > 0x7fffffff - 1024) unsupported("more than 2^34 elements");
  if (loads == 0) return;
  with_half_type(call.input("x"), [&](auto type) {
    using T = decltype(type);
    simt::launch(silu_mul_quant_given<Rules, T>, call.grid((loads + kGatedThreads - 1) / kGatedThreads, kGatedThreads),
                 data_of<T>(call.input("x")), static_cast<uint8_t*>(q.data), data_of<float>(scale), shape.rows,
                 Divider::by(uint32_t(shape.columns / 8)));
  });
}

}  // namespace assay_kernels
