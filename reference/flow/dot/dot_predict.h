// The accepted results of a GEMM contract for given operands: predictions of each algorithm variant, or intervals if the order of
// additions is open.
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
#include "reference/units/unit_recordings.h"

namespace assay {

// Selects elements of D, and how their sums are computed.

/// Sums of an instruction: its exact bits, or intervals if its truncations are undocumented (units/unit_recordings.h).
enum class DotSums { kBits, kReplayed };

/// Rows and columns of D.
struct DotBlock {
  int64_t first = 0, end = 0;  ///< row range
  int64_t first_column = 0, end_column = 0;

  int64_t rows() const { return end - first; }
  int64_t columns() const { return end_column - first_column; }
  size_t size() const { return size_t(rows() * columns()); }
  int64_t row_of(size_t i) const { return first + int64_t(i) / columns(); }
  int64_t column_of(size_t i) const { return first_column + int64_t(i) % columns(); }
  bool operator==(const DotBlock&) const = default;
};

// Results of split-K parts that atomic additions add to d in any order.

/// Most parts that are supported: all 2^8 subsets of 8 parts are evaluated.
inline constexpr int kMostAtomicParts = 8;

/// The smallest and largest result of adding these values of `format` to +0 in any order, where each sum is rounded to nearest
/// even.
///
/// Bound: some order reaches each end. A rounded sum never decreases if a term grows. So the smallest sum of a set is the
/// minimum, over its elements, of the element plus the smallest sum of the other elements.
/// Special values: NaN if every order gives NaN. If only some orders give NaN, any value is accepted: terms contain Inf of both
/// signs, or a partial sum overflows and then meets the opposite Inf.
Span sum_in_any_order(const std::vector<Span>& parts, const Format& format);

// Cache of sums that several mutants share: a mutant that drops a scale or rounds once more adds the same products.

/// Key of the sums over first_k <= k < end_k for all elements of a block of D, by an instruction that applies no scales.
struct SumKey {
  DotBlock block;
  int64_t first_k = 0, end_k = 0;
  UnitProduct product{};
  KOrder order{};
  DotSums sums = DotSums::kBits;
  /// `product` holds addresses of codes; these pointers keep alive codes that belong to no tensor
  std::shared_ptr<const std::vector<std::byte>> own_a{}, own_b{};
  Unit unit{};

  bool operator==(const SumKey&) const = default;
};

/// Caches sums up to 1 MiB. Thread-safe; two threads may compute the same sums at the same time.
class SumMemory {
 public:
  /// Returns the cached result for the key, or calls `make`.
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

/// Cache of Replay's sums. Two variants share a sum if they multiply the same codes in the same order, which happens for
/// different orders of a short k. Keeps the sums of one block. Thread-safe.
class ReplayedSums {
 public:
  /// For each element of the block, the sum over first_k <= k < end_k, in the order in which `product` stores the codes.
  /// `replay`: of this unit.
  Spans of(const Unit& unit, Replay replay, const UnitProduct& product, const DotBlock& block, int64_t first_k, int64_t end_k);

 private:
  /// Codes of the block's rows of a and b, without the end of k if all its codes, in whole instructions, are zero.
  struct Codes {
    std::vector<std::byte> a, b;
    bool operator==(const Codes&) const = default;
  };
  struct Entry {
    Unit unit;
    Codes codes;
    std::vector<Span> sums;
  };
  std::optional<std::vector<Span>> find(const DotBlock& block, const Unit& unit, const Codes& codes);

  std::mutex mutex_;
  DotBlock block_;
  std::vector<Entry> entries_;
};

/// The quantity gy: the product of two outer scales, rounded to f32 and then to the format `y`.
double both_rounded(const Format& y, double a, double b);

// The elements of D that one algorithm variant computes, row by row.

/// How azp[m] and azp_adj[n] become a correction; all but kMultiply are mistakes of kernels. kDivide rounds toward zero.
enum class AzpOperator : uint8_t { kMultiply, kDivide, kAdd, kSubtract };

struct DotInputs;

/// Codes of an instruction's operands, [rows, k] without gaps.
struct OperandCodes {
  std::vector<std::byte> a, b;
};

/// The operands to which software converts codes and scales, as codes of the instruction. Empty for contracts without a decoder.
OperandCodes decoded_operands(const DotContract& contract, const DotInputs& inputs);

/// Operands in the order of each algorithm variant, each made once. Serves only one DotInputs. Thread-safe.
class OrderedOperands {
 public:
  std::shared_ptr<const OperandCodes> of(const KOrder& order, const DotInputs& inputs);

 private:
  std::mutex mutex_;
  std::vector<std::pair<KOrder, std::shared_ptr<const OperandCodes>>> known_;
};

struct DotInputs {
  UnitProduct product;
  int64_t m = 0, n = 0;
  WeightShuffle shuffle{};  ///< memory layout of b; `product` has the codes of b in row-major order
  ScaleValues scale_a, scale_b;
  ScaleValues outer_a{}, outer_b{};  ///< scales of the level above blocks; no values: there is one level
  bool packed = false;               ///< codes are packed two per byte in memory; `product` has one code per byte
  bool scales_are_powers = false;  ///< scales are powers of two, stored as exponent bytes
  std::vector<double> bias;  ///< [n], or empty
  std::vector<double> weights = {};  ///< [m]: router weights, or empty: all 1
  std::vector<double> c;     ///< [m, n]: for a contract that adds c, or empty
  AzpOperator azp_operator = AzpOperator::kMultiply;
  std::vector<double> azp_adj, azp;  ///< integers, or empty: azp_adj [n]; azp [m], for zero points per token

  /// Codes of a mutant or decoder, which exist in no tensor; `product` then points to them.
  std::shared_ptr<const std::vector<std::byte>> own_a = nullptr, own_b = nullptr;
  /// Cache of sums, for inputs that many mutants evaluate.
  std::shared_ptr<SumMemory> memory = nullptr;
  /// Operands in other orders, for contracts with many variants. A copy of these inputs with another product must clear it.
  std::shared_ptr<OrderedOperands> ordered = nullptr;
};

/// Computes rows of D by one algorithm variant of a contract. Keeps references to the inputs.
class DotRows {
 public:
  /// `replayed`: the cache of Replay's sums, which other variants share.
  DotRows(const DotContract& contract, DotProgram program, const DotInputs& inputs, const Format& y,
          DotSums sums = DotSums::kBits, std::shared_ptr<ReplayedSums> replayed = nullptr);
  DotRows(DotRows&&) = default;  // not copyable, because the copy's product would point to the original's codes

  /// Values of rows first .. end - 1 in order: [end - first, n].
  Spans rows(int64_t first, int64_t end) const { return values({first, end, 0, inputs_.n}); }
  /// Values of a block of D, row by row.
  Spans values(const DotBlock& block) const { return of_parts(block, parts(block)); }
  /// parts(): per split-K part, the sums of all elements, after promotion. of_parts(): the elements of D from these sums.
  std::vector<Spans> parts(const DotBlock& block) const;
  Spans of_parts(const DotBlock& block, std::vector<Spans> parts) const;
  /// Whether another variant of the same contract computes the same elements from the same parts.
  bool ends_as(const DotRows& other) const {
    return may_add_no_zero_ == other.may_add_no_zero_ && program_.alone == other.program_.alone &&
           (program_.part >= inputs_.product.k) == (other.program_.part >= inputs_.product.k);
  }
  /// Sums of products in [first_k, end_k) of rows [first, end), before scales: [end - first, n].
  std::vector<double> sums(int64_t first, int64_t end, int64_t first_k, int64_t end_k) const {
    return sums(DotBlock{first, end, 0, inputs_.n}, first_k, end_k);
  }

 private:
  std::vector<double> sums(const DotBlock& block, int64_t first_k, int64_t end_k) const;
  Spans chains(const DotBlock& block, int64_t first_k, int64_t end_k) const;
  Spans added(const DotBlock& block, int64_t first_k, int64_t end_k) const;
  Spans part_sums(const DotBlock& block, int64_t part) const;
  /// The next acc: `acc` plus `sums`, the sums of the promotion interval that begins at `k`.
  Spans joined(const DotBlock& block, int64_t k, Spans sums, const Spans& acc) const;
  /// Subtracts the zero-point correction from the sums.
  void subtract_zero_points(const DotBlock& block, std::vector<double>& sums) const;
  double zero_points(int64_t row, int64_t column) const;
  Spans biases(const DotBlock& block) const;
  Spans scaled(const DotBlock& block, Spans sums) const;
  /// Elements whose split-K parts are each scaled and rounded, then added to +0 in any order.
  Spans in_any_order(const DotBlock& block, std::vector<Spans> parts) const;
  /// Like in_any_order(), but parts are added in ascending order, starting with the first part instead of +0.
  Spans of_results(const DotBlock& block, std::vector<Spans> parts) const;
  /// `value` as the kernel reads it: 0 if it is a subnormal f32 and the kernel is built to flush subnormals.
  double read(double value) const;
  /// For each element, the scale of its row (of_rows) or column (of_columns) that applies to products from `k` on.
  Spans of_rows(const ScaleValues& scales, const DotBlock& block, int64_t k) const;
  Spans of_columns(const ScaleValues& scales, const DotBlock& block, int64_t k) const;
  Spans of_both_rounded(const DotBlock& block) const;
  void set_scales(Environment& environment, Spans& sa, Spans& sb) const;

  Unit unit_;
  PreparedUnit prepared_;
  std::vector<std::byte> codes_a_, codes_b_;     ///< scale codes, for an instruction that applies them
  std::shared_ptr<const OperandCodes> ordered_;  ///< codes in the lane order of a kernel instance
  OperandCodes decoded_;                         ///< decoded_operands() of the contract
  UnitProduct product_;                           ///< with the codes above; k is padded to whole periods of the lane order
  DotProgram program_;
  const DotInputs& inputs_;
  const Format& y_;
  DotSums sums_;
  std::optional<Replay> replay_;  ///< for DotSums::kReplayed; a call works on a copy, since making one decodes all codes
  std::shared_ptr<ReplayedSums> replayed_;
  PartSums part_sums_;
  AzpPlace azp_place_;
  bool may_add_no_zero_;  ///< an undocumented kernel with adds_zero may also multiply by the last factor without adding +0
  bool flushes_, multiplies_scales_;  ///< flushes subnormal f32; multiplies both scales before applying them to a sum
  int64_t end_k_;  ///< elements with k < end_k_ are added
  Recipe join_, recipe_, without_zero_;
};

}  // namespace assay
