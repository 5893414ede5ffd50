#include "reference/contracts/row_edits.h"

#include <algorithm>

#include "reference/contracts/group_shape.h"
#include "reference/contracts/neighbours_tokens.h"
#include "reference/contracts/row_cells.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

bool is_column_of_steps(const std::string& column) {
  static const std::set<std::string> columns = {"amax",     "lo",   "hi", "scale", "zero", "mult", "code", "z",   "residual",
                                                "mean", "r",    "w",  "y",     "h",    "even", "odd",  "rest"};
  return columns.contains(column);
}

/// "bf16:": what follows is done in 16 bits.
bool is_short_format(const std::string& token) { return token == "bf16:" || token == "f16:"; }

bool has_integer_codes(const ContractRow& row) { return find_format(row.text("q"))->specials == Specials::kInteger; }

/// Steps from here on make integers of integers.
bool in_integers(const CellTokens& tokens, size_t i) {
  return std::any_of(tokens.begin(), tokens.begin() + long(i), [](const CellToken& token) { return token.text == "int32:"; });
}

/// What else the cast to integer codes could be; where integers come in, it rounds no more.
std::vector<std::string> casts(const CellTokens& tokens, size_t i) {
  if (in_integers(tokens, i)) return {"to(q,wrap)"};
  return other_casts(tokens[i].text);
}

}  // namespace

EditedRow::EditedRow(const ContractRow& row) : row_(row) {
  for (const auto& [column, cell] : row.cells) {
    if (!is_column_of_steps(column)) continue;
    const std::vector<std::string> texts = tokens_of(cell.text);
    CellTokens& tokens = cells_[column];
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto ordinal = 1 + std::count(texts.begin(), texts.begin() + long(i), texts[i]);
      const bool alone = std::count(texts.begin(), texts.end(), texts[i]) == 1;
      tokens.push_back({texts[i], alone ? texts[i] : texts[i] + "#" + std::to_string(ordinal)});
      tokens.back().rounded = i + 1 < texts.size() && (texts[i + 1].starts_with("to(x") || texts[i + 1].starts_with("to(bf16"));
    }
  }
}

Link EditedRow::bind(const Format& x) const {
  ContractRow row = row_;
  for (const auto& [column, tokens] : cells_) {
    std::string& text = row.cells.at(column).text;
    text.clear();
    for (const CellToken& token : tokens) text += (text.empty() ? "" : " ") + token.text;
  }
  Link link = bind_link(RowCells(row), x);
  for (const auto& change : flow_edits_) change(link);
  return link;
}

void RowEdits::flow_edit(const std::string& part, const std::string& name, std::function<void(Link&)> change) {
  if (is_edited(part)) return;
  EditedRow& row = add_whole(name);
  row.edited_parts_.insert(part);
  row.flow_edits_.push_back(std::move(change));
}

EditedRow& RowEdits::add_whole(const std::string& name) {
  edits_.push_back({name, base_});
  return edits_.back().row;
}

void RowEdits::add(const std::string& column, const std::string& what, CellTokens tokens) {
  edits_.push_back({column + ": " + what, base_});
  edits_.back().row.cells_[column] = std::move(tokens);
}

/// Whether an argument of a step, or a part of it as in 1/(512*M), is that constant.
bool RowEdits::reads_constant(const std::string& name) const {
  for (const auto& [column, tokens] : base_.cells_)
    for (const CellToken& token : tokens)
      if (arguments_of(token.text).find(name) != std::string::npos) return true;
  return false;
}

/// Rows whose constants this one could have by mistake: codes of the same kind.
bool RowEdits::is_sibling(const ContractRow& row) const {
  return row.flow == row_.flow && (!row.cells.contains("q") || has_integer_codes(row) == has_integer_codes(row_));
}

/// Every other value that sibling rows have in this column; of a number of steps the next ones too.
void RowEdits::constants(const std::string& column) {
  if (is_edited(column) || row_.text(column).empty()) return;
  std::vector<std::string> values;
  for (const ContractRow& sibling : tables_.rows())
    if (is_sibling(sibling)) values.push_back(sibling.text(column));
  if (column != "q" && row_.cells.contains("q") && has_integer_codes(row_))
    for (const int by : {-1, 1}) values.push_back(std::to_string(std::stoi(row_.text(column)) + by));
  std::set<std::string> seen = {"", row_.text(column)};
  for (const std::string& value : values) {
    if (!seen.insert(value).second) continue;
    edits_.push_back({column + ": " + row_.text(column) + " -> " + value, base_});
    edits_.back().row.row_.cells[column].text = value;
    edits_.back().row.edited_parts_.insert(column);
  }
}

void RowEdits::cell(const std::string& column) {
  const CellTokens& tokens = base_.cells_.at(column);
  if (column == "mult") of_scale(tokens);
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string& text = tokens[i].text;
    if (!tokens[i].edited && is_short_format(text) && i + 1 < tokens.size()) replace(column, tokens, i, "f32:");
    if (tokens[i].edited || text.ends_with(':')) continue;
    const bool last = i + 1 == tokens.size();
    const bool stays_wide = column == "h" || column == "z" || (column == "y" && before_others_);
    const bool is_final_conversion = last && verb_of(text) == "to" && !stays_wide;
    const bool rounds_alone = verb_of(text) == "rint" && in_integers(tokens, i);  // what follows would round by itself
    const bool reduces = verb_of(text) == "absmax" || text == "least" || text == "greatest";
    if (rounds_alone)
      replace(column, tokens, i, "trunc");
    else if (!is_final_conversion && !reduces)
      drop(column, tokens, i);
    const bool integer_codes = is_final_conversion && column == "code" && has_integer_codes(row_);
    const bool stored_integer = is_final_conversion && column == "zero";
    for (const std::string& other : integer_codes    ? casts(tokens, i)
                                    : stored_integer ? std::vector<std::string>()
                                                     : swaps(column, text))
      replace(column, tokens, i, other);
    if (behind_activation_ && text == "pow2(ceil)") exponent_in_bf16(column, tokens, i);
    if (integer_codes) cut_evenly(tokens, i);
    if (is_quantity(arguments_of(text)) && column == "code") reciprocal(tokens, i);
    if (column == "mean" || column == "r" || column == "y" || column == "code" || column == "h" || column == "z" || column == "w")
      round_once_more(column, tokens, i);
    if (!last && !tokens[i + 1].edited && column != "z" && neighbours_in_row(column, text, tokens[i + 1].text))
      exchange(column, tokens, i);
  }
}

/// Codes of both signs reach equally far. They do by themselves where the largest magnitude makes the scale.
void RowEdits::cut_evenly(CellTokens tokens, size_t i) {
  const auto amax = base_.cells_.find("amax");
  if (amax != base_.cells_.end() && !amax->second.empty()) return;
  const std::string most = std::to_string(int(max_finite(*find_format(row_.text("q"))))), label = tokens[i].label;
  const std::string clamp = std::string("clamp(keep,").append(most).append(",-").append(most).append(")");
  tokens.insert(tokens.begin() + long(i), edited(clamp, clamp));
  add("code", std::string(clamp).append(" before ").append(label), std::move(tokens));
}

/// A multiplier made of amax by a division, taken from the scale instead: one rounding more.
void RowEdits::of_scale(const CellTokens& tokens) {
  const bool untouched = tokens.size() == tokens_of(row_.text("mult")).size();
  if (tokens.empty() || !untouched || !has_integer_codes(row_) || tokens[0].text != "amax:" || tokens.back().edited ||
      verb_of(tokens.back().text) != "rdiv" || !slack_of(tokens.back().text).empty())
    return;
  add("mult", arguments_of(tokens.back().text).append("/amax -> 1/s"), {edited("rcp", "rcp")});
}

/// And not because a step between them was left out.
bool RowEdits::neighbours_in_row(const std::string& column, const std::string& left, const std::string& right) const {
  return row_.text(column).find(std::string(left).append(" ").append(right)) != std::string::npos;
}

void RowEdits::drop(const std::string& column, CellTokens tokens, size_t i) {
  const std::string label = tokens[i].label;
  if ((column == "z" || column == "mean") && tokens.size() == 1)
    tokens[i] = edited("mul(1)", label);  // a row that adds has a z, and one that takes a mean off has a mean
  else
    tokens.erase(tokens.begin() + long(i));
  add(column, "drop " + label, std::move(tokens));
}

void RowEdits::replace(const std::string& column, CellTokens tokens, size_t i, const std::string& other) {
  const std::string label = tokens[i].label;
  tokens[i] = edited(other, label);
  add(column, label + " -> " + other, std::move(tokens));
}

/// x / s and x * (1 / s) differ by one rounding.
void RowEdits::reciprocal(CellTokens tokens, size_t i) {
  const std::string label = tokens[i].label, text = tokens[i].text;
  const CellTokens& mult = base_.cells_.at("mult");
  if (verb_of(text) == "div" && mult.empty()) {
    tokens[i] = edited("mul(m)", label);
    add("code", label + " -> mul(1/s)", std::move(tokens));
    edits_.back().row.cells_["mult"] = {edited("rcp", "rcp")};
  } else if (verb_of(text) == "mul" && arguments_of(text) == "m") {
    tokens[i] = edited("div(s)", label);
    add("code", label + " -> div(s)", std::move(tokens));
  }
}

void RowEdits::round_once_more(const std::string& column, CellTokens tokens, size_t i) {
  const std::string verb = verb_of(tokens[i].text), label = tokens[i].label;
  const bool rounds_next = tokens[i].rounded || (i + 1 < tokens.size() && tokens[i + 1].text.starts_with("to(x"));
  const bool short_already =
      std::any_of(tokens.begin(), tokens.begin() + long(i), [](const CellToken& t) { return is_short_format(t.label); });
  const bool sums = verb == "add" && (column == "z" || column == "w");
  if (x_.bits == 32 || rounds_next || short_already ||
      (!sums && verb != "mul" && verb != "div" && verb != "rdiv" && verb != "rsqrt"))
    return;
  tokens.insert(tokens.begin() + long(i) + 1, edited("to(x)", "to(x)"));
  add(column, "to(x) after " + label, std::move(tokens));
}

void RowEdits::exponent_in_bf16(const std::string& column, CellTokens tokens, size_t i) {
  const std::string label = tokens[i].label;
  tokens[i] = edited("to(bf16) bf16: log2 ceil exp2 f32:", label);
  add(column, label + " -> exponent by log2 in bf16", std::move(tokens));
}

/// An addition, or a bound that the case gives, before its neighbour or after it; behind the root, 1 / sqrt(v + a) becomes
/// 1 / (sqrt(v) + a).
void RowEdits::exchange(const std::string& column, CellTokens tokens, size_t i) {
  const CellToken left = tokens[i], right = tokens[i + 1];
  if (verb_of(left.text) == "rint" && right.text == "add(azp)" && i > 0 && tokens[i - 1].text == "int32:") {
    std::rotate(tokens.begin() + long(i) - 1, tokens.begin() + long(i) + 1, tokens.begin() + long(i) + 2);
    tokens[i - 1] = edited(right.text, right.label);
    return add(column, std::string(right.label).append(" before ").append(left.label), std::move(tokens));
  }
  const bool from_left = verb_of(left.text) == "add" && left.text != "add(azp)";
  if (column == "y" && verb_of(right.text) == "to") return;  // what is stored has the format of x
  const bool scales = verb_of(right.text) == "div" || verb_of(right.text) == "mul";
  const bool bound = verb_of(left.text) == "min" && is_quantity(arguments_of(left.text)) && scales;
  const bool bound_behind = verb_of(right.text) == "min" && is_quantity(arguments_of(right.text)) &&
                            (verb_of(left.text) == "div" || verb_of(left.text) == "mul");
  if (!bound && !bound_behind && !from_left && verb_of(right.text) != "add") return;
  if (from_left && verb_of(right.text) == "rsqrt") {
    tokens[i] = edited("sqrt", right.label);
    tokens[i + 1] = edited(left.text, left.label);
    tokens.insert(tokens.begin() + long(i) + 2, edited(std::string("rcp").append(slack_of(right.text)), right.label));
    add(column, left.label + " outside the root", std::move(tokens));
    return;
  }
  tokens[i] = edited(right.text, right.label);
  tokens[i + 1] = edited(left.text, left.label);
  add(column, bound ? left.label + " after " + right.label : right.label + " before " + left.label, std::move(tokens));
}

std::vector<std::string> RowEdits::swaps(const std::string& column, const std::string& token) const {
  std::vector<std::string> others = other_forms(token);
  if ((verb_of(token) == "max" || verb_of(token) == "min") && !is_quantity(arguments_of(token)))
    siblings(column, token, others);
  return others;
}

/// The same verb with the constants that other rows of the table give it in this column.
void RowEdits::siblings(const std::string& column, const std::string& token, std::vector<std::string>& others) const {
  std::set<std::string> seen(others.begin(), others.end());
  seen.insert(token);
  const auto value = [](const std::string& t) { return arguments_of(t).substr(0, arguments_of(t).find(',')); };
  for (const ContractRow& row : tables_.rows()) {
    if (!is_sibling(row)) continue;
    for (const std::string& other : tokens_of(row.text(column)))
      if (verb_of(other) == verb_of(token) && value(other) != value(token) && !is_quantity(value(other)) &&
          seen.insert(other).second)
        others.push_back(other);
  }
}

/// The same other token wherever that one stands.
void RowEdits::in_all_cells(const std::string& name, const std::string& text, const std::string& other) {
  EditedRow::Edit edit{name, base_};
  bool found = false;
  for (auto& [column, tokens] : edit.row.cells_)
    for (CellToken& token : tokens)
      if (token.text == text && !token.edited) token = edited(other, token.label), found = true;
  if (found) edits_.push_back(std::move(edit));
}

std::vector<EditedRow::Edit> EditedRow::edits(const ContractTables& tables, const Format& x, bool behind_activation,
                                              bool before_others) const {
  RowEdits edits(tables, *this, x, behind_activation, before_others);
  row_.flow->edits(edits);
  return std::move(edits).finish();
}

}  // namespace assay
