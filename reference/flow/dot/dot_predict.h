// What a GEMM contract makes of operands: predictions of every algorithm variant, and intervals where the order of additions is free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "reference/flow/dot/dot_contract.h"
#include "reference/formats/format.h"
#include "reference/recipe/eval.h"
#include "reference/recipe/recipe.h"
#include "reference/units/unit_predict.h"

namespace assay {

// Selects elements of D, and how sums of their products are evaluated.

/// Sums of a unit: its exact bits, or all values possible if its truncations are unknown (units/replay.h).
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

// Results of split-k parts that atomics add to d in any order.

/// Limit of parts, because all 2^8 subsets are evaluated.
inline constexpr int kMostAtomicParts = 8;

/// The least and the largest result of adding these numbers of a format to +0 in any order, each sum rounded to nearest even.
///
/// Bound   Both ends are attained. A rounded sum does not decrease if an addend grows. So the least sum of a set is the least,
/// over
///         its elements, of the element plus the least sum of the others.
/// Edges   NaN if every order gives NaN. Any number if some orders do: Inf of both signs, or overflow that meets the opposite
/// Inf.
Span sum_in_any_order(const std::vector<Span>& parts, const Format& format);

// Sums of products that several edits of one contract have in common: who forgets a scale, or rounds once more, adds the same
// products.

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

// What a program makes of the elements of D, row by row.

struct DotInputs {
  UnitProduct product;
  int64_t m = 0, n = 0;
  WeightShuffle shuffle{};  ///< of b in memory; the product has its codes row by row
  ScaleValues scale_a, scale_b;
  ScaleValues outer_a{}, outer_b{};  ///< the level above blocks; no values: there is one level
  bool packed = false;               ///< codes lie two in a byte in memory; the product has them one in a byte
  bool scales_are_powers = false;  ///< of two: bytes that are exponents
  std::vector<double> bias;  ///< [n], or none
  std::vector<double> c;     ///< [m, n]: of a contract that adds it, or none
  std::vector<double> azp_adj, azp;  ///< [n], and [m] of zero points a token: integers, or none

  /// Such bytes, row by row.
  std::shared_ptr<const std::vector<std::byte>> scale_codes_a = nullptr, scale_codes_b = nullptr;
  /// Codes that no tensor holds, which the product then points to.
  std::shared_ptr<const std::vector<std::byte>> own_a = nullptr, own_b = nullptr;
  /// Of inputs that many edits are asked about: the sums that those share.
  std::shared_ptr<SumMemory> memory = nullptr;
};

/// Rows of D by one program of a contract. Keeps references to the inputs.
class DotRows {
 public:
  DotRows(const DotContract& contract, DotProgram program, const DotInputs& inputs, const Format& y, DotSums sums = DotSums::kBits);
  DotRows(DotRows&&) = default;  // a copy's product would point to the codes of the first

  /// Values of rows first .. end - 1, one after the other: [end - first, n].
  Spans rows(int64_t first, int64_t end) const { return values({first, end, 0, inputs_.n}); }
  /// The same of some columns.
  Spans values(const DotBlock& block) const;
  /// Sums of products in [first_k, end_k) of rows [first, end), before scales: [end - first, n].
  std::vector<double> sums(int64_t first, int64_t end, int64_t first_k, int64_t end_k) const {
    return sums(DotBlock{first, end, 0, inputs_.n}, first_k, end_k);
  }

 private:
  std::vector<double> sums(const DotBlock& block, int64_t first_k, int64_t end_k) const;
  Spans chains(const DotBlock& block, int64_t first_k, int64_t end_k) const;
  Spans added(const DotBlock& block, int64_t first_k, int64_t end_k) const;
  Spans part_sums(const DotBlock& block, int64_t part) const;
  /// Promoted sums whose products begin at `k`, joined to `acc`.
  Spans joined(const DotBlock& block, int64_t k, Spans sums, const Spans& acc) const;
  /// The sums less what zero points of a added.
  void subtract_zero_points(const DotBlock& block, std::vector<double>& sums) const;
  double zero_points(int64_t row, int64_t column) const;
  Spans biases(const DotBlock& block) const;
  Spans scaled(const DotBlock& block, Spans sums) const;
  /// Elements whose parts are scaled and rounded by themselves and added to +0 in any order.
  Spans in_any_order(const DotBlock& block) const;
  /// The same, added to the first one in ascending order.
  Spans of_results(const DotBlock& block) const;
  /// A number as a build that flushes reads it.
  double read(double value) const;
  /// Of each element the scale of its row, or of its column, for the products from `k`.
  Spans of_rows(const ScaleValues& scales, const DotBlock& block, int64_t k) const;
  Spans of_columns(const ScaleValues& scales, const DotBlock& block, int64_t k) const;
  void set_scales(Environment& environment, Spans& sa, Spans& sb) const;

  Unit unit_;
  PreparedUnit prepared_;
  std::vector<std::byte> codes_a_, codes_b_;      ///< of scales, for a unit that takes them
  std::vector<std::byte> ordered_a_, ordered_b_;  ///< codes in the order of an instance
  UnitProduct product_;                           ///< its k is made of whole periods of that order
  DotProgram program_;
  const DotInputs& inputs_;
  const Format& y_;
  DotSums sums_;
  PartSums part_sums_;
  AzpPlace azp_place_;
  bool flushes_, multiplies_scales_;  ///< subnormal f32, and one scale with the other before they meet a sum
  int64_t end_k_;  ///< products that are added
  Recipe join_, recipe_;
};

}  // namespace assay
