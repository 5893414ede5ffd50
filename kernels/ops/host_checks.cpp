// Host-side checks before a kernel starts: shapes, types, strides and storage of its tensors. gemm_host_checks.cpp has the checks
// of GEMMs. This file defines no kernel, so libraries with kernels of their own link it too.
#include <algorithm>
#include <cstring>

#include "kernels/ops/all_reduce/all_reduce_run.h"
#include "kernels/ops/all_reduce_norm/all_reduce_rms_norm_kernel.h"
#include "kernels/ops/gather_cache/gather_cache_kernel.h"
#include "kernels/ops/moe_combine/moe_combine_kernel.h"
#include "kernels/ops/moe_combine/moe_sort_kernel.h"
#include "kernels/ops/qk_norm_rope/qk_norm_rope_kernel.h"
#include "kernels/ops/quant_group/quant_group_kernel.h"
#include "kernels/ops/quant_mx/quant_fp4_kernel.h"
#include "kernels/ops/quant_mx/quant_mx_kernel.h"
#include "kernels/ops/rms_norm/rms_norm_kernel.h"
#include "kernels/ops/rms_norm_quant/rms_norm_quant_static_kernel.h"

namespace assay_kernels {
namespace {

constexpr int64_t kMostBytes = int64_t{1} << 30;

int64_t elements_of(const assay_tensor& t) {
  int64_t product = 1;
  for (int d = t.ndim - 1; d >= 0; --d) {
    if (t.shape[d] > 1 && t.strides[d] != product) unsupported(named(t) + " must be dense");
    product *= t.shape[d];
  }
  return product;
}

template <uint32_t kPattern>
void fill_buffers(unsigned char* area, size_t bytes) {
  const uint32_t word = kPattern;
  for (size_t at = kAreaBuffer; at + sizeof word <= bytes; at += sizeof word) std::memcpy(area + at, &word, sizeof word);
}

/// Sets the flags and call counters of a memory area to the values that they have after `counter` barriers and `counter` calls.
void begin_signals_at(unsigned char* area, uint32_t counter) {
  Signals signals;
  std::memcpy(&signals, area, sizeof signals);
  for (int block = 0; block < kMostRankBlocks; ++block) {
    signals.flag[block] = signals.calls[block] = counter;
    for (int rank = 0; rank < kMostRanks && counter > 0; ++rank) {
      (counter % 2 == 0 ? signals.even : signals.odd)[block][rank] = counter;
      (counter % 2 == 0 ? signals.odd : signals.even)[block][rank] = counter - 1;
    }
  }
  std::memcpy(area, &signals, sizeof signals);
}

}  // namespace

AreaRequest counted_from(const Call& call, AreaRequest request) {
  request.counter = uint32_t(call.number("counter", 0));
  if (request.counter > 0) request.begin_at = begin_signals_at;
  return request;
}

AllReduceArguments all_reduce_arguments(const Ranks& ranks) {
  AllReduceArguments a{};
  a.ranks = ranks.size;
  a.area_bytes = int64_t(ranks.area_bytes);
  a.whole = true;
  a.straggler = straggler_of(Call(*ranks.calls[0]));
  for (int r = 0; r < ranks.size; ++r) {
    const Call call(*ranks.calls[r]);
    const assay_tensor &x = call.at("x"), &y = call.at("y");
    const int64_t elements = elements_of(x);
    if (r > 0 && elements != a.elements) failed("x must have the same number of elements on all ranks");
    if (elements_of(y) != elements || !has_type(y, x.type_code, x.type_bits)) failed("y must have the shape and type of x");
    a.elements = elements;
    a.x[r] = x.data;
    a.y[r] = y.data;
    a.area[r] = static_cast<unsigned char*>(ranks.areas[r]);
    a.whole = a.whole && (reinterpret_cast<uintptr_t>(x.data) | reinterpret_cast<uintptr_t>(y.data)) % 16 == 0;
  }
  return a;
}

void expect_whole_packets(const AllReduceArguments& a, const assay_tensor& x) {
  if (!a.whole) unsupported("x and y must be aligned to 16 bytes");
  if (a.elements * x.type_bits / 8 % 16 != 0) unsupported("the size of x must be a multiple of 16 bytes");
}

AreaRequest signals_and_buffer(const Call& call) {
  const assay_tensor& x = call.at("x");
  const int64_t bytes = elements_of(x) * x.type_bits / 8;
  if (bytes > kMostBytes) unsupported("x must have at most 1 GiB");
  // the buffer initially holds a bit pattern that does not look like received data
  return counted_from(call, {kSignalsAndBuffer, size_t(kAreaBuffer + bytes), fill_buffers<0xffffffffu>});
}

AreaRequest coded_area(const Call& call) { return area_of_groups(call, kCodecBlock, kCodecBytes); }

AreaRequest area_of_groups(const Call& call, int64_t numbers, int64_t bytes) {
  AreaRequest request = signals_and_buffer(call);
  const int64_t groups = (elements_of(call.at("x")) + numbers - 1) / numbers;
  request.bytes = size_t(kAreaBuffer + 2 * groups * bytes);
  return request;
}

void fill_with_minus_zero(unsigned char* area, size_t bytes) { fill_buffers<0x80000000u>(area, bytes); }

AreaRequest lamport_area(const Call& call, bool minus_zero) {
  const assay_tensor& x = call.at("x");
  const int64_t bytes = (elements_of(x) * x.type_bits / 8 + 15) / 16 * 16;
  const int64_t most = kMostBytes / (kLamportBuffers * call.raw().world_size);
  if (bytes > most) unsupported("x must have at most " + std::to_string(most >> 20) + " MiB with this number of ranks");
  AreaRequest request =
      counted_from(call, {kLamportPlusZero, size_t(kAreaBuffer + bytes * kLamportBuffers * call.raw().world_size), nullptr});
  if (!minus_zero) return request;
  const bool wide = x.type_bits == 32;
  request.kind = wide ? kLamportMinusZero32 : kLamportMinusZero16;
  request.fill = wide ? fill_with_minus_zero : fill_buffers<0x80008000u>;
  return request;
}

std::string all_reduce_complaint(const unsigned char* head, int /*rank*/) {
  Signals said;
  std::memcpy(&said, head, assay::plugin::kAreaHead);
  if (said.waited_for == 0) return "";
  static const char* const kPlaces[] = {"", "at the first barrier", "at the middle barrier", "at the last barrier", "for a packet"};
  const std::string flag =
      said.wanted == said.seen ? "" : ": expected flag " + std::to_string(said.wanted) + ", got " + std::to_string(said.seen);
  return "block " + std::to_string(said.block) + " waited in vain for rank " + std::to_string(said.waited_for - 1) + " " +
         kPlaces[said.place % 5] + flag + "; 'y' of the waiting rank was not computed";
}

namespace {

constexpr int64_t kMostRows = 1 << 20, kMostColumns = 1 << 14;

void take(const Call& call, int rank, const char* x_role, const char* gamma_role, const char* y_role, ShardedRows& matrix,
          int64_t& rows) {
  const assay_tensor &x = call.input(x_role), &gamma = call.input(gamma_role), &y = call.output(y_role);
  const Shape shape = dense_matrix(x);
  expect_vector(gamma, shape.columns, x);
  expect_matrix(y, shape);
  if (dense_matrix(y).columns != shape.columns || !has_type(y, x.type_code, x.type_bits))
    failed(named(y) + " must have the shape and type of x");
  for (const assay_tensor* tensor : {&x, &gamma, &y}) expect_aligned(*tensor);
  if (shape.columns * x.type_bits / 8 % 16 != 0) unsupported("the rows of " + std::string(x_role) + " must have a multiple of 16 bytes");
  if (shape.rows > kMostRows || shape.columns > kMostColumns) unsupported(named(x) + " must have at most 2^20 rows and 2^14 columns");
  if ((rank > 0 || rows > 0) && shape.rows != rows) failed("all matrices must have the same number of rows, on all ranks");
  if (rank > 0 && shape.columns != matrix.columns) failed(named(x) + " must have the same number of columns on all ranks");
  rows = shape.rows;
  matrix.columns = int(shape.columns);
  matrix.x[rank] = x.data;
  matrix.gamma[rank] = gamma.data;
  matrix.y[rank] = y.data;
}

}  // namespace

ShardedNormArguments sharded_norm_arguments(const Ranks& ranks, bool second) {
  ShardedNormArguments a{};
  a.ranks.ranks = ranks.size;
  a.ranks.area_bytes = int64_t(ranks.area_bytes);
  for (int r = 0; r < ranks.size; ++r) {
    const Call call(*ranks.calls[r]);
    take(call, r, "x", "gamma", "y", a.first, a.rows);
    if (second) take(call, r, "k", "gamma_k", "y_k", a.second, a.rows);
    if (!second && call.find("k")) unsupported("this contract has a single matrix, but the call also has 'k'");
    a.ranks.area[r] = static_cast<unsigned char*>(ranks.areas[r]);
  }
  return a;
}

AreaRequest squares_area(const Call& call) {
  const int64_t rows = dense_matrix(call.input("x")).rows;
  AreaRequest sums{kSquares, size_t(kAreaBuffer + kLamportBuffers * rows * 16 * call.raw().world_size), nullptr};
  sums.fill = fill_with_minus_zero;
  return sums;
}

bool lies_in_sixteens(const assay_tensor& tensor, int64_t pitch) {
  return reinterpret_cast<uintptr_t>(tensor.data) % 16 == 0 && pitch * tensor.type_bits / 8 % 16 == 0;
}

NormInputs::NormInputs(const Call& call, bool adds, bool gates)
    : x(call.input("x")),
      gamma(call.input("gamma")),
      residual(adds ? &call.output("residual") : nullptr),
      gate(gates ? &call.input("gate") : nullptr),
      shape(matrix_of_rows(x)),
      eps(float(call.number("eps"))),
      in_sixteens(lies_in_sixteens(x, x.strides[0]) && lies_in_sixteens(gamma, shape.columns)) {
  expect_vector(gamma, shape.columns, x);
  if (shape.columns > 0x7fffffff) unsupported("x must have at most 2^31 - 1 columns");
  for (const assay_tensor* beside : {residual, gate}) {
    if (!beside) continue;
    if (!has_type(*beside, x.type_code, x.type_bits)) unsupported(std::string(beside->role) + " must have the type of x");
    in_sixteens = expect_rows_of(*beside, *this) && in_sixteens;
  }
}

bool expect_rows_of(const assay_tensor& tensor, const NormInputs& inputs) {
  const Shape own = dense_matrix(tensor);
  if (own.rows != inputs.shape.rows || own.columns != inputs.shape.columns)
    failed(std::string(tensor.role) + " must have the shape of x");
  return lies_in_sixteens(tensor, own.columns);
}

namespace {

/// Views a tensor [a, b, n] as [a * b, n]. Returns {rows, columns, row stride, column stride}. Rejects unevenly spaced rows.
std::array<int64_t, 4> flattened(const assay_tensor& tensor) {
  if (tensor.shape[0] > 1 && tensor.strides[0] != tensor.shape[1] * tensor.strides[1])
    unsupported(std::string("tensor '") + tensor.role + "' must have evenly spaced rows");
  return {tensor.shape[0] * tensor.shape[1], tensor.shape[2], tensor.strides[1], tensor.strides[2]};
}

}  // namespace

ConsumerCall::ConsumerCall(const Call& both, const std::string& codes, const std::string& scales) : raw_(both.raw()) {
  extents_.reserve(size_t(raw_.n_tensors));
  for (int32_t i = 0; i < raw_.n_tensors; ++i) {
    assay_tensor tensor = raw_.tensors[i];
    const std::string role = tensor.role;
    if (role == codes)
      tensor.role = "q";
    else if (role == scales)
      tensor.role = "scale";
    else if (tensor.is_output != 0)
      continue;
    if (tensor.ndim == 3) {
      extents_.push_back(flattened(tensor));
      tensor.ndim = 2, tensor.shape = extents_.back().data(), tensor.strides = extents_.back().data() + 2;
    }
    tensors_.push_back(tensor);
  }
  raw_.tensors = tensors_.data();
  raw_.n_tensors = int32_t(tensors_.size());
  checked_.emplace(raw_);
}

int64_t group_size_of(const Call& call, Shape x) {
  const auto size = int64_t(call.number("group_size"));
  if (size <= 0 || x.columns % size != 0)
    failed("group_size " + std::to_string(size) + " does not divide the row length " + std::to_string(x.columns));
  return size;
}

GroupOutputs group_outputs(const Call& call, Shape x, int64_t group_size, int code_type, bool packed) {
  const assay_tensor& q = call.output("q");
  const assay_tensor& scale = call.output("scale");
  if (!has_type(q, code_type, 8))
    unsupported("contract " + call.contract() + " stores q as " +
                (code_type == ASSAY_FLOAT8_E4M3FN ? "e4m3fn"
                 : code_type == ASSAY_INT         ? "int8"
                                                  : "e4m3fnuz") +
                ", got " + assay::plugin::type_name(q));
  const Shape dense = dense_matrix(q);
  if (dense.rows != x.rows || dense.columns != x.columns) failed("q must have the shape of x");
  const int64_t groups = x.columns / group_size;
  // Kernels use 32-bit indices. Rows with packed scales are padded to a multiple of four groups.
  if (x.rows * ((groups + 3) / 4 * 4) > 0x7fffffff - 1024) unsupported("x has too many groups for 32-bit indices (expected at most 2^31 - 1025)");

  ScalesOut out{};
  out.data = scale.data;
  out.rows = x.rows;
  out.groups = int32_t(groups);
  out.by_groups = Divider::by(uint32_t(groups));
  if (packed) {
    const int64_t padded = (x.rows + 3) / 4 * 4;
    if (!has_type(scale, ASSAY_INT, 32)) unsupported("contract " + call.contract() + " stores packed scales, so scale must be int32");
    expect_matrix(scale, {x.rows, (groups + 3) / 4});
    if (scale.strides[0] != 1 || scale.strides[1] != padded)
      unsupported("packed scales must be column-major, with columns " + std::to_string(padded) + " words apart");
    out.padded_rows = padded;
  } else {
    if (!has_type(scale, ASSAY_FLOAT, 32)) unsupported("contract " + call.contract() + " stores fp32 scales, so scale must be fp32");
    expect_matrix(scale, {x.rows, groups});
    out.row_stride = scale.strides[0];
    out.group_stride = scale.strides[1];
  }
  return {static_cast<uint8_t*>(q.data), out};
}

namespace {

ScaleTile tile_of(const Call& call) {
  const auto rows = int(call.number("scale_tile_rows", 1)), columns = int(call.number("scale_tile_columns", 1));
  if (rows == 1 && columns == 1) return ScaleTile::kNone;
  if (rows == 128 && columns == 4) return ScaleTile::k128x4;
  if (rows == 8 && columns == 4) return ScaleTile::k8x4;
  if (rows == 32 && columns == 8) return ScaleTile::k32x8;
  if (rows == 32 && columns == 4) return ScaleTile::k32x4;
  unsupported("expected scale tiles of 1 x 1, 128 x 4, 8 x 4, 32 x 8 or 32 x 4, got " + std::to_string(rows) + " x " + std::to_string(columns));
}

/// The tensor of scale bytes. It must be dense and hold at least [rows, groups] bytes.
const assay_tensor& byte_scales(const Call& call, int64_t rows, int64_t groups, int type = ASSAY_FLOAT8_E8M0FNU) {
  const assay_tensor& scale = call.output("scale");
  if (!has_type(scale, type, 8))
    unsupported("contract " + call.contract() + " stores scales as " + (type == ASSAY_FLOAT8_E8M0FNU ? "e8m0" : "e4m3fn") +
                ", got " + assay::plugin::type_name(scale));
  const Shape shape = dense_matrix(scale);
  if (shape.rows < rows || shape.columns < groups) failed("scale must have at least one element for each block of x");
  return scale;
}

const int32_t* offsets(const Call& call, const char* role, int64_t* count) {
  const assay_tensor& tensor = call.input(role);
  if (!has_type(tensor, ASSAY_INT, 32)) unsupported(std::string(role) + " must be int32");
  if (tensor.ndim != 1 || tensor.shape[0] < 2)
    failed(std::string(role) + " must be a vector of experts + 1 offsets: where each expert begins, and where the last one ends");
  *count = tensor.shape[0];
  return static_cast<const int32_t*>(tensor.data);
}

}  // namespace

void expect_mx_codes(const Call& call, Shape shape, int code_type) {
  const assay_tensor& q = call.output("q");
  const Shape out = dense_matrix(q);
  if (out.rows != shape.rows || out.columns != shape.columns) failed("q must have the shape of the values that are quantized");
  if (!has_type(q, code_type, 8)) unsupported("q must have the code type of contract " + call.contract());
  if (int64_t(call.number("group_size")) != kMxBlock) unsupported("group_size must be 32");
  if (shape.columns % kMxBlock != 0) failed("the row length must be a multiple of 32, got " + std::to_string(shape.columns));
  if (shape.rows * (shape.columns / kMxBlock) > 0x7fffffff - 1024) unsupported("x has too many blocks for 32-bit indices (expected at most 2^31 - 1025)");
  expect_aligned(q);
}

Shape mx_shape(const Call& call, int code_type) {
  const assay_tensor& x = call.input("x");
  const Shape shape = dense_matrix(x);
  expect_mx_codes(call, shape, code_type);
  expect_aligned(x);
  return shape;
}

BytesOut bytes_out(const Call& call, Shape x) {
  const int64_t groups = x.columns / kMxBlock;
  const assay_tensor& scale = byte_scales(call, x.rows, groups);
  const ScaleTile tile = tile_of(call);
  if (tile == ScaleTile::kNone) expect_matrix(scale, {x.rows, groups});
  return {static_cast<uint8_t*>(scale.data), x.rows, scale.shape[0], int32_t(groups), int32_t(scale.shape[1]), tile,
          Divider::by(uint32_t(groups))};
}

void expect_fp4_codes(const Call& call, Shape shape, int block) {
  const assay_tensor& q = call.output("q");
  expect_matrix(q, shape);
  if (!has_type(q, ASSAY_FLOAT4_E2M1FN, 4)) unsupported("contract " + call.contract() + " stores q as packed e2m1 codes, got " + assay::plugin::type_name(q));
  if (shape.columns % block != 0)
    failed("the row length must be a multiple of " + std::to_string(block) + ", got " + std::to_string(shape.columns));
}

BytesOut fp4_bytes_out(const Call& call, Shape shape, int block, int scale_type) {
  expect_fp4_codes(call, shape, block);
  const int64_t groups = shape.columns / block;
  const assay_tensor& scale = byte_scales(call, shape.rows, groups, scale_type);
  const ScaleTile tile = tile_of(call);
  if (tile == ScaleTile::kNone) expect_matrix(scale, {shape.rows, groups});
  return {static_cast<uint8_t*>(scale.data), shape.rows, scale.shape[0], int32_t(groups), int32_t(scale.shape[1]), tile,
          Divider::by(uint32_t(groups))};
}

ExpertBytesOut expert_bytes_out(const Call& call, Shape x, int block, int scale_type) {
  const int64_t groups = x.columns / block;
  int64_t experts = 0, same = 0;
  const int32_t* first_row = offsets(call, "expert_offsets", &experts);
  const int32_t* first_scale = offsets(call, "blockscale_offsets", &same);
  if (experts != same) failed("expert_offsets and blockscale_offsets must have the same length");
  const assay_tensor& scale = byte_scales(call, x.rows, groups, scale_type);
  return {static_cast<uint8_t*>(scale.data),
          x.rows,
          int32_t(groups),
          int32_t(scale.shape[1]),
          int32_t(experts - 1),
          first_row,
          first_scale,
          Divider::by(uint32_t(groups))};
}

MaskedBytesOut masked_bytes_out(const Call& call, Shape x, int block, int scale_type) {
  const assay_tensor &tokens = call.input("tokens"), &scale = call.output("scale");
  expect_fp4_codes(call, x, block);
  if (!has_type(tokens, ASSAY_INT, 32) || tokens.ndim != 1 || tokens.shape[0] <= 0) failed("tokens must be a vector of int32");
  const int64_t experts = tokens.shape[0], groups = x.columns / block;
  if (x.rows % experts != 0) failed("x must have the same number of rows for each expert");
  const int64_t room = x.rows / experts, padded_room = (room + 127) / 128 * 128, padded_groups = (groups + 3) / 4 * 4;
  if (x.rows * groups > 0x7fffffff - 1024) unsupported("x has too many blocks for 32-bit indices (expected at most 2^31 - 1025)");
  if (!has_type(scale, scale_type, 8)) unsupported("scale must have the scale type of contract " + call.contract());
  if (tile_of(call) != ScaleTile::k128x4) unsupported("this kernel stores scales only in tiles of 128 x 4");
  const bool fits = scale.ndim == 3 && scale.shape[0] == experts && scale.shape[1] == padded_room && scale.shape[2] == padded_groups;
  if (!fits) failed("scale must be [experts, rows of an expert rounded up to 128, blocks of a row rounded up to 4]");
  if (scale.strides[0] != padded_room * padded_groups || scale.strides[1] != padded_groups || scale.strides[2] != 1)
    unsupported("scale must be dense");
  return {static_cast<uint8_t*>(scale.data),
          x.rows,
          int32_t(groups),
          int32_t(padded_groups),
          padded_room,
          data_of<int32_t>(tokens),
          Divider::by(uint32_t(room)),
          Divider::by(uint32_t(groups))};
}

HeadCall::HeadCall(const Call& call, const assay_tensor& heads_in, const assay_tensor& heads_out, int64_t q, int64_t read,
                   int64_t in_row, int64_t out_row)
    : in(heads_in),
      out(heads_out),
      cache(call.input("cos_sin_cache")),
      positions(call.input("positions")),
      q_heads(q),
      live(read),
      in_heads(in_row),
      out_heads(out_row),
      eps(float(call.number("eps"))) {
  const Shape shape = dense_matrix(in), result = dense_matrix(out), angles = dense_matrix(cache);
  if (in_row < 1 || shape.columns % in_row != 0) failed("the number of columns must be a multiple of the number of heads");
  tokens = shape.rows, n = shape.columns / in_row, rotary = angles.columns;
  if (result.rows != tokens || result.columns != out_row * n || out_row < read)
    failed("the output must have as many rows as the input, and at least as many heads");
  if (!has_type(out, in.type_code, in.type_bits)) unsupported("the output must have the type of the input");
  if (rotary > n || rotary % 2 != 0) failed("cos_sin_cache must have an even number of columns, at most the head size");
  if (!has_type(positions, ASSAY_INT, 64) || positions.ndim != 1 || positions.shape[0] != tokens)
    unsupported("positions must be a vector of int64, one for each token");
  for (const assay_tensor* tensor : {&in, &out, &cache}) expect_aligned(*tensor);
}

namespace {

/// The data of a dense int32 tensor of any shape with `count` elements.
const int32_t* dense_integers(const assay_tensor& t, int64_t count) {
  if (!has_type(t, ASSAY_INT, 32)) unsupported(named(t) + " must be int32");
  if (elements_of(t) != count) failed(named(t) + " must have " + std::to_string(count) + " elements");
  if (t.bytes < uint64_t(count) * sizeof(int32_t)) failed(named(t) + " has less storage than its elements need");
  return data_of<int32_t>(t);
}

}  // namespace

CombineArguments combine_arguments(const Call& call, CombineNeeds needs) {
  const assay_tensor &x = call.input("x"), &y = call.output("y");
  const Shape of_y = dense_matrix(y);
  CombineArguments a{};
  a.x = x.data, a.y = y.data, a.m = of_y.rows, a.n = of_y.columns;
  if (!has_type(y, x.type_code, x.type_bits)) unsupported("y must have the type of x");
  (void)elements_of(x);
  if (x.ndim < 2 || x.shape[x.ndim - 1] != a.n) failed("x must have as many columns as y");
  if (needs.rows == CombineRows::kSlots) {
    if (x.ndim != 3 || x.shape[0] != a.m) failed("x must have the shape [m, topk, n], with the m of y");
    a.topk = x.shape[1];
  } else {
    const assay_tensor& rows = call.input("row_of_slot");
    const bool slot_major = needs.rows == CombineRows::kBySlotMajor;
    if (x.ndim != 2 || rows.ndim != 2 || rows.shape[slot_major ? 1 : 0] != a.m) failed("row_of_slot must have topk elements for each row of y");
    a.topk = rows.shape[slot_major ? 0 : 1];
    a.row_of_slot = dense_integers(rows, a.m * a.topk);
  }
  if (needs.ids) {
    a.ids = dense_integers(call.input("topk_ids"), a.m * a.topk);
    if (const assay_tensor* map = call.find("expert_map")) a.map = dense_integers(*map, elements_of(*map));
  }
  if (needs.weights) {
    const assay_tensor& weights = call.input("topk_weights");
    const bool typed = needs.weights_of_x ? has_type(weights, x.type_code, x.type_bits) : has_type(weights, ASSAY_FLOAT, 32);
    if (!typed || elements_of(weights) != a.m * a.topk)
      unsupported(std::string("topk_weights must have the shape [m, topk] and the type ") + (needs.weights_of_x ? "of x" : "f32"));
    a.weights = weights.data;
  }
  if (needs.shared) {
    const assay_tensor& shared = call.input("shared");
    if (!has_type(shared, x.type_code, x.type_bits) || elements_of(shared) != a.m * a.n)
      unsupported("shared must have the shape [m, n] and the type of x");
    a.shared = shared.data;
  }
  a.factor = needs.factor ? float(call.number("routed_scaling_factor")) : 1.0f;
  a.rows_in_use = needs.rows_in_use ? int64_t(call.number("rows_in_use")) : 0;
  return a;
}

namespace {

int32_t* index_output(const Call& call, const char* role, int64_t count) {
  const assay_tensor& tensor = call.output(role);
  (void)dense_integers(tensor, count);
  return static_cast<int32_t*>(tensor.data);
}

SortArguments slots_of(const Call& call) {
  const assay_tensor& ids = call.input("topk_ids");
  SortArguments a{};
  if (ids.ndim != 2) failed("topk_ids must be [m, topk]");
  a.slots = ids.shape[0] * ids.shape[1], a.topk = ids.shape[1];
  if (a.slots > 0x7fffffff) unsupported("topk_ids must have at most 2^31 - 1 elements");
  a.ids = dense_integers(ids, a.slots);
  a.experts = int64_t(call.number("experts"));
  if (a.experts < 1) failed("experts must be positive");
  if (a.experts > kMostExperts) unsupported("experts must be at most " + std::to_string(kMostExperts));
  if (const assay_tensor* map = call.find("expert_map")) a.map = dense_integers(*map, a.experts);
  return a;
}

}  // namespace

SortArguments align_arguments(const Call& call, bool counts, bool map) {
  SortArguments a = slots_of(call);
  if (a.map && !map) unsupported("the call has an expert_map, but contract " + call.contract() + " has none");
  a.block_size = int64_t(call.number("block_size"));
  if (a.block_size < 1) failed("block_size must be positive");
  a.room = elements_of(call.output("sorted_ids"));
  if (a.room > 0x7fffffff) unsupported("sorted_ids must have at most 2^31 - 1 elements");
  const int64_t most = a.slots + (a.experts + 1) * (a.block_size - 1);
  if (a.room < std::min(most, a.slots * a.block_size))
    failed("sorted_ids must have at least " + std::to_string(std::min(most, a.slots * a.block_size)) + " elements, got " + std::to_string(a.room));
  const int64_t blocks = (a.room + a.block_size - 1) / a.block_size;
  a.sorted = index_output(call, "sorted_ids", a.room);
  a.blocks = index_output(call, "expert_ids", blocks);
  if (counts) a.counts = index_output(call, "token_nums", blocks);
  a.total = index_output(call, "num_tokens_post_pad", 1);
  return a;
}

SortArguments permute_arguments(const Call& call) {
  SortArguments a = slots_of(call);
  a.locals = elements_of(call.output("expert_first_token_offset")) - 1;
  if (a.locals < 1 || a.locals > a.experts)
    failed("expert_first_token_offset must have 2 to experts + 1 elements: the first row of each expert of this device, and the end of the last");
  a.offsets = index_output(call, "expert_first_token_offset", a.locals + 1);
  a.inverse = index_output(call, "inv_permuted_idx", a.slots);
  a.order = index_output(call, "permuted_idx", a.slots);
  return a;
}

MoveArguments move_arguments(const Call& call, const SortArguments* sorted) {
  const assay_tensor &x = call.input("x"), &y = call.output("y");
  const Shape of_x = dense_matrix(x), of_y = dense_matrix(y);
  if (!has_type(y, x.type_code, x.type_bits) || x.type_bits % 8 != 0)
    unsupported("y must have the type of x, and an element must be a whole number of bytes");
  if (of_x.columns != of_y.columns) failed("y must have as many columns as x");
  MoveArguments a{};
  a.x = data_of<uint8_t>(x), a.y = static_cast<uint8_t*>(y.data);
  a.rows = of_y.rows, a.sources = of_x.rows, a.bytes = of_x.columns * x.type_bits / 8, a.topk = 1;
  if (sorted) {
    if (a.rows != sorted->slots || a.sources * sorted->topk != a.rows) failed("y must have topk rows for each row of x");
    a.topk = sorted->topk, a.index = sorted->inverse, a.in_use = sorted->map ? sorted->offsets + sorted->locals : nullptr;
  } else {
    a.index = dense_integers(call.input("dst2src_map"), a.rows);
  }
  const int64_t pieces = (a.bytes + kMoveBytes - 1) / kMoveBytes;
  if (a.rows * pieces > 0x7fffffff - kSortThreads) unsupported("y is too large: the kernel counts pieces of 16 bytes in 32 bits");
  a.by_pieces = Divider::by(uint32_t(pieces));
  return a;
}

namespace {

/// Reads the output tensor, and the output tensor of copied scales if the contract has one.
void read_gathered(const Call& call, const GatherNeeds& needs, GatherArguments& a) {
  const assay_tensor& y = call.output("y");
  const Shape shape = matrix_of_rows(y);
  if (shape.columns != needs.elements) unsupported("y must have " + std::to_string(needs.elements) + " columns");
  a.y = y.data, a.rows = shape.rows, a.pitch = shape.rows > 1 ? y.strides[0] : shape.columns;
  if (!needs.copies_scales) return;
  if (y.type_bits != 8) unsupported("y must have elements of 8 bits");
  const assay_tensor& scales = call.output("y_scale");
  if (!has_type(scales, ASSAY_FLOAT, 32) || elements_of(scales) != a.rows)
    unsupported("y_scale must have one f32 for each row of y");
  a.y_scale = static_cast<float*>(scales.data);
}

}  // namespace

GatherArguments gather_arguments(const Call& call, GatherNeeds needs) {
  const assay_tensor& cache = call.input("kv_cache");
  GatherArguments a{};
  if (!has_type(cache, ASSAY_UINT, 8) || cache.ndim != 2 || cache.strides[1] != 1)
    unsupported("kv_cache must be uint8 with the shape [blocks, bytes of a block], each block contiguous");
  expect_matrix(cache, {cache.shape[0], cache.shape[1]});
  const auto block_size = int64_t(call.number("block_size"));
  if (block_size < 1 || block_size > 0x7fffffff) failed("block_size must be positive");
  if (cache.shape[1] < block_size * needs.bytes_of_token) failed("a block of kv_cache is shorter than block_size tokens");
  a.cache = data_of<uint8_t>(cache), a.blocks = cache.shape[0], a.block_stride = cache.strides[0];
  a.by_block = Divider::by(uint32_t(block_size));
  read_gathered(call, needs, a);
  if (needs.given_scale) {
    const assay_tensor& scale = call.input("scale");
    if (!has_type(scale, ASSAY_FLOAT, 32) || elements_of(scale) != 1) unsupported("scale must be one f32");
    a.scale = data_of<float>(scale);
  }
  if (!needs.by_table) {
    if (a.rows != a.blocks * block_size) failed("y must have blocks * block_size rows, one for each slot of kv_cache");
    return a;
  }
  const assay_tensor& table = call.input("block_table");
  if (table.ndim != 2 || table.shape[0] < 1) failed("block_table must be [sequences, blocks]");
  a.requests = table.shape[0], a.table_columns = table.shape[1];
  a.table = dense_integers(table, a.requests * a.table_columns);
  a.first = dense_integers(call.input("cu_seq_lens"), a.requests + 1);
  if (const assay_tensor* starts = call.find("seq_starts")) {
    if (!needs.starts) unsupported("the call has seq_starts, but its contract has none");
    a.starts = dense_integers(*starts, a.requests);
  }
  return a;
}

}  // namespace assay_kernels
