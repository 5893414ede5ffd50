#include "harness/diagnosis/separation.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "harness/core/element.h"
#include "reference/table/table.h"

namespace assay {
namespace {

std::string words(const Format& format, int32_t o) {
  char text[64];
  const uint32_t code = code_from_ordinal(format, o);
  std::snprintf(text, sizeof text, "0x%0*x = %.9g", format.bits / 4, code, decode(format, code));
  return text;
}

double value_of(const Format& format, int32_t o) { return decode(format, code_from_ordinal(format, o)); }

/// Of the larger magnitude; 0 where a number is not finite.
double part_between(double a, double b) {
  const double larger = std::max(std::fabs(a), std::fabs(b));
  return std::isfinite(larger) && larger > 0 ? std::fabs(a - b) / larger : 0;
}

void compare(const ExpectedTensor& a, const ExpectedTensor& b, Separation& result) {
  SeparatedTensor tensor{.name = a.label(), .elements = a.elements()};
  for (int64_t i = 0; i < a.elements(); ++i) {
    // Codes as bytes: another format reads the same byte as another value.
    const int32_t low = a.low[size_t(i)], high = a.high_at(i);
    if (accepts_anything(low, high) || accepts_anything(b.low[size_t(i)], b.high_at(i))) continue;
    const int32_t other_low = ordinal(*a.format, code_from_ordinal(*b.format, b.low[size_t(i)]));
    const int32_t other_high = ordinal(*a.format, code_from_ordinal(*b.format, b.high_at(i)));
    if (other_high >= low && other_low <= high) continue;
    ++tensor.outside;
    if (low != kNanOrdinal && other_low != kNanOrdinal) {
      const bool below = other_high < low;
      const int32_t other = below ? other_high : other_low, own = below ? low : high;
      tensor.worst_ulps = std::max<int64_t>(tensor.worst_ulps, std::abs(ulps_between(*a.format, other, own)));
      tensor.worst_part = std::max(tensor.worst_part, part_between(value_of(*a.format, other), value_of(*a.format, own)));
    }
    if (result.witness.empty())
      result.witness = a.label() + "[" + std::to_string(a.row_number(i / a.shape[1])) + ", " + std::to_string(i % a.shape[1]) + "] " +
                       words(*a.format, low) + " against " + words(*b.format, b.low[size_t(i)]);
  }
  result.tensors.push_back(std::move(tensor));
}

/// "bf16.m5.n1024.g128.row/normal.s1" out of an id.
std::string data_of(const Case& one) {
  const size_t begin = one.id.find('/', one.id.find('/') + 1) + 1;
  return one.id.substr(begin, one.id.rfind("/w") - begin);
}

}  // namespace

bool with_contract(const Op& op, const Case& one, const std::string& contract, Case& other) {
  other = one;
  other.parameters["contract"] = contract;
  try {
    other = op.validate(other);
    return true;
  } catch (const TableError&) {
    return false;
  }
}

std::vector<Separation> separate(std::span<const Op> ops, const std::vector<Case>& cases, const std::string& a,
                                 const std::string& b) {
  std::vector<Separation> found;
  std::set<std::string> seen;
  for (const Op& op : ops) {
    for (const Case& one : cases) {
      Case other;
      if (one.op != op.name || one.tier != "quick" || one.text("contract") != a || !seen.insert(op.name + data_of(one)).second)
        continue;
      if (!with_contract(op, one, b, other)) continue;
      const Problem problem = op.problem(one);
      const Expectation first = op.expect(one, problem, nullptr), second = op.expect(other, problem, nullptr);
      Separation result{data_of(one), {}, {}};
      for (size_t t = 0; t < first.tensors.size(); ++t) compare(first.tensors[t], second.tensors[t], result);
      found.push_back(std::move(result));
    }
  }
  return found;
}

}  // namespace assay
