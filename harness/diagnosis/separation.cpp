#include "harness/diagnosis/separation.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "harness/compare/element.h"
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

/// Difference relative to the larger magnitude; 0 if a value is not finite.
double part_between(double a, double b) {
  const double larger = std::max(std::fabs(a), std::fabs(b));
  return std::isfinite(larger) && larger > 0 ? std::fabs(a - b) / larger : 0;
}

/// Reinterprets codes as bytes: another format gives the same byte another value.
Interval reread(Interval accepted, const Format& written, const Format& read) {
  const auto end = [&](int32_t o) { return ordinal(read, code_from_ordinal(written, o)); };
  return {end(accepted.low), end(accepted.high)};
}

void compare(const WholePart& a, const WholePart& b, Separation& result) {
  const Format& format = *a.part.format;
  SeparatedTensor tensor{.name = a.part.label(), .elements = a.part.elements()};
  for (int64_t i = 0; i < a.part.elements(); ++i) {
    const Interval own = a.at(i);
    if (own.any() || b.at(i).any()) continue;
    const Interval other = reread(b.at(i), *b.part.format, format);
    if (own.meets(other)) continue;
    ++tensor.outside;
    if (own.low != kNanOrdinal && other.low != kNanOrdinal) {
      const bool below = other.high < own.low;
      const int32_t from = below ? other.high : other.low, to = below ? own.low : own.high;
      tensor.worst_ulps = std::max<int64_t>(tensor.worst_ulps, std::abs(ulps_between(format, from, to)));
      tensor.worst_part = std::max(tensor.worst_part, part_between(value_of(format, from), value_of(format, to)));
    }
    const int64_t columns = a.part.columns();
    if (result.witness.empty())
      result.witness = a.part.label() + "[" + std::to_string(a.part.number_of(i / columns)) + ", " + std::to_string(i % columns) + "] " +
                       words(format, own.low) + " against " + words(*b.part.format, b.at(i).low);
  }
  result.tensors.push_back(std::move(tensor));
}

}  // namespace

std::unique_ptr<const BoundCase> under_contract(const Op& op, const Case& one, const std::string& contract) {
  try {
    return op.bind(with_cells(one, {{"contract", contract}}));
  } catch (const TableError&) {
    return nullptr;
  }
}

std::vector<Separation> separate(std::span<const Op> ops, const std::vector<Case>& cases, const std::string& a,
                                 const std::string& b) {
  std::vector<Separation> found;
  std::set<std::string> seen;
  for (const Op& op : ops) {
    for (const Case& one : cases) {
      if (one.op != op.name || one.tier != "quick" || one.text("contract") != a || !seen.insert(op.name + one.name.data()).second)
        continue;
      const std::unique_ptr<const BoundCase> own = op.bind(one), other = under_contract(op, one, b);
      if (!other) continue;
      const Problem problem = own->problem();
      const std::vector<WholePart> first = computed(own->expect(problem, nullptr)), second = computed(other->expect(problem, nullptr));
      Separation result{one.name.data(), {}, {}};
      for (size_t t = 0; t < first.size(); ++t) compare(first[t], second[t], result);
      found.push_back(std::move(result));
    }
  }
  return found;
}

}  // namespace assay
