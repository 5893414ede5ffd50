// Sums of products that several edits of one contract have in common: who forgets a scale, or rounds once more, adds the same
// products.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "reference/recipe/span.h"
#include "reference/units/predict.h"

namespace assay {

/// Sums of a unit: its own bits, or everything that they may be if nobody knows which bits it loses (units/replay.h).
enum class DotSums { kBits, kReplayed };

/// Rows and columns of D.
struct DotBlock {
  int64_t first = 0, end = 0;  ///< rows
  int64_t first_column = 0, end_column = 0;

  int64_t rows() const { return end - first; }
  int64_t columns() const { return end_column - first_column; }
  size_t size() const { return size_t(rows() * columns()); }
  int64_t row_of(size_t i) const { return first + int64_t(i) / columns(); }
  int64_t column_of(size_t i) const { return first_column + int64_t(i) % columns(); }
  bool operator==(const DotBlock&) const = default;
};

/// What decides a block's sums of the products from `first_k` to the one before `end_k`, of a unit that takes no scales.
struct SumKey {
  DotBlock block;
  int64_t first_k = 0, end_k = 0;
  UnitProduct product{};
  DotSums sums = DotSums::kBits;
  std::shared_ptr<const std::vector<std::byte>> own_a{}, own_b{};  ///< keep codes that no tensor holds where they are
  Unit unit{};

  bool operator==(const SumKey&) const = default;
};

/// Remembers sums until they are a number of megabytes. May be asked by several threads at once.
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
  std::deque<Entry> entries_;
  size_t numbers_ = 0;
};

}  // namespace assay
