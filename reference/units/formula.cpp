#include "reference/units/formula.h"

#include <string>

namespace assay {
namespace {

std::string number(int n) { return std::to_string(n); }

std::string lost(BitLoss loss) { return loss == BitLoss::kTruncate ? "trunc" : "floor"; }

std::string maximum(const Unit& u, const std::string& of) {
  const std::string least = u.least_exponent == kNoExponent ? "" : ", at least " + number(u.least_exponent);
  return "max e of " + of + (u.zeros_count ? ", zeros too" : ", zeros apart") + least;
}

std::string result(const Unit& u, const std::string& sum) {
  const std::string how = u.rounding == ResultRounding::kTowardZero ? "toward zero" : "to the nearest, ties to even,";
  return "d = " + sum + ", " + how + " with " + number(u.result_bits) + " fraction bits of " + std::string(u.d->name) +
         "; a zero is +0, also of a negative sum that is rounded to nothing";
}

void aligned_lines(const Unit& u, std::vector<std::string>& lines) {
  const std::string scaled = u.scale ? " * s_a * s_b" : "", scale_exponents = u.scale ? " + e_s" : "";
  std::string exponent = "e = e_a + e_b" + scale_exponents + " (of a subnormal that of the least normal number" +
                         (u.exponents_in ? " of " + std::string(u.exponents_in->name) : "") + ")";
  if (u.exponent == TermExponent::kNormalized) exponent = "e = floor(log2 |t|)";
  if (u.exponent == TermExponent::kScales) exponent = "e = e_s, the sum of the scales' exponents";
  const std::string term = u.group > 1 ? "t = (sum of " + number(u.group) + " products a * b)" + scaled : "t = a * b" + scaled;
  lines.push_back(term + "; " + exponent);
  const std::string step = "2^(E - " + number(u.fraction_bits) + ")";
  if (u.join == AccumulatorJoin::kAligned) {
    lines.push_back("E = " + maximum(u, "all t and c"));
    lines.push_back("S = sum of " + lost(u.loss) + "(t / " + step + ") and " + lost(u.loss) + "(c / " + step + ")");
    lines.push_back(result(u, "S * " + step));
    return;
  }
  const std::string part = u.splits > 1 ? " of k mod " + number(u.splits) : "";
  lines.push_back("E = " + maximum(u, "all t" + part) + "; S = sum of " + lost(u.loss) + "(t / " + step + ") * " + step);
  if (u.splits > 1) {
    const std::string joined = "2^(max E - " + number(u.join_fraction_bits) + ")";
    lines.push_back("S = sum of " + lost(u.join_loss) + "(S / " + joined + ") * " + joined);
  }
  lines.push_back("M = max of E and e_c; S to " + lost(u.c_loss) + " of 2^(M - " + number(u.sum_fraction_bits) + "), c to " +
                  lost(u.c_loss) + " of 2^(M - " + number(u.c_fraction_bits) + ")" +
                  (u.c_drop == 0 ? "" : "; c = 0 where e_c < M - " + number(u.c_drop)));
  lines.push_back(result(u, "S + c"));
}

}  // namespace

std::vector<std::string> unit_lines(const Unit& u) {
  if (!u.known()) return {"nothing is known of its steps, and nothing is predicted"};
  std::vector<std::string> lines;
  const std::string order = u.interleave_period == 0
                                ? "in ascending k"
                                : "first k mod " + number(u.interleave_period) + " < " + number(u.interleave_width) +
                                      ", then the next " + number(u.interleave_width);
  lines.push_back("blocks of " + number(u.take) + " of " + number(u.k) + " products, " + order +
                  "; d of a block is c of the next");
  if (u.sum == ProductSum::kExact)
    lines.push_back("d = c + sum of a * b, modulo 2^" + number(u.d->bits));
  else if (u.sum == ProductSum::kPairs)
    lines.push_back("d = c + tree of neighbours a * b, each product and sum rounded to " + std::string(u.d->name) +
                    "; a product or sum that is rounded to nothing keeps its sign");
  else
    aligned_lines(u, lines);
  if (u.c_last) lines.push_back("an instruction begins with 0; D = C + d, to the nearest " + std::string(u.d->name));
  if (u.flush) lines.push_back("subnormal a, b, c and results are 0");
  if (u.product_limit != 0) lines.push_back("|a * b| >= 2^" + number(u.product_limit) + " is Inf");
  return lines;
}

}  // namespace assay
