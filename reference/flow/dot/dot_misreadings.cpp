// Mutants of GEMMs that read operands from the wrong place: codes, scales, zero points.
#include <algorithm>
#include <cmath>
#include <utility>

#include "reference/flow/dot/dot_mutants.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using Codes = std::vector<std::byte>;

/// Codes of an operand, [rows, k], read correctly; one byte per code.
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

/// Reads [n, k] as [k, n]: row 1 starts at element n.
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

/// Reads the code of b[row, k] at position place(row, k) of its memory.
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

/// Reads tiles of 32 rows as tiles of 16, or the reverse.
DotInputs of_other_tiles(const DotInputs& right, int64_t) {
  const WeightShuffle other{48 - right.shuffle.rows, right.shuffle.products};
  return from_memory(right, [other, k = right.product.k](int64_t row, int64_t i) { return other.place(row, i, k, 1); });
}

/// Codes of an operand in which the last row is a copy of the row before it.
Codes with_last_row_before(Codes codes, int64_t k) {
  std::copy(codes.end() - 2 * k, codes.end() - k, codes.end() - k);
  return codes;
}

/// Row m - 1 of a is read from row m - 2, as if the index of rows were limited to m - 2.
DotInputs last_row_is_the_one_before(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  const int64_t k = right.product.k;
  use(wrong.product.a, wrong.own_a, with_last_row_before(codes_of(right.product.a, right.m, k), k), k);
  return wrong;
}

/// Row n - 1 of b (a column of d) is read from row n - 2, as if the index were limited to n - 2.
DotInputs last_column_is_the_one_before(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  const int64_t k = right.product.k;
  use(wrong.product.b, wrong.own_b, with_last_row_before(codes_of(right.product.b, right.n, k), k), k);
  return wrong;
}

/// Uses the previous tile of rows of a for each tile but the first, as when a pipeline stage is read twice.
DotInputs tiles_are_those_before(const DotInputs& right, int64_t rows) {
  DotInputs wrong = right;
  const int64_t k = right.product.k;
  const Codes codes = codes_of(right.product.a, right.m, k);
  Codes read = codes;
  std::copy(codes.begin(), codes.end() - rows * k, read.begin() + rows * k);
  use(wrong.product.a, wrong.own_a, std::move(read), k);
  return wrong;
}

/// 4-bit codes: takes the upper half of a byte as the first of its two elements.
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

DotInputs a_without_gaps(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  wrong.product.a.pitch = right.product.k;
  return wrong;
}
DotInputs b_without_gaps(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  wrong.product.b.pitch = right.product.k;
  return wrong;
}

}  // namespace

std::vector<DotMisreading> dot_misreadings(const DotInputs& right, int64_t unit_k, int64_t tile_k) {
  const int64_t k = right.product.k;
  std::vector<DotMisreading> all;
  if (right.product.a.pitch > k && right.m > 1) all.push_back({"a: rows are read without the gaps between them", a_without_gaps});
  if (right.product.b.pitch > k && right.n > 1) all.push_back({"b: rows are read without the gaps between them", b_without_gaps});
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

namespace {

/// Scales in which block (row, block) has the scale of block from(row, block).
template <class From>
ScaleValues looked_up(const ScaleValues& right, From from) {
  const LevelGrid& shape = right.shape;
  ScaleValues wrong = right;
  for (int64_t row = 0; row < shape.rows; ++row)
    for (int64_t block = 0; block < shape.columns; ++block) {
      const auto [other_row, other_block] = from(row, block);
      wrong.values[size_t(row * shape.columns + block)] = right.values[size_t(other_row * shape.columns + other_block)];
    }
  return wrong;
}

using Place = std::pair<int64_t, int64_t>;

ScaleValues next_row(const ScaleValues& right) {
  return looked_up(right, [&](int64_t row, int64_t block) { return Place((row + 1) % right.shape.rows, block); });
}
ScaleValues first_row(const ScaleValues& right) {
  return looked_up(right, [](int64_t, int64_t block) { return Place(0, block); });
}
ScaleValues next_block(const ScaleValues& right) {
  return looked_up(right, [&](int64_t row, int64_t block) { return Place(row, (block + 1) % right.shape.columns); });
}
ScaleValues first_block(const ScaleValues& right) {
  return looked_up(right, [](int64_t row, int64_t) { return Place(row, 0); });
}

ScaleValues previous_block(const ScaleValues& right) {
  const int64_t blocks = right.shape.columns;
  return looked_up(right, [=](int64_t row, int64_t block) { return Place(row, (block + blocks - 1) % blocks); });
}
/// Each four blocks use the first of their four scales, as if a kernel loaded a vector of four scales and used only its first.
ScaleValues first_of_four_blocks(const ScaleValues& right) {
  return looked_up(right, [](int64_t row, int64_t block) { return Place(row, block / 4 * 4); });
}
/// Each two blocks use the first of their two scales, as if blocks of 16 elements had 32.
ScaleValues first_of_two_blocks(const ScaleValues& right) {
  return looked_up(right, [](int64_t row, int64_t block) { return Place(row, block / 2 * 2); });
}
/// The scales that a split-K kernel reads if each of its `parts` parts counts its blocks from 0.
template <int64_t parts>
ScaleValues counted_in_parts(const ScaleValues& right) {
  const int64_t blocks = std::max<int64_t>(1, right.shape.columns / parts);
  return looked_up(right, [=](int64_t row, int64_t block) { return Place(row, block % blocks); });
}
/// Block i of a row has the scale of block i + by of this row. The index is clamped to the blocks that the row has.
template <int64_t by>
ScaleValues block_beside(const ScaleValues& right) {
  return looked_up(
      right, [&](int64_t row, int64_t block) { return Place(row, std::clamp<int64_t>(block + by, 0, right.shape.columns - 1)); });
}
/// The last block of k has the scale of the block before it, as if the kernel counted only whole blocks.
ScaleValues last_block_is_previous(const ScaleValues& right) {
  const int64_t last = right.shape.columns - 1;
  return looked_up(
      right, [=](int64_t row, int64_t block) { return Place(row, block == last ? std::max<int64_t>(0, last - 1) : block); });
}
/// The last block of rows has the scale of the block before it.
ScaleValues last_row_is_previous(const ScaleValues& right) {
  const int64_t last = right.shape.rows - 1;
  return looked_up(right,
                   [=](int64_t row, int64_t block) { return Place(row == last ? std::max<int64_t>(0, last - 1) : row, block); });
}
/// The scale of the last block of k is 1, as if this block were added without scales.
ScaleValues last_block_is_one(const ScaleValues& right) {
  ScaleValues wrong = right;
  for (size_t i = size_t(right.shape.columns) - 1; i < wrong.values.size(); i += size_t(right.shape.columns)) wrong.values[i] = 1;
  return wrong;
}

/// For packed scale bytes (four per word, or four per 128 elements): block i of a row gets the scale byte of block of(i) of this
/// row. Past the last block, the byte is 0.
template <class Of>
ScaleValues other_bytes(const ScaleValues& right, Of of) {
  const LevelGrid& shape = right.shape;
  ScaleValues wrong = right;
  for (int64_t row = 0; row < shape.rows; ++row)
    for (int64_t block = 0; block < shape.columns; ++block) {
      const int64_t from = of(block);
      wrong.values[size_t(row * shape.columns + block)] =
          from < shape.columns ? right.values[size_t(row * shape.columns + from)] : decode(kE8M0, 0);
    }
  return wrong;
}

constexpr int64_t kBytesOfWord = 4;

ScaleValues bytes_reversed(const ScaleValues& right) {
  return other_bytes(right,
                     [](int64_t block) { return block / kBytesOfWord * kBytesOfWord + kBytesOfWord - 1 - block % kBytesOfWord; });
}
ScaleValues first_byte(const ScaleValues& right) {
  return other_bytes(right, [](int64_t block) { return block / kBytesOfWord * kBytesOfWord; });
}
ScaleValues next_word(const ScaleValues& right) {
  const int64_t words = (right.shape.columns + kBytesOfWord - 1) / kBytesOfWord;
  return other_bytes(right,
                     [=](int64_t block) { return (block / kBytesOfWord + 1) % words * kBytesOfWord + block % kBytesOfWord; });
}
/// Reads each scale byte from one bit below its place. Its lowest bit is then the highest mantissa bit of the f32 scale or, for
/// packed scales, the highest bit of the byte below it in the word.
ScaleValues one_bit_low(const ScaleValues& right) {
  const int64_t columns = right.shape.columns;
  ScaleValues wrong = right;
  for (int64_t i = 0; i < int64_t(wrong.values.size()); ++i) {
    const uint32_t below = i % columns % kBytesOfWord > 0 ? code_of(kE8M0, right.values[size_t(i - 1)]) : 0;
    const uint32_t all = code_of(kE8M0, right.values[size_t(i)]), mask = (1u << kE8M0.bits) - 1;
    wrong.values[size_t(i)] = decode(kE8M0, (all << 1 | below >> (kE8M0.bits - 1)) & mask);
  }
  return wrong;
}

template <ScaleValues of(const ScaleValues&)>
DotInputs of_a(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  wrong.scale_a = of(right.scale_a);
  return wrong;
}
template <ScaleValues of(const ScaleValues&)>
DotInputs of_both(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  wrong.scale_a = of(right.scale_a), wrong.scale_b = of(right.scale_b);
  return wrong;
}
template <ScaleValues of(const ScaleValues&)>
DotInputs of_b(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  wrong.scale_b = of(right.scale_b);
  return wrong;
}

/// Rounds all scales down, or up, to powers of two.
DotInputs powers_of_two(const DotInputs& right, bool up) {
  DotInputs wrong = right;
  for (ScaleValues* scales : {&wrong.scale_a, &wrong.scale_b})
    for (double& s : scales->values) {
      if (s == 0 || !std::isfinite(s)) continue;
      const double below = std::copysign(std::ldexp(1.0, std::ilogb(s)), s);
      s = up && s != below ? 2 * below : below;
    }
  return wrong;
}
DotInputs cut_to_powers(const DotInputs& right, int64_t) { return powers_of_two(right, false); }
DotInputs raised_to_powers(const DotInputs& right, int64_t) { return powers_of_two(right, true); }

/// Uses the scales of b for a and those of a for b. An index past the last scale continues at the first.
DotInputs swapped_scales(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  const std::vector<double>&a = right.scale_a.values, &b = right.scale_b.values;
  for (size_t i = 0; i < a.size(); ++i) wrong.scale_a.values[i] = b[i % b.size()];
  for (size_t i = 0; i < b.size(); ++i) wrong.scale_b.values[i] = a[i % a.size()];
  return wrong;
}

/// The reciprocals of the outer scales.
ScaleValues reciprocals(const ScaleValues& right) {
  ScaleValues wrong = right;
  for (double& s : wrong.values) s = double(float(1 / s));
  return wrong;
}
template <ScaleValues DotInputs::*factor, ScaleValues of(const ScaleValues&)>
DotInputs of_outer(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  wrong.*factor = of(right.*factor);
  return wrong;
}
template <ScaleValues DotInputs::*factor>
void add_outer(const std::string& name, const ScaleValues& outer, std::vector<DotMisreading>& all) {
  if (outer.values.empty()) return;
  all.push_back({name + ": its reciprocal", of_outer<factor, reciprocals>});
  if (outer.shape.rows == 1) return;
  all.push_back({name + ": of the next row", of_outer<factor, next_row>});
  all.push_back({name + ": of the first row", of_outer<factor, first_row>});
}

/// Adds misreadings with a wrong index along k: for the scales of a, for those of b, and for both.
template <ScaleValues of(const ScaleValues&)>
void suspect_blocks(const std::string& what, const DotInputs& right, std::vector<DotMisreading>& all) {
  const bool a = right.scale_a.shape.columns > 1, b = right.scale_b.shape.columns > 1;
  if (a && b) all.push_back({"scales: " + what, of_both<of>, 0, true});
  if (a) all.push_back({"scale_a: " + what, of_a<of>, 0, true});
  if (b) all.push_back({"scale_b: " + what, of_b<of>, 0, true});
}

/// Whether the last of several blocks is incomplete.
bool ends_within(int64_t blocks, int64_t block, int64_t size) {
  return block > 1 && blocks > 1 && size % block != 0 && blocks == (size + block - 1) / block;
}

/// Adds index mistakes of block-scaled GEMMs that only the diagnosis uses.
void add_block_suspects(const DotInputs& right, std::vector<DotMisreading>& all) {
  const LevelGrid &a = right.scale_a.shape, &b = right.scale_b.shape;
  const int64_t blocks = std::max(a.columns, b.columns);
  if (a.columns > 1 && b.columns > 1) {
    all.push_back({"scales: of the first block of k", of_both<first_block>, 0, true});
    all.push_back({"scales: of the next block of k", of_both<next_block>, 0, true});
  }
  if (blocks > 2) suspect_blocks<previous_block>("of the previous block of k", right, all);
  if (blocks > 2 && !right.packed) suspect_blocks<first_of_two_blocks>("of the first of each 2 blocks of k", right, all);
  if (blocks > 4) suspect_blocks<first_of_four_blocks>("of the first of each 4 blocks of k", right, all);
  if (blocks >= 4) suspect_blocks<counted_in_parts<2>>("of the first half of k, also for the second half", right, all);
  if (blocks >= 8) suspect_blocks<counted_in_parts<4>>("of the first quarter of k, also for the other quarters", right, all);
  if (blocks > 2) suspect_blocks<block_beside<1>>("of the next block of k, except for the last block", right, all);
  if (blocks > 1) suspect_blocks<block_beside<-1>>("of the previous block of k, except for the first block", right, all);
  if (ends_within(a.columns, a.column_block, right.product.k) || ends_within(b.columns, b.column_block, right.product.k))
    suspect_blocks<last_block_is_previous>("of the previous block of k, only for the last, incomplete block", right, all);
  if (ends_within(b.rows, b.row_block, right.n))
    all.push_back({"scale_b: of the previous " + std::to_string(b.row_block) + " columns, only for the last, incomplete block",
                   of_b<last_row_is_previous>, 0, true});
  if (blocks > 0) all.push_back({"scales: none for the last block of k", of_both<last_block_is_one>, 0, true});
}

}  // namespace

void add_scale_misreadings(const DotInputs& right, std::vector<DotMisreading>& all) {
  const LevelGrid &a = right.scale_a.shape, &b = right.scale_b.shape;
  const std::string columns = b.row_block > 1 ? std::to_string(b.row_block) + " columns" : "column";
  if (a.rows > 1) {
    all.push_back({"scale_a: of the next row", of_a<next_row>});
    all.push_back({"scale_a: of the first row", of_a<first_row>});
  }
  if (b.rows > 1) {
    all.push_back({"scale_b: of the next " + columns, of_b<next_row>});
    all.push_back({"scale_b: of the first " + columns, of_b<first_row>});
  }
  if (a.columns > 1) {
    all.push_back({"scale_a: of the next block of k", of_a<next_block>});
    all.push_back({"scale_a: of the first block of k", of_a<first_block>});
  }
  if (b.columns > 1) {
    all.push_back({"scale_b: of the next block of k", of_b<next_block>});
    all.push_back({"scale_b: of the first block of k", of_b<first_block>});
  }
  if (right.scales_are_powers) {
    all.push_back({"scales: bytes taken one bit too low", of_both<one_bit_low>});
    if (a.columns > 1) all.push_back({"scales: bytes of a word from the last", of_both<bytes_reversed>});
    if (a.columns > 1) all.push_back({"scales: the first byte of each word", of_both<first_byte>});
    if (a.columns > kBytesOfWord) all.push_back({"scales: of the next word", of_both<next_word>});
  } else if (a.column_block > 0) {
    all.push_back({"scales: cut to powers of two", cut_to_powers});
    // the largest one-byte scale, 448, cannot be rounded up: 512 is not in its format
    if (!right.packed) all.push_back({"scales: raised to powers of two", raised_to_powers});
  }
  if (right.packed && a.columns > 1 && a.column_block == 16)
    all.push_back({"scales: one for two blocks of k", of_both<first_of_two_blocks>});
  add_outer<&DotInputs::outer_a>("global_scale_a", right.outer_a, all);
  add_outer<&DotInputs::outer_b>("global_scale_b", right.outer_b, all);
  if (a.count() + b.count() > 2) all.push_back({"scales: each read in the place of the other", swapped_scales});
  if (a.column_block > 0) add_block_suspects(right, all);
}

namespace {

DotInputs left_out(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  std::fill(wrong.azp_adj.begin(), wrong.azp_adj.end(), 0.0);
  return wrong;
}

DotInputs added(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  for (double& adj : wrong.azp_adj) adj = -adj;
  return wrong;
}

DotInputs of_the_next_column(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  std::rotate(wrong.azp_adj.begin(), wrong.azp_adj.begin() + 1, wrong.azp_adj.end());
  return wrong;
}

DotInputs of_the_next_row(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  std::rotate(wrong.azp.begin(), wrong.azp.begin() + 1, wrong.azp.end());
  return wrong;
}

DotInputs of_the_first_row(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  std::fill(wrong.azp.begin(), wrong.azp.end(), right.azp.front());
  return wrong;
}

DotInputs azp_alone(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  std::fill(wrong.azp_adj.begin(), wrong.azp_adj.end(), 1.0);
  return wrong;
}

DotInputs azp_adj_alone(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  std::fill(wrong.azp.begin(), wrong.azp.end(), 1.0);
  return wrong;
}

template <AzpOperator kOperator>
DotInputs with_operator(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  wrong.azp_operator = kOperator;
  return wrong;
}

}  // namespace

void add_azp_misreadings(const DotInputs& right, std::vector<DotMisreading>& all) {
  if (right.azp_adj.empty()) return;
  all.push_back({"azp: left out", left_out});
  all.push_back({"azp: added", added});
  if (right.azp_adj.size() > 1) all.push_back({"azp_adj: of the next column", of_the_next_column});
  if (right.azp.size() > 1) all.push_back({"azp: of the next row", of_the_next_row});
  if (right.azp.size() > 1) all.push_back({"azp: of the first row for all", of_the_first_row});
  if (right.azp.empty()) return;
  const auto suspect = [&](const char* name, DotInputs (*read)(const DotInputs&, int64_t)) {
    all.push_back({name, read, 0, true});
  };
  suspect("azp: azp instead of azp * azp_adj", azp_alone);
  suspect("azp: azp_adj instead of azp * azp_adj", azp_adj_alone);
  suspect("azp: azp / azp_adj instead of azp * azp_adj", with_operator<AzpOperator::kDivide>);
  suspect("azp: azp + azp_adj instead of azp * azp_adj", with_operator<AzpOperator::kAdd>);
  suspect("azp: azp - azp_adj instead of azp * azp_adj", with_operator<AzpOperator::kSubtract>);
}

}  // namespace assay
