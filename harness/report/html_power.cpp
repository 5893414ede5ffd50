#include "harness/report/html_power.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "harness/report/escape.h"
#include "harness/report/html_parts.h"

namespace assay::html {
namespace {

/// All data sets of an op and contract.
struct Family {
  std::set<std::string> data_sets;
  const Power *fewest = nullptr, *most = nullptr;                   ///< by the share of faults seen
  std::map<std::pair<std::string, std::string>, DataPower> tensors;  ///< by name and format, summed up
};

double share_seen(const Power& power) { return double(power.seen()) / double(power.faults); }

void add(const Power& power, Family& family) {
  if (family.fewest == nullptr || share_seen(power) < share_seen(*family.fewest)) family.fewest = &power;
  if (family.most == nullptr || share_seen(power) > share_seen(*family.most)) family.most = &power;
  for (const DataPower& data : power.data) {
    DataPower& sum = family.tensors[{data.tensor, data.format}];
    sum.elements += data.elements;
    sum.codes |= data.codes;
    sum.subnormal += data.subnormal;
    sum.saturated += data.saturated;
    sum.not_a_number += data.not_a_number;
  }
}

/// One stroke for each code that is visited, 0x00 to the left.
std::string code_strip(const std::bitset<256>& codes) {
  std::string strokes;
  for (size_t code = 0; code < codes.size();) {
    const size_t begin = code;
    while (code < codes.size() && codes.test(code) == codes.test(begin)) ++code;
    if (codes.test(begin)) strokes += fmt::format("M{} 6h{}", begin, code - begin);
  }
  return fmt::format("<svg class=\"codes\" width=\"384\" height=\"12\" viewBox=\"0 0 256 12\" preserveAspectRatio=\"none\"><rect "
                     "class=\"frame\" width=\"256\" height=\"12\"/><path stroke-width=\"12\" d=\"{}\"/></svg>",
                     strokes);
}

std::string faults_text(const Power* power) { return power == nullptr ? "" : fmt::format("{} of {}", power->seen(), power->faults); }

std::vector<std::vector<std::string>> family_rows(const std::pair<std::string, std::string>& key, const Family& family) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [tensor, sum] : family.tensors) {
    const bool first = rows.empty();
    const bool counted = sum.codes.any();
    rows.push_back({first ? xml_escaped(key.first) + " " + code(key.second) : "", first ? std::to_string(family.data_sets.size()) : "",
                    first ? faults_text(family.fewest) : "", first ? faults_text(family.most) : "",
                    code(tensor.first + " " + tensor.second), counted ? std::to_string(sum.codes.count()) : "",
                    counted ? code_strip(sum.codes) : "", percent(sum.subnormal, sum.elements),
                    percent(sum.saturated, sum.elements), percent(sum.not_a_number, sum.elements)});
  }
  return rows;
}

}  // namespace

std::string power_table(const RunResult& result) {
  std::map<std::pair<std::string, std::string>, Family> families;
  for (const Verdict& v : result.verdicts) {
    if (v.power.faults == 0) continue;
    Family& family = families[{v.op, v.contract}];
    // Cases that differ in warp alone, and kernels of one case, share their data.
    if (family.data_sets.insert(v.case_id.substr(0, v.case_id.rfind("/w"))).second) add(v.power, family);
  }
  std::vector<std::vector<std::string>> rows = {{"contract", "data sets", "faults seen, fewest", "most", "output", "codes of 256",
                                                 "0x00 to 0xff, black where visited", "subnormal", "saturated", "NaN"}};
  for (const auto& [key, family] : families) {
    for (auto& row : family_rows(key, family)) rows.push_back(std::move(row));
  }
  return table("power", rows);
}

}  // namespace assay::html
