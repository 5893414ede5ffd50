// Accepted reals: intervals whose ends lie on the grid of a working format of at most 24 bits.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace assay {

/// The accepted reals of one quantity. Pinned: low == high. A NaN that every legal program gives: both ends NaN.
/// `any`: some legal program gives NaN and another does not; nothing can be said (low NaN, high Inf).
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

/// A row of them, structure of arrays. A row that is pinned throughout holds `low` alone.
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
