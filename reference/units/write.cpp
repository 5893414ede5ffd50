#include "reference/units/write.h"

#include <cstdio>

namespace assay {
namespace {

/// A word and its arguments: "joined(31,24)".
std::string word(const char* name, std::initializer_list<int> numbers) {
  std::string text = name;
  const char* before = "(";
  for (const int n : numbers) text.append(before).append(std::to_string(n)), before = ",";
  return text.append(")");
}

std::string loss_word(BitLoss loss) { return loss == BitLoss::kTruncate ? " truncate" : " floor"; }

std::string order_of(const Unit& u) {
  const std::string take = word("take", {u.take});
  return u.interleave_period == 0 ? take : word("interleave", {u.interleave_period, u.interleave_width}).append(" ").append(take);
}

std::string exponent_of(const Unit& u) {
  if (u.sum != ProductSum::kAligned) return "";
  std::string text = u.exponent == TermExponent::kSum          ? "ea+eb"
                     : u.exponent == TermExponent::kNormalized ? "normalized"
                                                               : "scales";
  if (u.exponents_in) text.append(" in(").append(u.exponents_in->name).append(")");
  if (u.zeros_count) text += " zeros";
  if (u.least_exponent != kNoExponent) text.append(" ").append(word("least", {u.least_exponent}));
  return text;
}

std::string sum_of(const Unit& u) {
  if (u.sum == ProductSum::kPairs) return "pairs";
  if (u.sum == ProductSum::kExact) return "exact";
  std::string text = u.group > 1    ? word("group", {u.group}).append(" ")
                     : u.splits > 1 ? word("split", {u.splits}).append(" ")
                                    : "";
  text.append(word("align", {u.fraction_bits})).append(loss_word(u.loss));
  if (u.splits > 1) text.append(" ").append(word("join", {u.join_fraction_bits})).append(loss_word(u.join_loss));
  return text;
}

std::string c_of(const Unit& u) {
  if (u.join == AccumulatorJoin::kAdded) return "added";
  std::string text = "aligned";
  if (u.join == AccumulatorJoin::kJoined) {
    text = word("joined", {u.sum_fraction_bits, u.c_fraction_bits}) + loss_word(u.c_loss);
    if (u.c_drop != 0) text.append(" ").append(word("drop", {u.c_drop}));
  }
  return u.c_last ? text + " last" : text;
}

std::string round_of(const Unit& u) {
  if (u.rounding == ResultRounding::kWrap) return "wrap";
  return word(u.rounding == ResultRounding::kTowardZero ? "rz" : "rne", {u.result_bits});
}

std::string special_of(const Unit& u) {
  if (u.sum == ProductSum::kExact) return "";
  char nan[24];
  std::snprintf(nan, sizeof nan, "nan(%x)", u.nan);
  std::string text = nan;
  if (u.flush) text.append(" flush");
  if (u.product_limit != 0) text.append(" ").append(word("inf", {u.product_limit}));
  return text;
}

}  // namespace

std::map<std::string, std::string> step_cells(const Unit& u) {
  const std::string scale = u.scale ? std::string(u.scale->name) + "/" + std::to_string(u.scale_block) : "";
  return {{"order", order_of(u)}, {"exponent", exponent_of(u)}, {"sum", sum_of(u)}, {"c", c_of(u)}, {"round", round_of(u)},
          {"scale", scale},       {"special", special_of(u)}};
}

}  // namespace assay
