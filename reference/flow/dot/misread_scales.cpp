#include <algorithm>
#include <cmath>
#include <utility>

#include "reference/flow/dot/edits.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

/// Scales that somebody looks up elsewhere: those of `from` in the place of a row and a block of k.
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

/// Words of four bytes, or the four bytes of 128 products: somebody takes the byte `of(block)` of a row for that of a block; of bytes that no block has the code is 0.
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
  return other_bytes(right, [](int64_t block) { return block / kBytesOfWord * kBytesOfWord + kBytesOfWord - 1 - block % kBytesOfWord; });
}
ScaleValues first_byte(const ScaleValues& right) {
  return other_bytes(right, [](int64_t block) { return block / kBytesOfWord * kBytesOfWord; });
}
ScaleValues next_word(const ScaleValues& right) {
  const int64_t words = (right.shape.columns + kBytesOfWord - 1) / kBytesOfWord;
  return other_bytes(right, [=](int64_t block) { return (block / kBytesOfWord + 1) % words * kBytesOfWord + block % kBytesOfWord; });
}
/// The highest mantissa bit of the f32 scale, or what stands there in the word: the bit below the byte.
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

/// Scales that become powers of two: below, or above.
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

/// Each read as if it were the other's, again from the first where it ends.
DotInputs swapped_scales(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  const std::vector<double>&a = right.scale_a.values, &b = right.scale_b.values;
  for (size_t i = 0; i < a.size(); ++i) wrong.scale_a.values[i] = b[i % b.size()];
  for (size_t i = 0; i < b.size(); ++i) wrong.scale_b.values[i] = a[i % a.size()];
  return wrong;
}

/// Scales of the outer level.
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
    all.push_back({"scales: raised to powers of two", raised_to_powers});
  }
  add_outer<&DotInputs::outer_a>("global_scale_a", right.outer_a, all);
  add_outer<&DotInputs::outer_b>("global_scale_b", right.outer_b, all);
  if (a.count() + b.count() > 2) all.push_back({"scales: each read in the place of the other", swapped_scales});
}

}  // namespace assay
