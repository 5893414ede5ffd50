// Sums of products that several edits of one contract have in common: who forgets a scale, or rounds once more, adds the same
// products.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "reference/flow/dot/block.h"
#include "reference/flow/dot/k_order.h"
#include "reference/recipe/span.h"
#include "reference/units/predict.h"

namespace assay {

/// What decides a block's sums of the products from `first_k` to the one before `end_k`, of a unit that takes no scales.
struct SumKey {
  DotBlock block;
  int64_t first_k = 0, end_k = 0;
  UnitProduct product{};
  KOrder order{};
  DotSums sums = DotSums::kBits;
  std::shared_ptr<const std::vector<std::byte>> own_a{}, own_b{};  ///< keep codes that no tensor holds where they are
  Unit unit{};

  bool operator==(const SumKey&) const = default;
};

/// Remembers sums until they take 1 MiB. May be asked by several threads at once, which then may make the same sums twice.
class SumMemory {
 public:
  /// What `make` makes, or made of the same key.
  template <class Make>
  Spans of(const SumKey& key, Make make) {
    if (const std::optional<Spans> known = find(key)) return *known;
    Spans sums = make();
    remember(key, sums);
    return sums;
  }

 private:
  struct Entry {
    SumKey key;
    Spans sums;
  };
  std::optional<Spans> find(const SumKey& key) const;
  void remember(const SumKey& key, const Spans& sums);

  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  size_t numbers_ = 0;
};

}  // namespace assay
