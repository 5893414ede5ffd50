// Accepted real numbers: intervals whose ends are on the grid of a working format of at most 24 bits.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace assay {

/// The accepted values of one quantity. Pinned: low == high. Both ends NaN: every legal program gives NaN. `any` (low NaN, high
/// Inf): some legal programs give NaN and others do not, so nothing is checked.
struct Span {
  double low, high;
  bool pinned() const {
    if (low == high) return low != 0 || std::signbit(low) == std::signbit(high);
    return std::isnan(low) && std::isnan(high);
  }
  bool any() const { return std::isnan(low) != std::isnan(high); }
};
inline Span point(double value) { return {value, value}; }
inline Span any_number() { return {std::nan(""), HUGE_VAL}; }

/// A row of intervals as a structure of arrays. If all are pinned, only `low` is used.
struct Spans {
  std::vector<double> low, high;

  Spans() = default;
  explicit Spans(std::vector<double> values) : low(std::move(values)) {}

  size_t size() const { return low.size(); }
  bool pinned() const { return high.empty(); }
  Span operator[](size_t i) const { return {low[i], pinned() ? low[i] : high[i]}; }
  void widen() {
    if (pinned()) high = low;
  }
  void set(size_t i, Span span) {
    if (!span.pinned()) widen();
    low[i] = span.low;
    if (!pinned()) high[i] = span.high;
  }
};

}  // namespace assay
