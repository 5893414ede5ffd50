#include "reference/recipe/cell.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "reference/exact/expression.h"
#include "reference/table/message.h"

namespace assay {
namespace {

constexpr size_t kMostSteps = 256;  ///< per cell; the longest of ours has about 50

/// Parses a short number of digits, or nothing.
std::optional<int> short_number(std::string_view text) {
  const bool digits = !text.empty() && text.size() < 4 && std::all_of(text.begin(), text.end(), ::isdigit);
  return digits ? std::optional(std::stoi(std::string(text))) : std::nullopt;
}

/// Parses "2", "2+1.173v", "2^-11" or "fma"; nothing for other text.
std::optional<CellSlack> slack_of(std::string_view text) {
  CellSlack slack{"~" + std::string(text)};
  if (text == "fma") return slack.fma = true, slack;
  if (text.starts_with("2^-")) {
    const std::optional<int> exponent = short_number(text.substr(3));
    if (!exponent) return {};
    return slack.relative = std::ldexp(1.0, -*exponent), slack;
  }
  const size_t plus = text.find('+');
  const std::optional<int> ulps = short_number(text.substr(0, plus));
  if (!ulps) return {};
  slack.ulps = *ulps;
  if (plus == std::string_view::npos) return slack;
  const std::string factor(text.substr(plus + 1));
  char* end = nullptr;
  slack.per_unit = std::strtod(factor.c_str(), &end);
  const bool plain = factor.find_first_not_of("0123456789.v") == std::string::npos;
  return plain && slack.per_unit > 0 && std::string_view(end) == "v" ? std::optional(slack) : std::nullopt;
}

void split_arguments(CellStep& step, std::string_view text, size_t open) {
  int depth = 0;
  size_t begin = open + 1;
  for (size_t i = open + 1; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    const bool last = i + 1 == text.size();
    if (last || (text[i] == ',' && depth == 0)) {
      while (begin < i && text[begin] == ' ') ++begin;
      step.arguments.push_back({std::string(text.substr(begin, i - begin)), step.position + begin});
      if (step.arguments.back().text.empty()) throw ParseError(step.position + begin, "empty argument in '" + step.text + "'");
      begin = i + 1;
    }
    if (text[i] == ')') --depth;
  }
}

/// Reads the word that begins at `start`.
CellStep read_step(std::string_view cell, size_t start) {
  size_t at = start;
  int depth = 0;
  while (at < cell.size() && (depth > 0 || cell[at] != ' ')) {
    if (cell[at] == '(') ++depth;
    if (cell[at] == ')' && --depth < 0) throw ParseError(at, "')' without '('");
    ++at;
  }
  if (depth > 0) throw ParseError(start, "'" + shortened(cell.substr(start)) + "' is not closed by ')'");
  std::string_view text = cell.substr(start, at - start);
  CellStep step{"", {}, {}, std::string(text), start};
  if (const size_t tilde = text.rfind('~'); tilde != std::string_view::npos) {
    const std::optional<CellSlack> slack = slack_of(text.substr(tilde + 1));
    if (!slack)
      throw ParseError(start + tilde, "after '~': expected k, k+Cv, 2^-N or fma, got '" +
                                          std::string(text.substr(tilde + 1)) + "'");
    step.slack = *slack;
    text = text.substr(0, tilde);
  }
  const size_t open = text.find('(');
  step.word = text.substr(0, open);
  if (open == std::string_view::npos) return step;
  if (text.back() != ')') throw ParseError(start + open, "unexpected text after ')' in '" + step.text + "'");
  split_arguments(step, text, open);
  return step;
}

}  // namespace

CellStep CellStep::made(const std::string& word, std::initializer_list<std::string> arguments, const CellSlack& slack) {
  return made(word, std::vector<std::string>(arguments), slack);
}

CellStep CellStep::made(const std::string& word, const std::vector<std::string>& arguments, const CellSlack& slack) {
  CellStep step{word, {}, slack, word};
  for (const std::string& argument : arguments) {
    step.text.append(step.arguments.empty() ? "(" : ",").append(argument);
    step.arguments.push_back({argument});
  }
  step.text.append(arguments.empty() ? "" : ")").append(slack.text);
  return step;
}

std::vector<std::string> CellStep::argument_texts() const {
  std::vector<std::string> texts;
  for (const CellArgument& argument : arguments) texts.push_back(argument.text);
  return texts;
}

bool CellStep::has_argument(std::string_view text) const {
  return std::any_of(arguments.begin(), arguments.end(), [&](const CellArgument& argument) { return argument.text == text; });
}

std::vector<CellStep> read_cell(std::string_view cell) {
  std::vector<CellStep> steps;
  for (size_t at = 0; at < cell.size();) {
    if (cell[at] == ' ') {
      ++at;
      continue;
    }
    if (steps.size() == kMostSteps) throw ParseError(at, "a cell has at most " + std::to_string(kMostSteps) + " steps");
    steps.push_back(read_step(cell, at));
    at += steps.back().text.size();
  }
  return steps;
}

bool is_quantity(std::string_view argument) {
  return !argument.empty() && std::all_of(argument.begin(), argument.end(), ::islower);
}

std::string text_of(const std::vector<CellStep>& steps) {
  std::string text;
  for (const CellStep& step : steps) text.append(text.empty() ? "" : " ").append(step.text);
  return text;
}

}  // namespace assay
