#include "suites/gemm/gemm_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "harness/fill/fill.h"
#include "harness/text/glob.h"
#include "reference/flow/dot/dot_mutants.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "suites/gemm/scale_tensors.h"
#include "suites/rows/cells.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Random streams of the tensors of a GEMM. Golden data depend on them: a new tensor takes a new number. No GEMM has both a bias and c.
enum Stream : uint32_t { kA = 0, kB = 1, kScaleA = 2, kScaleB = 3, kBias = 4, kC = 4, kZeroPointAlone = 4, kZeroPointBesideBias = 5, kGlobalScaleA = 6, kGlobalScaleB = 7 };

DotContract contract_of(const Cells& cells) {
  const ContractRow& row = cells.contract();
  if (!is_product(row))
    cells.refuse("contract", "'" + row.id + "' is a " + row.flow->name + " row and this op takes matrix products");
  return read_dot(row, rulebook().contracts, rulebook().units);
}

const Format& result_of(const Cells& cells, const DotContract& contract) {
  const Format* format = find_format(cells.text("y"));
  if (!format || !contract.makes(*format))
    cells.refuse("y", "contract " + contract.row->id + " does not support y '" + cells.text("y") + "'; supported: " + contract.row->text("out"));
  return *format;
}

GemmScales scales_of(const Cells& cells, const DotContract& contract) {
  try {
    GemmScales scales = gemm_scales_named(cells.text("scales"));
    if (contract.takes(scales)) return scales;
  } catch (const ParseError& error) {
    cells.refuse("scales", error.what());
  }
  cells.refuse("scales",
               "contract " + contract.row->id + " does not support scales '" + cells.text("scales") + "'; supported: " + contract.row->text("scales"));
}

/// The layout of block scales.
const Layout* layout_of(const Cells& cells, const std::string& column, const std::vector<std::string>& known) {
  const std::string id = cells.text(column);
  std::string words;
  for (const std::string& one : known) {
    if (id == one) return &rulebook().layout(id);
    words += (words.empty() ? "" : ", ") + one;
  }
  cells.refuse(column, "'" + id + "' is not one of: " + words);
}

/// A shuffled weight must consist of whole tiles.
void require_tiles(const Cells& cells, const GemmCase& p) {
  const WeightShuffle& shuffle = p.contract.shuffle;
  if (shuffle.any() && !shuffle.fits(p.n, p.k))
    cells.refuse("n", fmt::format("b is shuffled in tiles of {} rows and {} products, which n and k are multiples of", shuffle.rows,
                                  2 * shuffle.products));
}

/// An unknown kernel is only checked against intervals. If the data cannot show a gain of 1/20, a pass would mean nothing.
void require_power(const Cells& cells, const Case& one, const GemmCase& p) {
  if (!p.contract.unknown()) return;
  for (const std::string& glob : one.blind_to)
    if (glob_match(glob, kDemandedOfSpans))
      cells.refuse("blind_to", fmt::format("'{}' declares '{}', which data of {} must show: spans alone judge it", glob, kDemandedOfSpans, p.id()));
}

/// k times the product of the largest magnitudes must fit in int32; with zero points, twice that.
void require_room(const Cells& cells, const GemmCase& p) {
  if (!p.contract.of_integers()) return;
  const double sums = p.contract.azp == GemmAzp::kNone ? 1 : 2;  // the subtracted correction may be as large
  const double most = sums * (max_finite(*p.contract.unit.a) + 1) * (max_finite(*p.contract.unit.b) + 1) * double(p.k);
  if (most > max_finite(kInt32)) cells.refuse("k", "so many products may overflow int32");
}

HostTensor filled(const char* role, const Format& format, std::vector<int64_t> shape, const FillRequest& request) {
  HostTensor tensor{dense(role, Role::kInput, format, std::move(shape)), {}};
  if (format.bits == 4) tensor.spec = packed(std::move(tensor.spec));
  fill(tensor, request);
  return tensor;
}

HostTensor filled_scales(const char* role, const LevelGrid& shape, const Layout* layout, const FillRequest& request) {
  if (layout && layout->element->bytes() == 1)
    return byte_scales(filled(role, *layout->element, {shape.rows, shape.columns}, request), role, shape, *layout);
  HostTensor tensor = scale_tensor(role, shape, layout);
  fill(tensor, request);
  return tensor;
}

std::vector<double> values_of(const HostTensor& tensor) {
  std::vector<double> values(size_t(tensor.spec.elements()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = decode(*tensor.spec.format, tensor.code(int64_t(i)));
  return values;
}

/// Unpacks 4-bit codes to one per byte.
std::shared_ptr<const std::vector<std::byte>> unpacked(const HostTensor& tensor) {
  auto codes = std::make_shared<std::vector<std::byte>>(size_t(tensor.spec.elements()));
  for (size_t i = 0; i < codes->size(); ++i) (*codes)[i] = std::byte(tensor.code(int64_t(i)));
  return codes;
}

/// For a: integers of its format. azp_adj is what a caller computes from them and from b.
void add_zero_points(const GemmCase& c, const FillRequest& request, Problem& made) {
  const bool tokens = c.contract.azp == GemmAzp::kTokens;
  const std::vector<double> zeros = values_of(filled("azp", *c.contract.unit.a, {tokens ? c.m : 1}, request)),
                            b = values_of(find(made.tensors, "b"));
  HostTensor adj{dense("azp_adj", Role::kInput, kInt32, {c.n}), {}};
  adj.bytes.resize(adj.spec.bytes());
  for (int64_t column = 0; column < c.n; ++column) {
    const double sum = std::accumulate(b.begin() + column * c.k, b.begin() + (column + 1) * c.k, 0.0);
    adj.set_code(column, code_of(kInt32, tokens ? sum : zeros.front() * sum));
  }
  made.tensors.push_back(std::move(adj));
  if (!tokens) return;
  HostTensor azp{dense("azp", Role::kInput, kInt32, {c.m}), {}};
  azp.bytes.resize(azp.spec.bytes());
  for (int64_t row = 0; row < c.m; ++row) azp.set_code(row, code_of(kInt32, zeros[size_t(row)]));
  made.tensors.push_back(std::move(azp));
}

/// The selected rows of a dense matrix, or elements of a vector.
HostTensor chosen(const HostTensor& tensor, const std::vector<int64_t>& rows) {
  const int64_t columns = tensor.spec.shape.size() > 1 ? tensor.spec.shape[1] : 1;
  std::vector<int64_t> shape = tensor.spec.shape;
  shape[0] = int64_t(rows.size());
  HostTensor some{dense(tensor.spec.name, tensor.spec.role, *tensor.spec.format, shape), {}};
  if (tensor.spec.packed) some.spec = packed(std::move(some.spec));
  if (tensor.bytes.empty()) return some;
  some.bytes.resize(some.spec.bytes());
  const size_t size = tensor.spec.byte_of(columns);
  for (size_t i = 0; i < rows.size(); ++i)
    std::copy_n(tensor.bytes.begin() + std::ptrdiff_t(size_t(rows[i]) * size), size,
                some.bytes.begin() + std::ptrdiff_t(i * size));
  return some;
}

}  // namespace

GemmCase read_gemm_case(const Case& c) {
  const Cells cells(c);
  GemmCase p;
  p.contract = contract_of(cells);
  p.m = cells.positive("m");
  p.n = cells.positive("n");
  p.k = cells.positive("k");
  p.fill = cells.fill_name("fill");
  p.b = cells.fill_name("b");
  p.scales = scales_of(cells, p.contract);
  p.scale = cells.fill_name("scale");
  if (p.contract.of_blocks()) {
    p.scales.a.block().layout = layout_of(cells, "layout_a", p.contract.layouts);
    const std::vector<std::string> plain = {"row", "col", "tma"}, same = {p.layout_a()->id};
    p.scales.b.block().layout = layout_of(cells, "layout_b", p.scales_are_bytes() ? same : plain);
    if (p.contract.scales_in_unit() && !(*p.layout_a()->element == *p.contract.unit.scale))
      cells.refuse("layout_a", "the unit takes scales of " + std::string(p.contract.unit.scale->name));
  }
  p.y = &result_of(cells, p.contract);
  if (p.contract.adds_c()) p.c = cells.fill_name("c");
  p.has_bias = cells.has("bias") ? !cells.text("bias").empty() : cells.of_given_data() && !p.contract.bias.empty();
  if (p.has_bias) {
    p.bias = cells.fill_name("bias");
    if (p.contract.bias.empty()) cells.refuse("bias", p.id() + " takes no bias");
    if (*p.y == kF32) cells.refuse("bias", "a bias has the 16 bits of the result");
  }
  if (p.has_zero_points()) p.azp = cells.fill_name("azp");
  else if (cells.has("azp") && !cells.text("azp").empty()) cells.refuse("azp", p.id() + " takes no zero points");
  p.seed = cells.seed();
  p.warp = cells.warp();
  if (p.packs_codes() && p.k % 2 != 0) cells.refuse("k", "expected whole bytes of two codes, got an odd number");
  require_room(cells, p);
  require_tiles(cells, p);
  require_power(cells, c, p);
  return p;
}

Problem gemm_problem(const GemmCase& c) {
  const Unit& unit = c.contract.unit;
  const auto request = [&](const std::string& name, Stream stream) {
    return FillRequest{.name = name, .seed = c.seed, .group_size = 0, .q = unit.d, .tensor = stream};
  };
  Problem made;
  made.tensors.push_back(filled("a", *unit.a, {c.m, c.k}, request(c.fill, kA)));
  made.tensors.push_back(filled("b", *unit.b, {c.n, c.k}, request(c.b, kB)));
  HostTensor& b = made.tensors.back();
  if (c.contract.shuffle.any()) b.bytes = shuffled(c.contract.shuffle, b.bytes.data(), c.n, c.k);
  made.tensors.push_back(filled_scales("scale_a", c.shape_of_scale_a(), c.layout_a(), request(c.scale, kScaleA)));
  made.tensors.push_back(filled_scales("scale_b", c.shape_of_scale_b(), c.layout_b(), request(c.scale, kScaleB)));
  if (c.scales.a.outer()) made.tensors.push_back(filled("global_scale_a", kF32, {c.outer_of_a().count()}, request(c.scale, kGlobalScaleA)));
  if (c.scales.b.outer()) made.tensors.push_back(filled("global_scale_b", kF32, {c.outer_of_b().count()}, request(c.scale, kGlobalScaleB)));
  if (c.has_bias) made.tensors.push_back(filled("bias", *c.y, {c.n}, request(c.bias, kBias)));
  if (c.contract.adds_c()) made.tensors.push_back(filled("c", *c.y, {c.m, c.n}, request(c.c, kC)));
  if (c.has_zero_points()) add_zero_points(c, request(c.azp, c.has_bias ? kZeroPointBesideBias : kZeroPointAlone), made);
  made.tensors.push_back({dense("d", Role::kOutput, *c.y, {c.m, c.n}), {}});
  made.parameters = {{"warp", double(c.warp)}};
  return made;
}

DotInputs gemm_inputs(const GemmCase& c, const Problem& problem) {
  DotInputs inputs;
  inputs.product = {{find(problem.tensors, "a").bytes.data(), c.k}, {find(problem.tensors, "b").bytes.data(), c.k}, c.k};
  inputs.m = c.m;
  inputs.n = c.n;
  inputs.shuffle = c.contract.shuffle;
  if (inputs.shuffle.any()) {
    inputs.own_b = std::make_shared<const std::vector<std::byte>>(unshuffled(inputs.shuffle, inputs.product.b.codes, c.n, c.k));
    inputs.product.b.codes = inputs.own_b->data();
  }
  if (c.packs_codes()) {
    inputs.packed = true;
    inputs.own_a = unpacked(find(problem.tensors, "a")), inputs.own_b = unpacked(find(problem.tensors, "b"));
    inputs.product.a.codes = inputs.own_a->data(), inputs.product.b.codes = inputs.own_b->data();
  }
  if (c.scales.a.outer()) inputs.outer_a = {c.outer_of_a(), values_of(find(problem.tensors, "global_scale_a"))};
  if (c.scales.b.outer()) inputs.outer_b = {c.outer_of_b(), values_of(find(problem.tensors, "global_scale_b"))};
  inputs.scale_a = scale_values(find(problem.tensors, "scale_a"), c.shape_of_scale_a(), c.layout_a());
  inputs.scale_b = scale_values(find(problem.tensors, "scale_b"), c.shape_of_scale_b(), c.layout_b());
  inputs.scales_are_powers = c.scales_are_powers();
  if (c.scales_are_bytes()) {
    const auto codes = [&](const ScaleValues& scales, int64_t rows) {
      return std::make_shared<const std::vector<std::byte>>(scales.codes(*c.layout_a()->element, rows, c.k, scales.shape.column_block));
    };
    inputs.scale_codes_a = codes(inputs.scale_a, c.m), inputs.scale_codes_b = codes(inputs.scale_b, c.n);
  }
  if (c.has_bias) inputs.bias = values_of(find(problem.tensors, "bias"));
  if (c.contract.adds_c()) inputs.c = values_of(find(problem.tensors, "c"));
  if (c.has_zero_points()) inputs.azp_adj = values_of(find(problem.tensors, "azp_adj"));
  if (c.contract.azp == GemmAzp::kTokens) inputs.azp = values_of(find(problem.tensors, "azp"));
  return inputs;
}

Problem gemm_with_rows(const GemmCase& p, const Problem& problem, const std::vector<int64_t>& rows) {
  Problem made{{}, problem.parameters};
  for (const HostTensor& tensor : problem.tensors) {
    const std::string& role = tensor.spec.name;
    if (role == "scale_a" && p.shape_of_scale_a().row_block > 0)
      made.tensors.push_back(scales_of_rows(tensor, p.shape_of_scale_a(), p.layout_a(), rows));
    else
      made.tensors.push_back(role == "a" || role == "c" || role == "azp" || role == "d" || (role == "global_scale_a" && p.has_outer_of_rows_of_a())
                                 ? chosen(tensor, rows)
                                 : tensor);
  }
  return made;
}

}  // namespace assay
