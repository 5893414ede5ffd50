#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reference/recipe/recipe.h"

namespace assay {
namespace {

using Steps = std::vector<CellStep>;

/// The texts of all arguments, separated by commas.
std::string joined(const CellStep& step) {
  std::string text;
  for (const CellArgument& argument : step.arguments) text.append(text.empty() ? "" : ",").append(argument.text);
  return text;
}

Steps wrapping_sum(const CellStep& add) {
  if (add.text != "add(azp)") return {};
  return {CellStep::made("add", {"azp", "wrap"})};
}

/// The mutant mul(1/c) of div(c): the results differ only by rounding.
Steps reciprocal_product(const CellStep& div) {
  if (is_quantity(joined(div))) return {};
  return {CellStep::made("mul", {"1/" + joined(div)})};
}

Steps quotient_or_one_factor(const CellStep& mul) {
  const std::string factor = joined(mul);
  if (factor.starts_with("1/")) return {CellStep::made("div", {factor.substr(2)})};
  const size_t star = factor.find('*');
  if (star == std::string::npos) return {};
  return {CellStep::made("mul", {factor.substr(0, star)}), CellStep::made("mul", {factor.substr(star + 1)})};
}

/// The mutant that keeps NaN where the step drops it, or drops NaN where the step keeps it.
Steps other_nan(const CellStep& bound) {
  if (bound.has_argument("keep")) return {CellStep::made(bound.word, {bound.argument(0)})};
  return {CellStep::made(bound.word, {joined(bound), "keep"})};
}

/// The mutant max(value) of ifle(bound,value): a lower bound instead of a replacement of small numbers.
Steps plain_floor(const CellStep& ifle) { return {CellStep::made("max", {ifle.argument(1)})}; }

Steps other_clamps(const CellStep& clamp) {
  const auto with = [&](const char* rule) {
    std::vector<std::string> arguments = clamp.argument_texts();
    arguments[0] = rule;
    return CellStep::made("clamp", arguments);
  };
  if (clamp.argument(0) == "keep") return {with("max_min")};
  return {with(clamp.argument(0) == "min_max" ? "max_min" : "min_max"), with("keep")};
}

Steps other_powers(const CellStep& pow2) {
  Steps others;
  for (const char* rule : {"floor", "ceil", "even", "q75"})
    if (pow2.argument(0) != rule) others.push_back(CellStep::made("pow2", {rule}));
  return others;
}

Steps other_conversions(const CellStep& to) {
  const std::string format = to.argument(0), rules = joined(to).substr(format.size());
  if (rules.ends_with(",nosat")) return {CellStep::made("to", {format})};
  if (rules == ",rz" || rules == ",ovfl") return {CellStep::made("to", {format})};
  if (rules == ",undef" && format == "e8m0") return {};  // powers of two need no rounding, and do not overflow
  if (rules == ",undef") return {CellStep::made("to", {format, "rz", "undef"})};
  if (!rules.empty()) return {};
  if (format == "e8m0") return {CellStep::made("to", {"e8m0", "nosat"})};  // powers of two need no rounding
  Steps others = {CellStep::made("to", {format, "rz"})};
  if (format == "q") others.push_back(CellStep::made("to", {"q", "nosat"}));
  return others;
}

/// The mutant that rounds ties away from zero, for conversions to 16-bit formats and to codes.
Steps ties_away(const CellStep& to) {
  const std::string format = joined(to);
  if (format != "x" && format != "bf16" && format != "f16" && format != "q") return {};
  return {CellStep::made("to", {format, "rna"})};
}

}  // namespace

std::span<const VerbInfo> all_verbs() {
  using enum Monotone;
  static constexpr VerbInfo verbs[] = {
      {Verb::kAdd, "add", "add(a) | add(a,wrap)", "v + a; in int32 the sum saturates unless wrap is given", kUp, true,
       wrapping_sum},
      {Verb::kSub, "sub", "sub(a)", "v - a", kUp, true},
      {Verb::kMul, "mul", "mul(a)", "v * a", kBySign, true, quotient_or_one_factor},
      {Verb::kFma, "fma", "fma(a,b)", "v * a + b, in f32", kBySign, true},
      {Verb::kDiv, "div", "div(a)", "v / a", kBySign, true, reciprocal_product},
      {Verb::kRdiv, "rdiv", "rdiv(a) | rdiv(a,fast)", "a / v; fast: for |v| > 2^126 also a zero with the sign of a / v", kBySign,
       true},
      {Verb::kRcp, "rcp", "rcp", "1 / v", kDown, true},
      {Verb::kNeg, "neg", "neg", "-v", kDown, false},
      {Verb::kAbs, "abs", "abs", "|v|", kBySign, false},
      {Verb::kMax, "max", "max(a) | max(a,keep)", "the larger of v and a; without keep, a NaN is dropped", kUp, false, other_nan},
      {Verb::kMin, "min", "min(a) | min(a,keep)", "the smaller of v and a; without keep, a NaN is dropped", kUp, false,
       other_nan},
      {Verb::kClamp, "clamp", "clamp(max_min|min_max|med3|keep, a[, b])",
       "v limited to [b, a], where b is -a unless given; a NaN becomes b (max_min, med3) or a (min_max), or stays (keep)", kUp,
       false, other_clamps},
      {Verb::kIf0, "if0", "if0(a)", "a where v = 0, else v", kUp, false},
      {Verb::kIfLe, "ifle", "ifle(c,a)", "a where v <= c, else v; a NaN stays", kUp, false, plain_floor},
      {Verb::kCeil, "ceil", "ceil", "least integer >= v", kUp, true},
      {Verb::kRint, "rint", "rint", "nearest integer, ties to even", kUp, true},
      {Verb::kTrunc, "trunc", "trunc", "integer toward zero", kUp, true},
      {Verb::kFtz, "ftz", "ftz", "v, or a zero with its sign if |v| < 2^-126: the effect of -ftz on a subnormal f32", kUp, false},
      {Verb::kPow2, "pow2", "pow2(floor|ceil|even|q75|half)",
       "for v = m 2^e with 1 <= m < 2: 2^e, or 2^(e + 1) if m > 1 (ceil), m >= 1.9375 (even), m >= 1.75 (q75) or m >= 1.5 "
       "(half); 0, Inf and NaN stay",
       kUp, false, other_powers},
      {Verb::kExp, "exp", "exp", "e^v", kUp, true},
      {Verb::kExp2, "exp2", "exp2", "2^v", kUp, true},
      {Verb::kLog2, "log2", "log2", "log2 v", kUp, true},
      {Verb::kTanh, "tanh", "tanh", "hyperbolic tangent of v", kUp, true},
      {Verb::kErf, "erf", "erf", "error function of v, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to v", kUp, true},
      {Verb::kSqrt, "sqrt", "sqrt", "square root of v", kUp, true},
      {Verb::kRsqrt, "rsqrt", "rsqrt", "1 / square root of v", kDown, true},
      {Verb::kTo, "to", "to(F[,rz|rna][,nosat|sat|ovfl|wrap|undef])",
       "v in format F. fp8 saturates unless nosat is given; wider formats overflow to Inf. With ovfl (AMD's MODE.FP16_OVFL), "
       "finite values saturate and Inf stays Inf. Formats of 4 and 6 bits saturate; NaN becomes the largest value, or is "
       "undefined (undef). Integers saturate, and NaN becomes 0; with wrap they wrap; with undef, values beyond the format are "
       "undefined",
       kUp, false, other_conversions, ties_away},
  };
  return verbs;
}

const VerbInfo* find_verb(std::string_view name) {
  for (const VerbInfo& verb : all_verbs())
    if (verb.name == name) return &verb;
  return nullptr;
}

const VerbInfo& info(Verb verb) {
  for (const VerbInfo& candidate : all_verbs())
    if (candidate.verb == verb) return candidate;
  __builtin_unreachable();
}

namespace {

/// The number of a constant such as "2" or "1/2"; nothing for quantities and for constants of the row, such as "M".
std::optional<double> number_of(const std::string& text) {
  char* end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  if (end != text.c_str() && *end == '/') value /= std::strtod(end + 1, &end);
  return end != text.c_str() && *end == 0 ? std::optional(value) : std::nullopt;
}

/// True for a quantity "w" or a product of two quantities "r*w".
bool is_quantity_or_product(const std::string& text) {
  const size_t star = text.find('*');
  return is_quantity(text.substr(0, star)) && (star == std::string::npos || is_quantity(text.substr(star + 1)));
}

using AddSlip = std::function<void(const std::string& words, const std::string& steps)>;

/// `text` with M replaced by `other` wherever M stands alone: "1/(512*M)" becomes "1/(512*(M+1))". Empty if M does not occur.
std::string with_other_largest(const std::string& text, const std::string& other) {
  const auto is_of_name = [&](size_t i) {
    return i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) != 0 || text[i] == '_');
  };
  std::string changed;
  bool found = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool alone = text[i] == 'M' && (i == 0 || !is_of_name(i - 1)) && !is_of_name(i + 1);
    changed += alone ? (text.size() == 1 ? other : "(" + other + ")") : std::string(1, text[i]);
    found = found || alone;
  }
  return found ? changed : "";
}

/// Small mistakes in a factor or divisor that contains M, the largest code: M is off by one, the factor is inverted, or it is
/// 0.
void slips_of_largest(const CellStep& step, const AddSlip& slip) {
  const std::string a = step.argument(0), ulps = step.slack.text;
  const bool divides = step.word == "div" || step.word == "rdiv";
  if (!divides && step.word != "mul") return;
  const std::vector<std::string> arguments = step.argument_texts();
  const std::string rest = arguments.size() > 1 ? "," + arguments[1] : "";
  for (const char* const off : {"M+1", "M-1"})
    if (const std::string other = with_other_largest(a, off); !other.empty())
      slip(step.word + "(" + other + rest + ")", step.word + "(" + other + rest + ")" + ulps);
  if (with_other_largest(a, "M").empty()) return;
  const auto becomes = [&](const std::string& text) { slip(text, text); };
  if (step.word == "mul" && a.starts_with("1/")) {
    becomes("mul(" + a.substr(2) + ")"), becomes("div(0)");
  } else {
    becomes((divides ? "mul(" : "div(") + a + ")"), becomes(step.word + "(0)");
  }
}

/// Small mistakes in a bound or a replacement: its constant, or M in it, is off by one.
void slips_of_bound(const CellStep& step, const AddSlip& slip) {
  const bool takes_value = step.word == "max" || step.word == "min" || step.word == "if0";
  if (!takes_value || is_quantity(step.argument(0)) || !step.slack.text.empty()) return;
  const std::string a = step.argument(0), rest = step.arguments.size() > 1 ? "," + step.argument(1) : "";
  const auto with = [&](const std::string& constant) {
    slip(step.word + "(" + constant + rest + ")", step.word + "(" + constant + rest + ")");
  };
  for (const char* const off : {"M+1", "M-1"})
    if (const std::string other = with_other_largest(a, off); !other.empty()) with(other);
  const std::optional<double> number = number_of(a);
  constexpr double kLargest = 1024;  // see slips_of()
  if (!number || std::abs(*number) > kLargest) return;
  with("1+" + a);
  if (std::abs(*number) >= 1) with(a + "-1");
}

}  // namespace

std::vector<Slip> slips_of(const CellStep& step) {
  std::vector<Slip> slips;
  const auto slip = [&](const std::string& words, const std::string& steps) { slips.push_back({words, read_cell(steps)}); };
  slips_of_largest(step, slip);
  slips_of_bound(step, slip);
  const std::string a = step.argument(0), ulps = "~2";  // a wrong formula must differ by more than its rounding
  const size_t star = a.find('*');
  if (step.word == "add") slip(a + " - v", "neg add(" + a + ")"), slip("sub(" + a + ")", "sub(" + a + ")");
  if (step.word == "sub") slip(a + " - v", "sub(" + a + ") neg"), slip("add(" + a + ")", "add(" + a + ")");
  if (step.text == "mul(u0)") slip("mul(u)", "mul(u)");  // the sign of a zero
  if (step.word == "rcp") slip("-1/v", "rcp" + ulps + " neg"), slip("2/v", "rcp" + ulps + " mul(2)");
  if (step.word == "rdiv") slip("mul(" + a + ")", "mul(" + a + ")" + ulps), slip("v / " + a, "div(" + a + ")" + ulps);
  if (step.word == "rdiv" && step.arguments.size() == 1 && !step.slack.given())
    slip("mul(" + a + ") of 1/v", "rcp mul(" + a + ")");
  if (step.word == "max" || step.word == "min")
    slip(step.word == "max" ? "min(" + a + ")" : "max(" + a + ")", (step.word == "max" ? "min(" : "max(") + a + ")");
  if (step.word == "rsqrt") slip("sqrt", "sqrt~2");
  if ((step.word == "mul" || step.word == "div") && is_quantity_or_product(a) && step.arguments.size() == 1) {
    const std::string other = step.word == "mul" ? "div" : "mul";
    if (star == std::string::npos)
      slip(other + "(" + a + ")", other + "(" + a + ")" + ulps), slip(a + " / v", "rdiv(" + a + ")" + ulps);
    else
      for (const auto& [first, second] : {std::pair("mul(", "div("), std::pair("div(", "mul("), std::pair("div(", "div(")}) {
        const std::string words = first + a.substr(0, star) + ") " + second + a.substr(star + 1) + ")";
        slip(words, first + a.substr(0, star) + ")" + ulps + " " + second + a.substr(star + 1) + ")" + ulps);
      }
  }
  const bool has_number = step.word == "add" || step.word == "sub" || step.word == "mul" || step.word == "div";
  const std::optional<double> number = has_number && step.arguments.size() == 1 ? number_of(a) : std::nullopt;
  constexpr double kLargest = 1024;  // for larger constants, "off by one" is no plausible mistake
  if (!number || std::abs(*number) * kLargest < 1 || std::abs(*number) > kLargest) return slips;
  const double v = *number;
  const bool is_factor = step.word == "mul" || step.word == "div";
  if (step.word == "mul") slip("div(" + a + ")", "div(" + a + ")" + ulps), slip(a + " / v", "rdiv(" + a + ")" + ulps);
  if (step.word == "div") slip("mul(" + a + ")", "mul(" + a + ")" + ulps);
  for (const double other : std::set<double>{v + 1, v - 1, -v, 2 * v, v / 2, 0.0}) {
    if (other == v || other == (is_factor ? 1 : 0)) continue;
    char text[40];
    std::snprintf(text, sizeof text, "%s(%.9g)", step.word.c_str(), other);
    slip(text, text);
  }
  return slips;
}

std::vector<CellStep> without(std::vector<CellStep> steps, size_t i) {
  steps.erase(steps.begin() + std::ptrdiff_t(i));
  return steps;
}

std::vector<CellStep> other_forms(const CellStep& step) {
  if (step.text == "absmax(all)") return {CellStep::made("absmax"), CellStep::made("absmax", {"keep"})};
  if (step.word == "absmax") return {step.arguments.empty() ? CellStep::made("absmax", {"keep"}) : CellStep::made("absmax")};
  const VerbInfo* verb = find_verb(step.word);
  return verb && verb->others ? verb->others(step) : std::vector<CellStep>();
}

std::vector<CellStep> rare_forms(const CellStep& step) {
  const VerbInfo* verb = find_verb(step.word);
  return verb && verb->rare_others ? verb->rare_others(step) : std::vector<CellStep>();
}

std::vector<CellStep> other_casts(const CellStep& to) {
  std::vector<std::string> rule = to.argument_texts();
  const bool undefined = rule.back() == "undef";
  if (undefined) rule.pop_back();
  std::vector<CellStep> others;
  for (const std::vector<std::string>& other : {std::vector<std::string>{"q"}, {"q", "rz"}, {"q", "rna"}}) {
    if (other == rule) continue;
    others.push_back(CellStep::made("to", other));
    if (!undefined) continue;
    std::vector<std::string> arguments = other;
    arguments.emplace_back("undef");
    others.back() = CellStep::made("to", arguments);
  }
  if (undefined) return others;
  rule.emplace_back("wrap");
  others.push_back(CellStep::made("to", rule));
  return others;
}

}  // namespace assay
