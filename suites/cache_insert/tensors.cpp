#include "suites/cache_insert/tensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "harness/fill/fill.h"
#include "harness/fill/philox.h"
#include "reference/formats/catalogue.h"
#include "suites/rows/rotation.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

uint32_t number(CacheStream stream) { return uint32_t(stream); }

}  // namespace

HostTensor token_matrix(const std::string& name, const CacheCase& c, int64_t columns, const std::string& fill_name,
                        CacheStream stream) {
  HostTensor x{dense(name, Role::kInput, *c.x, {c.m, columns}), {}};
  const int64_t group = c.gamma.empty() ? std::min(c.group_size, columns) : 0;  // behind a norm a row is one whole
  fill(x, {.name = fill_name, .seed = c.seed, .group_size = group, .q = c.q, .tensor = number(stream)});
  const uint32_t nan = code_of(*c.x, std::nan(""));
  for (int64_t i = int64_t(c.slots.size()) * columns; i < c.m * columns; ++i) x.set_code(i, nan);
  return c.row_stride > 0 ? rows_apart(x, c.row_stride, 0) : x;
}

HostTensor norm_weight(const CacheCase& c) {
  HostTensor weight{dense(kNormWeight, Role::kInput, *c.x, {c.numbers()}), {}};
  fill(weight, {.name = c.gamma, .seed = c.seed, .group_size = 0, .q = c.x, .tensor = number(CacheStream::kWeights)});
  return weight;
}

HostTensor slot_mapping(const CacheCase& c) { return input_int64("slot_mapping", c.slots); }

std::vector<HostTensor> cache_scales(const CacheCase& c) {
  std::vector<HostTensor> scales;
  for (const std::string& name : cache_scale_names(c)) {
    const int64_t groups = c.coded / c.group_size / int64_t(cache_scale_names(c).size());
    scales.push_back({dense(name, Role::kInput, kF32, {groups}), {}});
    const uint32_t tensor = number(CacheStream::kScales) + uint32_t(scales.size() - 1);
    fill(scales.back(), {.name = c.scale_fill, .seed = c.seed, .group_size = 0, .q = &kF32, .tensor = tensor});
  }
  return scales;
}

std::vector<std::string> cache_scale_names(const CacheCase& c) {
  std::vector<std::string> names;
  for (const RecordPart& part : c.record->parts)
    if (part.kind == PartKind::kCodes) names.push_back(part.name + "_scale");
  return names.size() == 1 ? std::vector<std::string>{"scale"} : names;
}

HostTensor cos_sin_cache(const CacheCase& c, int64_t rotary) {
  return unit_circle_cache(kF32, kPositions, rotary, c.seed, number(CacheStream::kAngles));
}

HostTensor positions_of(const CacheCase& c) {
  const Random random(c.seed, number(CacheStream::kPositions));
  std::vector<int64_t> positions(size_t(c.m), 0);
  for (int64_t row = 1; row < c.m; ++row) positions[size_t(row)] = random.below(kPositions, row);
  return input_int64("positions", positions);
}

HostTensor cache_before(const std::string& name, const CacheCase& c) {
  HostTensor cache{dense(name, Role::kOutput, kUint8, {c.blocks, c.block_stride()}), {}};
  cache.bytes.resize(cache.spec.bytes());
  const Random random(c.seed, number(CacheStream::kBytes));
  for (size_t i = 0; i < cache.bytes.size(); i += 16) {
    const auto bits = random.block(int64_t(i / 16));
    std::memcpy(cache.bytes.data() + i, bits.data(), std::min<size_t>(16, cache.bytes.size() - i));
  }
  return cache;
}

}  // namespace assay
