#include "reference/contracts/neighbours.h"

#include <algorithm>
#include <set>
#include <utility>

namespace assay {
namespace {

std::vector<std::string> tokens_of(const std::string& cell) {
  std::vector<std::string> tokens;
  int depth = 0;
  std::string token;
  for (char c : cell + " ") {
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c != ' ' || depth > 0) token += c;
    else if (!token.empty()) tokens.push_back(std::exchange(token, {}));
  }
  return tokens;
}

std::string joined(const std::vector<std::string>& tokens) {
  std::string text;
  for (const std::string& token : tokens) text += (text.empty() ? "" : " ") + token;
  return text;
}

std::string verb_of(const std::string& token) { return token.substr(0, token.find_first_of("(~")); }

/// "div(M)~2" -> "M"; empty if there are no arguments.
std::string arguments_of(const std::string& token) {
  const size_t open = token.find('('), close = token.rfind(')');
  return open == std::string::npos ? "" : token.substr(open + 1, close - open - 1);
}

bool is_quantity(const std::string& argument) { return argument == "s" || argument == "m" || argument == "r" || argument == "w" || argument == "n" || argument == "eps"; }

/// One edited row and the words for it.
struct Edit {
  std::string name;
  std::map<std::string, std::string> cells;  ///< column -> new text
  bool ignores_data = false;
  double amax_share = 1;
};

class RowEdits {
 public:
  RowEdits(const ContractTables& tables, const ContractRow& row, const Format& x) : tables_(tables), row_(row), x_(x) {}

  std::vector<Edit> all() {
    if (row_.flow == "group_quant") {
      constants("M");
      constants("q");
      for (const char* column : {"amax", "scale", "mult", "code"}) cell(column);
      edits_.push_back({"amax: over two groups", {}, false, 2});
      edits_.push_back({"amax: over half the group", {}, false, 0.5});
    } else {
      edits_.push_back({"sum: ignores the data", {}, true, 1});
      for (const char* column : {"r", "y"}) cell(column);
    }
    return std::move(edits_);
  }

 private:
  void add(const std::string& column, const std::string& what, const std::vector<std::string>& tokens) {
    edits_.push_back({column + ": " + what, {{column, joined(tokens)}}, false, 1});
  }

  /// Every other value that sibling rows have in this column.
  void constants(const std::string& column) {
    std::set<std::string> seen = {row_.text(column)};
    for (const ContractRow& sibling : tables_.rows()) {
      if (sibling.flow != row_.flow || !seen.insert(sibling.text(column)).second) continue;
      edits_.push_back({column + ": " + row_.text(column) + " -> " + sibling.text(column), {{column, sibling.text(column)}}, false, 1});
    }
  }

  void cell(const std::string& column) {
    const std::vector<std::string> tokens = tokens_of(row_.text(column));
    for (size_t i = 0; i < tokens.size(); ++i) {
      const std::string& token = tokens[i];
      if (token.ends_with(':')) continue;
      const bool last = i + 1 == tokens.size();
      const bool is_final_conversion = last && verb_of(token) == "to";
      if (!is_final_conversion && verb_of(token) != "absmax") drop(column, tokens, i);
      for (const std::string& other : swaps(column, token)) replace(column, tokens, i, other);
      if (is_quantity(arguments_of(token)) && column == "code") reciprocal(tokens, i);
      if (column == "y" || column == "code") round_once_more(column, tokens, i);
      if (!last && (verb_of(token) == "add" || verb_of(tokens[i + 1]) == "add")) exchange(column, tokens, i);
    }
  }

  void drop(const std::string& column, std::vector<std::string> tokens, size_t i) {
    const std::string dropped = tokens[i];
    tokens.erase(tokens.begin() + long(i));
    add(column, "drop " + dropped, tokens);
  }

  void replace(const std::string& column, std::vector<std::string> tokens, size_t i, const std::string& other) {
    const std::string before = std::exchange(tokens[i], other);
    add(column, before + " -> " + other, tokens);
  }

  /// x / s and x * (1 / s) differ by one rounding.
  void reciprocal(const std::vector<std::string>& tokens, size_t i) {
    std::vector<std::string> edited = tokens;
    if (verb_of(tokens[i]) == "div" && row_.text("mult").empty()) {
      edited[i] = "mul(m)";
      edits_.push_back({"code: " + tokens[i] + " -> mul(1/s)", {{"mult", "rcp"}, {"code", joined(edited)}}, false, 1});
    } else if (verb_of(tokens[i]) == "mul" && arguments_of(tokens[i]) == "m") {
      edited[i] = "div(s)";
      edits_.push_back({"code: " + tokens[i] + " -> div(s)", {{"code", joined(edited)}}, false, 1});
    }
  }

  void round_once_more(const std::string& column, std::vector<std::string> tokens, size_t i) {
    const std::string verb = verb_of(tokens[i]);
    const bool rounds_next = i + 1 < tokens.size() && tokens[i + 1] == "to(x)";
    if (x_.bits == 32 || rounds_next || (verb != "mul" && verb != "div")) return;
    const std::string after = tokens[i];
    tokens.insert(tokens.begin() + long(i) + 1, "to(x)");
    add(column, "to(x) after " + after, tokens);
  }

  void exchange(const std::string& column, std::vector<std::string> tokens, size_t i) {
    std::swap(tokens[i], tokens[i + 1]);
    add(column, tokens[i] + " before " + tokens[i + 1], tokens);
  }

  std::vector<std::string> swaps(const std::string& column, const std::string& token) const {
    const std::string verb = verb_of(token), arguments = arguments_of(token);
    std::vector<std::string> others;
    if (verb == "absmax") return {arguments.empty() ? "absmax(keep)" : "absmax"};
    if (verb == "pow2") {
      for (const char* rule : {"floor", "ceil", "even", "q75"})
        if (arguments != rule) others.push_back(std::string("pow2(") + rule + ")");
    }
    if (verb == "clamp") {
      const std::string bounds = arguments.substr(arguments.find(','));
      const bool high = arguments.starts_with("min_max"), keeps = arguments.starts_with("keep");
      others.push_back(std::string(high || keeps ? "clamp(max_min" : "clamp(min_max") + bounds + ")");
      if (!keeps) others.push_back("clamp(keep" + bounds + ")");
    }
    if (verb == "to") {
      const std::string format = arguments.substr(0, arguments.find(','));
      if (arguments == format) others = {"to(" + format + ",rz)"};
      if (arguments == format && format == "q") others.push_back("to(q,nosat)");
      if (arguments.ends_with(",nosat")) others = {"to(" + format + ")"};
    }
    if (verb == "div" && !is_quantity(arguments)) others = {"mul(1/" + arguments + ")"};
    if (verb == "mul" && arguments.starts_with("1/")) others = {"div(" + arguments.substr(2) + ")"};
    if (verb == "max" || verb == "min") {
      const bool keeps = arguments.ends_with(",keep");
      others = {verb + "(" + (keeps ? arguments.substr(0, arguments.size() - 5) : arguments + ",keep") + ")"};
      siblings(column, token, others);
    }
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
        if (verb_of(other) == verb_of(token) && value(other) != value(token) && seen.insert(other).second) others.push_back(other);
    }
  }

  const ContractTables& tables_;
  const ContractRow& row_;
  const Format& x_;
  std::vector<Edit> edits_;
};

}  // namespace

std::vector<Neighbour> neighbours(const ContractTables& tables, const std::string& id, const Format& x) {
  const Contract contract = bind(tables, id, x);
  const std::vector<std::string> chain = chain_of(tables.find(id));
  std::vector<Neighbour> result;
  for (size_t link = 0; link < chain.size(); ++link) {
    const ContractRow& row = tables.find(chain[link]);
    for (const Edit& edit : RowEdits(tables, row, x).all()) {
      ContractRow edited = row;
      for (const auto& [column, text] : edit.cells) edited.cells[column].text = text;
      Neighbour neighbour{edit.name, contract};
      neighbour.contract.links[link] = bind_link(edited, x);
      if (auto* norm = std::get_if<RowNorm>(&neighbour.contract.links[link])) norm->sum_is_squares = !edit.ignores_data;
      if (auto* quant = std::get_if<GroupQuant>(&neighbour.contract.links[link])) quant->amax_share = edit.amax_share;
      result.push_back(std::move(neighbour));
    }
  }
  return result;
}

}  // namespace assay
