#include "harness/fill/philox.h"

namespace assay {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> c, std::array<uint32_t, 2> key) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = kMultiplier0 * c[0], product1 = kMultiplier1 * c[2];
    c = {uint32_t(product1 >> 32) ^ c[1] ^ key[0], uint32_t(product1), uint32_t(product0 >> 32) ^ c[3] ^ key[1],
         uint32_t(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return c;
}

double Random::normal(int64_t index) const {
  constexpr uint32_t kNormalLane = 0x4e4f524d;  // distinct from the lanes of the other draws
  const std::array<uint32_t, 4> a = block(index, kNormalLane), b = block(index, kNormalLane + 1);
  uint32_t sum = 0;
  for (const uint32_t word : {a[0], a[1], a[2], a[3], b[0], b[1]}) sum += (word & 0xffff) + (word >> 16);
  constexpr int32_t kMean = 6 * 65535;
  return double(int32_t(sum) - kMean) * 0x1p-16;
}

}  // namespace assay
