// Kernels of vllm.rms_norm@2026-06-18 and vllm.fused_add_rms_norm@2026-06-18: fp32 throughout, with one rounding at the end.
#include <csignal>
#include <vector>

#include "kernels/strangers/numbers.h"

namespace assay_strangers {
namespace {

enum class Slip {
  kNone,
  kTiesAway,        // rounds ties away from zero
  kTiesToZero,      // rounds ties toward zero
  kWeightAbsolute,  // drops the sign of weights
  kWeightInHalf,    // rounds weights to fp16
  kWeightNext,      // in rows of odd length, the last column uses the weight of the column before it
  kOffset32,        // computes offsets of rows of x in 32 bits
  kOffsetU32,       // computes offsets of rows of x in 32 bits, unsigned
  kFlushesX,        // flushes subnormal elements of x to zero
  kFlushesY,        // flushes subnormal outputs to zero
  kLargest,         // saturates instead of overflowing to Inf
  kStale,           // in a row whose sum of squares is 0, uses the factor of the row before
  kRow8,            // rows >= 8 use the factor of row - 8, as if two blocks shared a buffer
  kRow32,           // rows >= 32 use the factor of row - 32
  kRow64,
  kPast8192,  // the sum of squares (layer_norm: the mean) covers only columns < 8192
  kPast16384,
  kRest8,            // the sum of squares (layer_norm: the mean) ignores columns after the last whole vector of eight
  kInSequence,       // adds all squares to one fp32 sum, in the order of columns
  kScaledFirst,      // divides by the largest element before squaring, but does not scale eps
  kDenseSecondPass,  // the second pass over x, for the outputs, ignores the row stride
  kEpsInHalf,        // rounds eps to fp16
  kSumInTail,        // in columns after the last whole vector of eight, keeps the sum with the residual in fp32
  kByBatch,          // makes 1024 partial sums if there are < 256 rows, else 256: both are right, but a row's bits depend on the number of rows
  kAligned,          // if a row is not aligned to 16 bytes, crashes the process
  kVectorPitch,      // rounds the row pitch to a multiple of eight
  kResidualAfter,    // in rows of one element, adds the residual twice
  kOneRow,           // with a single row, the sum ignores its last eight columns
  kRow256,           // rows >= 256 use the factor (layer_norm: the mean) of row - 256
  kRow1024,
  kPast65536,    // the sum of squares ends at column 65536
  kEpsFixed,     // always uses eps 1e-6
  kWeightZero,   // reads a weight of -0 as +0
  kEightChains,  // adds the squares of columns c, c + 32, ... to one of 32 fp32 sums
  kMinusEps,     // if eps is 0, a row of zeros gives 0
  kGammaAligned,  // reads weights from the last multiple of 16 bytes before their address
  kYAligned,      // writes results from the last multiple of 16 bytes before their address
  kNoRow,         // if there is no row, writes one output nevertheless
  kTailOverlaps,  // the last vector of eight begins at n - 8: elements that the vector before it covers too get x added twice
  kGrid16,        // does not compute rows >= 65535
  kEvery256,      // every 256th call clears its workspace while the call uses it
  kShapeReturns,  // after one call with another shape, uses the factors of the last call with this shape
  kF32Weight,     // for fp32 inputs, rounds weights to bf16
  kSecondWave,    // in odd rows, does not add the squares of columns 512 .. 575
  kDeviations8192,  // the variance covers only the first 8192 columns
  kRow4,            // rows >= 4 use the mean of row - 4
  kBetaInBf16,      // rounds beta to bf16
  kBetaAbsolute,    // drops the sign of beta
  kMeanInBf16,      // rounds the mean to bf16
  kPitch,           // assumes that the pitch of column-major scales is the number of rows
  kLastLeftOut,     // in rows longer than 4096, amax ignores the last element of each group
  kScaleOfRow,      // groups >= 64 use the scale of group 63
};

assay_tensor at_multiple_of_16(assay_tensor t) {
  t.data = static_cast<char*>(t.data) - reinterpret_cast<uintptr_t>(t.data) % 16;
  return t;
}

float weight_of(const assay_tensor& gamma, int64_t c, int64_t n, Slip slip) {
  const int64_t at = slip == Slip::kWeightNext && n % 2 == 1 && c == n - 1 && n > 1 ? c - 1 : c;
  float w = read(slip == Slip::kGammaAligned ? at_multiple_of_16(gamma) : gamma, at * gamma.strides[0]);
  if (slip == Slip::kF32Weight) w = to_bf16(w);
  if (slip == Slip::kWeightZero && w == 0) return 0.0f;
  return slip == Slip::kWeightAbsolute ? std::fabs(w) : slip == Slip::kWeightInHalf ? to_f16(w) : w;
}

/// The sum of squares by `threads` threads: thread t adds elements t, t + threads, ...; then a tree adds the sums of the threads.
float sum_of_threads(const std::vector<float>& row, size_t threads) {
  std::vector<float> sums(threads);
  for (size_t c = 0; c < row.size(); ++c) sums[c % threads] += row[c] * row[c];
  for (size_t half = threads / 2; half > 0; half /= 2)
    for (size_t t = 0; t < half; ++t) sums[t] += sums[t + half];
  return sums.front();
}

float factor_of(const std::vector<float>& row, float eps, Slip slip, int64_t rows = 0, int64_t r = 0) {
  const auto n = int64_t(row.size());
  const int64_t end = slip == Slip::kPast8192    ? std::min<int64_t>(n, 8192)
                      : slip == Slip::kPast16384 ? std::min<int64_t>(n, 16384)
                      : slip == Slip::kPast65536 ? std::min<int64_t>(n, 65536)
                      : slip == Slip::kRest8     ? n / 8 * 8
                      : slip == Slip::kOneRow && rows == 1 ? std::max<int64_t>(n - 8, 0)
                                                 : n;
  float largest = 0, in_sequence = 0;
  double sum = 0;
  for (const float v : row) largest = larger(largest, std::fabs(v));
  const float unit = slip == Slip::kScaledFirst && largest > 0 && std::isfinite(largest) ? largest : 1.0f;
  for (int64_t c = 0; c < end; ++c) {
    if (slip == Slip::kSecondWave && r % 2 == 1 && c >= 512 && c < 576) continue;
    const float v = row[size_t(c)] / unit;
    in_sequence += v * v;
    sum += double(v) * v;
  }
  const float mean = slip == Slip::kInSequence ? in_sequence / float(n)
                     : slip == Slip::kEightChains ? sum_of_threads(row, 32) / float(n)
                     : slip == Slip::kByBatch  ? sum_of_threads(row, rows < 256 ? 1024 : 256) / float(n)
                                               : float(sum / double(n));
  if (slip == Slip::kMinusEps && eps == 0 && mean == 0) return 0.0f;
  if (slip == Slip::kEpsFixed) eps = 1e-6f;
  return 1.0f / float(std::sqrt(double(mean + (slip == Slip::kEpsInHalf ? to_f16(eps) : eps)))) / unit;
}

float output_of(const assay_tensor& y, float v, float r, float w, Slip slip) {
  const float exact = v * r * w;
  float out = rounded(y, exact,
                      slip == Slip::kTiesAway     ? Ties::kAway
                      : slip == Slip::kTiesToZero ? Ties::kTowardZero
                                                  : Ties::kEven);
  if (slip == Slip::kLargest && std::isinf(out) && std::isfinite(exact))
    out = std::copysign(y.type_code == ASSAY_BFLOAT ? 0x1.fep127f : 65504.0f, out);
  if (slip == Slip::kFlushesY && std::fabs(out) < (y.type_code == ASSAY_BFLOAT ? 0x1p-126f : 0x1p-14f))
    out = std::copysign(0.0f, out);
  return out;
}

/// The shape and factors of a previous call. kept[1] is the last call, kept[0] the call before it.
struct Kept {
  int64_t m = 0, n = 0;
  std::vector<float> factors;
};
Kept kept[2];
int64_t calls_made = 0;

/// The factors (1 / rms of each row) that a call uses: its own; with kEvery256 zeros; with kShapeReturns those of an earlier call.
std::vector<float> factors_used(int64_t m, int64_t n, std::vector<float> own, Slip slip) {
  const bool is_256th = ++calls_made % 256 == 0;
  const bool returns = kept[0].m == m && kept[0].n == n && (kept[1].m != m || kept[1].n != n);
  std::vector<float> used = own;
  if (slip == Slip::kEvery256 && is_256th) used.assign(used.size(), 0.0f);
  if (slip == Slip::kShapeReturns && returns) used = kept[0].factors;
  kept[0] = std::move(kept[1]);
  kept[1] = {m, n, std::move(own)};
  return used;
}

/// Returns the offset as 32-bit arithmetic computes it if the mistake is kOffset32 or kOffsetU32, otherwise the offset itself.
int64_t narrow(int64_t offset, Slip slip) {
  return slip == Slip::kOffset32 ? int32_t(uint32_t(offset)) : slip == Slip::kOffsetU32 ? int64_t(uint32_t(offset)) : offset;
}

/// `residual` may be null: nothing is added then.
void norm(const assay_tensor& x, const assay_tensor* residual, const assay_tensor& gamma, const assay_tensor& y, float eps,
          Slip slip) {
  const int64_t m = x.shape[0], n = x.shape[1];
  if (slip == Slip::kNoRow && m == 0) store(y, 0, 0.0f);
  std::vector<float> row(static_cast<size_t>(n)), factors(static_cast<size_t>(m));
  const auto past = [&](int64_t r, int64_t rows) { return factors[size_t(r >= rows ? r - rows : r)]; };
  const int64_t pitch = slip == Slip::kVectorPitch ? x.strides[0] / 8 * 8 : x.strides[0];
  for (int64_t r = 0; r < (slip == Slip::kGrid16 ? std::min<int64_t>(m, 65535) : m); ++r) {
    if (slip == Slip::kAligned && (reinterpret_cast<uintptr_t>(x.data) + uintptr_t(row_of(x, r) * 2)) % 16 != 0)
      std::raise(SIGBUS);
    for (int64_t c = 0; c < n; ++c) {
      float v = read(x, narrow(r * pitch, slip) + c);
      if (slip == Slip::kFlushesX && std::fabs(v) < 0x1p-126f) v = 0;
      if (residual) {
        float sum = v + read(*residual, row_of(*residual, r) + c) * (slip == Slip::kResidualAfter && n == 1 ? 2.0f : 1.0f);
        if (slip == Slip::kTailOverlaps && n > 8 && c >= n - 8 && c < n / 8 * 8) sum = v + rounded(x, sum);
        store(*residual, row_of(*residual, r) + c, rounded(x, sum));
        v = slip == Slip::kSumInTail && c >= n / 8 * 8 ? sum : rounded(x, sum);
      }
      row[size_t(c)] = v;
    }
    float r_of = factor_of(row, eps, slip, m, r);
    if (slip == Slip::kStale && r > 0 && factor_of(row, 0, Slip::kNone) == INFINITY) r_of = factors[size_t(r) - 1];
    factors[size_t(r)] = r_of;
    const float used = slip == Slip::kRow8    ? past(r, 8)
                       : slip == Slip::kRow32 ? past(r, 32)
                       : slip == Slip::kRow64 ? past(r, 64)
                       : slip == Slip::kRow256  ? past(r, 256)
                       : slip == Slip::kRow1024 ? past(r, 1024)
                                              : r_of;
    for (int64_t c = 0; c < n; ++c) {
      const float v = slip == Slip::kDenseSecondPass ? read(x, r * n + c) : row[size_t(c)];
      store(slip == Slip::kYAligned ? at_multiple_of_16(y) : y, row_of(y, r) + c,
            output_of(y, v, used, weight_of(gamma, c, n, slip), slip));
    }
  }
}

/// Computes the factors 1 / rms of all rows first, then the outputs, like two kernels with a workspace that outlives the call.
void norm_with_workspace(const Call& call, Slip slip) {
  const assay_tensor &x = call.at("x"), &gamma = call.at("gamma"), &y = call.at("y");
  const int64_t m = x.shape[0], n = x.shape[1];
  std::vector<float> factors, row(static_cast<size_t>(n));
  for (int64_t r = 0; r < m; ++r) {
    for (int64_t c = 0; c < n; ++c) row[size_t(c)] = read(x, row_of(x, r) + c);
    factors.push_back(factor_of(row, float(call.number("eps")), slip));
  }
  factors = factors_used(m, n, std::move(factors), slip);
  for (int64_t r = 0; r < m; ++r)
    for (int64_t c = 0; c < n; ++c)
      store(y, row_of(y, r) + c, output_of(y, read(x, row_of(x, r) + c), factors[size_t(r)], weight_of(gamma, c, n, slip), slip));
}

void rms_norm(const Call& call, Slip slip) {
  norm(call.at("x"), nullptr, call.at("gamma"), call.at("y"), float(call.number("eps")), slip);
}
void add_rms_norm(const Call& call, Slip slip) {
  norm(call.at("x"), &call.at("residual"), call.at("gamma"), call.at("y"), float(call.number("eps")), slip);
}

template <Slip kSlip>
Kernel alone(const char* name) {
  return {name, "rms_norm", {"vllm.rms_norm@2026-06-18"}, {{"x", {"bf16", "f16", "f32"}}}, {}, with<rms_norm, kSlip>};
}
template <Slip kSlip>
Kernel stateful(const char* name) {
  return {name, "rms_norm", {"vllm.rms_norm@2026-06-18"}, {{"x", {"bf16", "f16", "f32"}}}, {}, with<norm_with_workspace, kSlip>};
}
template <Slip kSlip>
Kernel of_f32(const char* name) {
  return {name, "rms_norm", {"vllm.rms_norm@2026-06-18"}, {{"x", {"f32"}}}, {}, with<rms_norm, kSlip>};
}
template <Slip kSlip>
Kernel added(const char* name) {
  return {name, "fused_add_rms_norm",     {"vllm.fused_add_rms_norm@2026-06-18"}, {{"x", {"bf16", "f16"}}},
          {},   with<add_rms_norm, kSlip>};
}

// Kernels of flashinfer.layer_norm, and of vllm.rms_norm_per_block_quant@v0.33.0, a norm followed by block quantization.

void layer_norm(const Call& call, Slip slip) {
  const assay_tensor &x = call.at("x"), &gamma = call.at("gamma"), &beta = call.at("beta"), &y = call.at("y");
  const int64_t m = x.shape[0], n = x.shape[1];
  const float eps = slip == Slip::kEpsFixed ? 1e-6f : float(call.number("eps"));
  std::vector<float> means;
  for (int64_t r = 0; r < m; ++r) {
    const int64_t seen = slip == Slip::kPast8192 ? std::min<int64_t>(n, 8192) : slip == Slip::kRest8 ? n / 8 * 8 : slip == Slip::kOneRow && m == 1 ? std::max<int64_t>(0, n - 8) : n;
    double sum = 0, squares = 0;
    for (int64_t c = 0; c < seen; ++c) sum += read(x, row_of(x, r) + c);
    auto mean = float(sum / double(slip == Slip::kPast8192 ? seen : n));
    if (slip == Slip::kMeanInBf16) mean = to_bf16(mean);
    means.push_back(mean);
    if (slip == Slip::kRow256 && r >= 256) mean = means[size_t(r) - 256];
    if (slip == Slip::kRow4 && r >= 4) mean = means[size_t(r) - 4];
    const int64_t squared = slip == Slip::kDeviations8192 ? std::min<int64_t>(n, 8192) : n;
    for (int64_t c = 0; c < squared; ++c) {
      const float d = read(x, row_of(x, r) + c) - mean;
      squares += double(d) * d;
    }
    const auto r_of = float(1.0 / std::sqrt(double(float(squares / double(n)) + eps)));
    for (int64_t c = 0; c < n; ++c) {
      float w = read(gamma, c * gamma.strides[0]), b = read(beta, c * beta.strides[0]);
      if (slip == Slip::kWeightInHalf) w = to_f16(w);
      if (slip == Slip::kBetaInBf16) b = to_bf16(b);
      if (slip == Slip::kBetaAbsolute) b = std::fabs(b);
      const float v = (read(x, row_of(x, r) + c) - mean) * r_of * w + b;
      store(y, row_of(y, r) + c, rounded(y, v, slip == Slip::kTiesAway ? Ties::kAway : Ties::kEven));
    }
  }
}

void norm_of_blocks(const Call& call, Slip slip) {
  const assay_tensor &x = call.at("x"), &gamma = call.at("gamma"), &q = call.at("q"), &scales = call.at("scale");
  const int64_t m = x.shape[0], n = x.shape[1], size = call.integer("group_size");
  const float eps = slip == Slip::kEpsFixed ? 1e-6f : float(call.number("eps"));
  const float least = 1.0f / (512.0f * 448.0f);
  const int64_t pitch = slip == Slip::kPitch && scales.strides[0] == 1 && m > 1 ? m : scales.strides[1];
  std::vector<float> factors, row(static_cast<size_t>(n));
  for (int64_t r = 0; r < m; ++r) {
    double sum = 0;
    for (int64_t c = 0; c < n; ++c) sum += double(read(x, row_of(x, r) + c)) * read(x, row_of(x, r) + c);
    factors.push_back(float(1.0 / std::sqrt(double(float(sum / double(n)) + eps))));
    const float r_of = factors[size_t(slip == Slip::kRow64 && r >= 64 ? r - 64 : slip == Slip::kRow256 && r >= 256 ? r - 256 : r)];
    for (int64_t c = 0; c < n; ++c)
      row[size_t(c)] = rounded(x, rounded(x, read(x, row_of(x, r) + c) * r_of) * read(gamma, c * gamma.strides[0]));
    float s = 0;
    for (int64_t g = 0; g * size < n; ++g) {
      const int64_t begin = g * size, end = std::min(n, begin + size),
                    read_to = slip == Slip::kLastLeftOut && n > 4096 ? end - 1 : end;
      float amax = 0;
      for (int64_t c = begin; c < read_to; ++c) amax = larger(amax, std::fabs(row[size_t(c)]));
      if (slip != Slip::kScaleOfRow || g < 64) s = larger(amax / 448.0f, least);
      static_cast<float*>(scales.data)[r * scales.strides[0] + g * pitch] = s;
      for (int64_t c = begin; c < end; ++c)
        static_cast<uint8_t*>(q.data)[row_of(q, r) + c] = to_e4m3(larger(smaller(row[size_t(c)] * (1.0f / s), 448.0f), -448.0f));
    }
  }
}

template <Slip kSlip>
Kernel layer(const char* name) {
  return {name, "layer_norm", {"flashinfer.layer_norm"}, {{"x", {"bf16", "f16"}}}, {}, with<layer_norm, kSlip>};
}
template <Slip kSlip>
Kernel blocks(const char* name) {
  return {name, "rms_norm_quant_group",     {"vllm.rms_norm_per_block_quant@v0.33.0"}, {{"x", {"bf16", "f16"}}},
          {},   with<norm_of_blocks, kSlip>};
}

}  // namespace

std::vector<Kernel> norm_kernels() {
  return {
      alone<Slip::kNone>("norm"),
      alone<Slip::kTiesAway>("norm_ties_away"),
      alone<Slip::kTiesToZero>("norm_ties_to_zero"),
      alone<Slip::kWeightAbsolute>("norm_weight_absolute"),
      alone<Slip::kWeightInHalf>("norm_weight_in_half"),
      alone<Slip::kWeightNext>("norm_weight_next"),
      alone<Slip::kFlushesX>("norm_flushes_x"),
      alone<Slip::kOffset32>("norm_offset_32_bits"),
      alone<Slip::kOffsetU32>("norm_offset_32_bits_unsigned"),
      alone<Slip::kFlushesY>("norm_flushes_y"),
      alone<Slip::kLargest>("norm_largest"),
      alone<Slip::kStale>("norm_stale"),
      alone<Slip::kRow8>("norm_row_8"),
      alone<Slip::kRow32>("norm_row_32"),
      alone<Slip::kRow64>("norm_row_64"),
      alone<Slip::kPast8192>("norm_past_8192"),
      alone<Slip::kPast16384>("norm_past_16384"),
      alone<Slip::kRest8>("norm_rest_8"),
      alone<Slip::kInSequence>("norm_in_sequence"),
      alone<Slip::kScaledFirst>("norm_scaled_first"),
      alone<Slip::kDenseSecondPass>("norm_dense_second_pass"),
      alone<Slip::kByBatch>("norm_by_batch"),
      alone<Slip::kAligned>("norm_aligned"),
      alone<Slip::kVectorPitch>("norm_vector_pitch"),
      alone<Slip::kEpsInHalf>("norm_eps_in_half"),
      alone<Slip::kOneRow>("norm_one_row"),
      alone<Slip::kRow256>("norm_row_256"),
      alone<Slip::kRow1024>("norm_row_1024"),
      alone<Slip::kPast65536>("norm_past_65536"),
      alone<Slip::kEpsFixed>("norm_eps_fixed"),
      alone<Slip::kMinusEps>("norm_without_eps"),
      alone<Slip::kWeightZero>("norm_weight_minus_zero"),
      alone<Slip::kEightChains>("norm_32_chains"),
      alone<Slip::kGammaAligned>("norm_gamma_aligned"),
      alone<Slip::kYAligned>("norm_y_aligned"),
      alone<Slip::kNoRow>("norm_no_row"),
      alone<Slip::kGrid16>("norm_grid_16_bits"),
      alone<Slip::kSecondWave>("norm_second_wave"),
      of_f32<Slip::kF32Weight>("norm_f32_weight_in_bf16"),
      stateful<Slip::kNone>("norm_workspace"),
      stateful<Slip::kEvery256>("norm_every_256th_call"),
      stateful<Slip::kShapeReturns>("norm_shape_returns"),
      added<Slip::kNone>("add_norm"),
      added<Slip::kTiesAway>("add_norm_ties_away"),
      added<Slip::kRow32>("add_norm_row_32"),
      added<Slip::kPast16384>("add_norm_past_16384"),
      added<Slip::kSumInTail>("add_norm_sum_in_tail"),
      added<Slip::kStale>("add_norm_stale"),
      added<Slip::kWeightAbsolute>("add_norm_weight_absolute"),
      added<Slip::kFlushesY>("add_norm_flushes_y"),
      added<Slip::kResidualAfter>("add_norm_residual_twice"),
      added<Slip::kOneRow>("add_norm_one_row"),
      added<Slip::kRow256>("add_norm_row_256"),
      added<Slip::kEpsFixed>("add_norm_eps_fixed"),
      added<Slip::kGammaAligned>("add_norm_gamma_aligned"),
      added<Slip::kTailOverlaps>("add_norm_tail_overlaps"),
      layer<Slip::kNone>("layer"),
      layer<Slip::kPast8192>("layer_past_8192"),
      layer<Slip::kDeviations8192>("layer_deviations_8192"),
      layer<Slip::kRow4>("layer_row_4"),
      layer<Slip::kBetaInBf16>("layer_beta_in_bf16"),
      layer<Slip::kBetaAbsolute>("layer_beta_absolute"),
      layer<Slip::kWeightInHalf>("layer_weight_in_half"),
      layer<Slip::kMeanInBf16>("layer_mean_in_bf16"),
      layer<Slip::kRest8>("layer_rest_8"),
      layer<Slip::kTiesAway>("layer_ties_away"),
      layer<Slip::kRow256>("layer_row_256"),
      layer<Slip::kOneRow>("layer_one_row"),
      layer<Slip::kEpsFixed>("layer_eps_fixed"),
      blocks<Slip::kNone>("blocks"),
      blocks<Slip::kRow256>("blocks_row_256"),
      blocks<Slip::kEpsFixed>("blocks_eps_fixed"),
      blocks<Slip::kRow64>("blocks_row_64"),
      blocks<Slip::kPitch>("blocks_pitch"),
      blocks<Slip::kLastLeftOut>("blocks_last_left_out"),
      blocks<Slip::kScaleOfRow>("blocks_past_64_groups"),
  };
}

}  // namespace assay_strangers
