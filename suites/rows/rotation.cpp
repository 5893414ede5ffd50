#include "suites/rows/rotation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "harness/fill/nearest.h"
#include "harness/fill/philox.h"
#include "suites/rows/inputs.h"

namespace assay {

HostTensor unit_circle_cache(const Format& format, int64_t positions, int64_t rotary, uint64_t seed, uint32_t stream) {
  HostTensor cache{dense("cos_sin_cache", Role::kInput, format, {positions, rotary}), {}};
  cache.bytes.resize(cache.spec.bytes());
  const Random random(seed, stream);
  const int64_t pairs = rotary / 2;
  for (int64_t position = 0; position < positions; ++position) {
    for (int64_t i = 0; i < pairs; ++i) {
      const double t = position == 0 ? 0 : 5 * random.uniform(position * pairs + i) - 2.5;
      const int64_t at = position * rotary + i;
      cache.set_code(at, nearest_code(format, (1 - t * t) / (1 + t * t)));
      cache.set_code(at + pairs, nearest_code(format, 2 * t / (1 + t * t)));
    }
  }
  return cache;
}

const std::vector<WrongAngles>& wrong_angles() {
  static const std::vector<WrongAngles> all = {{"positions: one earlier", {.later = -1}},
                                               {"positions: one later", {.later = 1}},
                                               {"positions: the tokens' numbers in the batch", {.own_numbers = true}},
                                               {"cos_sin_cache: the sine of a pair beside its cosine", {.alternating = true}}};
  return all;
}

int64_t position_of_token(const Problem& problem, int64_t token) {
  int64_t position = 0;
  const std::vector<std::byte>& positions = find(problem.tensors, "positions").bytes;
  std::memcpy(&position, positions.data() + size_t(token) * sizeof position, sizeof position);
  return position;
}

Angles angles_of_token(const Problem& problem, const AngleReading& reading, int64_t token) {
  const HostTensor& cache = find(problem.tensors, "cos_sin_cache");
  const int64_t count = cache.spec.shape[0];
  const int64_t position = reading.own_numbers
                               ? std::min(token, count - 1)
                               : std::clamp<int64_t>(position_of_token(problem, token) + reading.later, 0, count - 1);
  const std::vector<double> row = decoded_row(cache, position, cache.spec.shape[1]);
  const size_t pairs = row.size() / 2;
  Angles angles;
  for (size_t i = 0; i < pairs; ++i) {
    angles.cos.push_back(row[reading.alternating ? 2 * i : i]);
    angles.sin.push_back(row[reading.alternating ? 2 * i + 1 : pairs + i]);
  }
  return angles;
}

void append_pair(std::vector<std::string>& lines, const Rope& rope, const RowInputs& inputs, size_t column) {
  const auto pairs = rope_pairs(rope, inputs.x.size(), inputs.cos.size());
  for (size_t i = 0; i < pairs.size(); ++i)
    if (column == pairs[i].first || column == pairs[i].second)
      lines.push_back(fmt::format("  pair {}: numbers {} and {} of the head", i, pairs[i].first, pairs[i].second));
}

}  // namespace assay
