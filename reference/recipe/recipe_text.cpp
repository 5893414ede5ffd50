// The text of recipes: steps and cells, the parser, and formulas for readers.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "reference/exact/expression.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/eval.h"
#include "reference/recipe/recipe.h"
#include "reference/table/near.h"

namespace assay {

std::string Recipe::text() const {
  static constexpr const char* kOver[] = {
      "", "[nothing]", "[half]", "[twice]", "[first row]", "[next row too]", "[all but last]", "[positive]"};
  static constexpr const char* kReductions[] = {"",      "absmax",   "absmax(keep)", "absmax(all)",
                                                "least", "greatest", "squares",      "deviations"};
  std::string text;
  const auto append = [&](const std::string& token) { text += (text.empty() ? "" : " ") + token; };
  if (!start.empty()) append(start + ":");
  if (reduction != Reduction::kNone || over != Over::kAll)
    append(std::string(kReductions[size_t(reduction)]) + kOver[size_t(over)]);
  const Format* working = &kF32;
  for (const Step& step : steps) {
    if (step.working != working) append(std::string(step.working->name) + ":");
    working = step.working;
    append(step.text);
  }
  return text;
}

double share(Over over) {
  switch (over) {
    case Over::kNothing: return 0;
    case Over::kHalf: return 0.5;
    case Over::kTwice: return 2;
    default: return 1;
  }
}

bool reads(const Recipe& recipe, const std::string& quantity) {
  return std::any_of(recipe.steps.begin(), recipe.steps.end(), [&](const Step& step) {
    return step.a.name == quantity || step.a.times == quantity || step.b.name == quantity;
  });
}

void replace_quantity(Recipe& recipe, const std::string& from, const std::string& to) {
  for (Step& step : recipe.steps) {
    if (step.a.name != from && step.a.times != from && step.b.name != from) continue;
    for (std::string* name : {&step.a.name, &step.a.times, &step.b.name})
      if (*name == from) *name = to;
    const auto is_letter = [&](size_t at) {
      return at < step.text.size() && std::isalpha(static_cast<unsigned char>(step.text[at]));
    };
    for (size_t at = step.text.find(from, step.text.find('(')); at != std::string::npos; at = step.text.find(from, at)) {
      const bool whole = !is_letter(at - 1) && !is_letter(at + from.size());
      if (whole) step.text.replace(at, from.size(), to);
      at += whole ? to.size() : from.size();
    }
  }
}

namespace {

constexpr size_t kMostSteps = 256;  ///< steps per cell; our longest cell has about 50

/// Parses a number of one to three digits; returns nothing for other text.
std::optional<int> short_number(std::string_view text) {
  const bool digits = !text.empty() && text.size() < 4 && std::all_of(text.begin(), text.end(), ::isdigit);
  return digits ? std::optional(std::stoi(std::string(text))) : std::nullopt;
}

/// Parses "2", "2+1.173v", "2^-11" or "fma"; returns nothing for other text.
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

/// Reads the word that begins at `start`; a blank inside parentheses does not end it.
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

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "none" : text;
}

std::vector<std::string> verb_names() {
  std::vector<std::string> names;
  for (const VerbInfo& verb : all_verbs()) names.emplace_back(verb.name);
  return names;
}

class CellParser {
 public:
  explicit CellParser(const Names& names) : names_(names) {}

  Recipe parse(const std::vector<CellStep>& cell) {
    Recipe recipe;
    bool first = true;
    for (const CellStep& token : cell) {
      if (token.is_prefix()) prefix(token, recipe, first);
      else if (!first || !reduction(token, recipe)) recipe.steps.push_back(step(token));
      first = false;
    }
    return recipe;
  }

 private:
  void prefix(const CellStep& token, Recipe& recipe, bool first) {
    const std::string name = token.word.substr(0, token.word.size() - 1);
    for (const Format* format : {&kF32, &kBf16, &kF16, &kInt32}) {
      if (name == format->name) {
        working_ = format;
        return;
      }
    }
    const auto& known = names_.quantities;
    if (std::find(known.begin(), known.end(), name) == known.end() || !first)
      throw ParseError(
          token.position,
          "'" + token.word +
              "' is neither a working format (f32:, bf16:, f16:, int32:) nor, at the beginning, one of: " + joined(known));
    recipe.start = name;
  }

  static bool reduction(const CellStep& token, Recipe& recipe) {
    if (token.word == "squares" && token.arguments.empty()) recipe.reduction = Reduction::kSquares;
    else if (token.word == "deviations" && token.arguments.empty())
      recipe.reduction = Reduction::kDeviations;
    else if (token.word == "absmax" && token.arguments.empty()) recipe.reduction = Reduction::kAbsMax;
    else if (token.word == "least" && token.arguments.empty())
      recipe.reduction = Reduction::kLeast;
    else if (token.word == "greatest" && token.arguments.empty())
      recipe.reduction = Reduction::kGreatest;
    else if (token.word == "absmax" && token.arguments.size() == 1 && token.arguments[0].text == "keep")
      recipe.reduction = Reduction::kAbsMaxKeepNan;
    else if (token.word == "absmax" && token.arguments.size() == 1 && token.arguments[0].text == "all")
      recipe.reduction = Reduction::kAbsMaxOfAllNan;
    else return false;
    return true;
  }

  Operand operand(const CellArgument& argument) const {
    const auto& [text, position] = argument;
    const auto& known = names_.quantities;
    if (std::find(known.begin(), known.end(), text) != known.end()) return {0, text};
    try {
      return {Expression(text).rounded(names_.constants, working_->is_integer() ? kF32 : *working_), {}};
    } catch (const ParseError& error) {
      throw ParseError(position + error.position, error.what());
    } catch (const std::exception& error) {
      std::vector<std::string> allowed = known;
      for (const auto& [name, value] : names_.constants) allowed.push_back(name);
      throw ParseError(position, std::string(error.what()) + "; known here: " + joined(allowed));
    }
  }

  bool is_quantity(const std::string& text) const {
    return std::find(names_.quantities.begin(), names_.quantities.end(), text) != names_.quantities.end();
  }

  /// An operand: a constant, a quantity, or the product of a quantity and a second factor.
  Operand factor_or_product(const CellArgument& argument) const {
    const std::string& text = argument.text;
    const size_t star = text.find('*');
    if (star == std::string::npos || !is_quantity(text.substr(0, star))) return operand(argument);
    const std::string name = text.substr(0, star);
    const CellArgument second{text.substr(star + 1), argument.position + star + 1};
    if (is_quantity(second.text)) return {0, name, second.text};
    const std::string unknown = "'" + second.text + "' is not one of: " + joined(names_.quantities);
    try {
      const double factor = operand(second).constant;
      if (factor != 0) return {factor, name};
    } catch (const ParseError&) {
      throw ParseError(second.position, unknown);
    }
    throw ParseError(second.position, unknown);
  }

  Operand constant(const CellArgument& argument) const {
    const Operand found = operand(argument);
    if (!found.name.empty())
      throw ParseError(argument.position, "'" + found.name + "' is not a constant; expected a constant as bound of clamp");
    return found;
  }

  const Format& format(const CellArgument& argument) const {
    if (const auto found = names_.formats.find(argument.text); found != names_.formats.end()) return *found->second;
    if (const Format* format = find_format(argument.text)) return *format;
    std::vector<std::string> known;
    for (const auto& [name, format] : names_.formats) known.push_back(name);
    for (const Format& format : all_formats()) known.emplace_back(format.name);
    throw ParseError(argument.position, "unknown format '" + argument.text + "'; known: " + joined(known));
  }

  template <class Value>
  static Value choice(const CellArgument& argument, std::initializer_list<std::pair<const char*, Value>> choices) {
    std::vector<std::string> known;
    for (const auto& [name, value] : choices) {
      if (argument.text == name) return value;
      known.emplace_back(name);
    }
    throw ParseError(argument.position, "'" + argument.text + "' is not one of: " + joined(known));
  }

  Step step(const CellStep& token) const {
    const VerbInfo* verb = find_verb(token.word);
    if (!verb) {
      throw ParseError(token.position, "unknown verb '" + token.word + "'" + did_you_mean(token.word, verb_names()) +
                                           "; allowed: " + joined(verb_names()));
    }
    Step step;
    step.verb = verb->verb;
    step.text = token.text;
    step.working = working_;
    step.slack_ulps = token.slack.ulps;
    step.slack_per_unit = token.slack.per_unit;
    step.slack_relative = token.slack.relative;
    step.contracted = token.slack.fma;
    if (token.slack.given() && !verb->rounds)
      throw ParseError(token.position, "'" + token.word + "' does not round, so '~' cannot widen it");
    const auto& arguments = token.arguments;
    const auto need = [&](size_t least, size_t most) {
      if (arguments.size() < least || arguments.size() > most)
        throw ParseError(token.position, "'" + token.word + "': expected the form " + std::string(verb->form));
    };
    const bool integers = working_->is_integer();
    static constexpr Verb kOfIntegers[] = {Verb::kAdd, Verb::kRint, Verb::kTrunc, Verb::kClamp, Verb::kTo};
    if (integers && std::find(std::begin(kOfIntegers), std::end(kOfIntegers), verb->verb) == std::end(kOfIntegers))
      throw ParseError(token.position,
                       "'" + token.word + "' is not available for integers; available: rint, trunc, add, clamp, to");
    switch (verb->verb) {
      case Verb::kAdd:
        need(1, integers ? 2 : 1);
        step.a = factor_or_product(arguments[0]);
        if (arguments.size() == 2) step.beyond = choice<BeyondInteger>(arguments[1], {{"wrap", BeyondInteger::kWrap}});
        break;
      case Verb::kSub:
      case Verb::kMul:
      case Verb::kDiv:
        need(1, 1);
        step.a = factor_or_product(arguments[0]);
        break;
      case Verb::kFma:
        need(2, 2);
        if (!(*working_ == kF32)) throw ParseError(token.position, "'fma' is available in f32 only");
        step.a = factor_or_product(arguments[0]);
        step.b = operand(arguments[1]);
        break;
      case Verb::kIf0:
        need(1, 1);
        step.a = operand(arguments[0]);
        break;
      case Verb::kIfLe:
        need(2, 2);
        step.a = operand(arguments[0]);
        step.b = operand(arguments[1]);
        break;
      case Verb::kRdiv:
        need(1, 2);
        step.a = operand(arguments[0]);
        if (arguments.size() == 2) step.fast = choice<bool>(arguments[1], {{"fast", true}});
        break;
      case Verb::kMax: case Verb::kMin:
        need(1, 2);
        step.a = operand(arguments[0]);
        if (arguments.size() == 2) step.nan = choice<NanRule>(arguments[1], {{"keep", NanRule::kKeep}});
        break;
      case Verb::kClamp:
        need(2, 3);
        step.nan = choice<NanRule>(arguments[0], {{"max_min", NanRule::kToLow}, {"min_max", NanRule::kToHigh},
                                                  {"med3", NanRule::kToLow}, {"keep", NanRule::kKeep}});
        step.a = constant(arguments[1]);
        step.b = arguments.size() == 3 ? constant(arguments[2]) : Operand{-step.a.constant, {}};
        if (!(step.b.constant <= step.a.constant))
          throw ParseError(arguments[1].position, "the first bound is the upper one; it must be >= the second");
        break;
      case Verb::kPow2:
        need(1, 1);
        step.pow2 = choice<Pow2>(arguments[0], {{"floor", Pow2::kFloor}, {"ceil", Pow2::kCeil}, {"even", Pow2::kEven},
                                                {"q75", Pow2::kThreeQuarters}, {"half", Pow2::kHalf}});
        break;
      case Verb::kTo:
        need(1, 3);
        step.target = &format(arguments[0]);
        step.overflow = step.target->bits <= 8 || step.target->is_integer() ? Overflow::kSaturate : Overflow::kSpecial;
        for (size_t i = 1; i < arguments.size(); ++i) conversion_rule(arguments[i], step);
        break;
      default: need(0, 0);
    }
    const bool sums = verb->verb == Verb::kAdd || verb->verb == Verb::kSub;
    if (step.contracted && (!sums || !(*working_ == kF32)))
      throw ParseError(token.position, "'~fma' is allowed after add and sub in f32 only");
    return step;
  }

  static void conversion_rule(const CellArgument& argument, Step& step) {
    // A source may convert an exponent to uint8: for E8M0, too, the result for NaN may be undefined.
    const bool integer = step.target->is_integer(),
               without_nan = step.target->specials == Specials::kFinite || step.target->specials == Specials::kScale;
    if (argument.text == "rz") step.rounding = Rounding::kTowardZero;
    else if (argument.text == "rna") step.rounding = Rounding::kNearestAway;
    else if (argument.text == "wrap" && integer)
      step.beyond = BeyondInteger::kWrap;
    else if (argument.text == "undef" && (integer || without_nan))
      step.beyond = BeyondInteger::kUndefined;
    else if (argument.text == "nosat" && !integer)
      step.overflow = Overflow::kSpecial;
    else if (argument.text == "sat") step.overflow = Overflow::kSaturate;
    else if (argument.text == "ovfl" && !integer)
      step.overflow = Overflow::kSaturate, step.keeps_infinity = true;
    else
      throw ParseError(argument.position, "'" + argument.text + "' is not one of: rz, rna, " +
                                              std::string(integer       ? "sat, wrap, undef"
                                                          : without_nan ? "nosat, sat, ovfl, undef"
                                                                        : "nosat, sat, ovfl"));
  }

  const Names& names_;
  const Format* working_ = &kF32;
};

}  // namespace

Recipe resolve(const std::vector<CellStep>& cell, const Names& names) { return CellParser(names).parse(cell); }

Recipe parse_recipe(std::string_view cell, const Names& names) { return resolve(read_cell(cell), names); }

namespace {

std::string number(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, float(value));  // constants are f32 values: the shortest text that is
                                                                           // read back as the same value
  return std::string(text, end.ptr);
}

std::string words(const Operand& operand) {
  if (!operand.times.empty()) return std::string(operand.name).append(" * ").append(operand.times);
  if (!operand.name.empty() && operand.constant != 0)
    return std::string(operand.name).append(" * ").append(number(operand.constant));
  return operand.name.empty() ? number(operand.constant) : operand.name;
}

bool is_atom(const std::string& text) { return text.find_first_of(" ") == std::string::npos || text.ends_with(')'); }
std::string atom(const std::string& text) {
  return is_atom(text) && text.find(" / ") == std::string::npos && text.find(" * ") == std::string::npos ? text
                                                                                                         : "(" + text + ")";
}

std::string applied(const Step& step, const std::string& v) {
  const std::string a = words(step.a), name(info(step.verb).name);
  switch (step.verb) {
    case Verb::kAdd:
      return v + " + " + a + (step.beyond == BeyondInteger::kWrap ? " mod 2^32" : "");
    case Verb::kSub: return v + " - " + a;
    case Verb::kMul:
      return atom(v) + " * " + atom(a);
    case Verb::kFma: return "fma(" + v + ", " + a + ", " + words(step.b) + ")";
    case Verb::kDiv:
      return atom(v) + " / " + atom(a);
    case Verb::kRdiv: return a + " / " + atom(v);
    case Verb::kRcp: return "1 / " + atom(v);
    case Verb::kNeg: return "-" + atom(v);
    case Verb::kAbs: return "|" + v + "|";
    case Verb::kMax: case Verb::kMin:
      return name + "(" + v + ", " + a + (step.nan == NanRule::kKeep ? ", NaN stays)" : ")");
    case Verb::kClamp: {
      const char* nan = step.nan == NanRule::kToLow ? "NaN to low" : step.nan == NanRule::kToHigh ? "NaN to high" : "NaN stays";
      return "clamp(" + v + ", " + words(step.b) + " .. " + a + ", " + nan + ")";
    }
    case Verb::kIf0: return v + " or " + a + " if 0";
    case Verb::kIfLe: return v + " or " + words(step.b) + " if <= " + a;
    case Verb::kPow2: {
      const char* rule = step.pow2 == Pow2::kFloor ? "2^floor(log2(" : step.pow2 == Pow2::kCeil ? "2^ceil(log2(" :
                         step.pow2 == Pow2::kEven ? "2^even(log2(" : step.pow2 == Pow2::kHalf ? "2^half(log2(" : "2^q75(log2(";
      return rule + v + "))";
    }
    case Verb::kTo: {
      std::string rule;
      if (step.rounding == Rounding::kTowardZero) rule = ", toward zero";
      if (step.rounding == Rounding::kNearestAway) rule = ", ties away";
      if (step.beyond == BeyondInteger::kWrap) rule = ", wraps";
      if (step.keeps_infinity) rule += ", finite numbers saturate";
      if (step.beyond == BeyondInteger::kUndefined)
        rule += step.target->is_integer() ? ", undefined out of range" : ", undefined for NaN";
      if (step.target->bits <= 8 && step.overflow == Overflow::kSpecial) rule += ", no saturation";
      return std::string(step.target->name) + "(" + v + rule + ")";
    }
    default: return name + "(" + v + ")";
  }
}

/// Returns a text such as " within 2 + floor(1.173 |v|) ulp".
std::string freedom(const Step& step) {
  std::string text;
  if (step.slack_relative > 0)
    text = " with relative error <= 2^" + std::to_string(std::ilogb(step.slack_relative));
  else if (step.slack_ulps > 0 || step.slack_per_unit > 0)
    text = " within " + std::to_string(step.slack_ulps);
  if (step.slack_per_unit > 0) text += " + floor(" + number(step.slack_per_unit) + " |v|)";
  if (step.slack_relative == 0 && !text.empty()) text += " ulp";
  return text + (step.fast ? ", or 0 beyond 2^126" : "") +
         (!step.contracted       ? ""
          : step.a.times.empty() ? ", with the product rounded or not"
                                 : ", with at most one product unrounded");
}

}  // namespace

std::string formula(const Recipe& recipe, const std::string& value) {
  std::string text = recipe.start.empty() ? value : recipe.start;
  if (recipe.reduction == Reduction::kAbsMax) text = "max|" + value + "|";
  if (recipe.reduction == Reduction::kAbsMaxKeepNan) text = "max|" + value + "|, NaN if any is NaN";
  if (recipe.reduction == Reduction::kAbsMaxOfAllNan) text = "max|" + value + "|, NaN if all are NaN";
  if (recipe.reduction == Reduction::kLeast) text = "min(" + value + ")";
  if (recipe.reduction == Reduction::kGreatest) text = "max(" + value + ")";
  if (recipe.reduction == Reduction::kSquares) text = "sum(" + value + "^2)";
  if (recipe.reduction == Reduction::kDeviations) text = "sum((" + value + " - mu)^2)";
  for (const Step& step : recipe.steps) {
    text = applied(step, text);
    if (!(*step.working == kF32) && info(step.verb).rounds) text = std::string(step.working->name) + "[" + text + "]";
    if (step.is_free()) text = "(" + text + freedom(step) + ")";
  }
  return text;
}

}  // namespace assay
