#include "reference/recipe/formula.h"

#include <charconv>
#include <cmath>

#include "reference/formats/catalogue.h"
#include "reference/recipe/verbs.h"

namespace assay {
namespace {

std::string number(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, float(value));  // constants are on the f32 grid: shortest text that
                                                                           // reads back
  return std::string(text, end.ptr);
}

std::string words(const Operand& operand) {
  if (!operand.times.empty()) return std::string(operand.name).append(" * ").append(operand.times);
  return operand.name.empty() ? number(operand.constant) : operand.name;
}

bool is_atom(const std::string& text) { return text.find_first_of(" ") == std::string::npos || text.ends_with(')'); }
std::string atom(const std::string& text) { return is_atom(text) && text.find(" / ") == std::string::npos && text.find(" * ") == std::string::npos ? text : "(" + text + ")"; }

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
      return name + "(" + v + ", " + a + ")" + (step.nan == NanRule::kKeep ? " or NaN" : "");
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
      if (step.beyond == BeyondInteger::kUndefined) rule += ", undefined beyond it";
      if (step.target->bits <= 8 && step.overflow == Overflow::kSpecial) rule += ", no saturation";
      return std::string(step.target->name) + "(" + v + rule + ")";
    }
    default: return name + "(" + v + ")";
  }
}

/// " within 2 + floor(1.173 |v|) ulp"
std::string freedom(const Step& step) {
  std::string text;
  if (step.slack_relative > 0)
    text = " within 2^" + std::to_string(std::ilogb(step.slack_relative)) + " of it";
  else if (step.slack_ulps > 0 || step.slack_per_unit > 0)
    text = " within " + std::to_string(step.slack_ulps);
  if (step.slack_per_unit > 0) text += " + floor(" + number(step.slack_per_unit) + " |v|)";
  if (step.slack_relative == 0 && !text.empty()) text += " ulp";
  return text + (step.fast ? ", or 0 beyond 2^126" : "") + (!step.contracted ? "" : step.a.times.empty() ? ", the product rounded or not" : ", one product unrounded or none");
}

}  // namespace

std::string formula(const Recipe& recipe, const std::string& value) {
  std::string text = recipe.start.empty() ? value : recipe.start;
  if (recipe.reduction == Reduction::kAbsMax) text = "max|" + value + "|";
  if (recipe.reduction == Reduction::kAbsMaxKeepNan) text = "max|" + value + "| or NaN";
  if (recipe.reduction == Reduction::kAbsMaxOfAllNan) text = "max|" + value + "|, NaN of NaN alone";
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
