#include "harness/probe/survivors.h"

#include <fmt/format.h>

#include <algorithm>

#include "reference/units/unit_table.h"

namespace assay {
namespace {

constexpr int kMostNamed = 4;  ///< limit on the listed values (or ranges) that are not observable

}  // namespace

std::vector<Unit> survivors(const UnitParameter& parameter, const Instruction& instruction, const Unit& unit, const Seen& seen) {
  std::vector<Unit> left;
  for (const int value : parameter.values(instruction, unit)) {
    if (value == parameter.get(unit)) continue;
    Unit other = unit;
    parameter.set(other, value);
    if (seen.unexplained(other, 0) == 0) left.push_back(other);
  }
  return left;
}

Unit farthest(const UnitParameter& parameter, const Unit& unit, const std::vector<Unit>& left) {
  if (!parameter.is_number) return left.front();
  return *std::max_element(left.begin(), left.end(), [&](const Unit& a, const Unit& b) {
    return std::abs(int64_t(parameter.get(a)) - parameter.get(unit)) < std::abs(int64_t(parameter.get(b)) - parameter.get(unit));
  });
}

void keep_equal(const UnitParameter& parameter, const Unit& unit, const Unit& other, std::vector<Unit>& left,
                std::set<int>& equal) {
  const int here = parameter.get(unit), there = parameter.get(other);
  std::erase_if(left, [&](const Unit& one) {
    const int value = parameter.get(one);
    const bool between = parameter.is_number && (there > here ? value > here && value <= there : value < here && value >= there);
    if (value == there || between) equal.insert(value);
    return value == there || between;
  });
}

Tiles tiles_of(const UnitWitness& w, const Instruction& instruction) {
  Tiles tiles(instruction, 1);
  for (int k = 0; k < instruction.k; ++k) tiles.set_a(0, 0, k, w.a[size_t(k)]), tiles.set_b(0, 0, k, w.b[size_t(k)]);
  for (int s = 0; s < instruction.scales(); ++s)
    tiles.set_a_scale(0, 0, s, w.a_scales[size_t(s)]), tiles.set_b_scale(0, 0, s, w.b_scales[size_t(s)]);
  tiles.set_c(0, 0, 0, w.c);
  return tiles;
}

std::string words_of(const UnitParameter& parameter, const Unit& unit, const std::set<int>& equal) {
  const auto text = [&](int value) {
    Unit other = unit;
    parameter.set(other, value);
    const std::string cell = step_cells(other).at(std::string(parameter.cell));
    return cell.empty() ? "nothing" : cell;
  };
  std::string all;
  int named = 0;
  for (auto at = equal.begin(); at != equal.end(); ++at) {
    if (++named > kMostNamed) return all + fmt::format("; and {} more", std::distance(at, equal.end()));
    const int first = *at;
    auto next = std::next(at);
    while (parameter.is_number && next != equal.end() && *next == *at + 1) at = next++;
    all += (all.empty() ? "" : "; ") + text(first) + (*at == first ? "" : " .. " + text(*at));
  }
  return all;
}

}  // namespace assay
