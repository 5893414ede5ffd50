#include "suites/rows/rotation.h"

#include <fmt/format.h>

#include "harness/core/nearest.h"
#include "harness/core/philox.h"
#include "reference/flow/rope.h"
#include "suites/rows/words.h"

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

void append_rotation(std::vector<std::string>& lines, const Rope& rope, const Spans& head, const RowInputs& inputs,
                     size_t column) {
  const auto pairs = rope_pairs(rope, head.size(), inputs.cos.size());
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto [e, o] = pairs[i];
    if (column != e && column != o) continue;
    lines.push_back(fmt::format("  pair {}: numbers {} and {} of the head", i, e, o));
    Environment known;
    for (const auto& [name, span] :
         {std::pair{"e", head[e]}, {"o", head[o]}, {"c", point(inputs.cos[i])}, {"s", point(inputs.sin[i])}}) {
      known.set(name, span);
      lines.push_back(fmt::format("  {}: {}", name, in_words(span)));
    }
    return append_cell(lines, column == e ? "even" : "odd", column == e ? rope.even : rope.odd, head[column], known);
  }
  append_cell(lines, "rest", rope.rest, head[column], {});
}

}  // namespace assay
