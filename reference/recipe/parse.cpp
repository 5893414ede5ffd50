#include "reference/recipe/parse.h"

#include <algorithm>

#include "reference/formats/catalogue.h"
#include "reference/recipe/elementary.h"
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

  /// An operand, or the product of two quantities.
  Operand factor_or_product(const CellArgument& argument) const {
    const std::string& text = argument.text;
    const size_t star = text.find('*');
    if (star == std::string::npos || !is_quantity(text.substr(0, star))) return operand(argument);
    if (!is_quantity(text.substr(star + 1)))
      throw ParseError(argument.position + star + 1, "'" + text.substr(star + 1) + "' is not one of: " + joined(names_.quantities));
    return {0, text.substr(0, star), text.substr(star + 1)};
  }

  Operand constant(const CellArgument& argument) const {
    const Operand found = operand(argument);
    if (!found.name.empty()) throw ParseError(argument.position, "'" + found.name + "' varies; a bound of clamp must be a constant");
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
    if (token.slack.given() && !verb->rounds) throw ParseError(token.position, "'" + token.word + "' does not round, so '~' cannot widen it");
    const auto& arguments = token.arguments;
    const auto need = [&](size_t least, size_t most) {
      if (arguments.size() < least || arguments.size() > most)
        throw ParseError(token.position, "'" + token.word + "' is written " + std::string(verb->form));
    };
    const bool integers = working_->is_integer();
    static constexpr Verb kOfIntegers[] = {Verb::kAdd, Verb::kRint, Verb::kTrunc, Verb::kClamp, Verb::kTo};
    if (integers && std::find(std::begin(kOfIntegers), std::end(kOfIntegers), verb->verb) == std::end(kOfIntegers))
      throw ParseError(token.position, "'" + token.word + "' is not available for integers; available: rint, trunc, add, clamp, to");
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
        if (!(step.b.constant <= step.a.constant)) throw ParseError(arguments[1].position, "the first bound is the upper one and must not be below the second");
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
    const bool integer = step.target->is_integer();
    if (argument.text == "rz") step.rounding = Rounding::kTowardZero;
    else if (argument.text == "rna") step.rounding = Rounding::kNearestAway;
    else if (argument.text == "wrap" && integer)
      step.beyond = BeyondInteger::kWrap;
    else if (argument.text == "undef" && integer)
      step.beyond = BeyondInteger::kUndefined;
    else if (argument.text == "nosat" && !integer)
      step.overflow = Overflow::kSpecial;
    else if (argument.text == "sat") step.overflow = Overflow::kSaturate;
    else if (argument.text == "ovfl" && !integer)
      step.overflow = Overflow::kSaturate, step.keeps_infinity = true;
    else
      throw ParseError(argument.position, "'" + argument.text + "' is not one of: rz, rna, " +
                                            std::string(integer ? "sat, wrap, undef" : "nosat, sat, ovfl"));
  }

  const Names& names_;
  const Format* working_ = &kF32;
};

}  // namespace

Recipe resolve(const std::vector<CellStep>& cell, const Names& names) { return CellParser(names).parse(cell); }

Recipe parse_recipe(std::string_view cell, const Names& names) { return resolve(read_cell(cell), names); }

}  // namespace assay
