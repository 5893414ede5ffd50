// Contract rows of quantizations, and of quantizations into caches: columns, binding and mutants.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "reference/contracts/scale_spec.h"
#include "reference/flow/flow.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

/// Adds the names g (scale of the outer level) and 1/g (its reciprocal, rounded to f32).
void name_outer(const GroupQuant& g, Names& names) {
  if (g.outer) names.quantities.insert(names.quantities.end(), {"g", "1/g"});
}

/// Whether a step reads the scale of the outer level. Looks at the table's row, because a mutant may have dropped all such
/// steps.
bool reads_outer(const ContractRow& row) {
  const RowCells cells(row);
  for (const char* column : {"scale", "mult", "code"})
    for (const CellStep& step : cells.steps(column))
      for (const std::string& argument : step.argument_texts())
        if (argument == "g" || argument == "1/g" || argument.starts_with("g*") || argument.ends_with("*g")) return true;
  return false;
}

/// Binds the rival scale of rows that have one, and the error that decides between the scales. If the recipe of the error ends
/// with abs, errors are added as they are, otherwise their squares.
void bind_rival(const RowCells& cells, Names& names, GroupQuant& g) {
  if (!cells.row().cells.contains("rival")) return;
  names.quantities.clear();
  name_outer(g, names);
  g.rival = cells.recipe("rival", names);
  names.quantities = {"s", "m", "v"};
  name_outer(g, names);
  g.error = cells.recipe("error", names);
  if (g.rival.empty() != g.error.empty())
    throw cells.error("error", 0, "is required if rival is not empty, and must be empty otherwise");
  for (const auto& [column, recipe] : {std::pair{"rival", &g.rival}, {"error", &g.error}})
    cells.forbid_reduction(column, *recipe);
  if (!g.rival.empty() && (spans_rows(cells.row()) || g.takes_scales()))
    throw cells.error("rival", 0, "is only allowed for computed scales of groups within one row");
  g.squares = !g.error.empty() && g.error.steps.back().verb != Verb::kAbs;
}

}  // namespace

void bind_codes(const RowCells& cells, Names& names, const std::vector<std::string>& sources, GroupQuant& g) {
  names.quantities = sources;
  name_outer(g, names);
  g.mult = cells.recipe("mult", names);
  names.quantities = {"s", "m", g.has_zero() ? "azp" : "zero"};
  name_outer(g, names);
  g.code = cells.recipe("code", names);
  for (const auto& [column, recipe] : {std::pair{"mult", &g.mult}, {"code", &g.code}}) cells.forbid_reduction(column, *recipe);
  if (g.code.steps.empty() || g.code.steps.back().verb != Verb::kTo || !(*g.code.steps.back().target == *g.q))
    throw cells.error("code", 0, "must end with to(q)");
}

GroupQuant bind_group_quant(const RowCells& cells, const Format& x) {
  GroupQuant g;
  g.row = cells.id();
  g.q = &cells.format("q");
  Names names{{{"M", cells.text("M")}}, {{"x", &x}, {"q", g.q}}, {}};
  AmaxScales of_amax;
  of_amax.amax = cells.recipe("amax", names);
  g.outer = has_outer_scales(cells.row());
  names.quantities = {"ub"};
  name_outer(g, names);
  of_amax.scale = cells.recipe("scale", names);
  if (of_amax.amax.empty() && of_amax.scale.empty()) {
    g.scales = GivenScales{.with_zero = false};
  } else {
    cells.require_reduction("amax", of_amax.amax, "absmax, absmax(keep) or absmax(all)");
    cells.forbid_reduction("scale", of_amax.scale);
    g.scales = std::move(of_amax);
  }
  check_groups(cells.row());
  bind_codes(cells, names, {"amax", "nonzero"}, g);
  bind_rival(cells, names, g);
  if (g.outer && !reads_outer(cells.row()))
    throw cells.error("group", 0, "has two levels, but no step reads g, the scale of the outer level");
  return g;
}

namespace {

Recipe& amax(Link& link) { return std::get<AmaxScales>(std::get<GroupQuant>(link).scales).amax; }

/// Mutants that compute a group's amax from other elements: two groups, half the group, ...
void amax_over(RowEdits& edits) {
  const ContractRow& row = edits.row();
  if (row.text("group") != "tensor" && row.text("group") != "row")
    edits.flow_edit("amax over", "amax: over two groups", [](Link& link) { amax(link).over = Over::kTwice; });
  edits.flow_edit("amax over", "amax: over half the group", [](Link& link) { amax(link).over = Over::kHalf; });
  edits.suspect_flow_edit("amax over", "amax: without the last element", [](Link& link) { amax(link).over = Over::kAllButLast; });
  edits.suspect_flow_edit("amax over", "amax: of positive elements only", [](Link& link) { amax(link).over = Over::kPositive; });
  if (spans_rows(row))
    edits.flow_edit("amax over", "amax: over the first row alone", [](Link& link) { amax(link).over = Over::kFirstRow; });
  if (pads_x(row))
    edits.flow_edit("amax over", "amax: over the next row too, beyond a ragged edge",
                    [](Link& link) { amax(link).over = Over::kNextRowToo; });
}

/// Mutants of how a group chooses between its two scales.
void rivals(RowEdits& edits) {
  const auto change = [&](const char* name, void (*of)(GroupQuant&)) {
    edits.flow_edit("rival", name, [of](Link& link) { of(std::get<GroupQuant>(link)); });
  };
  change("rival: never taken", [](GroupQuant& g) { g.rival = {}; });
  change("rival: always taken", [](GroupQuant& g) { g.takes = GroupQuant::Takes::kAlways; });
  change("rival: taken if not worse", [](GroupQuant& g) { g.takes = GroupQuant::Takes::kIfNotWorse; });
  change("error: squares or magnitudes, the other", [](GroupQuant& g) { g.squares = !g.squares; });
}

/// Mutants with scales rounded to powers of two, or no longer rounded. Kernels changed this between releases.
void power_of_two(RowEdits& edits) {
  const std::string& cell = edits.row().text("scale");
  const auto has = [&](const char* verb) { return cell.find(verb) != std::string::npos; };
  if (cell.empty() || has("pow2") || has("exp2") || has("to(e8m0") || has("to(e4m3fn") || edits.is_edited("scale")) return;
  const EditedCell& scale = edits.steps("scale");
  if (std::any_of(scale.begin(), scale.end(), [](const EditedStep& one) { return one.edited; })) return;
  edits.suspect_behind("scale", "up to a power of two", CellStep::made("pow2", {"ceil"}));
}

/// Mutant for the diagnosis only: the multiplier is rounded to bf16, as if it came from a table or were kept in 16 bits.
void multiplier_of_few_bits(RowEdits& edits) {
  const EditedCell& mult = edits.steps("mult");
  if (!mult.empty() && !mult.back().edited && mult.back().step.word != "to" && !edits.is_edited("mult"))
    edits.suspect_behind("mult", "rounded to bf16", CellStep::made("to", {"bf16"}));
}

/// Mutants that compute codes with the scale rounded to 16 bits, but store the right scale.
void scale_of_few_bits(RowEdits& edits) {
  EditedCell code = edits.steps("code");
  if (!edits.steps("mult").empty() || edits.is_edited("code") || edits.is_edited("mult")) return;
  for (EditedStep& one : code) {
    if (one.edited || (one.step.text != "div(s)" && one.step.text != "mul(s)")) continue;
    one = RowEdits::edited(CellStep::made(one.step.word, {"m"}), one.label);
    EditedRow& row = edits.suspect_whole("code: with the scale rounded to bf16");
    RowEdits::steps(row, "mult") = {RowEdits::edited(CellStep::made("to", {"bf16"}), "to(bf16)")};
    RowEdits::steps(row, "code") = code;
    return;
  }
}

/// Mutants for the diagnosis only: the multiplier comes from the scale before it is rounded (to a power of two, or to 8 bits),
/// or it is 0.
void multiplier_of_exact_scale(RowEdits& edits) {
  const EditedCell &scale = edits.steps("scale"), &mult = edits.steps("mult");
  const auto is_edited = [](const EditedCell& cell) {
    return std::any_of(cell.begin(), cell.end(), [](const EditedStep& one) { return one.edited; });
  };
  if (is_edited(scale) || is_edited(mult) || edits.is_edited("mult") || mult.empty()) return;
  if (mult.back().step.word != "to") edits.suspect_behind("mult", "always 0", CellStep::made("mul", {"0"}));
  const auto rounds = [](const EditedStep& one) { return one.step.word == "pow2" || one.step.word == "log2" || one.step.word == "to"; };
  const auto rounded = std::find_if(scale.begin(), scale.end(), rounds);
  if (rounded == scale.end() || rounded->step.text == "to(x)" || mult.front().step.is_prefix() || edits.steps("amax").empty()) return;
  if (std::any_of(scale.begin(), rounded, [](const EditedStep& one) { return one.step.argument(0) == "ub"; })) return;
  EditedCell made = {RowEdits::edited(read_cell("amax: rcp").front(), "amax:")};
  for (auto step = scale.begin(); step != rounded; ++step) made.push_back(RowEdits::edited(step->step, step->label));
  for (const EditedStep& step : mult) made.push_back(RowEdits::edited(step.step, step.label));
  EditedRow& row = edits.suspect_whole("mult: from the scale before it is rounded");
  RowEdits::steps(row, "mult") = made;
}

/// Mutants for the diagnosis only: an infinite element counts as the largest number of x, or of f32, as after a cast that
/// saturates.
void saturated_maxima(RowEdits& edits) {
  const EditedCell& amax = edits.steps("amax");
  if (amax.empty() || amax.front().edited || amax.front().step.word != "absmax") return;
  const Format& x = edits.x();
  for (const Format* format : {&x, &kF32}) {
    if (format == &kF32 && x == kF32) break;  // the same mutant
    const int exponent = std::ilogb(max_finite(*format)) + 1;
    const std::string largest = "2^" + std::to_string(exponent) + "-2^" + std::to_string(exponent - 1 - format->mantissa_bits);
    EditedCell made = amax;
    made.insert(made.begin() + 1, RowEdits::edited(CellStep::made("min", {largest, "keep"}), "min"));
    EditedRow& row = edits.suspect_whole("amax: Inf counts as the largest number of " + std::string(format->name));
    RowEdits::steps(row, "amax") = made;
  }
}

/// Mutants for the diagnosis only, if several steps use the largest code M: M is off by one in all of them, or a step that
/// several cells contain has the same mistake in each.
void largest_in_all_steps(RowEdits& edits) {
  const std::string& largest = edits.row().text("M");
  if (edits.is_edited("M") || largest.empty()) return;
  std::map<std::string, std::pair<CellStep, int>> steps;  // step of M -> number of cells
  int used = 0;
  for (const char* column : {"amax", "scale", "mult", "code"})
    for (const EditedStep& one : edits.steps(column))
      if (!one.edited && one.step.text.find('M') != std::string::npos && one.step.word != "clamp")
        ++used, ++steps.try_emplace(one.step.text, one.step, 0).first->second.second;
  const bool integer_codes = find_format(edits.row().text("q"))->specials == Specials::kInteger;
  for (const int by : {1, -1}) {
    if (used < 2 || integer_codes) break;  // constants() has these mutants of integer codes
    const std::string other = std::to_string(std::stoi(largest) + by);
    EditedRow& row = edits.suspect_whole("M: " + largest + " -> " + other + " in all steps");
    RowEdits::set_text(row, "M", other);
    RowEdits::mark_edited(row, "M");
  }
  for (const auto& [text, found] : steps)
    if (found.second > 1)
      for (const Slip& slip : slips_of(found.first))
        if (slip.steps.size() == 1) edits.suspect_in_all_cells(text + " -> " + slip.words + " in all cells", text, slip.steps.front());
}

/// Mutants of four-bit codes, whose ties are common: 1 in 100 elements of 16-bit data is a tie.
void of_four_bits(RowEdits& edits) {
  const Format* q = find_format(edits.row().text("q"));
  if (!q || q->bits != 4) return;
  const EditedCell& code = edits.steps("code");
  if (!code.empty() && !code.back().edited && code.back().step.text == "to(q)")
    edits.replace("code", code, code.size() - 1, CellStep::made("to", {"q", "rna"}));
  if (!code.empty() && !code.back().edited && code.back().step.text == "to(q,undef)")
    edits.replace("code", code, code.size() - 1, CellStep::made("to", {"q", "rna", "undef"}));
}

}  // namespace

void add_group_quant_edits(RowEdits& edits) {
  if (edits.reads_constant("M")) edits.constants("M");
  edits.constants("q");
  for (const char* column : {"amax", "scale", "mult", "code"}) edits.cell(column);
  if (!edits.steps("amax").empty()) amax_over(edits);
  power_of_two(edits);
  of_four_bits(edits);
  multiplier_of_few_bits(edits);
  largest_in_all_steps(edits);
  multiplier_of_exact_scale(edits);
  saturated_maxima(edits);
  if (!edits.steps("amax").empty()) scale_of_few_bits(edits);
  const auto rival = edits.row().cells.find("rival");
  if (rival == edits.row().cells.end() || rival->second.text.empty()) return;
  edits.cell("rival");
  rivals(edits);
}

std::vector<std::string> scales_taken(const ContractRow& row) {
  std::vector<std::string> inputs;
  if (row.text("amax").empty() && row.text("scale").empty()) inputs.emplace_back("scale");
  if (row.text("scale").find("(ub)") != std::string::npos) inputs.emplace_back("scale_ub");
  if (has_outer_scales(row)) inputs.emplace_back("global_scale");
  return inputs;
}

const Flow& group_quant_flow() {
  static const Flow flow{
      .name = "group_quant",
      .says = "q",
      .files = {"quant.csv", "quant_int8.csv", "quant_tile.csv", "quant_static.csv", "quant_mx.csv", "quant_fp4.csv",
                "quant_4over6.csv", "quant_transposed.csv", "quant_silu.csv", "quant_norm.csv"},
      .columns = {"q", "M", "amax", "scale", "mult", "code", "group", "layouts", "pad"},
      .optional = {"rival", "error"},
      .link =
          LinkFlow{
              .steps = {"amax", "scale", "mult", "code", "rival"},
              .place = ChainPlace::kLast,
              .place_words = "a quantization must be the last stage, as in row_norm=ID > group_quant=ID",
              .bind = [](const RowCells& cells, const Format& x) -> Link { return bind_group_quant(cells, x); },
              .edits = add_group_quant_edits,
              .inputs = scales_taken,
          },
  };
  return flow;
}

const Flow& cache_insert_flow() {
  static const Flow flow{
      .name = "cache_insert",
      .says = "record",
      .files = {"cache.csv"},
      .columns = {"record", "q", "M", "amax", "scale", "mult", "code", "group"},
      .optional = {"pad"},
      .link = LinkFlow{
          .steps = {"amax", "scale", "mult", "code"},
          .place = ChainPlace::kLast,
          .place_words = "a cache record must be the last stage, as in row_norm=ID > cache_insert=ID",
          .bind = [](const RowCells& cells, const Format& x) -> Link {
            GroupQuant quant = bind_group_quant(cells, x);
            quant.record = cells.text("record");
            return quant;
          },
          .edits = add_group_quant_edits,
          .inputs = scales_taken,
      },
  };
  return flow;
}

RecordValues record_values(const Contract& contract, const RowInputs& inputs, const StoredRow* stored, const Format& x_format,
                           RowListener* listener) {
  RowOutputs row = evaluate_row(contract, inputs, stored, x_format, listener);
  return {std::move(row.y), std::move(row.q), std::move(row.scale), std::move(row.joint_violations)};
}

}  // namespace assay
