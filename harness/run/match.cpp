#include "harness/run/match.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace assay {
namespace {

std::optional<double> number(const std::string& text) {
  double value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// True for the same text, or the same number in another notation: 1e-6 and 0.000001.
bool same_cell(const std::string& a, const std::string& b) {
  if (a == b) return true;
  const std::optional<double> x = number(a), y = number(b);
  return x && y && *x == *y;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

}  // namespace

std::string why_not_offered(const KernelOffer& offer, const Case& one) {
  if (offer.op != one.op) return "no kernel for op " + one.op;
  const auto contract = one.parameters.find("contract");
  if (contract != one.parameters.end() &&
      std::find(offer.contracts.begin(), offer.contracts.end(), contract->second) == offer.contracts.end()) {
    return "no kernel for contract " + contract->second;
  }
  for (const auto& [parameter, values] : offer.accepts) {
    const auto cell = one.parameters.find(parameter);
    if (cell == one.parameters.end()) continue;
    const bool accepted =
        std::any_of(values.begin(), values.end(), [&](const std::string& v) { return same_cell(v, cell->second); });
    if (!accepted) return parameter + " " + cell->second + " is not offered; offered: " + joined(values);
  }
  for (const auto& [parameter, divisor] : offer.multiple_of) {
    const auto cell = one.parameters.find(parameter);
    if (cell == one.parameters.end()) continue;
    const std::optional<double> value = number(cell->second);
    if (!value || int64_t(*value) % divisor != 0) {
      return parameter + " " + cell->second + " is not offered; it must be a multiple of " + std::to_string(divisor);
    }
  }
  return "";
}

}  // namespace assay
