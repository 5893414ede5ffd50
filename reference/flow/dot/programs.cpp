#include <algorithm>
#include <numeric>

#include "reference/flow/dot/dot.h"
#include "reference/flow/dot/names.h"
#include "reference/formats/catalogue.h"

namespace assay {

Names names_of_join() {
  Names names;
  names.quantities = {"sa", "sb", "acc"};
  return names;
}

Names names_of_result(const Format& y) {
  Names names;
  names.formats["y"] = &y;
  names.quantities = {"sa", "sb", "ga", "gb", "bias", "c"};
  return names;
}

bool DotContract::takes(const GemmScales& which) const { return std::find(scales.begin(), scales.end(), which) != scales.end(); }

bool DotContract::makes(const Format& y) const {
  return std::any_of(out.begin(), out.end(), [&](const Format* format) { return *format == y; });
}

bool DotContract::adds_c() const { return reads(dot_recipe(*this, kF32, false), "c"); }

namespace {

/// Steps of a build that flushes: each result is, unless a compiler may fuse it with the sum behind it.
std::vector<CellStep> flushed(const std::vector<CellStep>& steps) {
  std::vector<CellStep> all;
  for (size_t i = 0; i < steps.size(); ++i) {
    all.push_back(steps[i]);
    const bool is_arithmetic = steps[i].word != "to" && steps[i].word != "ftz";
    const bool may_be_fused = i + 1 < steps.size() && steps[i + 1].text.ends_with("~fma");
    if (is_arithmetic && !may_be_fused) all.push_back(CellStep::made("ftz"));
  }
  return all;
}

/// Products of a part: whole units, and as many in each part but the last.
int64_t part_length(const DotContract& contract, const KOrder& order, int64_t k, int parts) {
  const int64_t unit = std::lcm(std::max<int64_t>(1, contract.part_of), order.period()), blocks = (k + unit - 1) / unit;
  return parts == 1 ? std::max<int64_t>(1, k) : (blocks + parts - 1) / parts * unit;
}

/// The programs of one order along k.
std::vector<DotProgram> programs_of(const DotContract& contract, const KOrder& order, int64_t k) {
  std::vector<DotProgram> programs;
  for (int parts = contract.least_parts; parts <= contract.most_parts; parts += contract.has_atomics() ? parts : 1) {
    const int64_t part = part_length(contract, order, k, parts);
    if (!programs.empty() && programs.back().part <= part) continue;  // no shorter parts than before
    if (!programs.empty() && part >= k) continue;
    const bool promotes = contract.of_blocks() || contract.promote < part;
    programs.push_back({promotes ? contract.promote : 0, part, order,
                        "split-K " + std::to_string(parts) + (contract.has_atomics() ? ", added in any order" : "")});
  }
  if (programs.size() == 1 && programs.front().part >= k) programs.front().name.clear();
  return programs;
}

}  // namespace

Recipe dot_recipe(const DotContract& contract, const Format& y, bool with_bias) {
  std::vector<CellStep> steps = contract.y;
  if (with_bias) steps.insert(steps.end() - 1, contract.bias.begin(), contract.bias.end());
  return resolve(contract.flushes ? flushed(steps) : steps, names_of_result(y));
}

Recipe join_recipe(const DotContract& contract) {
  return resolve(contract.flushes ? flushed(contract.join) : contract.join, names_of_join());
}

std::optional<std::string> program_of_parts(const DotContract& contract, int64_t k, int parts) {
  if (parts < contract.least_parts || parts > contract.most_parts) return std::nullopt;
  const int64_t part = part_length(contract, contract.orders.empty() ? KOrder() : contract.orders.front(), k, parts);
  for (const DotProgram& program : dot_programs(contract, k))
    if (program.part == part || (program.part >= k && part >= k)) return program.name;
  return std::nullopt;
}

std::vector<DotProgram> dot_programs(const DotContract& contract, int64_t k) {
  if (contract.orders.empty()) return programs_of(contract, KOrder(), k);
  std::vector<DotProgram> all;
  for (const KOrder& order : contract.orders)
    for (DotProgram& program : programs_of(contract, order, k)) {
      if (contract.orders.size() > 1) program.name = order.text() + (program.name.empty() ? "" : ", " + program.name);
      all.push_back(std::move(program));
    }
  return all;
}

}  // namespace assay
