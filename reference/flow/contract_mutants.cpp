// Mutants of a row's cells, of a row as a whole, and of a contract.
#include "reference/flow/contract_mutants.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/flow.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/recipe.h"

namespace assay {

bool rounds_to(const CellStep& step, std::initializer_list<const char*> formats) {
  return step.word == "to" &&
         std::any_of(formats.begin(), formats.end(), [&](const char* format) { return step.argument(0) == format; });
}

EditedRow::EditedRow(const ContractRow& row) : row_(row) {
  for (const std::string& column : row.flow->link->steps) {
    const std::vector<CellStep> steps = RowCells(row).steps(column);
    EditedCell& cell = cells_[column];
    for (size_t i = 0; i < steps.size(); ++i) {
      const std::string& text = steps[i].text;
      const auto alike = [&](size_t end) {
        return std::count_if(steps.begin(), steps.begin() + long(end), [&](const CellStep& other) { return other.text == text; });
      };
      const bool alone = alike(steps.size()) == 1, rounded = i + 1 < steps.size() && rounds_to(steps[i + 1], {"x", "bf16"});
      cell.push_back({steps[i], alone ? text : text + "#" + std::to_string(alike(i) + 1), false, rounded, i});
    }
  }
}

Link EditedRow::bind(const Format& x) const {
  RowCells cells(row_);
  for (const auto& [column, edited] : cells_) {
    std::vector<CellStep> steps;
    for (const EditedStep& one : edited) steps.push_back(one.step);
    cells.set_steps(column, std::move(steps));
  }
  Link link = bind_link(cells, x);
  for (const auto& change : flow_edits_) change(link);
  return link;
}

std::vector<EditedRow::Edit> EditedRow::edits(const ContractTables& tables, const Format& x, bool behind_activation,
                                              bool before_others) const {
  RowEdits edits(tables, *this, x, behind_activation, before_others);
  row_.flow->link->edits(edits);
  return std::move(edits).finish();
}

EditedRow& RowEdits::add_whole(const std::string& name) {
  edits_.push_back({name, base_});
  return edits_.back().row;
}

void RowEdits::flow_edit(const std::string& part, const std::string& name, std::function<void(Link&)> change, EditKind kind) {
  if (is_edited(part)) return;
  EditedRow& row = add_whole(name);
  row.edited_parts_.insert(part);
  row.flow_edits_.push_back(std::move(change));
  edits_.back().kind = kind;
}

EditedRow& RowEdits::suspect_whole(const std::string& name) {
  EditedRow& row = add_whole(name);
  edits_.back().suspect = true;
  return row;
}

void RowEdits::suspect_flow_edit(const std::string& part, const std::string& name, std::function<void(Link&)> change) {
  if (is_edited(part)) return;
  flow_edit(part, name, std::move(change));
  edits_.back().suspect = true;
}

void RowEdits::add(const std::string& column, const std::string& what, EditedCell cell) {
  const auto roundings = [](const EditedCell& of) {
    const auto is = [](const EditedStep& one, bool edited) { return one.step.text == "to(x)" && one.edited == edited; };
    return std::pair(std::count_if(of.begin(), of.end(), [&](const EditedStep& one) { return is(one, false); }),
                     std::count_if(of.begin(), of.end(), [&](const EditedStep& one) { return is(one, true); }));
  };
  const bool of_result = column == "y" && roundings(cell) != roundings(steps(column));
  add_whole(column + ": " + what).cells_[column] = std::move(cell);
  if (of_result) edits_.back().kind = EditKind::kRoundingOfResult;
}

void RowEdits::suspect_behind(const std::string& column, const std::string& what, const CellStep& last) {
  EditedCell cell = steps(column);
  cell.push_back(edited(last, last.text));
  add(column, what, std::move(cell));
  edits_.back().suspect = true;
}

void RowEdits::replace(const std::string& column, EditedCell cell, size_t i, const CellStep& other) {
  const std::string label = cell[i].label;
  cell[i] = edited(other, label);
  add(column, label + " -> " + other.text, std::move(cell));
}

void RowEdits::drop(const std::string& column, EditedCell cell, size_t i) {
  const std::string label = cell[i].label;
  const bool of_power = column == "scale" && cell[i].step.word == "pow2";
  if ((column == "z" || column == "mean") && cell.size() == 1)
    // the cell must not become empty: an empty z or mean means that the row adds no residual or subtracts no mean
    cell[i] = edited(CellStep::made("mul", {"1"}), label);
  else
    cell.erase(cell.begin() + long(i));
  add(column, "drop " + label, std::move(cell));
  if (of_power) edits_.back().kind = EditKind::kNoPowerOfTwo;
}

void RowEdits::in_all_cells(const std::string& name, const std::string& text, const CellStep& other) {
  EditedRow::Edit edit{name, base_};
  bool found = false;
  for (auto& [column, cell] : edit.row.cells_)
    for (EditedStep& one : cell)
      if (one.step.text == text && !one.edited) one = edited(other, one.label), found = true;
  if (found) edits_.push_back(std::move(edit));
}

void RowEdits::suspect_in_all_cells(const std::string& name, const std::string& text, const CellStep& other) {
  const size_t known = edits_.size();
  in_all_cells(name, text, other);
  for (size_t i = known; i < edits_.size(); ++i) edits_[i].suspect = true;
}

bool RowEdits::reads_constant(const std::string& name) const {
  for (const auto& [column, cell] : base_.cells_)
    for (const EditedStep& one : cell)
      for (const CellArgument& argument : one.step.arguments)
        if (argument.text.find(name) != std::string::npos) return true;
  return false;
}

bool RowEdits::has_integer_codes(const ContractRow& row) { return find_format(row.text("q"))->specials == Specials::kInteger; }

/// True for 4-bit codes. Constants of rows with 4-bit codes are no plausible mistakes in rows with wider codes, and vice versa.
static bool has_four_bits(const ContractRow& row) {
  const Format* q = find_format(row.text("q"));
  return q && q->bits == 4;
}

/// True if constants of `row` are plausible mistakes in this row: both have the same op kind and the same kind of codes.
bool RowEdits::is_sibling(const ContractRow& row) const {
  return row.flow == row_.flow && (!row.cells.contains("q") || (has_integer_codes(row) == has_integer_codes(row_) &&
                                                                has_four_bits(row) == has_four_bits(row_)));
}

void RowEdits::constants(const std::string& column, EditKind kind) {
  if (is_edited(column) || row_.text(column).empty()) return;
  std::vector<std::string> values;
  for (const ContractRow& sibling : tables_.rows())
    if (is_sibling(sibling)) values.push_back(sibling.text(column));
  if (column != "q" && row_.cells.contains("q") && has_integer_codes(row_))
    for (const int by : {-1, 1}) values.push_back(std::to_string(std::stoi(row_.text(column)) + by));
  std::set<std::string> seen = {"", row_.text(column)};
  for (const std::string& value : values) {
    if (!seen.insert(value).second) continue;
    EditedRow& row = add_whole(column + ": " + row_.text(column) + " -> " + value);
    set_text(row, column, value);
    mark_edited(row, column);
    edits_.back().kind = kind;
  }
}

// Mutants of the steps of one cell: drop a step, use another rule, swap with the next step, round once more.

namespace {

/// True for "bf16:" and "f16:": the steps after it are rounded to 16 bits.
bool is_short_format(const std::string& text) { return text == "bf16:" || text == "f16:"; }

/// True if the steps from step i on map integers to integers.
bool in_integers(const EditedCell& cell, size_t i) {
  return std::any_of(cell.begin(), cell.begin() + long(i), [](const EditedStep& one) { return one.step.word == "int32:"; });
}

/// Alternatives to the cast to integer codes. If its input is an integer already, another rounding would change nothing.
std::vector<CellStep> casts(const EditedCell& cell, size_t i) {
  if (in_integers(cell, i)) return {CellStep::made("to", {"q", "wrap"})};
  return other_casts(cell[i].step);
}

/// True if the step has one argument and it is a quantity.
bool takes_quantity(const CellStep& step) { return step.arguments.size() == 1 && is_quantity(step.argument(0)); }

bool is_product_or_quotient(const CellStep& step) { return step.word == "mul" || step.word == "div"; }

}  // namespace

void RowEdits::cell(const std::string& column) {
  const EditedCell& cell = steps(column);
  if (column == "mult") of_scale(cell);
  if (column == "scale") exponents_of_scales();
  if (column == "r" && row_.text("sum") != "deviations" && !is_edited("sum over"))
    for (const std::string& wrong : wrong_sums()) {
      flow_edit("sum over", "sum: " + wrong, [wrong](Link& link) { std::get<RowNorm>(link).sum.start = wrong; });
      edits_.back().suspect = true;
    }
  if (column == "r" && !is_edited("sum over"))
    suspect_flow_edit("sum over", std::string("sum: ") + kSubtracted,
                      [](Link& link) { std::get<RowNorm>(link).sum.start = kSubtracted; });
  if (column == "r" && !is_edited("sum over"))
    for (const std::string& start : names_of_wrong_starts())
      suspect_flow_edit("sum over", "sum: it " + start, [start](Link& link) { std::get<RowNorm>(link).sum.start = start; });
  if (column == "r" && !is_edited("sum over"))
    for (const std::string& terms : names_of_wrong_terms(row_.text("sum") == "deviations"))
      suspect_flow_edit("sum over", "sum: " + terms, [terms](Link& link) { std::get<RowNorm>(link).sum.start = terms; });
  if (column == "r" && row_.text("sum") == "deviations" && !is_edited("sum over"))
    suspect_flow_edit("sum over", std::string("sum: ") + kMeanAdded,
                      [](Link& link) { std::get<RowNorm>(link).sum.start = kMeanAdded; });
  if (column == "mean" && !is_edited("mean over")) {
    std::vector<std::string> starts = names_of_wrong_starts();
    starts.emplace_back(kSubtracted);
    for (const std::string& start : starts)
      suspect_flow_edit("mean over", "mean: its sum " + start,
                        [start](Link& link) { std::get<RowNorm>(link).sum.start = kOfMean + start; });
  }
  for (size_t i = 0; i < cell.size(); ++i) {
    const CellStep& step = cell[i].step;
    const bool last = i + 1 == cell.size();
    if (!cell[i].edited && is_short_format(step.word) && !last) replace(column, cell, i, CellStep::made("f32:"));
    if (cell[i].edited || step.is_prefix()) continue;
    const bool stays_wide = column == "z" || ((column == "h" || column == "y") && before_others_);
    const bool is_rounding = column == "scale" && step.text == "to(x)";  // not the last conversion: a scale is stored in f32
    const bool is_final_conversion = last && step.word == "to" && !stays_wide && !is_rounding;
    const bool rounds_alone = step.word == "rint" && in_integers(cell, i);  // without it, the next step would round
    const bool reduces = step.word == "absmax" || step.text == "least" || step.text == "greatest";
    if (rounds_alone)
      replace(column, cell, i, CellStep::made("trunc"));
    else if (!is_final_conversion && !reduces)
      drop(column, cell, i);
    const bool integer_codes = is_final_conversion && column == "code" && has_integer_codes(row_);
    const bool stored_integer = is_final_conversion && column == "zero";
    for (const CellStep& other : integer_codes ? casts(cell, i) : stored_integer ? std::vector<CellStep>() : swaps(column, step))
      replace(column, cell, i, other);
    const bool has_ties =
        column != "code" || (!has_four_bits(row_) && !has_integer_codes(row_));  // these codes have other mutants of ties
    if (x_.bits < kF32.bits && has_ties)
      for (const CellStep& rare : rare_forms(step)) {
        replace(column, cell, i, rare);
        edits_.back().suspect = true;
      }
    if (behind_activation_ && step.text == "pow2(ceil)") exponent_in_bf16(column, cell, i);
    if (integer_codes) cut_evenly(cell, i);
    if (column == "code" && takes_quantity(step)) reciprocal(cell, i);
    if (column == "mean" || column == "r" || column == "y" || column == "code" || column == "h" || column == "z" || column == "w")
      round_once_more(column, cell, i);
    const bool stood_together = !last && !cell[i + 1].edited && cell[i + 1].place == cell[i].place + 1;
    if (stood_together && column != "z") exchange(column, cell, i);
    other_operands(column, cell, i);
  }
}

/// Suspects (Neighbour::suspect) with a small mistake in one step: another operator or sign; a constant that is off by one,
/// doubled, halved or 0.
void RowEdits::other_operands(const std::string& column, const EditedCell& cell, size_t i) {
  if (cell[i].edited || in_integers(cell, i)) return;
  for (const Slip& slip : slips_of(cell[i].step)) {
    const std::string what = cell[i].label + " -> " + slip.words;
    if (std::any_of(edits_.begin(), edits_.end(), [&](const auto& one) { return one.name == column + ": " + what; })) continue;
    EditedCell changed = cell;
    changed.erase(changed.begin() + long(i));
    size_t at = i;
    for (const CellStep& one : slip.steps) changed.insert(changed.begin() + long(at++), edited(one, cell[i].label));
    if (at < changed.size() && changed[at].step.slack.fma &&
        slip.steps.back().word != "mul")  // only a multiplication can be fused with the next addition
      changed[at].step = CellStep::made(changed[at].step.word, changed[at].step.argument_texts());
    add(column, what, std::move(changed));
    edits_.back().suspect = true;
  }
}

/// Mutant: clamps codes to the symmetric range. Left out if the scale comes from amax, since codes are symmetric then.
void RowEdits::cut_evenly(EditedCell cell, size_t i) {
  const auto amax = base_.cells_.find("amax");
  if (amax != base_.cells_.end() && !amax->second.empty()) return;
  const std::string most = std::to_string(int(max_finite(*find_format(row_.text("q"))))), label = cell[i].label;
  const CellStep clamp = CellStep::made("clamp", {"keep", most, "-" + most});
  cell.insert(cell.begin() + long(i), edited(clamp, clamp.text));
  add("code", clamp.text + " before " + label, std::move(cell));
}

/// Mutant: computes the multiplier from the rounded scale instead of from amax, which adds a rounding.
void RowEdits::of_scale(const EditedCell& cell) {
  if (cell.empty() || cell.size() != RowCells(row_).steps("mult").size() || !has_integer_codes(row_)) return;
  const CellStep& division = cell.back().step;
  if (cell[0].step.word != "amax:" || cell.back().edited || division.word != "rdiv" || division.slack.given()) return;
  add("mult", division.argument(0) + "/amax -> 1/s", {edited(CellStep::made("rcp"), "rcp")});
}

/// Mutant: x * (1 / s) instead of x / s, or the reverse. The results differ by one rounding.
void RowEdits::reciprocal(EditedCell cell, size_t i) {
  const std::string label = cell[i].label;
  const CellStep step = cell[i].step;
  if (step.word == "div" && steps("mult").empty()) {
    cell[i] = edited(CellStep::made("mul", {"m"}), label);
    add("code", label + " -> mul(1/s)", std::move(cell));
    edits_.back().row.cells_["mult"] = {edited(CellStep::made("rcp"), "rcp")};
  } else if (step.word == "mul" && step.argument(0) == "m") {
    cell[i] = edited(CellStep::made("div", {"s"}), label);
    add("code", label + " -> div(s)", std::move(cell));
  }
}

void RowEdits::round_once_more(const std::string& column, EditedCell cell, size_t i) {
  const std::string verb = cell[i].step.word, label = cell[i].label;
  const bool rounds_next = cell[i].rounded || (i + 1 < cell.size() && rounds_to(cell[i + 1].step, {"x"}));
  const bool short_already =
      std::any_of(cell.begin(), cell.begin() + long(i), [](const EditedStep& one) { return is_short_format(one.label); });
  const bool sums = verb == "add" && (column == "z" || column == "w");
  const bool rounds = sums || is_product_or_quotient(cell[i].step) || verb == "rdiv" || verb == "rsqrt";
  if (x_.bits == kF32.bits || rounds_next || short_already || !rounds) return;
  cell.insert(cell.begin() + long(i) + 1, edited(CellStep::made("to", {"x"}), "to(x)"));
  add(column, "to(x) after " + label, std::move(cell));
}

void RowEdits::exponent_in_bf16(const std::string& column, EditedCell cell, size_t i) {
  const std::string label = cell[i].label;
  cell.erase(cell.begin() + long(i));
  EditedCell by_log2;
  for (const CellStep& step : read_cell("to(bf16) bf16: log2 ceil exp2 f32:")) by_log2.push_back(edited(step, label));
  cell.insert(cell.begin() + long(i), by_log2.begin(), by_log2.end());
  add(column, label + " -> exponent by log2 in bf16", std::move(cell));
}

/// Mutants for the diagnosis only (Neighbour::suspect), of scales that are powers of two: the next power of two, even if the
/// scale is a power of two already; an exponent that is too small or too large by 1; the exponent of amax minus the format's
/// largest exponent (OCP MX). Only special inputs expose the first of these mutants. The other mutants are contracts of other
/// libraries.
void RowEdits::exponents_of_scales() {
  const EditedCell& cell = steps("scale");
  const auto is = [&](size_t i, const char* text) { return cell[i].step.text == text && !cell[i].edited; };
  size_t begin = 0, end = 0;  // the steps that round to a power of two
  for (size_t i = 0; i < cell.size() && end == 0; ++i) {
    if (is(i, "pow2(ceil)")) begin = i, end = i + 1;
    if (is(i, "log2") && i + 2 < cell.size() && is(i + 1, "ceil") && is(i + 2, "exp2")) begin = i, end = i + 3;
  }
  const bool up_to_a_power = end > 0;
  for (size_t i = 0; i < cell.size() && end == 0; ++i)
    if (is(i, "pow2(floor)")) begin = i, end = i + 1;
  if (end == 0 || has_integer_codes(row_)) return;
  const auto add_with = [&](const std::string& what, const std::string& power, bool of_amax) {
    EditedCell made;
    for (size_t i = 0; i < cell.size(); ++i) {
      const bool by_limit = i < begin && is_product_or_quotient(cell[i].step) && cell[i].step.text.find('M') != std::string::npos;
      if (i == begin)
        for (const CellStep& step : read_cell(power)) made.push_back(edited(step, cell[begin].label));
      if ((i < begin || i >= end) && !(of_amax && by_limit)) made.push_back(cell[i]);
    }
    add("scale", what, std::move(made));
    edits_.back().suspect = true;
  };
  std::string up;
  for (size_t i = begin; i < end; ++i) up += (i == begin ? "" : " ") + cell[i].step.text;
  add_with(up_to_a_power ? "the next larger power of two, even of a power of two" : "exponent + 1", "pow2(floor) mul(2)", false);
  add_with("exponent - 1", up + " mul(1/2)", false);
  if (is_edited("M") || !up_to_a_power) return;
  const int largest = std::ilogb(std::stod(row_.text("M")));
  add_with("exponent of amax - " + std::to_string(largest), "pow2(floor) mul(1/" + std::to_string(int64_t(1) << largest) + ")",
           true);
}

/// Mutant: an addition, or a `min` with an input, runs after the next step. 1 / sqrt(v + a) becomes 1 / (sqrt(v) + a).
void RowEdits::exchange(const std::string& column, EditedCell cell, size_t i) {
  const EditedStep left = cell[i], right = cell[i + 1];
  if (left.step.word == "rint" && right.step.text == "add(azp)" && i > 0 && cell[i - 1].step.word == "int32:") {
    std::rotate(cell.begin() + long(i) - 1, cell.begin() + long(i) + 1, cell.begin() + long(i) + 2);
    cell[i - 1] = edited(right.step, right.label);
    return add(column, right.label + " before " + left.label, std::move(cell));
  }
  const bool from_left = left.step.word == "add" && left.step.text != "add(azp)";
  if ((column == "y" || column == "code") && right.step.word == "to") return;  // `to` gives the stored format, so it stays last
  const bool bound = left.step.word == "min" && takes_quantity(left.step) && is_product_or_quotient(right.step);
  const bool bound_behind = right.step.word == "min" && takes_quantity(right.step) && is_product_or_quotient(left.step);
  if (!bound && !bound_behind && !from_left && right.step.word != "add") return;
  if (from_left && right.step.word == "rsqrt") {
    cell[i] = edited(CellStep::made("sqrt"), right.label);
    cell[i + 1] = edited(left.step, left.label);
    cell.insert(cell.begin() + long(i) + 2,
                edited(CellStep::made("rcp", std::vector<std::string>(), right.step.slack), right.label));
    return add(column, left.label + " outside the root", std::move(cell));
  }
  cell[i] = edited(right.step, right.label);
  cell[i + 1] = edited(left.step, left.label);
  add(column, bound ? left.label + " after " + right.label : right.label + " before " + left.label, std::move(cell));
}

std::vector<CellStep> RowEdits::swaps(const std::string& column, const CellStep& step) const {
  std::vector<CellStep> others = other_forms(step);
  if ((step.word == "max" || step.word == "min") && !takes_quantity(step)) siblings(column, step, others);
  return others;
}

/// Adds to `others` the step with the constants that other rows of the table have in this column.
void RowEdits::siblings(const std::string& column, const CellStep& step, std::vector<CellStep>& others) const {
  std::set<std::string> seen = {step.text};
  for (const CellStep& other : others) seen.insert(other.text);
  for (const ContractRow& row : tables_.rows()) {
    if (!is_sibling(row)) continue;
    for (const CellStep& other : RowCells(row).steps(column))
      if (other.word == step.word && other.argument(0) != step.argument(0) && !is_quantity(other.argument(0)) &&
          seen.insert(other.text).second)
        others.push_back(other);
  }
}

std::vector<Neighbour> neighbours_of(const ContractTables& tables, const Neighbour& first, const Format& x) {
  std::vector<Neighbour> result;
  for (size_t link = 0; link < first.rows.size(); ++link) {
    for (EditedRow::Edit& edit :
         first.rows[link]->edits(tables, x, link > 0 && first.contract.gated(), link + 1 < first.rows.size())) {
      if (edit.name == first.name) continue;  // a pair needs two different mistakes
      Neighbour neighbour{std::move(edit.name), first.contract, first.rows,
                          edit.suspect,         edit.kind,      std::min(first.right_links, link)};
      neighbour.contract.links[link] = edit.row.bind(x);
      neighbour.rows[link] = std::make_shared<EditedRow>(std::move(edit.row));
      result.push_back(std::move(neighbour));
    }
  }
  return result;
}

Neighbour unedited(const ContractTables& tables, const std::string& id, const Format& x) {
  Neighbour right{.name = "", .contract = bind(tables, id, x), .rows = {}};
  for (const std::string& link : chain_of(tables.find(id))) right.rows.push_back(std::make_shared<EditedRow>(tables.find(link)));
  return right;
}

std::vector<Neighbour> neighbours(const ContractTables& tables, const std::string& id, const Format& x) {
  return neighbours_of(tables, unedited(tables, id, x), x);
}

}  // namespace assay
