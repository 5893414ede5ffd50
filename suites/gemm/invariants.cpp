#include "suites/gemm/invariants.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reference/formats/catalogue.h"
#include "suites/gemm/scale_tensors.h"

namespace assay {
namespace {

constexpr int64_t kAnything = Relation::kAnything;

/// Elements [m, n] of d that must keep their bits, except those that `changed` selects.
template <class Changed>
std::vector<int64_t> all_but(const GemmCase& c, Changed changed) {
  std::vector<int64_t> same(size_t(c.m * c.n));
  for (int64_t row = 0; row < c.m; ++row)
    for (int64_t column = 0; column < c.n; ++column)
      same[size_t(row * c.n + column)] = changed(row, column) ? kAnything : row * c.n + column;
  return same;
}

/// Reorders the rows of a dense matrix, or the elements of a vector.
void reorder(HostTensor& tensor, const std::vector<int64_t>& order) {
  const size_t size = tensor.bytes.size() / order.size();
  const std::vector<std::byte> before = tensor.bytes;
  for (size_t i = 0; i < order.size(); ++i)
    std::copy_n(before.begin() + std::ptrdiff_t(size_t(order[i]) * size), size, tensor.bytes.begin() + std::ptrdiff_t(i * size));
}

/// Columns in reverse order; columns that share a tile's scale of b stay together.
std::vector<int64_t> opposite_columns(const GemmCase& c) {
  const int64_t group = std::max<int64_t>(1, c.shape_of_scale_b().row_block) > 1 ? c.shape_of_scale_b().row_block : c.n;
  std::vector<int64_t> order(static_cast<size_t>(c.n));
  for (int64_t column = 0; column < c.n; ++column) {
    const int64_t first = column / group * group, end = std::min(first + group, c.n);
    order[size_t(column)] = first + end - 1 - column;
  }
  return order;
}

/// Reorders the columns of a matrix [m, n]: c.
void reorder_columns(HostTensor& tensor, const std::vector<int64_t>& order, int64_t rows) {
  const HostTensor before = tensor;
  const auto n = int64_t(order.size());
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < n; ++column) tensor.set_code(row * n + column, before.code(row * n + order[size_t(column)]));
}

Relation columns(const GemmCase& c, const Problem& problem) {
  Relation relation{"columns", "columns in the opposite order", problem, "d", {}};
  const std::vector<int64_t> order = opposite_columns(c);
  for (HostTensor& tensor : relation.problem.tensors) {
    const std::string& role = tensor.spec.name;
    if (role == "b") {
      if (c.contract.shuffle.any()) tensor.bytes = unshuffled(c.contract.shuffle, tensor.bytes.data(), c.n, c.k);
      reorder(tensor, order);
      if (c.contract.shuffle.any()) tensor.bytes = shuffled(c.contract.shuffle, tensor.bytes.data(), c.n, c.k);
    }
    if (role == "scale_b" && c.shape_of_scale_b().row_block == 1) tensor = scales_of_rows(tensor, c.shape_of_scale_b(), c.layout_b(), order);
    if (role == "bias" || role == "azp_adj" || (role == "global_scale_b" && c.has_outer_of_rows_of_b())) reorder(tensor, order);
    if (role == "c") reorder_columns(tensor, order, c.m);
  }
  for (int64_t i = 0; i < c.m * c.n; ++i) relation.same_as.push_back(i / c.n * c.n + order[size_t(i % c.n)]);
  return relation;
}

Relation spoiled_row(const GemmCase& c, const Problem& problem) {
  const int64_t spoiled = c.m / 2;
  const Format& format = *c.contract.unit.a;
  const bool integers = format.is_integer() || format.specials == Specials::kFinite;  // no NaN
  Relation relation{"other rows", fmt::format("row {} of a is {}", spoiled, integers ? "another" : "NaN"), problem, "d",
                    all_but(c, [=](int64_t row, int64_t) { return row == spoiled; })};
  HostTensor& a = find(relation.problem.tensors, "a");
  for (int64_t k = 0; k < c.k; ++k) {
    const int64_t at = spoiled * c.k + k;
    a.set_code(at, integers ? a.code(at) ^ 1u : code_of(format, std::nan("")));
  }
  return relation;
}

/// Doubles the last scale of a row, or of a band of rows of b.
void change_scale(HostTensor& tensor, const LevelGrid& shape, const Layout* layout, int64_t row) {
  const ScaleValues values = scale_values(tensor, shape, layout);
  const double value = values.values[size_t((row + 1) * shape.columns - 1)];
  set_scale(tensor, shape, layout, row, shape.columns - 1, value == 0 || !std::isfinite(value) ? 1 : value > 1 ? value / 2 : 2 * value);
}

void add_scales(const GemmCase& c, const Problem& problem, std::vector<Relation>& all) {
  const LevelGrid a = c.shape_of_scale_a(), b = c.shape_of_scale_b();
  if (a.row_block > 0 && a.rows > 1) {
    const int64_t changed = a.rows / 2;
    all.push_back({"scales", fmt::format("another scale of row {} of a", changed), problem, "d",
                   all_but(c, [=](int64_t row, int64_t) { return row / a.row_block == changed; })});
    change_scale(find(all.back().problem.tensors, "scale_a"), a, c.layout_a(), changed);
  }
  if (b.row_block > 0 && b.rows > 1) {
    const int64_t changed = b.rows / 2;
    all.push_back({"scales", fmt::format("another scale {} of b", changed), problem, "d",
                   all_but(c, [=](int64_t, int64_t column) { return column / b.row_block == changed; })});
    change_scale(find(all.back().problem.tensors, "scale_b"), b, c.layout_b(), changed);
  }
}

/// The middle one of a scale for each row, taken twice.
void add_outer_scales(const GemmCase& c, const Problem& problem, std::vector<Relation>& all) {
  const auto change = [&](const char* role, const std::string& what, int64_t row, std::vector<int64_t> same_as) {
    all.push_back({"scales", what, problem, "d", std::move(same_as)});
    HostTensor& scale = find(all.back().problem.tensors, role);
    scale.set_code(row, code_of(kF32, 2 * decode(kF32, scale.code(row))));
  };
  if (c.has_outer_of_rows_of_a() && c.m > 1)
    change("global_scale_a", fmt::format("another global scale of row {} of a", c.m / 2), c.m / 2,
           all_but(c, [at = c.m / 2](int64_t row, int64_t) { return row == at; }));
  if (c.has_outer_of_rows_of_b() && c.n > 1)
    change("global_scale_b", fmt::format("another global scale of row {} of b", c.n / 2), c.n / 2,
           all_but(c, [at = c.n / 2](int64_t, int64_t column) { return column == at; }));
}

/// Rows so many elements further apart; all ones between them.
void pull_apart(HostTensor& tensor, int64_t more) {
  const HostTensor before = tensor;
  const int64_t rows = before.spec.shape[0], columns = before.spec.shape[1], pitch = columns + more;
  tensor.spec.strides = {pitch, 1};
  tensor.spec.storage = (rows - 1) * pitch + columns;
  if (before.bytes.empty()) return;
  tensor.bytes.assign(tensor.spec.bytes(), std::byte{0xff});
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column) tensor.set_code(row * pitch + column, before.code(row * columns + column));
}

Relation rows_apart(const GemmCase& c, const Problem& problem) {
  constexpr int64_t kMore = 16;  // keeps 16-byte loads aligned
  Relation relation{"pitch", fmt::format("rows of a, b and d lie {} elements further apart", kMore), problem, "d",
                    all_but(c, [](int64_t, int64_t) { return false; })};
  for (HostTensor& tensor : relation.problem.tensors)
    if (tensor.spec.name == "a" || tensor.spec.name == "d" || (tensor.spec.name == "b" && !c.contract.shuffle.any())) pull_apart(tensor, kMore);
  return relation;
}

}  // namespace

std::vector<Relation> gemm_relations(const GemmCase& c, const Problem& problem) {
  std::vector<Relation> all;
  if (c.n > 1) all.push_back(columns(c, problem));
  if (c.m > 1) all.push_back(spoiled_row(c, problem));
  add_scales(c, problem, all);
  add_outer_scales(c, problem, all);
  all.push_back(rows_apart(c, problem));
  return all;
}

}  // namespace assay
