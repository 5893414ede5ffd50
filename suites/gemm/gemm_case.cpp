#include "suites/gemm/gemm_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "harness/text/messages.h"
#include "reference/flow/dot/dot_mutants.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_tensors.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Random streams of a GEMM's tensors. Golden files depend on them: give a new tensor a new number. No GEMM has both bias and c.
enum Stream : uint32_t { kA = 0, kB = 1, kScaleA = 2, kScaleB = 3, kBias = 4, kC = 4, kZeroPointAlone = 4, kZeroPointBesideBias = 5, kGlobalScaleA = 6, kGlobalScaleB = 7, kWeights = 8, kSlots = 9, kAbsent = 10 };

/// The generator of zero points beyond the range of int8, the format of a's codes.
constexpr const char* kFarZeroPoints = "far_zero_points";

DotContract contract_of(const Cells& cells) {
  const ContractRow& row = cells.contract();
  if (!is_product(row))
    cells.refuse("contract", "'" + row.id + "' is a " + row.flow->name + " contract; expected a GEMM");
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

/// The layout of block scales that the cell names.
const Layout* layout_of(const Cells& cells, const std::string& column, const std::vector<std::string>& known) {
  const std::string id = cells.text(column);
  std::string words;
  for (const std::string& one : known) {
    if (id == one) return &rulebook().layout(id);
    words += (words.empty() ? "" : ", ") + one;
  }
  cells.refuse(column, "'" + id + "' is not one of: " + words);
}

/// Throws TableError unless a shuffled weight consists of whole tiles.
void require_tiles(const Cells& cells, const GemmCase& p) {
  const WeightShuffle& shuffle = p.contract.shuffle;
  if (shuffle.any() && !shuffle.fits(p.n, p.k))
    cells.refuse("n", fmt::format("expected n to be a multiple of {} and k a multiple of {}, because a shuffled b consists of tiles of this size", shuffle.rows,
                                  2 * shuffle.products));
}

/// Outputs of an unknown kernel are only compared with intervals, so a pass means nothing if the inputs hide results that are 5 %
/// too large. Throws TableError if the row lists this mutant in blind_to.
void require_power(const Cells& cells, const Case& one, const GemmCase& p) {
  if (!p.contract.unknown()) return;
  for (const std::string& glob : one.blind_to)
    if (glob_match(glob, kDemandedOfSpans))
      cells.refuse("blind_to", fmt::format("'{}' includes the mutant '{}', which inputs of {} must expose, because its outputs are only compared with "
                                           "intervals", glob, kDemandedOfSpans, p.id()));
}

/// Throws TableError if a sum of int8 products, or its correction for zero points, could overflow int32.
void require_room(const Cells& cells, const GemmCase& p) {
  if (!p.contract.of_integers()) return;
  // zero points: the correction that is subtracted may be as large as the sum, and far zero points make it 8 times as large
  const double sums = p.contract.azp == GemmAzp::kNone ? 1 : 1 + (p.azp == kFarZeroPoints ? 1024.0 / 128 : 1);
  const double most = sums * (max_finite(p.contract.codes_of_a()) + 1) * (max_finite(p.contract.codes_of_b()) + 1) * double(p.k);
  if (most > max_finite(kInt32)) cells.refuse("k", "expected a smaller k: a sum over this k may overflow int32");
}

/// The expert of each of the `room` stored rows; -1: none. Each expert begins at a multiple of `align` rows; the last expert
/// comes first if `descending`.
std::vector<int64_t> index_of(const std::vector<int64_t>& sizes, int64_t align, bool descending, int64_t room) {
  std::vector<int64_t> index;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const size_t expert = descending ? sizes.size() - 1 - i : i;
    index.insert(index.end(), size_t(sizes[expert]), int64_t(expert));
    index.resize((index.size() + size_t(align) - 1) / size_t(align) * size_t(align), -1);
  }
  if (room > 0 && room < int64_t(index.size()))
    throw std::invalid_argument(fmt::format("{} rows do not fit into room = {} rows", index.size(), room));
  index.resize(std::max(index.size(), size_t(room)), -1);
  return index;
}

/// Rows of each expert, from the column `tokens`. The cell `room` counts the stored rows of each expert (masked, along k) or all
/// rows of `a` (psum, by index, at offsets). Experts by index or at offsets begin at multiples of `align`, in the order `order`.
Groups groups_of(const Cells& cells, const DotContract& contract) {
  const GroupOrder order = *contract.experts;
  const bool placed = order == GroupOrder::kByIndex || order == GroupOrder::kOffsets;
  const std::string way = cells.has("order") ? cells.text("order") : "ascending";
  const bool descending = way == "descending";
  if (!descending && way != "ascending") cells.refuse("order", "expected ascending or descending");
  if (descending && !placed) cells.refuse("order", "expected ascending: only experts by index or at offsets may be in descending order");
  const int64_t room = cells.given("room") ? cells.positive("room") : 0;
  if (room > 0 && order == GroupOrder::kContiguous) cells.refuse("room", "expected an empty cell: contiguous experts have no unused rows");
  if (room % contract.tile_rows != 0) cells.refuse("room", fmt::format("expected a multiple of {} rows", contract.tile_rows));
  if (cells.given("align") && !placed) cells.refuse("align", "expected an empty cell: only experts by index or at offsets can begin at aligned rows");
  const int64_t align = cells.given("align") ? cells.positive("align") : contract.tile_rows;
  if (placed && align % contract.tile_rows != 0) cells.refuse("align", fmt::format("expected a multiple of {} rows", contract.tile_rows));
  try {
    std::vector<int64_t> sizes = cells.counts("tokens");
    if (order == GroupOrder::kMasked) return Groups::masked(std::move(sizes), cells.positive("room"));
    if (order == GroupOrder::kContiguous) return Groups::contiguous(std::move(sizes));
    if (order == GroupOrder::kPsum) return Groups::psum(std::move(sizes), contract.tile_rows, room);
    if (order == GroupOrder::kAlongK) return Groups::along_k(int64_t(sizes.size()), cells.positive("room"));
    return Groups::by_index(index_of(sizes, align, descending, room), int64_t(sizes.size()));
  } catch (const std::invalid_argument& error) {
    cells.refuse("tokens", error.what());
  }
}

/// Draws slots in random order: for each expert as many as the column `tokens` says, then as many as the cell `absent` says, for
/// blocks of expert -1. The number of slots is rounded up to a multiple of topk; slots that remain are in no block.
void read_slots(const Cells& cells, GemmCase& p) {
  p.topk = cells.positive("topk"), p.block_m = cells.positive("block_m");
  const std::vector<int64_t>& sizes = p.contract.block_m;
  if (std::find(sizes.begin(), sizes.end(), p.block_m) == sizes.end())
    cells.refuse("block_m", fmt::format("contract {} does not support blocks of {} slots; supported: {}", p.id(), p.block_m, p.contract.row->text("block_m")));
  p.descending = cells.text("order") == "descending";
  if (!p.descending && cells.text("order") != "ascending") cells.refuse("order", "expected ascending or descending");
  const std::vector<int64_t> tokens = cells.counts("tokens");
  const int64_t absent = cells.given("absent") ? cells.from_zero("absent") : 0;
  const int64_t listed = std::accumulate(tokens.begin(), tokens.end(), absent), slots = (listed + p.topk - 1) / p.topk * p.topk;
  std::vector<int64_t> order(static_cast<size_t>(slots)), index(order.size(), -1);
  std::iota(order.begin(), order.end(), int64_t{0});
  const Random random(cells.seed(), kSlots);
  for (int64_t i = slots - 1; i > 0; --i) std::swap(order[size_t(i)], order[size_t(random.below(i + 1, i))]);
  size_t next = 0;
  for (size_t expert = 0; expert < tokens.size(); ++expert)
    for (int64_t i = 0; i < tokens[expert]; ++i) index[size_t(order[next++])] = int64_t(expert);
  p.absent.assign(order.begin() + std::ptrdiff_t(next), order.begin() + std::ptrdiff_t(next) + absent);
  std::sort(p.absent.begin(), p.absent.end());
  p.groups = Groups::by_index(std::move(index), int64_t(tokens.size()));
  p.weights = cells.given("weights") ? cells.text("weights") : "";
  if (!p.weights.empty() && !p.contract.takes_weights()) cells.refuse("weights", p.id() + " takes no router weights");
}

/// Whether unused rows of a hold NaN (cell `padding`).
bool padding_is_nan(const Cells& cells) {
  const std::string words = cells.has("padding") ? cells.text("padding") : "filled";
  if (words != "filled" && words != "nan") cells.refuse("padding", "expected filled or nan");
  return words == "nan";
}

/// Writes NaN to the rows of `a` that belong to no expert, and to their scales.
void spoil_unused_rows(const GemmCase& c, Problem& problem) {
  HostTensor &a = find(problem.tensors, "a"), &scale = find(problem.tensors, "scale_a");
  const uint32_t nan = code_of(c.contract.codes_of_a(), std::nan(""));
  c.groups.for_each_unused([&](int64_t row) {
    for (int64_t k = 0; k < c.k; ++k) a.set_code(row * c.k + k, nan);
    for (int64_t block = 0; block < c.scale_a.grid().columns && c.scale_a.grid().row_block == 1; ++block)
      c.scale_a.set(scale, row, block, std::nan(""));
  });
}

/// The grid of the scales of b. A block of scales must not extend into the next expert. If one scale covers all rows, each expert
/// gets one.
LevelGrid grid_of_b(const GemmCase& p) {
  LevelGrid grid = p.scales.of_b(p.rows_of_b(), p.k);
  if (p.groups.any() && grid.row_block == 0) grid.row_block = p.n, grid.rows = p.groups.count();
  return grid;
}

/// For each expert: its first row if all experts were padded to whole tiles of `tile` rows; then the total number of rows.
std::vector<int64_t> tiles_of(const Groups& groups, int64_t tile) {
  std::vector<int64_t> first = {0};
  for (const int64_t size : groups.sizes()) first.push_back(first.back() + (size + tile - 1) / tile * tile);
  return first;
}

/// For contiguous experts with scale_rows > 0: each expert's first row of scale_a, a multiple of scale_rows; then the total.
std::vector<int64_t> scale_rows_of(const GemmCase& p) {
  const int64_t each = p.contract.scale_rows;
  std::vector<int64_t> first = p.groups.first_rows();
  for (size_t expert = 0; expert < first.size(); ++expert) first[expert] = (first[expert] + (each - 1) * int64_t(expert)) / each * each;
  return first;
}

/// Whether the scales of a lie in tiles, each of which has rows of one expert only.
bool tiles_by_expert(const GemmCase& p) {
  const Layout* const layout = p.scales.a.block().layout;
  return p.contract.experts == GroupOrder::kOffsets && layout && layout->tile_rows > 1;
}

GemmScale scales_in_tiles(const GemmCase& p) {
  const Layout& layout = *p.scales.a.block().layout;
  const std::vector<int64_t> first = p.contract.scale_rows > 0 ? scale_rows_of(p) : tiles_of(p.groups, layout.tile_rows);
  std::vector<int64_t> places(size_t(p.stored_rows()), -1);
  for (int64_t row = 0; row < p.m; ++row)
    places[size_t(p.groups.stored_row(row))] = first[size_t(p.groups.group_of(row))] + p.groups.row_in_group(row);
  return GemmScale(p.scales.of_a(p.stored_rows(), p.k), layout, std::move(places), first.back());
}

void bind_scales(GemmCase& p) {
  if (p.along_k()) {
    const std::vector<int64_t> blocks = p.first_products(p.contract.scale_block());
    p.scale_a = GemmScale::along_k(p.scales.of_a(p.m, p.k), *p.scales.a.block().layout, p.groups.capacity(), blocks);
    p.scale_b = GemmScale::along_k(p.scales.of_b(p.rows_of_b(), p.k), *p.scales.b.block().layout, p.n, blocks);
    return;
  }
  const bool masked = p.groups.any() && p.groups.order() == GroupOrder::kMasked;
  const LevelGrid of_slots = p.scales.of_a(p.stored_rows(), p.k);
  if (p.contract.sorted_ids && of_slots.row_block == 1) {
    std::vector<int64_t> token(size_t(p.stored_rows()));
    for (size_t slot = 0; slot < token.size(); ++slot) token[slot] = int64_t(slot) / p.topk;
    p.scale_a = GemmScale(of_slots, p.scales.a.block().layout, std::move(token), p.rows_of_a());
  } else
    p.scale_a = tiles_by_expert(p) || p.contract.scale_rows > 0 ? scales_in_tiles(p) : GemmScale(p.scales.of_a(p.stored_rows(), p.k), p.scales.a.block().layout, masked ? p.groups.count() : 0);
  p.scale_b = GemmScale(grid_of_b(p), p.scales.b.block().layout, p.groups.count());
}

void require_whole_experts(const Cells& cells, const GemmCase& p) {
  if (!p.groups.any()) return;
  if (p.scale_b.grid().row_block > 0 && p.n % p.scale_b.grid().row_block != 0)
    cells.refuse("n", fmt::format("expected a multiple of {}, the rows of b that share a scale, got {}", p.scale_b.grid().row_block, p.n));
  if (p.nan_padding && (p.contract.codes_of_a().is_integer() || p.contract.codes_of_a().specials == Specials::kFinite))
    cells.refuse("padding", fmt::format("{} has no NaN", p.contract.codes_of_a().name));
  constexpr int64_t kExactInF32 = 1 << 10;  // largest k with |sum of k products of int8 codes| <= 2^24, which f32 holds exactly
  if (p.contract.sorted_ids && p.contract.of_integers() && p.k > kExactInF32)
    cells.refuse("k", fmt::format("expected at most {}, because the kernel adds sums of int8 products in f32", kExactInF32));
  if ((p.has_bias && !p.contract.sorted_ids) || p.contract.adds_c() != p.along_k() || p.has_zero_points() || p.scales.a.outer() || p.contract.unknown())
    cells.refuse("contract", fmt::format("this op does not support '{}': expected one level of scales of a, a matrix c only for experts along k, no bias, no "
                                         "zero points and a known accumulation", p.id()));
  if (p.scales.b.outer() && p.scales.b.outer()->rows != 0)
    cells.refuse("scales", fmt::format("'{}' has an outer scale for each row of b; expected one for each expert", p.scales.name));
}

HostTensor filled(TensorSpec spec, const FillRequest& request) {
  HostTensor tensor{std::move(spec), {}};
  fill(tensor, request);
  return tensor;
}

/// A generated dense input; two 4-bit codes share a byte.
HostTensor filled(const char* role, const Format& format, std::vector<int64_t> shape, const FillRequest& request) {
  TensorSpec spec = dense(role, Role::kInput, format, std::move(shape));
  return filled(format.bits == 4 ? packed(std::move(spec)) : std::move(spec), request);
}

std::vector<double> values_of(const HostTensor& tensor) {
  std::vector<double> values(size_t(tensor.spec.elements()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = decode(*tensor.spec.format, tensor.code(int64_t(i)));
  return values;
}

/// The codes of a tensor of 4-bit codes, one in each byte.
std::shared_ptr<const std::vector<std::byte>> unpacked(const HostTensor& tensor) {
  auto codes = std::make_shared<std::vector<std::byte>>(size_t(tensor.spec.elements()));
  for (size_t i = 0; i < codes->size(); ++i) (*codes)[i] = std::byte(tensor.code(int64_t(i)));
  return codes;
}

/// For GEMMs grouped along k: the codes of all experts, each [rows, its k], as one matrix of c.k columns, padded with zeros.
std::shared_ptr<const std::vector<std::byte>> rows_of_experts(const GemmCase& c, const HostTensor& tensor, int64_t rows) {
  auto codes = std::make_shared<std::vector<std::byte>>(size_t(c.groups.count() * rows * c.k));
  const std::byte* from = tensor.bytes.data();
  for (int64_t row = 0; row < c.groups.count() * rows; ++row) {
    const int64_t products = c.products[size_t(row / rows)];
    std::copy_n(from, products, codes->begin() + row * c.k);
    from += products;
  }
  return codes;
}

/// Tensor c [m, n], widened to [m, rows of b]: each row's n addends move to the columns of its expert; other columns hold 0.
std::vector<double> addends_of_experts(const GemmCase& c, const std::vector<double>& values) {
  std::vector<double> all(size_t(c.m * c.rows_of_b()));
  for (int64_t row = 0; row < c.m; ++row)
    std::copy_n(values.begin() + row * c.n, c.n, all.begin() + row * c.rows_of_b() + c.groups.group_of(row) * c.n);
  return all;
}

/// Adds the zero points azp, integers in a's format, and azp_adj, which a caller computes from them and from b.
void add_zero_points(const GemmCase& c, const HostTensor& azp, Problem& made) {
  const bool tokens = c.contract.azp == GemmAzp::kTokens;
  const std::vector<double> zeros = values_of(azp), b = values_of(find(made.tensors, "b"));
  std::vector<int64_t> adj;
  for (auto row = b.begin(); row != b.end(); row += c.k)
    adj.push_back(int64_t((tokens ? 1 : zeros.front()) * std::accumulate(row, row + c.k, 0.0)));
  made.tensors.push_back(input_integers("azp_adj", adj));
  if (tokens) made.tensors.push_back(input_integers("azp", {zeros.begin(), zeros.end()}));
}

/// The first row of each expert in a. An expert without rows has the first row of the next one.
std::vector<int64_t> offsets_of(const Groups& groups) {
  const std::vector<int64_t> index = groups.index();
  std::vector<int64_t> offsets(size_t(groups.count()), int64_t(index.size()));
  for (size_t row = index.size(); row-- > 0;)
    if (index[row] >= 0) offsets[size_t(index[row])] = int64_t(row);
  for (size_t expert = offsets.size(); expert-- > 0;)
    if (groups.sizes()[expert] == 0 && expert + 1 < offsets.size()) offsets[expert] = offsets[expert + 1];
  return offsets;
}

/// The tensors that state which rows belong to which expert.
std::vector<HostTensor> tensors_of_groups(const GemmCase& c) {
  if (c.contract.sorted_ids) {
    const SortedSlots sorted = sorted_slots(c);
    return {input_integers("sorted_token_ids", sorted.ids), input_integers("expert_ids", sorted.experts),
            input_integers("num_tokens_post_padded", {sorted.end})};
  }
  switch (*c.contract.experts) {
    case GroupOrder::kMasked: return {input_integers("tokens", c.groups.sizes())};
    case GroupOrder::kByIndex: return {input_integers("expert_of_row", c.groups.index())};
    case GroupOrder::kAlongK: return {input_integers("expert_products", c.products)};
    case GroupOrder::kPsum: {
      std::vector<int64_t> ends = c.groups.offsets();
      ends.pop_back();
      for (size_t expert = 0; expert < ends.size(); ++expert) ends[expert] += c.groups.sizes()[expert];
      return {input_integers("expert_ends", ends)};
    }
    case GroupOrder::kContiguous: {
      const std::vector<int64_t> first = c.groups.first_rows();
      return {input_integers("expert_ends", {first.begin() + 1, first.end()})};
    }
    default: break;
  }
  std::vector<int64_t> sizes;
  for (const int64_t rows : c.groups.sizes()) sizes.insert(sizes.end(), {rows, c.n, c.k});
  HostTensor problem_sizes = input_integers("problem_sizes", sizes);
  problem_sizes.spec = dense("problem_sizes", Role::kInput, kInt32, {c.groups.count(), 3});
  std::vector<HostTensor> all = {input_integers("expert_offsets", offsets_of(c.groups)), std::move(problem_sizes)};
  if (!tiles_by_expert(c)) return all;
  const std::vector<int64_t> first = tiles_of(c.groups, c.scale_a.layout()->tile_rows);
  all.push_back(input_integers("blockscale_offsets", {first.begin(), first.end() - 1}));
  return all;
}

/// The given rows of a dense matrix, or elements of a vector.
HostTensor chosen(const HostTensor& tensor, const std::vector<int64_t>& rows) {
  std::vector<int64_t> shape = tensor.spec.shape;
  shape[0] = int64_t(rows.size());
  HostTensor some{dense(tensor.spec.name, tensor.spec.role, *tensor.spec.format, shape), {}};
  if (tensor.spec.packed) some.spec = packed(std::move(some.spec));
  if (tensor.bytes.empty()) return some;
  some.bytes.resize(some.spec.bytes());
  if (tensor.spec.storage > tensor.spec.elements())
    byte_rows(some) = byte_rows(tensor)(rows, Eigen::all);
  else
    byte_rows(some, shape[0]) = byte_rows(tensor, tensor.spec.shape[0])(rows, Eigen::all);
  return some;
}

/// Codes and scales as the exact sums read them. Scales are stored row by row in f32, which holds each of them exactly.
DotOperand operand(const UnitFactor& codes, const Format& format, int64_t rows, int64_t k, const ScaleValues& scales, std::vector<float>& stored) {
  stored.assign(scales.values.begin(), scales.values.end());
  const LevelGrid& grid = scales.shape;
  return {codes.codes, &format, rows, codes.pitch, 1,
          {std::as_bytes(std::span(stored)).data(), &kF32, grid.row_block > 0 ? grid.row_block : rows, grid.column_block > 0 ? grid.column_block : k,
           grid.row_block > 0 ? grid.columns : 0, grid.column_block > 0 ? 1 : 0}};
}

}  // namespace

// Scales and their tensors (GemmScale).

GemmScale::GemmScale(const LevelGrid& grid, const Layout* layout, int64_t experts)
    : grid_(grid), experts_(experts), expert_rows_(experts > 0 ? std::max<int64_t>(1, grid.rows / experts) : grid.rows) {
  if (layout) placed_.emplace(*layout, expert_rows_, grid.columns);
}

GemmScale::GemmScale(const LevelGrid& grid, const Layout* layout, std::vector<int64_t> places, int64_t rows) : grid_(grid), expert_rows_(rows) {
  if (layout) placed_.emplace(*layout, rows, grid.columns);
  places_ = std::move(places);
}

GemmScale GemmScale::along_k(const LevelGrid& grid, const Layout& layout, int64_t rows, std::vector<int64_t> blocks) {
  GemmScale made;
  made.grid_ = grid, made.expert_rows_ = rows;
  made.placed_.emplace(layout, rows, blocks.back());
  made.first_blocks_ = std::move(blocks);
  return made;
}

const Format& GemmScale::format() const { return placed_ ? *layout()->element : kF32; }

bool GemmScale::reads_others(const GemmScale& other) const {
  bool differs = false, inside = true;
  for (int64_t row = 0; row < grid_.rows; ++row)
    for (int64_t block = 0; block < grid_.columns; ++block) {
      if (!has(row, block) || !other.has(row, block)) continue;
      differs |= offset(row, block) != other.offset(row, block);
      inside &= other.offset(row, block) < storage_elements();
    }
  return differs && inside;
}

TensorSpec GemmScale::spec(const std::string& role) const {
  if (!placed_) return dense(role, Role::kInput, kF32, {places_.empty() ? grid_.rows : expert_rows_});
  TensorSpec spec{role, Role::kInput, layout()->type, placed_->shape(), placed_->strides(), placed_->storage()};
  if (experts_ == 0) return spec;
  spec.shape.insert(spec.shape.begin(), experts_);
  spec.strides.insert(spec.strides.begin(), placed_->storage());
  spec.storage *= experts_;
  return spec;
}

uint32_t GemmScale::code(const HostTensor& tensor, int64_t row, int64_t block) const {
  if (!has(row, block)) return code_of(format(), 1);
  const int64_t at = offset(row, block);
  return placed_ && layout()->packs_words() ? uint32_t(tensor.bytes[size_t(at)]) : tensor.code(at);
}

void GemmScale::set_code(HostTensor& tensor, int64_t row, int64_t block, uint32_t code) const {
  if (!has(row, block)) return;
  const int64_t at = offset(row, block);
  if (placed_ && layout()->packs_words())
    tensor.bytes[size_t(at)] = std::byte(code);
  else
    tensor.set_code(at, code);
}

/// Fills the storage with bytes 0xFF or, if `finite`, with 1 to 119. Bytes that complete a row's last word or tile become 0.
void GemmScale::clear(HostTensor& tensor, bool finite) const {
  tensor.bytes.assign(tensor.spec.bytes(), std::byte{0xff});
  for (size_t i = 0; i < tensor.bytes.size() && finite; ++i) tensor.bytes[i] = std::byte(1 + i * 29 % 119);
  for (int64_t row = 0; row < grid_.rows && are_bytes(); ++row)
    for (int64_t block = grid_.columns; block < placed_->cols(); ++block) set_code(tensor, row, block, 0);
}

HostTensor GemmScale::filled(const char* role, const FillRequest& request, bool finite) const {
  if (!are_bytes() && (experts_ == 0 || !placed_)) return assay::filled(spec(role), request);
  const HostTensor codes = assay::filled(role, format(), {grid_.rows, grid_.columns}, request);
  HostTensor tensor{spec(role), {}};
  clear(tensor, finite);
  for (int64_t i = 0; i < grid_.count(); ++i) set_code(tensor, i / grid_.columns, i % grid_.columns, codes.code(i));
  return tensor;
}

HostTensor GemmScale::with_other_padding(const HostTensor& tensor, bool finite) const {
  HostTensor made{tensor.spec, {}};
  clear(made, finite);
  for (int64_t i = 0; i < grid_.count(); ++i) {
    const int64_t row = i / grid_.columns, block = i % grid_.columns;
    if (has(row, block)) set_code(made, row, block, code(tensor, row, block));
  }
  return made;
}

ScaleValues GemmScale::values(const HostTensor& tensor) const {
  ScaleValues scales{grid_, std::vector<double>(size_t(grid_.count()))};
  for (int64_t i = 0; i < grid_.count(); ++i)
    scales.values[size_t(i)] = decode(format(), code(tensor, i / grid_.columns, i % grid_.columns));
  return scales;
}

void GemmScale::set(HostTensor& tensor, int64_t row, int64_t block, double value) const {
  set_code(tensor, row, block, code_of(format(), value));
}

HostTensor GemmScale::of_rows(const HostTensor& tensor, const std::vector<int64_t>& rows) const {
  LevelGrid fewer = grid_;
  fewer.rows = int64_t(rows.size());
  const GemmScale some(fewer, layout());  // this function is only called for GEMMs without experts
  HostTensor made{some.spec(tensor.spec.name), {}};
  some.clear(made);
  for (int64_t row = 0; row < fewer.rows; ++row)
    for (int64_t block = 0; block < fewer.columns; ++block) some.set_code(made, row, block, code(tensor, rows[size_t(row)], block));
  return made;
}

// The case (GemmCase) and the tensors of a call.

std::vector<int64_t> GemmCase::first_products(int64_t each) const {
  std::vector<int64_t> first = {0};
  for (const int64_t count : products) first.push_back(first.back() + count / each);
  return first;
}

std::vector<GemmRun> GemmCase::runs(int64_t first, int64_t end) const {
  if (!groups.any()) return {{first, end - first, first, 0}};
  std::vector<GemmRun> all;
  for (int64_t row = first; row < end; ++row) {
    const GemmRun one{row, 1, groups.stored_row(row), expert_of(row) * n};
    if (!all.empty() && all.back().b == one.b && all.back().stored + all.back().count == one.stored)
      ++all.back().count;
    else
      all.push_back(one);
  }
  return all;
}

GemmCase GemmCase::resized(int64_t rows, int64_t columns) const {
  GemmCase other = *this;
  if (groups.any()) {
    std::vector<int64_t> sizes = groups.sizes();
    for (int64_t& size : sizes) size = std::min(size, std::max<int64_t>(1, size * rows / m));
    other.groups = groups.with_sizes(std::move(sizes));
    rows = other.groups.rows();
  }
  other.m = rows, other.n = columns;
  bind_scales(other);
  return other;
}

GemmCase read_gemm_case(const Case& c) {
  const Cells cells(c);
  GemmCase p;
  p.contract = contract_of(cells);
  if (p.contract.experts.has_value() != cells.has("tokens"))  // only ops for grouped GEMMs have this column
    cells.refuse("contract", fmt::format("'{}' is {}", cells.text("contract"),
                                         p.contract.experts ? "a grouped GEMM, which this op does not take"
                                                            : "not a grouped GEMM; this op takes only grouped GEMMs"));
  if (p.contract.sorted_ids != cells.has("block_m"))  // only ops for sorted ids have this column
    cells.refuse("contract", fmt::format("'{}' {}", p.id(),
                                         p.contract.sorted_ids ? "uses sorted_token_ids, which this op does not take"
                                                               : "does not use sorted_token_ids; this op takes only contracts that do"));
  if (p.contract.sorted_ids)
    read_slots(cells, p);
  else if (p.contract.experts)
    p.groups = groups_of(cells, p.contract), p.nan_padding = padding_is_nan(cells);
  if (p.nan_padding && p.along_k()) cells.refuse("padding", "expected filled: a GEMM grouped along k has no unused rows");
  p.m = p.contract.experts ? p.groups.rows() : cells.from_zero("m");
  p.n = cells.positive("n");
  p.k = cells.positive("k");
  if (p.along_k()) {
    p.products = cells.counts("tokens");
    if (p.k != *std::max_element(p.products.begin(), p.products.end()))
      cells.refuse("k", "expected the largest number in column tokens, which lists the k of each expert");
    for (const int64_t k : p.products)
      if (k % p.contract.scale_block() != 0)
        cells.refuse("tokens", fmt::format("expected multiples of {}, the number of elements along k that share a scale, got {}", p.contract.scale_block(), k));
  }
  p.fill = cells.fill_name("fill");
  p.b = cells.fill_name("b");
  p.scales = scales_of(cells, p.contract);
  p.scale = cells.fill_name("scale");
  if (p.contract.of_blocks()) {
    const Layout& layout_a = *layout_of(cells, "layout_a", p.contract.layouts);
    const std::vector<std::string> same = {layout_a.id};
    std::vector<std::string> plain = {"row", "col", "tma"};
    if (p.contract.experts) plain.pop_back();  // not tma: kernels need dense scales of b to find an expert's scales
    p.scales.a.block().layout = &layout_a;
    const bool alike = layout_a.element->bytes() == 1 || p.along_k() || (p.contract.experts == GroupOrder::kContiguous && layout_a.id != "tma");
    p.scales.b.block().layout = layout_of(cells, "layout_b", alike ? same : plain);
    if (p.contract.scales_in_unit() && !(*layout_a.element == *p.contract.unit.scale))
      cells.refuse("layout_a", fmt::format("expected a layout of {} scales, which the instruction reads, got {}",
                                           p.contract.unit.scale->name, layout_a.id));
  } else if (p.contract.experts) {  // grouped ops have these columns for their contracts with block scales
    for (const char* column : {"layout_a", "layout_b"})
      if (cells.given(column)) cells.refuse(column, p.id() + " has no block scales");
  }
  bind_scales(p);
  if (cells.has("gap") && cells.given("gap")) {
    p.gap = cells.positive("gap");
    if (p.packs_codes() || p.contract.shuffle.any() || p.contract.unknown())
      cells.refuse("gap", "expected an empty cell: " + p.id() + " has 4-bit codes, a shuffled b or an undocumented accumulation");
    if (p.groups.any() && p.contract.experts != GroupOrder::kByIndex && p.contract.experts != GroupOrder::kPsum)
      cells.refuse("gap", fmt::format("expected an empty cell: a gap needs a contract with experts 'by index' or 'psum', but {1} has experts '{0}'",
                                      name(*p.contract.experts), p.id()));
  }
  if (cells.given("absent") && !p.contract.sorted_ids) {
    if (cells.text("absent") != "finite") cells.refuse("absent", "expected finite or an empty cell, got '" + cells.text("absent") + "'");
    if (!p.scale_a.are_bytes()) cells.refuse("absent", "expected an empty cell: " + p.id() + " has no one-byte scales, in tiles or packed into words");
    p.absent_finite = p.names_absent = true;
  } else if (p.scale_a.are_bytes() && !cells.of_given_data()) {
    const int64_t letters = std::accumulate(p.id().begin(), p.id().end(), int64_t{0});
    p.absent_finite = Random(cells.seed(), kAbsent).coin(p.m + 101 * p.n + 10007 * p.k + (letters << 32));
  }
  p.y = &result_of(cells, p.contract);
  if (p.contract.adds_c()) p.c = cells.fill_name("c");
  p.has_bias = cells.has("bias") ? !cells.text("bias").empty() : cells.of_given_data() && !p.contract.bias.empty();
  if (p.has_bias) {
    p.bias = cells.fill_name("bias");
    if (p.contract.bias.empty()) cells.refuse("bias", p.id() + " takes no bias");
    if (*p.y == kF32 && !p.contract.sorted_ids) cells.refuse("bias", "expected an empty cell: a bias is only supported for results of 16 bits");
  }
  if (p.has_zero_points()) p.azp = cells.fill_name("azp");
  else if (cells.given("azp")) cells.refuse("azp", p.id() + " takes no zero points");
  p.seed = cells.seed();
  p.warp = cells.warp();
  if (p.packs_codes() && p.k % 2 != 0) cells.refuse("k", "expected an even number: two codes share a byte");
  require_whole_experts(cells, p);
  require_room(cells, p);
  require_tiles(cells, p);
  require_power(cells, c, p);
  return p;
}

Problem gemm_problem(const GemmCase& c) {
  const Unit& unit = c.contract.unit;
  const auto of = [&](const std::string& fill, Stream stream) {
    return FillRequest{.name = fill, .seed = c.seed, .group_size = 0, .q = unit.d, .tensor = stream};
  };
  const int64_t all_products = c.along_k() ? c.first_products().back() : c.k;
  const auto shape_of_a = c.along_k() ? std::vector<int64_t>{c.groups.capacity() * all_products} : std::vector<int64_t>{c.rows_of_a(), c.k};
  const auto shape_of_b = c.along_k() ? std::vector<int64_t>{c.n * all_products} : c.groups.any() ? std::vector<int64_t>{c.groups.count(), c.n, c.k} : std::vector<int64_t>{c.n, c.k};
  Problem made;
  std::vector<HostTensor>& tensors = made.tensors;
  tensors = {filled("a", c.contract.codes_of_a(), shape_of_a, of(c.fill, kA)), filled("b", c.contract.codes_of_b(), shape_of_b, of(c.b, kB)),
             c.scale_a.filled("scale_a", of(c.scale, kScaleA), c.absent_finite), c.scale_b.filled("scale_b", of(c.scale, kScaleB), c.absent_finite)};
  if (c.scales.a.outer()) tensors.push_back(filled("global_scale_a", kF32, {c.outer_of_a().count()}, of(c.scale, kGlobalScaleA)));
  if (c.scales.b.outer()) tensors.push_back(filled("global_scale_b", kF32, {c.outer_of_b().count()}, of(c.scale, kGlobalScaleB)));
  if (c.groups.any())
    for (HostTensor& tensor : tensors_of_groups(c)) tensors.push_back(std::move(tensor));
  if (c.has_bias) tensors.push_back(c.contract.sorted_ids ? filled("bias", kF32, {c.groups.count(), c.n}, of(c.bias, kBias)) : filled("bias", *c.y, {c.n}, of(c.bias, kBias)));
  if (!c.weights.empty()) tensors.push_back(filled("topk_weights", kF32, {c.rows_of_a(), c.topk}, of(c.weights, kWeights)));
  if (c.contract.adds_c()) tensors.push_back(filled("c", *c.y, {c.m, c.n}, of(c.c, kC)));
  if (c.has_zero_points())
    add_zero_points(c, filled("azp", c.azp == kFarZeroPoints ? kInt32 : c.contract.codes_of_a(), {c.contract.azp == GemmAzp::kTokens ? c.m : 1},
                                    of(c.azp, c.has_bias ? kZeroPointBesideBias : kZeroPointAlone)), made);
  if (c.contract.shuffle.any()) tensors[1].bytes = shuffled(c.contract.shuffle, tensors[1].bytes.data(), c.rows_of_b(), c.k);
  if (c.nan_padding) spoil_unused_rows(c, made);
  tensors.push_back({dense("d", Role::kOutput, *c.y, {c.stored_rows(), c.n}), {}});
  for (HostTensor& tensor : tensors)
    if (const std::string& role = tensor.spec.name; c.gap > 0 && (role == "a" || role == "d" || (role == "b" && !c.groups.any())))
      pull_apart(tensor, c.gap);
  made.parameters = {{"warp", double(c.warp)}};
  if (c.contract.sorted_ids) made.parameters.insert(made.parameters.end(), {{"top_k", double(c.topk)}, {"block_m", double(c.block_m)}});
  return made;
}

void pull_apart(HostTensor& tensor, int64_t more) {
  const HostTensor before = tensor;
  const int64_t rows = before.spec.shape[0], columns = before.spec.shape[1], pitch = columns + more;
  tensor.spec.strides = {pitch, 1};
  tensor.spec.storage = std::max<int64_t>(0, (rows - 1) * pitch + columns);
  if (before.bytes.empty()) return;
  tensor.bytes.assign(tensor.spec.bytes(), std::byte{0xff});
  byte_rows(tensor) = byte_rows(before);
}

DotInputs gemm_inputs(const GemmCase& c, const Problem& problem) {
  const auto tensor = [&](const char* role) -> const HostTensor& { return find(problem.tensors, role); };
  DotInputs inputs;
  const auto factor = [&](const HostTensor& of) { return UnitFactor{of.bytes.data(), c.gap > 0 ? of.spec.strides.rbegin()[1] : c.k}; };
  inputs.product = {factor(tensor("a")), factor(tensor("b")), c.k};
  inputs.m = c.stored_rows();
  inputs.n = c.rows_of_b();
  inputs.shuffle = c.contract.shuffle;
  if (inputs.shuffle.any()) {
    inputs.own_b = std::make_shared<const std::vector<std::byte>>(unshuffled(inputs.shuffle, inputs.product.b.codes, c.rows_of_b(), c.k));
    inputs.product.b.codes = inputs.own_b->data();
  }
  if (c.packs_codes()) {
    inputs.packed = true;
    inputs.own_a = unpacked(tensor("a")), inputs.own_b = unpacked(tensor("b"));
    inputs.product.a.codes = inputs.own_a->data(), inputs.product.b.codes = inputs.own_b->data();
  }
  if (c.along_k()) {
    inputs.own_a = rows_of_experts(c, tensor("a"), c.groups.capacity()), inputs.own_b = rows_of_experts(c, tensor("b"), c.n);
    inputs.product.a.codes = inputs.own_a->data(), inputs.product.b.codes = inputs.own_b->data();
  }
  if (c.topk > 1) {  // a slot reads the row of its token: copy it for each slot
    auto codes = std::make_shared<std::vector<std::byte>>();
    for (int64_t slot = 0; slot < inputs.m; ++slot) {
      const std::byte* const row = inputs.product.a.codes + slot / c.topk * c.k;
      codes->insert(codes->end(), row, row + c.k);
    }
    inputs.product.a.codes = codes->data();
    inputs.own_a = std::move(codes);
  }
  if (!c.weights.empty()) inputs.weights = values_of(tensor("topk_weights"));
  inputs.scale_a = c.scale_a.values(tensor("scale_a"));
  inputs.scale_b = c.scale_b.values(tensor("scale_b"));
  inputs.scales_are_powers = c.scales_are_powers();
  if (c.scales.a.outer()) inputs.outer_a = {c.outer_of_a(), values_of(tensor("global_scale_a"))};
  if (c.scales.b.outer()) inputs.outer_b = {c.outer_of_b(), values_of(tensor("global_scale_b"))};
  if (c.has_bias) inputs.bias = values_of(tensor("bias"));
  if (c.contract.adds_c()) inputs.c = c.along_k() ? addends_of_experts(c, values_of(tensor("c"))) : values_of(tensor("c"));
  if (c.has_zero_points()) inputs.azp_adj = values_of(tensor("azp_adj"));
  if (c.contract.azp == GemmAzp::kTokens) inputs.azp = values_of(tensor("azp"));
  return inputs;
}

Problem gemm_with_rows(const GemmCase& c, const Problem& problem, const std::vector<int64_t>& rows) {
  Problem made{{}, problem.parameters};
  for (const HostTensor& tensor : problem.tensors) {
    const std::string& role = tensor.spec.name;
    if (role == "scale_a" && c.scale_a.grid().row_block > 0)
      made.tensors.push_back(c.scale_a.of_rows(tensor, rows));
    else
      made.tensors.push_back(role == "a" || role == "c" || role == "azp" || role == "d" || (role == "global_scale_a" && c.has_outer_of_rows_of_a())
                                 ? chosen(tensor, rows)
                                 : tensor);
  }
  return made;
}

// Exact sums (ExactGemm).

namespace {

/// Whether values are divided by the outer scale of the tensor, not multiplied.
bool inverts(const std::vector<CellStep>& mult) { return !mult.empty() && mult.front().word == "div"; }

}  // namespace

ExactGemm::ExactGemm(const GemmCase& c, const DotInputs& inputs)
    : inputs_(inputs),
      inverts_a_(inverts(c.contract.decoded.mult_a)),
      inverts_b_(inverts(c.contract.decoded.mult_b)),
      factors_{operand(inputs.product.a, c.contract.codes_of_a(), inputs.m, c.k, inputs.scale_a, scales_a_),
               operand(inputs.product.b, c.contract.codes_of_b(), inputs.n, c.k, inputs.scale_b, scales_b_), c.k} {}

double ExactGemm::outer_scale(int64_t row, int64_t column) const {
  const auto of = [](const ScaleValues& outer, int64_t at, bool inverts) {
    if (outer.values.empty()) return 1.0;
    return inverts ? 1 / outer.at(at, 0) : outer.at(at, 0);
  };
  return of(inputs_.outer_a, row, inverts_a_) * of(inputs_.outer_b, column, inverts_b_) * (inputs_.weights.empty() ? 1 : inputs_.weights[size_t(row)]);
}

double ExactGemm::beside_product(int64_t row, int64_t column) const {
  const DotInputs& in = inputs_;
  const double weight = in.weights.empty() ? 1 : in.weights[size_t(row)];
  const double zeros = in.azp_adj.empty() ? 0 : (in.azp.empty() ? 1 : in.azp[size_t(row)]) * in.azp_adj[size_t(column)];
  return -zeros * in.scale_a.at(row, 0) * in.scale_b.at(column, 0) + weight * (in.bias.empty() ? 0 : in.bias[size_t(column)]) +
         (in.c.empty() ? 0 : in.c[size_t(row * in.n + column)]);
}

}  // namespace assay
