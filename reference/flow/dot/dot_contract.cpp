// Reads and checks the rows of the GEMM tables.
#include "reference/flow/dot/dot_contract.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <stdexcept>

#include "reference/contracts/contract_rows.h"
#include "reference/exact/expression.h"
#include "reference/flow/dot/dot_mutants.h"
#include "reference/flow/dot/dot_predict.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/recipe/recipe.h"
#include "reference/units/unit_recordings.h"
#include "reference/units/unit_table.h"

namespace assay {

std::vector<std::byte> ScaleValues::codes(const Format& format, int64_t rows, int64_t k, int64_t block) const {
  std::vector<std::byte> all;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t first = 0; first < k; first += block) all.push_back(std::byte(code_of(format, at(row, first))));
  return all;
}

GemmScales gemm_scales_named(const std::string& name) {
  constexpr const char* kShort[][3] = {
      {"tensor", "tensor", "tensor"}, {"token", "row", "tensor"}, {"channel", "tensor", "row"}, {"token_channel", "row", "row"}};
  GemmScales scales{name, {}, {}};
  for (const auto& [known, a, b] : kShort)
    if (name == known) scales.a = parse_scale_spec(a), scales.b = parse_scale_spec(b);
  if (!scales.a.any()) {
    const size_t bar = name.find('_');
    if (bar == std::string::npos)
      throw ParseError(0, "'" + name + "': expected tensor, token, channel, token_channel, or A_B such as 1x128_128x128");
    scales.a = parse_scale_spec(name.substr(0, bar));
    scales.b = parse_scale_spec(name.substr(bar + 1));
  }
  if (scales.a.block().columns != scales.b.block().columns)
    throw ParseError(0, "'" + name + "': expected equal block sizes along k for a and b");
  for (ScaleSpec* spec : {&scales.a, &scales.b})
    for (ScaleLevel& level : spec->levels) level.given = true;
  return scales;
}

int64_t WeightShuffle::place(int64_t row, int64_t product, int64_t k, int bytes) const {
  const int64_t tile_k = 2 * products, run = 16 / bytes;
  const int64_t tile = row / rows * (rows * k) + product / tile_k * (rows * tile_k);
  return tile + product % tile_k / run * (rows * run) + row % rows * run + product % run;
}

WeightShuffle read_weight_tile(const RowCells& cells, const std::string& column) {
  const std::vector<CellStep> words = cells.steps(column);
  const std::vector<std::string> tile =
      words.size() == 1 && words[0].word == "shuffle" ? words[0].argument_texts() : std::vector<std::string>();
  if (tile != std::vector<std::string>{"16", "16"} && tile != std::vector<std::string>{"32", "16"})
    throw cells.error(column, 0, "must be shuffle(16,16) or shuffle(32,16)");
  return {std::stoi(tile[0]), std::stoi(tile[1])};
}

std::vector<std::byte> shuffled(const WeightShuffle& shuffle, const std::byte* codes, int64_t n, int64_t k) {
  std::vector<std::byte> memory(static_cast<size_t>(n * k));
  for (int64_t row = 0; row < n; ++row)
    for (int64_t i = 0; i < k; ++i) memory[size_t(shuffle.place(row, i, k, 1))] = codes[row * k + i];
  return memory;
}

std::vector<std::byte> unshuffled(const WeightShuffle& shuffle, const std::byte* memory, int64_t n, int64_t k) {
  std::vector<std::byte> codes(static_cast<size_t>(n * k));
  for (int64_t row = 0; row < n; ++row)
    for (int64_t i = 0; i < k; ++i) codes[size_t(row * k + i)] = memory[shuffle.place(row, i, k, 1)];
  return codes;
}

namespace {

int64_t whole(const RowCells& cells, const std::string& column, const CellStep& word, size_t i) {
  const std::string text = word.argument(i);
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || value < 1)
    throw cells.error(column, word.position, "'" + word.text + "': expected arguments that are integers >= 1");
  return value;
}

}  // namespace

int64_t KOrder::product_at(int64_t place) const {
  if (!any()) return place;
  const int64_t in_part = part == 0 ? place : place % places_of_part();
  const int64_t at = in_part % period(), group = at / run, step = group / lanes, lane = group % lanes;
  const int64_t product = in_part - at + lane * apart + step * run + at % run;
  if (part == 0) return product;
  return product < part ? place / places_of_part() * part + product : kZero;
}

std::string KOrder::text() const {
  if (!any()) return "ascending";
  return "lanes(" + std::to_string(lanes) + "," + std::to_string(run) + "," + std::to_string(apart) + ")";
}

std::vector<KOrder> read_k_orders(const RowCells& cells, const std::string& column) {
  std::vector<KOrder> orders;
  if (cells.text(column).empty()) return orders;
  for (const std::string& text : cells.alternatives(column)) {
    const std::vector<CellStep> words = read_cell(text);
    if (words.size() != 1 || words[0].word != "lanes" || words[0].arguments.size() != 3)
      throw cells.error(column, 0, "expected lanes(GROUPS,RUN,APART), got '" + text + "'");
    const KOrder order{whole(cells, column, words[0], 0), whole(cells, column, words[0], 1), whole(cells, column, words[0], 2)};
    if (order.apart % order.run != 0) throw cells.error(column, 0, "'" + text + "': APART must be a multiple of RUN");
    orders.push_back(order);
  }
  return orders;
}

std::vector<std::byte> in_order(const KOrder& order, const UnitFactor& factor, int64_t rows, int64_t k) {
  const int64_t pitch = order.places(k);
  std::vector<std::byte> codes(static_cast<size_t>(rows * pitch));
  std::vector<int64_t> products(static_cast<size_t>(pitch));
  for (int64_t place = 0; place < pitch; ++place) products[size_t(place)] = order.product_at(place);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t place = 0; place < pitch; ++place)
      if (products[size_t(place)] < k) codes[size_t(row * pitch + place)] = factor.codes[row * factor.pitch + products[size_t(place)]];
  return codes;
}

Names names_of_mult() {
  Names names;
  names.quantities = {"g"};
  return names;
}

Names names_of_decode() {
  Names names;
  names.quantities = {"m"};
  return names;
}

Names names_of_join() {
  Names names;
  names.quantities = {"sa", "sb", "acc"};
  return names;
}

Names names_of_result(const Format& y) {
  Names names;
  names.formats["y"] = &y;
  names.quantities = {"sa", "sb", "ga", "gb", "gy", "bias", "c", "w"};
  return names;
}

bool DotContract::takes(const GemmScales& which) const { return std::find(scales.begin(), scales.end(), which) != scales.end(); }

bool DotContract::makes(const Format& y) const {
  return std::any_of(out.begin(), out.end(), [&](const Format* format) { return *format == y; });
}

bool DotContract::adds_c() const { return reads(dot_recipe(*this, kF32, false, true), "c"); }
bool DotContract::takes_weights() const { return reads(dot_recipe(*this, kF32, false, true), "w"); }

namespace {

/// Steps of a build that flushes subnormals. Each result is flushed, unless the next step is an addition with which the compiler
/// may fuse this step.
std::vector<CellStep> flushed(const std::vector<CellStep>& steps) {
  std::vector<CellStep> all;
  for (size_t i = 0; i < steps.size(); ++i) {
    all.push_back(steps[i]);
    const bool is_arithmetic = steps[i].word != "to" && steps[i].word != "ftz";
    const bool may_be_fused = i + 1 < steps.size() && steps[i + 1].text.ends_with("~fma");
    if (is_arithmetic && !may_be_fused) all.push_back(CellStep::made("ftz"));
  }
  return all;
}

/// Replaces the last `mul(X)` by `fma(X,0)`, which adds +0 to the product.
std::vector<CellStep> with_zero_added(std::vector<CellStep> steps) {
  const auto last = std::find_if(steps.rbegin(), steps.rend(), [](const CellStep& step) { return step.word == "mul"; });
  if (last != steps.rend()) *last = CellStep::made("fma", {last->argument(0), "0"});
  return steps;
}

/// Length of a split-K part; only the last part may be shorter.
int64_t part_length(const DotContract& contract, int64_t k, int parts) {
  const int64_t unit = std::max<int64_t>(1, contract.part_of), blocks = (k + unit - 1) / unit;
  return parts == 1 ? std::max<int64_t>(1, k) : (blocks + parts - 1) / parts * unit;
}

/// The algorithm variants for one order of k.
std::vector<DotProgram> programs_of(const DotContract& contract, const KOrder& order, int64_t k) {
  std::vector<DotProgram> programs;
  for (int parts = contract.least_parts; parts <= contract.most_parts; parts += contract.has_atomics() ? parts : 1) {
    const int64_t part = part_length(contract, k, parts);
    if (!programs.empty() && programs.back().part <= part) continue;  // no shorter than the parts before: no new variant
    if (!programs.empty() && part >= k) continue;
    const bool promotes = contract.of_blocks() || contract.promote < part;
    KOrder of_parts = order;
    if (part < k && part % order.period() != 0) of_parts.part = part;
    programs.push_back({promotes ? contract.promote : 0, part, of_parts,
                        "split-K " + std::to_string(parts) + (contract.has_atomics() ? ", added in any order" : "")});
  }
  if (programs.size() == 1 && programs.front().part >= k) programs.front().name.clear();
  if (!contract.may_scale_alone(k)) return programs;
  const std::vector<DotProgram> joined = programs;
  for (DotProgram& program : programs) program.alone = true, program.name += "one block of scales";
  for (const DotProgram& program : joined) programs.push_back(program), programs.back().name += "as many blocks of scales";
  return programs;
}

}  // namespace

Recipe dot_recipe(const DotContract& contract, const Format& y, bool with_bias, bool whole) {
  std::vector<CellStep> steps = contract.adds_zero && whole ? with_zero_added(contract.y) : contract.y;
  if (with_bias) steps.insert(steps.end() - 1, contract.bias.begin(), contract.bias.end());
  steps.insert(steps.end() - 1, contract.router.begin(), contract.router.end());
  return resolve(contract.flushes ? flushed(steps) : steps, names_of_result(y));
}

Recipe join_recipe(const DotContract& contract, bool alone) {
  const std::vector<CellStep>& steps = alone ? contract.one_block : contract.join;
  return resolve(contract.flushes ? flushed(steps) : steps, names_of_join());
}

std::optional<std::string> program_of_parts(const DotContract& contract, int64_t k, int parts) {
  if (parts < contract.least_parts || parts > contract.most_parts) return std::nullopt;
  const int64_t part = part_length(contract, k, parts);
  for (const DotProgram& program : dot_programs(contract, k))
    if (program.part == part || (program.part >= k && part >= k)) return program.name;
  return std::nullopt;
}

std::vector<DotProgram> dot_programs(const DotContract& contract, int64_t k) {
  if (contract.orders.empty()) return programs_of(contract, KOrder(), k);
  std::vector<DotProgram> all;
  for (const KOrder& order : contract.orders)
    for (DotProgram& program : programs_of(contract, order, k)) {
      if (contract.orders.size() > 1) program.name = order.text() + (program.name.empty() ? "" : ", " + program.name);
      all.push_back(std::move(program));
    }
  return all;
}

namespace {

/// The only argument of a word, such as the 128 of "every(128)". Throws TableError unless it is one integer >= 1.
int64_t number_of(const RowCells& cells, const std::string& column, const CellStep& word) {
  const std::string text = word.argument(0);
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (word.arguments.size() != 1 || failure != std::errc() || end != text.data() + text.size() || value < 1)
    throw cells.error(column, word.position, "'" + word.text + "': expected one argument, an integer >= 1");
  return value;
}

void read_promote(const RowCells& cells, DotContract& contract) {
  const std::vector<CellStep> words = cells.steps("promote");
  if (words.size() == 1 && words[0].text == "none") return;
  if (words.size() != 1 || words[0].word != "every") throw cells.error("promote", 0, "expected none or every(PRODUCTS)");
  contract.promote = number_of(cells, "promote", words[0]);
}

void read_split(const RowCells& cells, DotContract& contract) {
  const std::vector<CellStep> words = cells.steps("split");
  if (words.size() == 1 && words[0].text == "none") return;
  const bool two = words.size() == 2 && words[1].word == "of", atomics = two && words[0].word == "atomics";
  if (!two || (words[0].word != "parts" && !atomics))
    throw cells.error("split", 0, "expected none, parts(AT_MOST) of(PRODUCTS), or atomics(AT_MOST) of(PRODUCTS)");
  contract.most_parts = int(number_of(cells, "split", words[0]));
  if (atomics && (contract.most_parts < 2 || contract.most_parts > kMostAtomicParts))
    throw cells.error("split", words[0].position, "atomics needs 2 to " + std::to_string(kMostAtomicParts) + " parts");
  if (atomics) contract.part_sums = PartSums::kAtomics, contract.least_parts = 2;
  contract.part_of = number_of(cells, "split", words[1]);
}

/// Reads `k_order`. The period of each order must divide the promotion interval.
void read_orders(const RowCells& cells, DotContract& contract) {
  contract.orders = read_k_orders(cells, "k_order");
  for (const KOrder& order : contract.orders)
    if (contract.promote % order.period() != 0)
      throw cells.error("k_order", 0,
                        order.text() + " repeats every " + std::to_string(order.period()) +
                            " elements along k; this must divide the promotion interval " + std::to_string(contract.promote));
}

void read_layouts(const RowCells& cells, DotContract& contract) {
  if (cells.text("layouts").empty() == contract.of_blocks())
    throw cells.error("layouts", 0, "is required if a has block scales, and must be empty otherwise");
  if (contract.of_blocks()) contract.layouts = cells.alternatives("layouts");
}

/// Checks that scales are applied once: block scales to each promoted sum, all other scales to the result.
void check_scales(const RowCells& cells, const DotContract& contract, const Recipe& join, const Recipe& y) {
  const bool blocks = contract.of_blocks(), decoded = contract.decoded.any(), in_unit = blocks && join.empty();
  for (const GemmScales& scales : contract.scales)
    if (scales.has_blocks() != blocks || (blocks && scales.products() != contract.scale_block()))
      throw cells.error("scales", 0, "expected the same block size along k in all alternatives, or blocks in none");
  const auto check_outer = [&](const char* scale, ScaleSpec GemmScales::*of) {
    for (const GemmScales& scales : contract.scales)
      if ((reads(y, scale) || reads(y, "gy")) != ((scales.*of).outer() != nullptr && !decoded))
        throw cells.error(
            "y", 0,
            (scales.*of).outer() && !decoded
                ? std::string("must read ") + scale + ", the tensor scale of '" + scales.name + "'"
                : std::string("must not read ") + scale +
                      (decoded ? ": the decoder applies tensor scales" : ": '" + scales.name + "' has no tensor scale"));
  };
  check_outer("ga", &GemmScales::a);
  check_outer("gb", &GemmScales::b);
  for (const char* scale : {"sa", "sb"}) {
    if (!in_unit && reads(join, scale) != blocks)
      throw cells.error("join", 0,
                        std::string(blocks ? "must read " : "must not read ") + scale +
                            (blocks ? "" : ", which is applied to the result (column y)"));
    if (blocks && reads(y, scale))
      throw cells.error("y", 0,
                        std::string("must not read ") + scale +
                            ": block scales are applied to promoted sums (column join) or by the instruction");
  }
  const std::string of_block = " of the " + std::to_string(contract.scale_block()) + " products of a scale block";
  if (blocks && !in_unit && (contract.promote == 0 || contract.scale_block() % contract.promote != 0))
    throw cells.error("promote", 0, "must be a divisor" + of_block);
  if (blocks && contract.part_of % contract.scale_block() != 0)
    throw cells.error("split", 0, "parts must be multiples" + of_block);
}

void check_steps(const RowCells& cells, const DotContract& contract) {
  const Recipe join = cells.recipe("join", names_of_join()), y = cells.recipe("y", names_of_result(kF32)),
               bias = cells.recipe("bias", names_of_result(kF32));
  cells.forbid_reduction("join", join);
  cells.forbid_reduction("y", y);
  cells.forbid_reduction("bias", bias);
  if (!cells.text("router").empty()) {
    const Recipe router = cells.recipe("router", names_of_result(kF32));
    cells.forbid_reduction("router", router);
    if (!reads(router, "w")) throw cells.error("router", 0, "must read w, the router weight of a row");
  }
  if (y.steps.empty() || (y.steps.back().text != "to(y)" && y.steps.back().text != "to(y,rz)"))
    throw cells.error("y", 0, "must end with to(y) or to(y,rz)");
  if (contract.promote > 0 ? !reads(join, "acc") : !join.empty())
    throw cells.error(
        "join", 0,
        contract.promote > 0 ? "must read acc, to which it adds a promoted sum" : "must be empty, because promote is none");
  check_scales(cells, contract, join, y);
}

/// Reads the cells of a software decoder. Requires that mult_a and mult_b read the tensor's scale and that decode reads m.
DecodedOperands read_decoded(const RowCells& cells, const DotContract& contract) {
  constexpr const char* kOthers[] = {"mult_a", "mult_b", "decode"};
  DecodedOperands decoded;
  if (cells.text("codes").empty()) {
    for (const char* column : kOthers)
      if (!cells.text(column).empty()) throw cells.error(column, 0, "is only allowed if codes is not empty");
    return decoded;
  }
  decoded.codes = find_format(cells.text("codes"));
  if (decoded.codes == nullptr || decoded.codes->bits > 8)
    throw cells.error("codes", 0, "'" + cells.text("codes") + "' is not a format of at most 8 bits");
  if (!contract.of_blocks()) throw cells.error("scales", 0, "must be block scales, because operands are decoded (column codes)");
  if (contract.promote > 0) throw cells.error("promote", 0, "must be none if operands are decoded (column codes)");
  if (!contract.orders.empty()) throw cells.error("k_order", 0, "must be empty if operands are decoded (column codes)");
  const auto check = [&](const char* column, const Names& names, const char* scale, bool needed) {
    const Recipe steps = cells.recipe(column, names);
    cells.forbid_reduction(column, steps);
    for (const Step& step : steps.steps)
      if (step.is_free()) throw cells.error(column, 0, "'" + step.text + "': expected a step that allows only one result");
    if (reads(steps, scale) != needed)
      throw cells.error(column, 0,
                        std::string(needed ? "must read " : "must not read ") + scale +
                            (!needed           ? ": the tensor has no scale"
                             : scale[0] == 'm' ? ", the scale of a block"
                                               : ", the scale of the tensor"));
    return cells.steps(column);
  };
  const GemmScales& scales = contract.scales.front();
  decoded.mult_a = check("mult_a", names_of_mult(), "g", scales.a.outer() != nullptr);
  decoded.mult_b = check("mult_b", names_of_mult(), "g", scales.b.outer() != nullptr);
  decoded.decode = check("decode", names_of_decode(), "m", true);
  return decoded;
}

/// Parses the cell `unsplit`.
bool read_unsplit(const RowCells& cells, const DotContract& contract) {
  const std::string text = cells.text("unsplit");
  if (text.empty()) return false;
  if (text != "fma(0)") throw cells.error("unsplit", 0, "expected fma(0) or an empty cell, got '" + text + "'");
  const auto multiplies = [](const CellStep& step) { return step.word == "mul" && step.arguments.size() == 1; };
  if (std::none_of(contract.y.begin(), contract.y.end(), multiplies))
    throw cells.error("unsplit", 0, "fma(0) replaces the last mul of y, but y has none");
  return true;
}

/// Parses the cell `one_block`: steps for a single block of scales, which read both scales and no acc.
std::vector<CellStep> read_one_block(const RowCells& cells, const DotContract& contract) {
  if (cells.text("one_block").empty()) return {};
  const Recipe steps = cells.recipe("one_block", names_of_join());
  cells.forbid_reduction("one_block", steps);
  if (!contract.of_blocks() || contract.promote != contract.scale_block())
    throw cells.error("one_block", 0, "is only allowed with block scales that are applied to each promoted sum");
  if (!reads(steps, "sa") || !reads(steps, "sb") || reads(steps, "acc"))
    throw cells.error("one_block", 0, "must read sa and sb, but not acc: one block has no earlier sum");
  return cells.steps("one_block");
}

constexpr const char* kSortedIds = "sorted ids";

GroupOrder read_experts(const RowCells& cells) {
  constexpr GroupOrder kOrders[] = {GroupOrder::kContiguous, GroupOrder::kMasked, GroupOrder::kOffsets,
                                    GroupOrder::kByIndex,    GroupOrder::kPsum,   GroupOrder::kAlongK};
  for (const GroupOrder order : kOrders)
    if (cells.text("experts") == name(order)) return order;
  if (cells.text("experts") == kSortedIds) return GroupOrder::kByIndex;
  throw cells.error("experts", 0, "expected 'contiguous', 'masked', 'offsets', 'by index', 'psum', 'along k' or 'sorted ids'");
}

UnusedRows read_unused_rows(const RowCells& cells) {
  constexpr UnusedRows kAll[] = {UnusedRows::kUntouched, UnusedRows::kUndefined, UnusedRows::kUndefinedInTiles,
                                 UnusedRows::kZero};
  for (const UnusedRows rows : kAll)
    if (cells.text("padding") == name(rows)) return rows;
  throw cells.error("padding", 0, "expected 'untouched', 'undefined', 'undefined in tiles' or 'zero'");
}

void read_block_m(const RowCells& cells, DotContract& contract) {
  for (const std::string& text : cells.alternatives("block_m")) {
    int64_t rows = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rows);
    if (error != std::errc() || *end != '\0' || rows < 1)
      throw cells.error("block_m", 0, "expected numbers of rows, such as 16|32");
    contract.block_m.push_back(rows);
  }
  if (contract.block_m.empty()) throw cells.error("block_m", 0, "is required if experts is 'sorted ids'");
}

/// Reads the cells of a grouped GEMM. `padding` is required if some rows of d may belong to no expert, and an error otherwise.
void read_groups(const RowCells& cells, DotContract& contract) {
  if (cells.text("experts").empty()) {
    for (const char* column : {"tile_rows", "padding", "scale_rows", "block_m", "router"})
      if (!cells.text(column).empty()) throw cells.error(column, 0, "is only allowed if experts is not empty");
    return;
  }
  contract.experts = read_experts(cells);
  contract.sorted_ids = cells.text("experts") == kSortedIds;
  for (const char* column : {"block_m", "router"})
    if (!contract.sorted_ids && !cells.text(column).empty())
      throw cells.error(column, 0, "is only allowed if experts is 'sorted ids'");
  if (contract.sorted_ids) read_block_m(cells, contract);
  const auto read_rows = [&](const char* column, int64_t& rows) {
    const std::string& text = cells.text(column);
    if (text.empty()) return;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rows);
    if (error != std::errc() || *end != '\0' || rows < 1) throw cells.error(column, 0, "expected a number of rows");
  };
  read_rows("tile_rows", contract.tile_rows);
  read_rows("scale_rows", contract.scale_rows);
  if (contract.scale_rows > 0 && contract.experts != GroupOrder::kContiguous)
    throw cells.error("scale_rows", 0, "is only allowed if experts is 'contiguous'");
  const bool has_gaps = contract.experts != GroupOrder::kContiguous && contract.experts != GroupOrder::kAlongK;
  if (cells.text("padding").empty() == has_gaps)
    throw cells.error("padding", 0, "must be empty if experts is 'contiguous' or 'along k', and is required otherwise");
  if (!cells.text("padding").empty()) contract.unused_rows = read_unused_rows(cells);
}

DotContract cells_of(const ContractRow& row) {
  const RowCells cells(row);
  DotContract contract;
  contract.row = &row;
  read_promote(cells, contract);
  read_split(cells, contract);
  read_orders(cells, contract);
  contract.flushes = !cells.text("denormals").empty() && cells.is_first_of("denormals", "flush", "keep");
  contract.scales = read_gemm_scales(cells);
  contract.out = cells.formats_of_numbers("out");
  if (!cells.text("weight").empty()) contract.shuffle = read_weight_tile(cells, "weight");
  read_layouts(cells, contract);
  contract.decoded = read_decoded(cells, contract);
  read_groups(cells, contract);
  if (!cells.text("azp").empty()) contract.azp = cells.is_first_of("azp", "adj", "azp*adj") ? GemmAzp::kTensor : GemmAzp::kTokens;
  check_steps(cells, contract);
  contract.join = cells.steps("join");
  contract.one_block = read_one_block(cells, contract);
  contract.y = cells.steps("y");
  contract.bias = cells.steps("bias");
  if (!cells.text("router").empty()) contract.router = cells.steps("router");
  contract.adds_zero = read_unsplit(cells, contract);
  return contract;
}

bool decodes_to(const DecodedOperands& decoded, const Format& format) {
  return !decoded.decode.empty() && decoded.decode.back().text == "to(" + std::string(format.name) + ")";
}

/// Checks that the instruction fits the formats, promotion, scales and split-K of the row.
void check_unit(const ContractRow& row, const DotContract& contract) {
  if (!(*contract.unit.d == kF32) && !contract.of_integers())
    throw row.error("unit", 0, "expected an instruction with f32 or int32 sums");
  if (contract.of_integers() && (contract.promote > 0 || contract.most_parts > 1))
    throw row.error("promote", 0, "integer sums allow neither promote nor split");
  if (contract.has_atomics() && (contract.adds_c() || !contract.bias.empty() || contract.of_integers()))
    throw row.error("split", 0, "atomics(P) is not allowed with a bias, with c or with integer sums");
  if (contract.azp != GemmAzp::kNone && !contract.of_integers())
    throw row.error("azp", 0, "zero points need an integer instruction");
  const Format* const scale = contract.unit.scale;
  if ((scale != nullptr) != contract.scales_in_unit())
    throw row.error("unit", 0,
                    scale ? "applies block scales itself, so no other step may apply them"
                          : "applies no scales, so column join must apply the block scales");
  if (scale && contract.scale_block() % contract.unit.scale_block != 0)
    throw row.error("unit", 0,
                    "has one scale per " + std::to_string(contract.unit.scale_block) +
                        " elements along k; this number must divide the contract's block of " +
                        std::to_string(contract.scale_block()));
  if (contract.decoded.any() && !(*contract.unit.a == *contract.unit.b && decodes_to(contract.decoded, *contract.unit.a)))
    throw row.error("decode", 0,
                    "expected to(" + std::string(contract.unit.a->name) + ") as its last step, because the instruction reads " +
                        std::string(contract.unit.a->name));
  if (contract.promote % contract.unit.k != 0)
    throw row.error("promote", 0, "must be a multiple of the instruction's k, " + std::to_string(contract.unit.k));
  // If the row defines an order of k, each split-K part is padded with zeros to whole instructions.
  if (contract.orders.empty() && contract.part_of % contract.unit.k != 0)
    throw row.error("split", 0, "parts must be multiples of the instruction's k, " + std::to_string(contract.unit.k));
  for (const KOrder& order : contract.orders)
    if (contract.part_of % order.run != 0)
      throw row.error(
          "split", 0,
          "parts must be multiples of " + std::to_string(order.run) + ", the number of elements that a lane reads at once");
}

/// For a row with an undocumented instruction: adds a member for each candidate model.
void add_candidates(const ContractRow& row, const UnitTable& units, DotContract& contract) {
  std::vector<DotContract> members;
  for (const UnitRow* candidate : units.candidates_of(*contract.unit_row)) {
    DotContract member = contract;
    member.unit_row = candidate;
    member.unit = candidate->unit;
    if (!can_be_replayed(member.unit))
      throw candidate->error("sum", 0,
                             "'" + candidate->id + "': expected one-byte operands and an aligned sum (ea+eb) in 32 bits");
    check_unit(row, member);
    members.push_back(std::move(member));
  }
  if (members.empty())
    throw row.error("unit", 0, "nothing is predicted for '" + contract.unit.id + "', and it has no candidate models");
  contract.unit = members.front().unit;
  contract.members = std::move(members);
}

}  // namespace

const char* name(UnusedRows rows) {
  switch (rows) {
    case UnusedRows::kUntouched:
      return "untouched";
    case UnusedRows::kUndefined:
      return "undefined";
    case UnusedRows::kUndefinedInTiles:
      return "undefined in tiles";
    default:
      return "zero";
  }
}

std::vector<GemmScales> read_gemm_scales(const RowCells& cells) {
  std::vector<GemmScales> scales;
  for (const std::string& name : cells.alternatives("scales")) try {
      scales.push_back(gemm_scales_named(name));
    } catch (const ParseError& error) {
      throw cells.error("scales", error.position, error.what());
    }
  return scales;
}

const Flow& dot_flow() {
  static const Flow flow{
      .name = "dot",
      .says = "unit",
      .files = {"dot.csv", "dot_block.csv", "dot_grouped.csv", "dot_grouped_packed.csv", "dot_grouped_amd.csv", "dot_moe.csv",
                "dot_packed.csv", "dot_azp.csv", "dot_amd.csv", "dot_decoded.csv"},
      .columns = {"unit", "promote", "join", "split", "scales", "y", "bias", "out"},
      .optional = {"weight", "layouts", "azp", "k_order", "denormals", "experts", "tile_rows", "padding", "scale_rows", "unsplit",
                   "one_block", "router", "block_m", "codes", "mult_a", "mult_b", "decode"},
      .check = [](const ContractTables&, const ContractRow& row) { (void)cells_of(row); },
  };
  return flow;
}

DotContract read_dot(const ContractRow& row, const ContractTables& contracts, const UnitTable& units) {
  if (row.flow == &dot_unknown_flow()) return read_unknown_dot(row, contracts, units);
  DotContract contract = cells_of(row);
  try {
    contract.unit_row = &units.find(row.text("unit"));
  } catch (const std::out_of_range& error) {
    throw row.error("unit", 0, error.what());
  }
  contract.unit = contract.unit_row->unit;
  if (contract.unit.known())
    check_unit(row, contract);
  else
    add_candidates(row, units, contract);
  return contract;
}

// GEMM contracts as formulas, and all known ways to compute a GEMM.

namespace {

constexpr int kMostParts = 16;
constexpr int kInstructionsOfTile = 4;  ///< instructions per tile along k, if the row does not define the length of split-K parts

CellStep times(const char* operand) { return CellStep::made("mul", {operand}); }

/// The steps `y`, with their scales replaced by `scales`.
std::vector<CellStep> with_scales(const std::vector<CellStep>& y, const std::vector<CellStep>& scales) {
  std::vector<CellStep> steps;
  for (const CellStep& step : y) {
    if (step.word == "mul") continue;
    if (&step == &y.back()) steps.insert(steps.end(), scales.begin(), scales.end());
    steps.push_back(step);
  }
  return steps;
}

}  // namespace

std::vector<CellStep> plain_join() { return {CellStep::made("add", {"acc"})}; }

std::vector<std::vector<CellStep>> block_joins() {
  const auto fma = [](const char* scale) { return CellStep::made("fma", {scale, "acc"}); };
  const CellStep add = plain_join().front();
  return {{fma("sa*sb")},          {times("sa"), fma("sb")},          {times("sb"), fma("sa")},
          {times("sa*sb"), add}, {times("sa"), times("sb"), add}, {times("sb"), times("sa"), add}};
}

namespace {

/// True if promoting after each instruction equals never promoting. Such an instruction starts from 0 and adds c at its end, by
/// one f32 addition. With c = 0 it returns the sum s of its products, since 0 + s is s. So adding s to the earlier sum is the
/// same addition inside and outside the instruction.
bool adds_as_promoted(const Unit& unit) { return unit.c_last && unit.d->mantissa_bits == kF32.mantissa_bits; }

/// Adds the algorithms of one instruction that apply scales to the result.
void add_ways(const DotContract& of_unit, std::vector<DotContract>& all) {
  const std::vector<std::vector<CellStep>> orders = {{times("sa*sb")}, {times("sb"), times("sa")}, {times("sa"), times("sb")}};
  for (const int instructions : {0, 1, 2, 4, 8}) {
    if (instructions > 0 && of_unit.of_integers()) continue;
    if (instructions == 1 && adds_as_promoted(of_unit.unit)) continue;
    for (const std::vector<CellStep>& order : orders) {
      DotContract way = of_unit;
      way.promote = instructions * of_unit.unit.k;
      way.join = instructions > 0 ? plain_join() : std::vector<CellStep>();
      way.part_of = of_unit.part_of > 0 ? of_unit.part_of : kInstructionsOfTile * of_unit.unit.k;
      way.y = with_scales(of_unit.y, order);
      all.push_back(std::move(way));
    }
  }
}

/// Adds the algorithms of one instruction with block scales. cuBLASLt splits k into multiples of 128 or of 512.
void add_block_ways(const DotContract& of_unit, std::vector<DotContract>& all) {
  for (int64_t promote = of_unit.unit.k; promote <= kScaleBlock; promote *= 2)
    for (const std::vector<CellStep>& join : block_joins())
      for (const int64_t part_of : {kScaleBlock, 4 * kScaleBlock}) {
        DotContract way = of_unit;
        way.promote = promote;
        way.join = join, way.one_block.clear();
        way.part_of = part_of;
        all.push_back(std::move(way));
      }
}

}  // namespace

std::vector<DotContract> dot_ways(const DotContract& like, const UnitTable& units) {
  std::vector<DotContract> all;
  std::vector<const UnitRow*> rows;
  for (const UnitRow& row : units.rows()) rows.push_back(&row);
  if (like.of_unknown_unit())
    for (const DotContract& member : like.members) rows.push_back(member.unit_row);
  for (const UnitRow* row : rows) {
    const Unit& unit = row->unit;
    const bool fits = unit.known() && *unit.a == *like.unit.a && *unit.b == *like.unit.b && *unit.d == *like.unit.d &&
                      (unit.scale != nullptr) == like.scales_in_unit();
    if (!fits) continue;
    DotContract of_unit = like;
    of_unit.members.clear();
    of_unit.unit_row = row;
    of_unit.unit = unit;
    of_unit.most_parts = like.of_integers() ? 1 : kMostParts;
    of_unit.least_parts = 1, of_unit.part_sums = PartSums::kF32;
    if (like.scales_in_unit() || like.decoded.any())
      of_unit.part_of = kScaleBlock, all.push_back(of_unit);
    else
      like.of_blocks() ? add_block_ways(of_unit, all) : add_ways(of_unit, all);
  }
  return all;
}

std::string dot_way_words(const DotContract& way, const DotProgram& program) {
  std::string words = way.unit_row->id;
  if (way.promote > 0) words += ", promoted every " + std::to_string(way.promote);  // also if k is shorter than this
  if (!program.name.empty()) words += ", " + program.name;
  const bool whole = program.name.ends_with(" 1") || program.name.find("split-K") == std::string::npos;
  if (way.of_blocks() && way.part_of > kScaleBlock && !whole)
    words += " with parts that are multiples of " + std::to_string(way.part_of);
  if (way.scales_in_unit()) return words + ", scales applied by the instruction";
  if (way.decoded.any()) return words + ", operands decoded first";
  if (way.of_blocks()) return words + ", acc = " + formula(join_recipe(way, program.alone), "chain");
  Recipe scales = dot_recipe(way, kF32, false, false);
  scales.steps.pop_back();  // leaves out the last step: the case defines the format
  return words + ", " + formula(scales, "acc");
}

namespace {

std::string joined(const std::vector<std::string>& layouts) {
  std::string text;
  for (const std::string& one : layouts) text += (text.empty() ? "" : " or ") + one;
  return text;
}

/// Returns a text such as "one of lanes(4,8,32), lanes(2,8,64): ..".
std::string orders_of(const DotContract& contract) {
  std::string text = contract.orders.size() > 1 ? "depends on the kernel instance, one of " : "";
  for (const KOrder& order : contract.orders) text += order.text() + (order == contract.orders.back() ? "" : ", ");
  return text + ": lanes(L,R,A) takes R products at each of L positions along k that are A apart, then the next R at each position";
}

std::vector<std::string> unknown_lines(const DotContract& contract) {
  std::vector<std::string> lines = {
      "y     = any result that one of these contracts admits, with or without the truncations of its instruction:"};
  for (const DotContract& member : contract.members) lines.push_back("        " + member.row->id);
  lines.push_back(
      "unit    each truncation and each rounding of a sum may or may not happen; exponents and the order of k are as in the instruction");
  return lines;
}

/// Appends lines that list the candidate models of an undocumented instruction.
void append_candidates(const DotContract& contract, std::vector<std::string>& lines) {
  lines.push_back(
      "unit    accumulation is undocumented: an element may be what any candidate model returns, with or without its "
      "truncations:");
  for (const DotContract& member : contract.members)
    lines.push_back("        " + member.unit.id + ": " + member.unit_row->text("why"));
  lines.push_back(
      "        each truncation and each rounding of a sum may or may not happen; exponents and the order of k are as in the candidate");
}

}  // namespace

std::vector<std::string> dot_lines(const DotContract& contract) {
  if (contract.unknown() && !contract.of_unknown_unit()) return unknown_lines(contract);
  const std::string unit = contract.unit_row->id;
  std::vector<std::string> lines = {"chain = sum by instructions of " + unit +
                                    (contract.orders.empty() ? " in ascending k" : " in k_order") +
                                    ": each adds products to the result of the previous one, and the first adds to 0"};
  if (!contract.orders.empty()) lines.push_back("k_order " + orders_of(contract));
  if (contract.scales_in_unit())
    lines.push_back("        the instruction applies sa and sb itself: one scale code for each of its blocks");
  if (contract.decoded.any()) {
    const auto line = [&](const char* name, const std::vector<CellStep>& steps, const Names& names, const char* value) {
      lines.push_back(std::string(name) + " = " + formula(resolve(steps, names), value));
    };
    line("m of a", contract.decoded.mult_a, names_of_mult(), "sa");
    line("m of b", contract.decoded.mult_b, names_of_mult(), "sb");
    line("a, b  = value of each code:", contract.decoded.decode, names_of_decode(), "code");
  }
  if (contract.promote > 0)
    lines.push_back("acc   = 0; then, after every " + std::to_string(contract.promote) + " products, acc = " +
                    formula(join_recipe(contract), "chain") + ", each step rounded to f32, and chain starts again from 0");
  else
    lines.push_back("acc   = chain over all products");
  if (!contract.one_block.empty())
    lines.push_back("        for k up to " + std::to_string(contract.scale_block()) +
                    ", either this or acc = " + formula(join_recipe(contract, true), "chain"));
  if (contract.has_atomics())
    lines.push_back("split   k is split into 2 to " + std::to_string(contract.most_parts) +
                    " parts (a power of two), each a multiple of " + std::to_string(contract.part_of) +
                    " products; the results y of the parts are added to 0 in the format of y, in any order");
  else if (contract.most_parts > 1)
    lines.push_back("split   k may be split into 1 to " + std::to_string(contract.most_parts) + " parts, each a multiple of " +
                    std::to_string(contract.part_of) +
                    " products; the sums acc of the parts are added in f32, in ascending order");
  if (contract.of_blocks())
    lines.push_back("scales  of blocks " + contract.scales.front().name + ": sa for a row of a, sb for rows of b, each for " +
                    std::to_string(contract.scale_block()) + " elements along k; layout of sa: " + joined(contract.layouts));
  if (contract.scales.front().a.outer() || contract.scales.front().b.outer())
    lines.push_back(contract.decoded.any()
                        ? "levels  block scales are relative to one scale of the whole tensor: g"
                        : "levels  block scales are relative to one scale of the whole tensor: ga for a, gb for b");
  if (contract.shuffle.any())
    lines.push_back("b       is shuffled by AITER's shuffle_weight, layout (" + std::to_string(contract.shuffle.rows) + ", " +
                    std::to_string(contract.shuffle.products) + ")");
  if (contract.azp != GemmAzp::kNone)
    lines.push_back(std::string("azp     acc = acc - ") + (contract.azp == GemmAzp::kTensor ? "azp_adj" : "azp * azp_adj") +
                    " in int32, before any rounding");
  if (contract.sorted_ids) {
    lines.push_back(
        "experts sorted ids: row s of d is slot s: row s / top_k of a times the weights of its block's expert");
    lines.push_back(std::string("padding rows of d in blocks of expert -1: ") + name(contract.unused_rows) +
                    "; rows of d in no block: untouched");
  } else if (contract.experts == GroupOrder::kAlongK) {
    lines.push_back("experts along k: each expert has its own k; a, b and d are dense, one expert after the other");
  } else if (contract.experts) {
    lines.push_back(std::string("experts ") + name(*contract.experts) +
                    ": each row of a is multiplied by the weights and scales of its expert; experts begin at multiples of " +
                    std::to_string(contract.tile_rows) + " rows");
    if (contract.scale_rows > 0)
      lines.push_back("scales  of a: the scales of expert e begin at row (r + " + std::to_string(contract.scale_rows - 1) +
                      " e) / " + std::to_string(contract.scale_rows) + " * " + std::to_string(contract.scale_rows) +
                      ", where r is the first row of expert e in a");
    if (contract.experts != GroupOrder::kContiguous)
      lines.push_back(std::string("padding rows of d that belong to no expert: ") + name(contract.unused_rows));
  }
  const Format& y = *contract.out.front();
  lines.push_back("y     = " + formula(dot_recipe(contract, y, false, false), "acc"));
  if (!contract.bias.empty()) lines.push_back("        with a bias " + formula(dot_recipe(contract, y, true, false), "acc"));
  if (contract.takes_weights()) lines.push_back("        w is the router weight of the row; 1 in a call without weights");
  if (contract.adds_zero)
    lines.push_back("        if k is not split, " + formula(dot_recipe(contract, y, false, true), "acc") +
                    ": a product of -0 becomes +0");
  if (contract.flushes) lines.push_back("flush   subnormal scales, biases and f32 results count as 0");
  if (contract.of_unknown_unit())
    append_candidates(contract, lines);
  else
    for (const std::string& line : unit_lines(contract.unit)) lines.push_back("unit    " + line);
  return lines;
}

}  // namespace assay
