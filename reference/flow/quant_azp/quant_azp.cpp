#include "reference/flow/quant_azp/quant_azp.h"

#include <algorithm>
#include <cmath>

#include "reference/flow/row_run.h"

namespace assay {
namespace {

/// The least or the greatest of the numbers first .. first + count; NaN is dropped, and is what is left of none.
Span extreme(const Spans& values, size_t first, size_t count, Reduction reduction) {
  const bool least = reduction == Reduction::kLeast;
  Span found = point(std::nan(""));
  for (size_t i = first; i < first + count; ++i) {
    const Span v = values[i];
    if (v.any()) return v;
    if (std::isnan(v.low)) continue;
    if (std::isnan(found.low)) found = v;
    found = least ? Span{std::min(found.low, v.low), std::min(found.high, v.high)}
                  : Span{std::max(found.low, v.low), std::max(found.high, v.high)};
  }
  return found;
}

Spans ends_of_range(const char* name, const Recipe& cell, const Spans& values, int64_t group_size,
                    RowListener* listener) {
  const auto size = size_t(group_size), window = size_t(double(group_size) * share(cell.over));
  Spans ends(std::vector<double>((values.size() + size - 1) / size, 0));
  for (size_t g = 0; g < ends.size(); ++g)
    ends.set(g, extreme(values, g * size, std::min(window, values.size() - g * size), cell.reduction));
  run_cell(listener, name, cell, ends, Environment(), [&] { return each_group(group_size); });
  return ends;
}

/// What the contract leaves free is what was stored, if it allows that.
void take_stored(Spans& spans, const std::vector<double>& stored) {
  for (size_t g = 0; g < stored.size(); ++g)
    if (!spans[g].pinned() && !spans[g].any() && accepts(spans[g], stored[g])) spans.set(g, point(stored[g]));
}

}  // namespace

GroupScales zero_point_scales(const GroupQuant& contract, const Spans& values, const RowInputs& inputs, const StoredRow* stored,
                              RowListener* listener) {
  const auto places = [&] { return each_group(inputs.group_size); };
  GroupScales result;
  const auto* of_range = std::get_if<RangeScales>(&contract.scales);
  if (of_range == nullptr) {
    result.scale = result.s = Spans(inputs.scale);
    result.zero = result.azp = Spans(inputs.zero);
    if (listener) listener->quantity("scale given", result.scale, places());
    if (listener) listener->quantity("azp given", result.zero, places());
  } else {
    result.lo = ends_of_range("lo", of_range->lo, values, inputs.group_size, listener);
    result.hi = ends_of_range("hi", of_range->hi, values, inputs.group_size, listener);
    Environment known;
    known.set("lo", result.lo);
    known.set("hi", result.hi);
    const auto start = [&](const Recipe& cell) {
      return cell.start == "s" ? result.s : cell.start == "lo" ? result.lo : result.hi;
    };
    result.scale = start(of_range->scale);
    run_cell(listener, "scale", of_range->scale, result.scale, known, places);
    result.s = result.scale;
    if (stored) take_stored(result.s, stored->scale);
    known.set("s", result.s);
    result.zero = start(of_range->zero);
    run_cell(listener, "azp", of_range->zero, result.zero, known, places);
    result.azp = result.zero;
    if (stored) take_stored(result.azp, stored->zero);
  }
  result.m = result.s;
  run_cell(contract.mult.empty() ? nullptr : listener, "m", contract.mult, result.m, Environment(), places);
  return result;
}

}  // namespace assay
