#include "harness/dump/changes.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <stdexcept>

#include "harness/compare/element.h"
#include "harness/core/tensor_of_part.h"

namespace assay {
namespace {

void count(PartChange& change, int64_t row, int64_t column, uint32_t before, uint32_t now) {
  if (change.changed++ == 0) {
    change.at = {row, column};
    change.before = before;
    change.now = now;
  }
  const int32_t from = ordinal(*change.format, before), to = ordinal(*change.format, now);
  if (is_nan_ordinal(from) || is_nan_ordinal(to)) return;
  change.most_ulps = std::max<int64_t>(change.most_ulps, std::abs(ulps_between(*change.format, to, from)));
}

std::optional<PartChange> change_of(const Part& part, const HostTensor& before, const HostTensor& now) {
  if (before.bytes.size() != now.bytes.size() || !(*before.spec.format == *now.spec.format))
    throw std::runtime_error("output '" + part.tensor + "' had another format, shape or stride before");
  if (before.bytes == now.bytes) return std::nullopt;
  PartChange change{.part = part.label(), .format = part.format, .shape = part.shape};
  for (int64_t row = 0; row < part.rows(); ++row) {
    for (int64_t column = 0; column < part.columns(); ++column) {
      const int64_t offset = part.offset(row, column);
      const uint32_t was = load_code(part, before, offset), is = load_code(part, now, offset);
      if (was != is) count(change, row, column, was, is);
    }
  }
  if (change.changed == 0) return std::nullopt;
  return change;
}

}  // namespace

std::vector<PartChange> changes(const std::vector<Part>& parts, const std::vector<HostTensor>& before,
                                const std::vector<HostTensor>& now) {
  std::vector<PartChange> all;
  for (const Part& part : parts)
    if (const auto change = change_of(part, tensor_of(before, part), tensor_of(now, part))) all.push_back(*change);
  return all;
}

}  // namespace assay
