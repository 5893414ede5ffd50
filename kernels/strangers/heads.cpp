// vllm.fused_qk_norm_rope_neox: normalizes each head of Q and K, then rotates its first elements, and rounds once.
#include <vector>

#include "kernels/strangers/numbers.h"

namespace assay_strangers {
namespace {

enum class Slip {
  kNone,
  kPosition12,   // truncates positions to 12 bits
  kPosition16,   // truncates positions to 16 bits
  kPosition8,    // truncates positions to 8 bits
  kPosition15,   // truncates positions to 15 bits
  kToken256,     // tokens >= 256 use the position of token - 256
  kOddHeads,     // with >= 5 tokens and q_heads + k_heads odd, the last head of K uses the weights of Q
  kEpsFixed,     // always uses eps 1e-6
  kTiesAway,     // rounds ties away from zero
  kLastHead,     // with several heads of K, the last one uses the weights of Q
  kRestPlain,    // does not multiply the unrotated elements by their weights
  kHeads32,      // heads >= 32 use the norm's factor of head - 32
  kToken8,       // tokens >= 8 use the position of token - 8
  kAngleInBf16,  // rounds cosines and sines to bf16
  kWeightAbsolute,  // drops the sign of weights
  kLastLeftOut,    // the sum of squares ignores a head's last element
  kSecondWave,     // in pairs >= 32, computes the second element from the first element after its rotation
  kLastPosition,   // the last position of the table uses the row of the position before it
  kValuesTouched,  // rewrites the first head of V, with NaN made quiet and -0 made +0
};

void qk_norm_rope(const Call& call, Slip slip) {
  const assay_tensor &qkv = call.at("qkv"), &table = call.at("cos_sin_cache");
  const auto* const positions = static_cast<const int64_t*>(call.at("positions").data);
  const int64_t q_heads = call.integer("q_heads"), k_heads = call.integer("k_heads"), v_heads = call.integer("v_heads");
  const int64_t n = call.at("q_weight").shape[0], rotary = table.shape[1], pairs = rotary / 2;
  const float eps = slip == Slip::kEpsFixed ? 1e-6f : float(call.number("eps"));
  std::vector<float> head(static_cast<size_t>(n)), factors;
  for (int64_t r = 0; r < qkv.shape[0]; ++r) {
    const int64_t given = positions[slip == Slip::kToken8 && r >= 8 ? r - 8 : slip == Slip::kToken256 && r >= 256 ? r - 256 : r];
    const int64_t position = slip == Slip::kPosition12   ? given & 4095
                             : slip == Slip::kPosition16 ? given & 65535
                             : slip == Slip::kPosition8  ? given & 255
                             : slip == Slip::kPosition15 ? given & 32767
                                 : slip == Slip::kLastPosition && given == table.shape[0] - 1 ? std::max<int64_t>(0, given - 1)
                                                         : given;
    factors.clear();
    for (int64_t h = 0; h < q_heads + k_heads; ++h) {
      const int64_t begin = row_of(qkv, r) + h * n;
      const bool of_q = h < q_heads || (slip == Slip::kLastHead && k_heads > 1 && h == q_heads + k_heads - 1);
      const bool last_of_odd = slip == Slip::kOddHeads && qkv.shape[0] >= 5 && (q_heads + k_heads) % 2 == 1 && h == q_heads + k_heads - 1;
      const assay_tensor& weight = call.at(of_q != last_of_odd ? "q_weight" : "k_weight");
      double sum = 0;
      for (int64_t c = 0; c < (slip == Slip::kLastLeftOut ? n - 1 : n); ++c)
        sum += double(read(qkv, begin + c)) * read(qkv, begin + c);
      factors.push_back(float(1.0 / std::sqrt(double(float(sum / double(n)) + eps))));
      const float r_of = factors[size_t(slip == Slip::kHeads32 && h >= 32 ? h - 32 : h)];
      for (int64_t c = 0; c < n; ++c) {
        float w = read(weight, c * weight.strides[0]);
        if (slip == Slip::kWeightAbsolute) w = std::fabs(w);
        if (slip == Slip::kRestPlain && c >= rotary) w = 1.0f;
        head[size_t(c)] = read(qkv, begin + c) * (r_of * w);
      }
      const auto angle = [&](int64_t at) {
        const float v = read(table, position * table.strides[0] + at);
        return slip == Slip::kAngleInBf16 ? to_bf16(v) : v;
      };
      for (int64_t i = 0; i < pairs; ++i) {
        const float cosine = angle(i), sine = angle(pairs + i), e = head[size_t(i)], o = head[size_t(pairs + i)];
        head[size_t(i)] = e * cosine - o * sine;
        head[size_t(pairs + i)] = o * cosine + (slip == Slip::kSecondWave && i >= 32 ? head[size_t(i)] : e) * sine;
      }
      for (int64_t c = 0; c < n; ++c)
        store(qkv, begin + c, rounded(qkv, head[size_t(c)], slip == Slip::kTiesAway ? Ties::kAway : Ties::kEven));
    }
    if (slip == Slip::kValuesTouched && v_heads > 0)
      for (int64_t c = 0, begin = row_of(qkv, r) + (q_heads + k_heads) * n; c < n; ++c)
        store(qkv, begin + c, read(qkv, begin + c) + 0.0f);
  }
}

template <Slip kSlip>
Kernel heads(const char* name) {
  return {name, "qk_norm_rope", {"vllm.fused_qk_norm_rope_neox"}, {{"x", {"bf16", "f16"}}}, {}, with<qk_norm_rope, kSlip>};
}

}  // namespace

std::vector<Kernel> heads_kernels() {
  return {
      heads<Slip::kNone>("heads"),
      heads<Slip::kPosition8>("heads_position_8_bits"),
      heads<Slip::kPosition12>("heads_position_12_bits"),
      heads<Slip::kPosition16>("heads_position_16_bits"),
      heads<Slip::kPosition15>("heads_position_15_bits"),
      heads<Slip::kToken256>("heads_token_256"),
      heads<Slip::kOddHeads>("heads_odd"),
      heads<Slip::kEpsFixed>("heads_eps_fixed"),
      heads<Slip::kTiesAway>("heads_ties_away"),
      heads<Slip::kLastHead>("heads_last_head"),
      heads<Slip::kRestPlain>("heads_rest_plain"),
      heads<Slip::kHeads32>("heads_past_32"),
      heads<Slip::kToken8>("heads_token_8"),
      heads<Slip::kAngleInBf16>("heads_angle_in_bf16"),
      heads<Slip::kWeightAbsolute>("heads_weight_absolute"),
      heads<Slip::kLastLeftOut>("heads_last_left_out"),
      heads<Slip::kValuesTouched>("heads_values_touched"),
      heads<Slip::kSecondWave>("heads_second_wave"),
      heads<Slip::kLastPosition>("heads_last_position"),
  };
}

}  // namespace assay_strangers
