#include "reference/contracts/neighbours_cells.h"

#include <algorithm>

#include "reference/contracts/group_shape.h"
#include "reference/contracts/neighbours_tokens.h"

namespace assay {
namespace {

bool is_column_of_steps(const std::string& column) {
  static const std::set<std::string> columns = {"amax", "scale", "mult", "code", "r", "y"};
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
  EditsOfRow(const ContractTables& tables, const EditedRow& base, const Format& x)
      : tables_(tables), base_(base), row_(base.row_), x_(x) {}

  std::vector<EditedRow::Edit> all() {
    if (row_.flow == "group_quant") {
      if (reads_constant("M")) constants("M");
      constants("q");
      for (const char* column : {"amax", "scale", "mult", "code"}) cell(column);
      if (!base_.cells_.at("amax").empty()) amax_over();
    } else {
      habit("sum over", "sum: ignores the data", [](Link& link) { std::get<RowNorm>(link).sum_share = 0; });
      habit("sum over", "sum: over half the row", [](Link& link) { std::get<RowNorm>(link).sum_share = 0.5; });
      habit("eps", "r: eps -> 10 eps", [](Link& link) { std::get<RowNorm>(link).eps_factor = 10; });
      for (const char* column : {"r", "y"}) cell(column);
      habit("weight", "y: w -> 1 + w", [](Link& link) { std::get<RowNorm>(link).weight_offset = 1; });
    }
    return std::move(edits_);
  }

 private:
  using Cell = EditedRow::Cell;

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

  void amax_over() {
    if (row_.text("group") != "tensor" && row_.text("group") != "row")
      habit("amax over", "amax: over two groups", [](Link& link) { std::get<GroupQuant>(link).amax_share = 2; });
    habit("amax over", "amax: over half the group", [](Link& link) { std::get<GroupQuant>(link).amax_share = 0.5; });
    if (spans_rows(row_))
      habit("amax over", "amax: over the first row alone", [](Link& link) { std::get<GroupQuant>(link).first_row_alone = true; });
    if (pads_x(row_))
      habit("amax over", "amax: over the next row too, beyond a ragged edge", [](Link& link) { std::get<GroupQuant>(link).past_the_edge = true; });
  }

  /// Whether an argument of a step, or a part of it as in 1/(512*M), is that constant.
  bool reads_constant(const std::string& name) const {
    for (const auto& [column, tokens] : base_.cells_)
      for (const CellToken& token : tokens)
        if (arguments_of(token.text).find(name) != std::string::npos) return true;
    return false;
  }

  /// Every other value that sibling rows have in this column.
  void constants(const std::string& column) {
    if (base_.settled_.contains(column)) return;
    std::set<std::string> seen = {row_.text(column)};
    for (const ContractRow& sibling : tables_.rows()) {
      if (sibling.flow != row_.flow || !seen.insert(sibling.text(column)).second) continue;
      edits_.push_back({column + ": " + row_.text(column) + " -> " + sibling.text(column), base_});
      edits_.back().row.row_.cells[column].text = sibling.text(column);
      edits_.back().row.settled_.insert(column);
    }
  }

  void cell(const std::string& column) {
    const Cell& tokens = base_.cells_.at(column);
    for (size_t i = 0; i < tokens.size(); ++i) {
      const std::string& text = tokens[i].text;
      if (tokens[i].edited || text.ends_with(':')) continue;
      const bool last = i + 1 == tokens.size();
      const bool is_final_conversion = last && verb_of(text) == "to";
      if (!is_final_conversion && verb_of(text) != "absmax") drop(column, tokens, i);
      for (const std::string& other : swaps(column, text)) replace(column, tokens, i, other);
      if (is_quantity(arguments_of(text)) && column == "code") reciprocal(tokens, i);
      if (column == "r" || column == "y" || column == "code") round_once_more(column, tokens, i);
      if (!last && !tokens[i + 1].edited) exchange(column, tokens, i);
    }
  }

  void drop(const std::string& column, Cell tokens, size_t i) {
    const std::string label = tokens[i].label;
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
    const bool rounds_next = i + 1 < tokens.size() && tokens[i + 1].text.starts_with("to(x");
    if (x_.bits == 32 || rounds_next || (verb != "mul" && verb != "div" && verb != "rsqrt")) return;
    tokens.insert(tokens.begin() + long(i) + 1, edited("to(x)", "to(x)"));
    add(column, "to(x) after " + label, std::move(tokens));
  }

  /// An addition, or a bound that the case gives, before its neighbour or after it; behind the root, 1 / sqrt(v + a) becomes
  /// 1 / (sqrt(v) + a).
  void exchange(const std::string& column, Cell tokens, size_t i) {
    const CellToken left = tokens[i], right = tokens[i + 1];
    const bool from_left = verb_of(left.text) == "add";
    const bool scales = verb_of(right.text) == "div" || verb_of(right.text) == "mul";
    const bool bound = verb_of(left.text) == "min" && is_quantity(arguments_of(left.text)) && scales;
    if (!bound && !from_left && verb_of(right.text) != "add") return;
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

  std::vector<std::string> swaps(const std::string& column, const std::string& token) const {
    std::vector<std::string> others = other_forms(token);
    if ((verb_of(token) == "max" || verb_of(token) == "min") && !is_quantity(arguments_of(token))) siblings(column, token, others);
    return others;
  }

  /// The same verb with the constants that other rows of the table give it in this column.
  void siblings(const std::string& column, const std::string& token, std::vector<std::string>& others) const {
    std::set<std::string> seen(others.begin(), others.end());
    seen.insert(token);
    const auto value = [](const std::string& t) { return arguments_of(t).substr(0, arguments_of(t).find(',')); };
    for (const ContractRow& row : tables_.rows()) {
      if (row.flow != row_.flow) continue;
      for (const std::string& other : tokens_of(row.text(column)))
        if (verb_of(other) == verb_of(token) && value(other) != value(token) && !is_quantity(value(other)) && seen.insert(other).second)
          others.push_back(other);
    }
  }

  const ContractTables& tables_;
  const EditedRow& base_;
  const ContractRow& row_;
  const Format& x_;
  std::vector<EditedRow::Edit> edits_;
};

std::vector<EditedRow::Edit> EditedRow::edits(const ContractTables& tables, const Format& x) const {
  return EditsOfRow(tables, *this, x).all();
}

}  // namespace assay
