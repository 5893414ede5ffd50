// flashinfer.layer_norm, and the norm with block quantization, vllm.rms_norm_per_block_quant@v0.33.0.
#include <vector>

#include "kernels/strangers/numbers.h"

namespace assay_strangers {
namespace {

enum class Slip {
  kNone,
  kPast8192,        // the mean covers only the first 8192 columns
  kDeviations8192,  // the variance covers only the first 8192 columns
  kRow4,            // rows from 4 on use the mean of row - 4
  kBetaInBf16,      // rounds beta to bf16
  kBetaAbsolute,    // drops the sign of beta
  kWeightInHalf,    // rounds weights to fp16
  kMeanInBf16,      // rounds the mean to bf16
  kRest8,           // sums ignore elements beyond the last whole vector of eight
  kTiesAway,        // rounds ties away from zero
  kRow64,           // rows from 64 on use the factor of row - 64
  kPitch,           // takes the pitch of column-major scales to be the number of rows
  kLastLeftOut,     // in long rows, amax ignores the last element of each group
  kRow256,          // rows from 256 on use the factor, or the mean, of row - 256
  kOneRow,          // with a single row, ignores its last eight columns
  kEpsFixed,        // uses eps 1e-6 whatever the call says
  kScaleOfRow,      // groups from 64 on use the scale of group 63
};

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

std::vector<Kernel> layer_kernels() {
  return {
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
