#include <algorithm>

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

/// A bound on rows that is one too low.
DotInputs last_row_is_the_one_before(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  const int64_t k = right.product.k;
  Codes codes = codes_of(right.product.a, right.m, k);
  std::copy(codes.end() - 2 * k, codes.end() - k, codes.end() - k);
  use(wrong.product.a, wrong.own_a, std::move(codes), k);
  return wrong;
}

void one_further(std::vector<double>& scales) { std::rotate(scales.begin(), scales.begin() + 1, scales.end()); }

DotInputs next_token(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  one_further(wrong.scale_a);
  return wrong;
}

DotInputs next_channel(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  one_further(wrong.scale_b);
  return wrong;
}

DotInputs first_token(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  wrong.scale_a = {right.scale_a[0]};
  return wrong;
}

DotInputs first_channel(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  wrong.scale_b = {right.scale_b[0]};
  return wrong;
}

/// Each read as if it were the other's, again from the first where it ends.
DotInputs swapped_scales(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  for (size_t i = 0; i < wrong.scale_a.size(); ++i) wrong.scale_a[i] = right.scale_b[i % right.scale_b.size()];
  for (size_t i = 0; i < wrong.scale_b.size(); ++i) wrong.scale_b[i] = right.scale_a[i % right.scale_a.size()];
  return wrong;
}

}  // namespace

std::vector<DotMisreading> dot_misreadings(const DotInputs& right, int64_t unit_k, int64_t tile_k) {
  const int64_t k = right.product.k;
  std::vector<DotMisreading> all;
  if (k > 1) all.push_back({"k: the last product is left out", fewer_products, 1});
  for (const int64_t whole : {unit_k, tile_k}) {
    const int64_t tail = whole > 0 ? k % whole : 0;
    if (tail == 0) continue;
    const std::string words = "k: what is beyond whole " + std::to_string(whole);
    if (tail > 1 && tail < k) all.push_back({words + " is left out", fewer_products, tail});
    if (tail > 2) all.push_back({words + " is used to half", fewer_products, tail / 2});
  }
  if (right.n > 1 && k > 1) all.push_back({"b: read as [k, n]", b_as_k_by_n});
  if (right.m > 1) all.push_back({"a: the last row is the one before it", last_row_is_the_one_before});
  if (right.scale_a.size() > 1) {
    all.push_back({"scale_a: of the next row", next_token});
    all.push_back({"scale_a: of the first row", first_token});
  }
  if (right.scale_b.size() > 1) {
    all.push_back({"scale_b: of the next column", next_channel});
    all.push_back({"scale_b: of the first column", first_channel});
  }
  if (right.scale_a.size() + right.scale_b.size() > 2)
    all.push_back({"scales: each read in the place of the other", swapped_scales});
  return all;
}

}  // namespace assay
