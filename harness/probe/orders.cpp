#include "harness/probe/orders.h"

#include <algorithm>
#include <set>

namespace assay {
namespace {

/// For each k: the block that consumes it, and the part within the block.
std::vector<int> parts_of(const UnitOrder& order, int k) {
  Unit unit;
  unit.k = k;
  set_order(unit, order);
  const std::vector<int> places = product_order(unit);
  std::vector<int> part(places.size());
  for (size_t i = 0; i < places.size(); ++i) part[size_t(places[i])] = int(i) / (order.take / order.splits);
  return part;
}

}  // namespace

std::vector<UnitOrder> unit_orders(int k, bool of_trees, int most_splits) {
  std::vector<UnitOrder> all;
  std::set<std::vector<int>> seen;
  const auto add = [&](const UnitOrder& order) {
    std::vector<int> key = parts_of(order, k);
    key.push_back(order.take);
    if (of_trees) key.insert(key.end(), {order.interleave_period, order.interleave_width});
    if (seen.insert(key).second) all.push_back(order);
  };
  for (int take = std::min(k, kMostTaken); take > 0; --take) {
    if (k % take != 0 || (of_trees && (take & (take - 1)) != 0)) continue;
    for (int splits = 1; splits <= most_splits; ++splits) {
      if (take % splits != 0) continue;
      add({0, 0, take, splits});
      for (int period = 2; period <= k; ++period)
        for (int width = period / 2; width > 0; --width)
          if (k % period == 0 && period % width == 0) add({period, width, take, splits});
    }
  }
  return all;
}

void set_order(Unit& unit, const UnitOrder& order) {
  unit.interleave_period = order.interleave_period, unit.interleave_width = order.interleave_width;
  unit.take = order.take, unit.splits = order.splits;
}

std::vector<int> alike_places(const Unit& unit) {
  const std::vector<int> order = product_order(unit);
  const int part = unit.sum == ProductSum::kPairs ? std::min(2, unit.take) : unit.take / unit.splits;
  std::vector<int> first(order.size());
  for (size_t begin = 0; begin < order.size(); begin += size_t(part)) {
    const auto at = order.begin() + std::ptrdiff_t(begin);
    const int least = *std::min_element(at, at + part);
    for (int i = 0; i < part; ++i) first[size_t(at[i])] = least;
  }
  return first;
}

}  // namespace assay
