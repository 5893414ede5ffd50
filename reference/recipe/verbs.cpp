#include "reference/recipe/verbs.h"

namespace assay {

std::span<const VerbInfo> all_verbs() {
  using enum Monotone;
  static constexpr VerbInfo verbs[] = {
      {Verb::kAdd, "add", "add(a) | add(a,wrap)", "v + a; in int32 the sum saturates unless told to wrap", kUp, true},
      {Verb::kSub, "sub", "sub(a)", "v - a", kUp, true},
      {Verb::kMul, "mul", "mul(a)", "v * a", kBySign, true},
      {Verb::kDiv, "div", "div(a)", "v / a", kBySign, true},
      {Verb::kRdiv, "rdiv", "rdiv(a) | rdiv(a,fast)", "a / v; fast: where |v| > 2^126 the zero of its sign may stand for it",
       kBySign, true},
      {Verb::kRcp, "rcp", "rcp", "1 / v", kDown, true},
      {Verb::kNeg, "neg", "neg", "-v", kDown, false},
      {Verb::kAbs, "abs", "abs", "|v|", kBySign, false},
      {Verb::kMax, "max", "max(a) | max(a,keep)", "the larger; drops a NaN unless told to keep it", kUp, false},
      {Verb::kMin, "min", "min(a) | min(a,keep)", "the smaller; drops a NaN unless told to keep it", kUp, false},
      {Verb::kClamp, "clamp", "clamp(max_min|min_max|med3|keep, a[, b])",
       "into [b, a], b = -a unless given; NaN becomes b (max_min, med3), a (min_max) or stays (keep)", kUp, false},
      {Verb::kIf0, "if0", "if0(a)", "a where v = 0, else v", kUp, false},
      {Verb::kCeil, "ceil", "ceil", "least integer >= v", kUp, true},
      {Verb::kRint, "rint", "rint", "nearest integer, ties to even", kUp, true},
      {Verb::kTrunc, "trunc", "trunc", "integer toward zero", kUp, true},
      {Verb::kFtz, "ftz", "ftz", "v, or a zero of its sign below 2^-126: what -ftz makes of a subnormal f32", kUp, false},
      {Verb::kPow2, "pow2", "pow2(floor|ceil|even|q75)",
       "v = m 2^e, 1 <= m < 2: 2^e, one more if m > 1 (ceil), m >= 1.9375 (even), m >= 1.75 (q75); 0, Inf and NaN stay", kUp,
       false},
      {Verb::kExp, "exp", "exp", "e^v", kUp, true},
      {Verb::kExp2, "exp2", "exp2", "2^v", kUp, true},
      {Verb::kLog2, "log2", "log2", "log2 v", kUp, true},
      {Verb::kTanh, "tanh", "tanh", "hyperbolic tangent of v", kUp, true},
      {Verb::kSqrt, "sqrt", "sqrt", "square root of v", kUp, true},
      {Verb::kRsqrt, "rsqrt", "rsqrt", "1 / square root of v", kDown, true},
      {Verb::kTo, "to", "to(F[,rz|rna][,nosat|sat|wrap|undef])",
       "v in format F; fp8 saturates unless nosat, wider formats overflow to Inf; integers saturate with NaN as 0, or "
       "wrap, or are undefined beyond the format",
       kUp, false},
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

}  // namespace assay
