#include "reference/contracts/neighbours_cells.h"

#include <algorithm>

#include "reference/contracts/group_shape.h"
#include "reference/contracts/neighbours_tokens.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

bool is_column_of_steps(const std::string& column) {
  static const std::set<std::string> columns = {"amax",     "lo",   "hi", "scale", "zero", "mult", "code", "z",   "residual",
                                                "mean", "r",    "w",  "y",     "h",    "even", "odd",  "rest"};
  return columns.contains(column);
}

}  // namespace

EditedRow::EditedRow(const ContractRow& row) : row_(row) {
  for (const auto& [column, cell] : row.cells) {
    if (!is_column_of_steps(column)) continue;
    const std::vector<std::string> texts = tokens_of(cell.text);
    Cell& tokens = cells_[column];
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
  Link link = bind_link(row, x);
  for (const auto& habit : habits_) habit(link);
  return link;
}

class EditsOfRow {
 public:
  EditsOfRow(const ContractTables& tables, const EditedRow& base, const Format& x, bool behind_activation, bool before_others)
      : tables_(tables),
        base_(base),
        row_(base.row_),
        x_(x),
        behind_activation_(behind_activation),
        before_others_(before_others) {}

  std::vector<EditedRow::Edit> all() {
    if (row_.flow == "group_quant" || row_.flow == "cache_insert") {
      if (reads_constant("M")) constants("M");
      constants("q");
      for (const char* column : {"amax", "scale", "mult", "code"}) cell(column);
      if (!base_.cells_.at("amax").empty()) amax_over();
    } else if (row_.flow == "quant_azp") {
      if (reads_constant("L")) constants("L");
      for (const char* column : {"lo", "hi", "scale", "zero", "mult", "code"}) cell(column);
      if (!base_.cells_.at("lo").empty())
        habit("range over", "lo, hi: over half the group", [](Link& link) { std::get<GroupQuant>(link).amax_share = 0.5; });
    } else if (row_.flow == "gated") {
      const bool gate_first = row_.text("halves") == "gate_up";
      habit("halves", gate_first ? "halves: gate_up -> up_gate" : "halves: up_gate -> gate_up",
            [](Link& link) { std::get<Gated>(link).gate_first = !std::get<Gated>(link).gate_first; });
      cell("h");
      sigmoid_by_tanh();
    } else if (row_.flow == "rope") {
      rotation();
    } else {
      habit("sum over", "sum: ignores the data", [](Link& link) { std::get<RowNorm>(link).sum_share = 0; });
      habit("sum over", "sum: over half the row", [](Link& link) { std::get<RowNorm>(link).sum_share = 0.5; });
      habit("eps", "r: eps -> 10 eps", [](Link& link) { std::get<RowNorm>(link).eps_factor = 10; });
      for (const char* column : {"z", "residual", "r", "w", "y"})
        if (!base_.settled_.contains(column)) cell(column);  // a sum that is not stored is rounded by nobody
      const bool weighs = row_.text("y").find('w') != std::string::npos;
      if (row_.text("w").empty() && weighs)
        habit("weight", "y: w -> 1 + w", [](Link& link) { std::get<RowNorm>(link).weight_offset = 1; });
      if (!row_.text("z").empty()) with_a_residual();
      if (!row_.text("mean").empty()) with_a_mean();
    }
    return std::move(edits_);
  }

 private:
  using Cell = EditedRow::Cell;

  /// "bf16:": what follows is done in 16 bits.
  static bool is_short_format(const std::string& token) { return token == "bf16:" || token == "f16:"; }

  static CellToken edited(const std::string& text, const std::string& label) { return {text, label, true}; }

  void add(const std::string& column, const std::string& what, Cell tokens) {
    edits_.push_back({column + ": " + what, base_});
    edits_.back().row.cells_[column] = std::move(tokens);
  }

  void habit(const std::string& what, const std::string& name, std::function<void(Link&)> change) {
    if (base_.settled_.contains(what)) return;
    edits_.push_back({name, base_});
    edits_.back().row.settled_.insert(what);
    edits_.back().row.habits_.push_back(std::move(change));
  }

  /// Which of the rounded and the unrounded sum is squared, normalized and stored.
  void with_a_residual() {
    habit("residual", "residual: stays as it was", [](Link& link) { std::get<RowNorm>(link).residual_as_it_was = true; });
    const Cell& z = base_.cells_.at("z");
    if (verb_of(z.back().label) == "to" && !z.back().edited)
      habit("sum of z", "sum: of z before it is rounded", [](Link& link) { std::get<RowNorm>(link).sum_before_rounding = true; });
    if (verb_of(z.back().label) == "add" && !z.back().edited)
      habit("y of z", "y: of the residual as stored", [](Link& link) { std::get<RowNorm>(link).stored_from = 0; });
    if (!row_.text("stored_from").empty())
      habit("y of z", "y: of the sum in all columns",
            [](Link& link) { std::get<RowNorm>(link).stored_from = RowNorm::kNoColumn; });
  }

  /// What the mean is of, what the squares are of, and whose type the weights have.
  void with_a_mean() {
    cell("mean");
    squares_of_x();
    if (row_.text("w").empty() && !base_.settled_.contains("weight")) {
      edits_.push_back({"w: rounded to x", base_});
      edits_.back().row.cells_["w"] = {edited("to(x)", "to(x)")};
      edits_.back().row.settled_.insert("weight");
    }
    habit("mean over", "mean: over half the row", [](Link& link) { std::get<RowNorm>(link).mean_share = 0.5; });
    habit("degrees", "r: div(n) -> div(n - 1)", [](Link& link) { std::get<RowNorm>(link).lost_degrees = 1; });
  }

  /// Squares of x itself, as they are or less the square of its mean: a difference of two large numbers.
  void squares_of_x() {
    if (row_.text("sum") != "deviations" || base_.settled_.contains("sum over")) return;
    edits_.push_back({"sum: of x, its mean not taken off", base_});
    edits_.back().row.row_.cells["sum"].text = "squares";
    edits_.back().row.settled_.insert("sum over");
    Cell& r = edits_.back().row.cells_.at("r");
    if (r.empty() || r.front().edited || verb_of(r.front().text) != "div") return;
    edits_.push_back(edits_.back());
    edits_.back().name = "r: mean of x^2 less mu^2";
    Cell& less = edits_.back().row.cells_.at("r");
    less.insert(less.begin() + 1, edited("sub(mu*mu)", "sub(mu*mu)"));
  }

  /// What a rotation goes by, and what all of its cells do.
  void rotation() {
    constants("pairs");
    constants("dims");
    habit("turn", "rope: turned the other way", [](Link& link) { std::get<Rope>(link).sin_negated = true; });
    habit("turn", "rope: cos and sin exchanged", [](Link& link) { std::get<Rope>(link).exchanged = true; });
    habit("turn", "rope: each number is its own partner", [](Link& link) { std::get<Rope>(link).own_partner = true; });
    if (row_.text("pairs") == "neox" && !base_.settled_.contains("pairs"))
      habit("turn", "rope: half a head apart", [](Link& link) { std::get<Rope>(link).across = true; });
    for (const auto& [column, verb, other] : {std::tuple{"even", "sub", "add"}, {"odd", "add", "sub"}}) {
      const Cell& tokens = base_.cells_.at(column);
      for (size_t i = 0; i < tokens.size(); ++i)
        if (verb_of(tokens[i].text) == verb && !tokens[i].edited)
          replace(column, tokens, i, std::string(other).append(tokens[i].text, tokens[i].text.find('(')));
    }
    in_all_cells("rope: to(x) -> to(x,rz)", "to(x)", "to(x,rz)");
    if (x_.bits < kF32.bits) in_16_bits();
  }

  /// The same other token wherever that one stands.
  void in_all_cells(const std::string& name, const std::string& text, const std::string& other) {
    EditedRow::Edit edit{name, base_};
    bool found = false;
    for (auto& [column, tokens] : edit.row.cells_)
      for (CellToken& token : tokens)
        if (token.text == text && !token.edited) token = edited(other, token.label), found = true;
    if (found) edits_.push_back(std::move(edit));
  }

  /// Each product and each sum is rounded to x, as operators of 16-bit types do.
  void in_16_bits() {
    EditedRow::Edit edit{"rope: every step rounded to x", base_};
    for (const char* column : {"even", "odd"}) {
      Cell& tokens = edit.row.cells_.at(column);
      for (CellToken& token : tokens) {
        if (token.edited) return;
        token = edited(token.text.substr(0, token.text.find("~fma")), token.label);
      }
      tokens.insert(tokens.begin(), edited(std::string(x_.name) + ":", "f32:"));
    }
    edits_.push_back(std::move(edit));
  }

  void amax_over() {
    if (row_.text("group") != "tensor" && row_.text("group") != "row")
      habit("amax over", "amax: over two groups", [](Link& link) { std::get<GroupQuant>(link).amax_share = 2; });
    habit("amax over", "amax: over half the group", [](Link& link) { std::get<GroupQuant>(link).amax_share = 0.5; });
    if (spans_rows(row_))
      habit("amax over", "amax: over the first row alone", [](Link& link) { std::get<GroupQuant>(link).first_row_alone = true; });
    if (pads_x(row_))
      habit("amax over", "amax: over the next row too, beyond a ragged edge",
            [](Link& link) { std::get<GroupQuant>(link).past_the_edge = true; });
  }

  /// Whether an argument of a step, or a part of it as in 1/(512*M), is that constant.
  bool reads_constant(const std::string& name) const {
    for (const auto& [column, tokens] : base_.cells_)
      for (const CellToken& token : tokens)
        if (arguments_of(token.text).find(name) != std::string::npos) return true;
    return false;
  }

  static bool has_integer_codes(const ContractRow& row) { return find_format(row.text("q"))->specials == Specials::kInteger; }

  /// Rows whose constants this one could have by mistake: codes of the same kind.
  bool is_sibling(const ContractRow& row) const {
    return row.flow == row_.flow && (!row.cells.contains("q") || has_integer_codes(row) == has_integer_codes(row_));
  }

  /// Every other value that sibling rows have in this column; of a number of steps the next ones too.
  void constants(const std::string& column) {
    if (base_.settled_.contains(column) || row_.text(column).empty()) return;
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
      edits_.back().row.settled_.insert(column);
    }
  }

  /// Steps from here on make integers of integers.
  static bool in_integers(const Cell& tokens, size_t i) {
    return std::any_of(tokens.begin(), tokens.begin() + long(i), [](const CellToken& token) { return token.text == "int32:"; });
  }

  void cell(const std::string& column) {
    const Cell& tokens = base_.cells_.at(column);
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

  /// What else the cast to integer codes could be; where integers come in, it rounds no more.
  static std::vector<std::string> casts(const Cell& tokens, size_t i) {
    if (in_integers(tokens, i)) return {"to(q,wrap)"};
    return other_casts(tokens[i].text);
  }

  /// Codes of both signs reach equally far. They do by themselves where the largest magnitude makes the scale.
  void cut_evenly(Cell tokens, size_t i) {
    if (row_.flow == "group_quant" && !base_.cells_.at("amax").empty()) return;
    const std::string most = std::to_string(int(max_finite(*find_format(row_.text("q"))))), label = tokens[i].label;
    const std::string clamp = std::string("clamp(keep,").append(most).append(",-").append(most).append(")");
    tokens.insert(tokens.begin() + long(i), edited(clamp, clamp));
    add("code", std::string(clamp).append(" before ").append(label), std::move(tokens));
  }

  /// A multiplier made of amax by a division, taken from the scale instead: one rounding more.
  void of_scale(const Cell& tokens) {
    const bool untouched = tokens.size() == tokens_of(row_.text("mult")).size();
    if (tokens.empty() || !untouched || !has_integer_codes(row_) || tokens[0].text != "amax:" || tokens.back().edited ||
        verb_of(tokens.back().text) != "rdiv" || !slack_of(tokens.back().text).empty())
      return;
    add("mult", arguments_of(tokens.back().text).append("/amax -> 1/s"), {edited("rcp", "rcp")});
  }

  /// And not because a step between them was left out.
  bool neighbours_in_row(const std::string& column, const std::string& left, const std::string& right) const {
    return row_.text(column).find(std::string(left).append(" ").append(right)) != std::string::npos;
  }

  void drop(const std::string& column, Cell tokens, size_t i) {
    const std::string label = tokens[i].label;
    if ((column == "z" || column == "mean") && tokens.size() == 1)
      tokens[i] = edited("mul(1)", label);  // a row that adds has a z, and one that takes a mean off has a mean
    else
      tokens.erase(tokens.begin() + long(i));
    add(column, "drop " + label, std::move(tokens));
  }

  void replace(const std::string& column, Cell tokens, size_t i, const std::string& other) {
    const std::string label = tokens[i].label;
    tokens[i] = edited(other, label);
    add(column, label + " -> " + other, std::move(tokens));
  }

  /// x / s and x * (1 / s) differ by one rounding.
  void reciprocal(Cell tokens, size_t i) {
    const std::string label = tokens[i].label, text = tokens[i].text;
    const Cell& mult = base_.cells_.at("mult");
    if (verb_of(text) == "div" && mult.empty()) {
      tokens[i] = edited("mul(m)", label);
      add("code", label + " -> mul(1/s)", std::move(tokens));
      edits_.back().row.cells_["mult"] = {edited("rcp", "rcp")};
    } else if (verb_of(text) == "mul" && arguments_of(text) == "m") {
      tokens[i] = edited("div(s)", label);
      add("code", label + " -> div(s)", std::move(tokens));
    }
  }

  void round_once_more(const std::string& column, Cell tokens, size_t i) {
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

  void exponent_in_bf16(const std::string& column, Cell tokens, size_t i) {
    const std::string label = tokens[i].label;
    tokens[i] = edited("to(bf16) bf16: log2 ceil exp2 f32:", label);
    add(column, label + " -> exponent by log2 in bf16", std::move(tokens));
  }

  /// An addition, or a bound that the case gives, before its neighbour or after it; behind the root, 1 / sqrt(v + a) becomes
  /// 1 / (sqrt(v) + a).
  void exchange(const std::string& column, Cell tokens, size_t i) {
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

  /// v / (1 + exp(-v)) is 0.5 v (1 + tanh(0.5 v)) in real numbers alone. The approximations of both forms are left out.
  void sigmoid_by_tanh() {
    Cell tokens = base_.cells_.at("h");
    const char* wanted[] = {"neg", "exp", "add"};
    for (size_t i = 0; i < 3; ++i)
      if (i >= tokens.size() || tokens[i].edited || verb_of(tokens[i].text) != wanted[i]) return;
    const bool by_reciprocal = tokens.size() > 4 && tokens[3].text == "rcp" && tokens[4].text == "mul(g)";
    const size_t count = by_reciprocal ? 5 : tokens.size() > 3 && tokens[3].text.starts_with("rdiv(g") ? 4 : 0;
    for (size_t i = 3; i < count; ++i)
      if (tokens[i].edited) return;
    if (count == 0) return;
    tokens.erase(tokens.begin(), tokens.begin() + long(count));
    tokens.insert(tokens.begin(), edited("mul(1/2) tanh add(1) mul(1/2) mul(g)", "sigmoid"));
    add("h", "sigmoid by exp -> by tanh", std::move(tokens));
  }

  std::vector<std::string> swaps(const std::string& column, const std::string& token) const {
    std::vector<std::string> others = other_forms(token);
    if ((verb_of(token) == "max" || verb_of(token) == "min") && !is_quantity(arguments_of(token)))
      siblings(column, token, others);
    return others;
  }

  /// The same verb with the constants that other rows of the table give it in this column.
  void siblings(const std::string& column, const std::string& token, std::vector<std::string>& others) const {
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

  const ContractTables& tables_;
  const EditedRow& base_;
  const ContractRow& row_;
  const Format& x_;
  bool behind_activation_, before_others_;
  std::vector<EditedRow::Edit> edits_;
};

std::vector<EditedRow::Edit> EditedRow::edits(const ContractTables& tables, const Format& x, bool behind_activation,
                                              bool before_others) const {
  return EditsOfRow(tables, *this, x, behind_activation, before_others).all();
}

}  // namespace assay
