#include "reference/recipe/parse.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "reference/formats/catalogue.h"
#include "reference/recipe/verbs.h"
#include "reference/table/near.h"

namespace assay {
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

bool is_integer(const Format& format) { return format.specials == Specials::kInteger; }

/// What stands after '~'.
struct Slack {
  int ulps = 0;
  double per_unit = 0, relative = 0;
  bool fma = false;
  bool given() const { return ulps > 0 || per_unit > 0 || relative > 0 || fma; }
};

/// A short number of digits alone, or nothing.
std::optional<int> short_number(std::string_view text) {
  const bool digits = !text.empty() && text.size() < 4 && std::all_of(text.begin(), text.end(), ::isdigit);
  return digits ? std::optional(std::stoi(std::string(text))) : std::nullopt;
}

/// "2", "2+1.173v", "2^-11" or "fma"; nothing if it is none of these.
std::optional<Slack> slack_of(std::string_view text) {
  if (text == "fma") return Slack{0, 0, 0, true};
  if (text.starts_with("2^-")) {
    const std::optional<int> exponent = short_number(text.substr(3));
    return exponent ? std::optional(Slack{0, 0, std::ldexp(1.0, -*exponent)}) : std::nullopt;
  }
  const size_t plus = text.find('+');
  const std::optional<int> ulps = short_number(text.substr(0, plus));
  if (!ulps || plus == std::string_view::npos) return ulps ? std::optional(Slack{*ulps, 0, 0}) : std::nullopt;
  const std::string factor(text.substr(plus + 1));
  char* end = nullptr;
  const double per_unit = std::strtod(factor.c_str(), &end);
  const bool plain = factor.find_first_not_of("0123456789.v") == std::string::npos;
  return plain && per_unit > 0 && std::string_view(end) == "v" ? std::optional(Slack{*ulps, per_unit, 0}) : std::nullopt;
}

/// One token of a cell: word, arguments and slack, with their positions.
struct Token {
  std::string_view text;
  size_t position;
  std::string word;
  std::vector<std::pair<std::string, size_t>> arguments;
  Slack slack;
};

class CellParser {
 public:
  CellParser(std::string_view cell, const Names& names) : cell_(cell), names_(names) {}

  Recipe parse() {
    Recipe recipe;
    bool first = true;
    for (size_t at = next_token(0); at < cell_.size(); at = next_token(at)) {
      const Token token = read(at);
      at += token.text.size();
      if (token.word.ends_with(':')) prefix(token, recipe, first);
      else if (first && reduction(token, recipe)) first = false;
      else recipe.steps.push_back(step(token));
      first = false;
    }
    return recipe;
  }

 private:
  size_t next_token(size_t at) const {
    while (at < cell_.size() && cell_[at] == ' ') ++at;
    return at;
  }

  Token read(size_t start) const {
    size_t at = start;
    int depth = 0;
    while (at < cell_.size() && (depth > 0 || cell_[at] != ' ')) {
      if (cell_[at] == '(') ++depth;
      if (cell_[at] == ')' && --depth < 0) throw ParseError(at, "')' without '('");
      ++at;
    }
    if (depth > 0) throw ParseError(start, "'" + std::string(cell_.substr(start)) + "' is not closed by ')'");
    Token token{cell_.substr(start, at - start), start, {}, {}, {}};
    std::string_view text = token.text;
    if (const size_t tilde = text.rfind('~'); tilde != std::string_view::npos) {
      const std::optional<Slack> slack = slack_of(text.substr(tilde + 1));
      if (!slack)
        throw ParseError(start + tilde, "after '~' stands a number of ulp, k, k+Cv or 2^-N, or fma, not '" +
                                            std::string(text.substr(tilde + 1)) + "'");
      token.slack = *slack;
      text = text.substr(0, tilde);
    }
    const size_t open = text.find('(');
    token.word = text.substr(0, open);
    if (open == std::string_view::npos) return token;
    if (text.back() != ')') throw ParseError(start + open, "unexpected text after ')' in '" + std::string(token.text) + "'");
    split_arguments(token, text, open);
    return token;
  }

  static void split_arguments(Token& token, std::string_view text, size_t open) {
    int depth = 0;
    size_t begin = open + 1;
    for (size_t i = open + 1; i < text.size(); ++i) {
      if (text[i] == '(') ++depth;
      const bool last = i + 1 == text.size();
      if (last || (text[i] == ',' && depth == 0)) {
        while (begin < i && text[begin] == ' ') ++begin;
        token.arguments.emplace_back(std::string(text.substr(begin, i - begin)), token.position + begin);
        if (token.arguments.back().first.empty()) throw ParseError(token.position + begin, "empty argument in '" + std::string(token.text) + "'");
        begin = i + 1;
      }
      if (text[i] == ')') --depth;
    }
  }

  void prefix(const Token& token, Recipe& recipe, bool first) {
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

  static bool reduction(const Token& token, Recipe& recipe) {
    if (token.word == "squares" && token.arguments.empty()) recipe.reduction = Reduction::kSquares;
    else if (token.word == "deviations" && token.arguments.empty())
      recipe.reduction = Reduction::kDeviations;
    else if (token.word == "absmax" && token.arguments.empty()) recipe.reduction = Reduction::kAbsMax;
    else if (token.word == "least" && token.arguments.empty())
      recipe.reduction = Reduction::kLeast;
    else if (token.word == "greatest" && token.arguments.empty())
      recipe.reduction = Reduction::kGreatest;
    else if (token.word == "absmax" && token.arguments.size() == 1 && token.arguments[0].first == "keep")
      recipe.reduction = Reduction::kAbsMaxKeepNan;
    else return false;
    return true;
  }

  Operand operand(const std::pair<std::string, size_t>& argument) const {
    const auto& [text, position] = argument;
    const auto& known = names_.quantities;
    if (std::find(known.begin(), known.end(), text) != known.end()) return {0, text};
    try {
      return {Expression(text).rounded(names_.constants, is_integer(*working_) ? kF32 : *working_), {}};
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

  /// An operand, or the product of two quantities.
  Operand factor_or_product(const std::pair<std::string, size_t>& argument) const {
    const std::string& text = argument.first;
    const size_t star = text.find('*');
    if (star == std::string::npos || !is_quantity(text.substr(0, star))) return operand(argument);
    if (!is_quantity(text.substr(star + 1)))
      throw ParseError(argument.second + star + 1, "'" + text.substr(star + 1) + "' is not one of: " + joined(names_.quantities));
    return {0, text.substr(0, star), text.substr(star + 1)};
  }

  Operand constant(const std::pair<std::string, size_t>& argument) const {
    const Operand found = operand(argument);
    if (!found.name.empty()) throw ParseError(argument.second, "'" + found.name + "' varies; a bound is a constant");
    return found;
  }

  const Format& format(const std::pair<std::string, size_t>& argument) const {
    if (const auto found = names_.formats.find(argument.first); found != names_.formats.end()) return *found->second;
    if (const Format* format = find_format(argument.first)) return *format;
    std::vector<std::string> known;
    for (const auto& [name, format] : names_.formats) known.push_back(name);
    for (const Format& format : all_formats()) known.emplace_back(format.name);
    throw ParseError(argument.second, "unknown format '" + argument.first + "'; known: " + joined(known));
  }

  template <class Value>
  static Value choice(const std::pair<std::string, size_t>& argument, std::initializer_list<std::pair<const char*, Value>> choices) {
    std::vector<std::string> known;
    for (const auto& [name, value] : choices) {
      if (argument.first == name) return value;
      known.emplace_back(name);
    }
    throw ParseError(argument.second, "'" + argument.first + "' is not one of: " + joined(known));
  }

  Step step(const Token& token) const {
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
    if (token.slack.given() && !verb->rounds) throw ParseError(token.position, "'" + token.word + "' is exact and takes no '~'");
    const auto& arguments = token.arguments;
    const auto need = [&](size_t least, size_t most) {
      if (arguments.size() < least || arguments.size() > most)
        throw ParseError(token.position, "'" + token.word + "' is written " + std::string(verb->form));
    };
    const bool integers = is_integer(*working_);
    static constexpr Verb kOfIntegers[] = {Verb::kAdd, Verb::kRint, Verb::kTrunc, Verb::kClamp, Verb::kTo};
    if (integers && std::find(std::begin(kOfIntegers), std::end(kOfIntegers), verb->verb) == std::end(kOfIntegers))
      throw ParseError(token.position, "'" + token.word + "' is no step in integers, which are: rint, trunc, add, clamp, to");
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
      case Verb::kIf0:
        need(1, 1);
        step.a = operand(arguments[0]);
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
        if (!(step.b.constant <= step.a.constant)) throw ParseError(arguments[1].second, "the upper bound comes first and is not below the lower one");
        break;
      case Verb::kPow2:
        need(1, 1);
        step.pow2 = choice<Pow2>(arguments[0], {{"floor", Pow2::kFloor}, {"ceil", Pow2::kCeil}, {"even", Pow2::kEven},
                                                {"q75", Pow2::kThreeQuarters}});
        break;
      case Verb::kTo:
        need(1, 3);
        step.target = &format(arguments[0]);
        step.overflow = step.target->bits <= 8 || is_integer(*step.target) ? Overflow::kSaturate : Overflow::kSpecial;
        for (size_t i = 1; i < arguments.size(); ++i) conversion_rule(arguments[i], step);
        break;
      default: need(0, 0);
    }
    const bool sums = verb->verb == Verb::kAdd || verb->verb == Verb::kSub;
    if (step.contracted && (!sums || !(*working_ == kF32)))
      throw ParseError(token.position, "'~fma' stands behind add and sub in f32");
    return step;
  }

  static void conversion_rule(const std::pair<std::string, size_t>& argument, Step& step) {
    const bool integer = is_integer(*step.target);
    if (argument.first == "rz") step.rounding = Rounding::kTowardZero;
    else if (argument.first == "rna") step.rounding = Rounding::kNearestAway;
    else if (argument.first == "wrap" && integer)
      step.beyond = BeyondInteger::kWrap;
    else if (argument.first == "undef" && integer)
      step.beyond = BeyondInteger::kUndefined;
    else if (argument.first == "nosat" && !integer)
      step.overflow = Overflow::kSpecial;
    else if (argument.first == "sat") step.overflow = Overflow::kSaturate;
    else
      throw ParseError(argument.second, "'" + argument.first + "' is not one of: rz, rna, " +
                                            std::string(integer ? "sat, wrap, undef" : "nosat, sat"));
  }

  std::string_view cell_;
  const Names& names_;
  const Format* working_ = &kF32;
};

}  // namespace

Recipe parse_recipe(std::string_view cell, const Names& names) { return CellParser(cell, names).parse(); }

std::string Recipe::text() const {
  std::string text;
  const auto append = [&](const std::string& token) { text += (text.empty() ? "" : " ") + token; };
  if (!start.empty()) append(start + ":");
  if (reduction == Reduction::kAbsMax) append("absmax");
  if (reduction == Reduction::kAbsMaxKeepNan) append("absmax(keep)");
  if (reduction == Reduction::kLeast) append("least");
  if (reduction == Reduction::kGreatest) append("greatest");
  if (reduction == Reduction::kSquares) append("squares");
  if (reduction == Reduction::kDeviations) append("deviations");
  const Format* working = &kF32;
  for (const Step& step : steps) {
    if (step.working != working) append(std::string(step.working->name) + ":");
    working = step.working;
    append(step.text);
  }
  return text;
}

}  // namespace assay
