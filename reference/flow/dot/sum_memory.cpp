#include "reference/flow/dot/sum_memory.h"

#include <algorithm>

namespace assay {
namespace {

/// 1 MiB of doubles: an excerpt on which power is told has some hundred sums for each part of k.
constexpr size_t kMostNumbers = size_t{1} << 17;

}  // namespace

std::optional<Spans> SumMemory::find(const SumKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& one) { return one.key == key; });
  return entry == entries_.end() ? std::nullopt : std::optional(entry->sums);
}

void SumMemory::remember(const SumKey& key, const Spans& sums) {
  const std::lock_guard lock(mutex_);
  numbers_ += sums.low.size() + sums.high.size();
  if (numbers_ <= kMostNumbers) entries_.push_back({key, sums});
}

}  // namespace assay
