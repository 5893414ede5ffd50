#include <algorithm>
#include <utility>

#include "reference/flow/dot/edits.h"

namespace assay {
namespace {

using Codes = std::vector<std::byte>;

/// Codes of a factor, [rows, k], as they should be read. Codes have a byte.
Codes codes_of(const UnitFactor& factor, int64_t rows, int64_t k) {
  Codes all;
  all.reserve(size_t(rows * k));
  for (int64_t row = 0; row < rows; ++row)
    all.insert(all.end(), factor.codes + row * factor.pitch, factor.codes + row * factor.pitch + k);
  return all;
}

void use(UnitFactor& factor, std::shared_ptr<const Codes>& owner, Codes codes, int64_t k) {
  owner = std::make_shared<const Codes>(std::move(codes));
  factor.codes = owner->data();
  factor.pitch = k;
}

DotInputs fewer_products(const DotInputs& right, int64_t products) {
  DotInputs wrong = right;
  wrong.product.k -= products;
  return wrong;
}

/// Row 1 of what was [n, k] begins at element n.
DotInputs b_as_k_by_n(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  const int64_t k = right.product.k;
  const Codes in_memory = codes_of(right.product.b, right.n, k);
  Codes read(in_memory.size());
  for (int64_t column = 0; column < right.n; ++column)
    for (int64_t i = 0; i < k; ++i) read[size_t(column * k + i)] = in_memory[size_t(i * right.n + column)];
  use(wrong.product.b, wrong.own_b, std::move(read), k);
  return wrong;
}

/// Somebody takes the code at place(row, k) of what lies in memory.
template <class Place>
DotInputs from_memory(const DotInputs& right, Place place) {
  DotInputs wrong = right;
  const int64_t k = right.product.k;
  const Codes codes = codes_of(right.product.b, right.n, k), memory = shuffled(right.shuffle, codes.data(), right.n, k);
  Codes read(memory.size());
  for (int64_t row = 0; row < right.n; ++row)
    for (int64_t i = 0; i < k; ++i) read[size_t(row * k + i)] = memory[size_t(place(row, i))];
  use(wrong.product.b, wrong.own_b, std::move(read), k);
  return wrong;
}

DotInputs not_shuffled(const DotInputs& right, int64_t) {
  return from_memory(right, [k = right.product.k](int64_t row, int64_t i) { return row * k + i; });
}

DotInputs shuffled_twice(const DotInputs& right, int64_t) {
  return from_memory(right, [shuffle = right.shuffle, k = right.product.k](int64_t row, int64_t i) {
    const int64_t once = shuffle.place(row, i, k, 1);
    return shuffle.place(once / k, once % k, k, 1);
  });
}

/// Tiles of 32 rows for those of 16, and the other way round.
DotInputs of_other_tiles(const DotInputs& right, int64_t) {
  const WeightShuffle other{48 - right.shuffle.rows, right.shuffle.products};
  return from_memory(right, [other, k = right.product.k](int64_t row, int64_t i) { return other.place(row, i, k, 1); });
}

/// Codes of an operand whose last row of k is the one before it.
Codes with_last_row_before(Codes codes, int64_t k) {
  std::copy(codes.end() - 2 * k, codes.end() - k, codes.end() - k);
  return codes;
}

/// A bound on rows that is one too low.
DotInputs last_row_is_the_one_before(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  const int64_t k = right.product.k;
  use(wrong.product.a, wrong.own_a, with_last_row_before(codes_of(right.product.a, right.m, k), k), k);
  return wrong;
}

/// The same of columns of d.
DotInputs last_column_is_the_one_before(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  const int64_t k = right.product.k;
  use(wrong.product.b, wrong.own_b, with_last_row_before(codes_of(right.product.b, right.n, k), k), k);
  return wrong;
}

/// A tile of rows is loaded where the next one should be: a stage of a pipeline that is read once more.
DotInputs tiles_are_those_before(const DotInputs& right, int64_t rows) {
  DotInputs wrong = right;
  const int64_t k = right.product.k;
  const Codes codes = codes_of(right.product.a, right.m, k);
  Codes read = codes;
  std::copy(codes.begin(), codes.end() - rows * k, read.begin() + rows * k);
  use(wrong.product.a, wrong.own_a, std::move(read), k);
  return wrong;
}

/// Of codes of 4 bits the upper half of a byte is taken for the first.
Codes with_halves_swapped(Codes codes) {
  for (size_t i = 0; i + 1 < codes.size(); i += 2) std::swap(codes[i], codes[i + 1]);
  return codes;
}

DotInputs halves_of_a_swapped(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  use(wrong.product.a, wrong.own_a, with_halves_swapped(codes_of(right.product.a, right.m, right.product.k)), right.product.k);
  return wrong;
}
DotInputs halves_of_b_swapped(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  use(wrong.product.b, wrong.own_b, with_halves_swapped(codes_of(right.product.b, right.n, right.product.k)), right.product.k);
  return wrong;
}

}  // namespace

std::vector<DotMisreading> dot_misreadings(const DotInputs& right, int64_t unit_k, int64_t tile_k) {
  const int64_t k = right.product.k;
  std::vector<DotMisreading> all;
  if (k > 1) all.push_back({"k: the last product is left out", fewer_products, 1});
  if (tile_k > 0 && k > tile_k && k % tile_k == 0)
    all.push_back({"k: the last " + std::to_string(tile_k) + " products are left out", fewer_products, tile_k});
  for (const int64_t whole : {unit_k, tile_k}) {
    const int64_t tail = whole > 0 ? k % whole : 0;
    if (tail == 0) continue;
    const std::string words = "k: what is beyond whole " + std::to_string(whole);
    if (tail > 1) all.push_back({words + " is left out", fewer_products, tail});
    if (tail > 2) all.push_back({words + " is used to half", fewer_products, tail / 2});
  }
  if (right.n > 1 && k > 1) all.push_back({"b: read as [k, n]", b_as_k_by_n});
  if (right.shuffle.any() && right.n * k > 16) {
    all.push_back({"b: read as if it were not shuffled", not_shuffled});
    all.push_back({"b: read as if it were shuffled twice", shuffled_twice});
    if (WeightShuffle{48 - right.shuffle.rows, 16}.fits(right.n, k))
      all.push_back({"b: read by tiles of " + std::to_string(48 - right.shuffle.rows) + " rows", of_other_tiles});
  }
  if (right.m > 1) all.push_back({"a: the last row is the one before it", last_row_is_the_one_before});
  if (right.n > 1) all.push_back({"b: the last row is the one before it", last_column_is_the_one_before});
  constexpr int64_t kRowsOfTile = 64;
  if (right.m > kRowsOfTile) all.push_back({"a: each tile of 64 rows is the one before", tiles_are_those_before, kRowsOfTile});
  if (right.packed) {
    all.push_back({"a: the halves of each byte swapped", halves_of_a_swapped});
    all.push_back({"b: the halves of each byte swapped", halves_of_b_swapped});
  }
  add_azp_misreadings(right, all);
  add_scale_misreadings(right, all);
  return all;
}

}  // namespace assay
