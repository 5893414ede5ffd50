#include "harness/report/html_power.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <utility>

#include "harness/report/escape.h"
#include "harness/report/html_parts.h"

namespace assay::html {
namespace {

/// All data sets of an op and contract.
struct Family {
  std::set<std::string> data_sets;
  const Power *fewest = nullptr, *most = nullptr;                    ///< by the share of faults seen
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
  return fmt::format(
      "<svg class=\"codes\" width=\"258\" height=\"12\" viewBox=\"0 0 256 12\" preserveAspectRatio=\"none\"><path "
      "d=\"{}\"/></svg>",
      strokes);
}

std::string faults_text(const Power* power) {
  return power == nullptr ? "" : fmt::format("{} of {}", power->seen(), power->faults);
}

/// A cell that stands for all tensors of a family.
std::string spanning(size_t rows, const std::string& css, const std::string& markup) {
  return fmt::format("<td rowspan=\"{}\" class=\"{}\">{}</td>", rows, css, markup);
}

std::string share_cell(int64_t count, int64_t of) {
  return fmt::format("<td class=\"number{}\">{}</td>", count == 0 ? " none" : "", count == 0 ? "\xC2\xB7" : percent(count, of));
}

std::string family_rows(const std::string& op, const std::string& contract, const Family& family) {
  const size_t count = family.tensors.size();
  std::string text = "<tr>" +
                     spanning(count, "contract", code(contract) + "<br/><span class=\"soft\">" + xml_escaped(op) + "</span>") +
                     spanning(count, "number", std::to_string(family.data_sets.size())) +
                     spanning(count, "number", faults_text(family.fewest)) + spanning(count, "number", faults_text(family.most));
  for (const auto& [tensor, sum] : family.tensors) {
    const bool counted = sum.codes.any();
    if (&sum != &family.tensors.begin()->second) text += "<tr>";
    text += fmt::format("<td>{}</td><td class=\"number\">{}</td><td>{}</td>", code(tensor.first + " " + tensor.second),
                        counted ? std::to_string(sum.codes.count()) : "", counted ? code_strip(sum.codes) : "");
    text += share_cell(sum.subnormal, sum.elements) + share_cell(sum.saturated, sum.elements) + share_cell(sum.not_a_number, sum.elements) +
            "</tr>\n";
  }
  return text;
}

}  // namespace

std::string power_table(const RunResult& result) {
  std::map<std::pair<std::string, std::string>, Family> families;
  for (const Verdict& v : result.verdicts) {
    if (v.power.faults == 0) continue;
    Family& family = families[{v.op, v.contract}];
    // Cases that differ in warp alone, and kernels of one case, share their data.
    if (family.data_sets.insert(data_id(v.case_id)).second) add(v.power, family);
  }
  if (families.empty()) return "";
  std::string rows;
  for (const auto& [key, family] : families) rows += family_rows(key.first, key.second, family);
  return "<table class=\"power\"><thead><tr><th rowspan=\"2\">contract</th><th rowspan=\"2\" class=\"number\">data sets</th><th "
         "colspan=\"2\">faults "
         "that a data set sees</th><th rowspan=\"2\">output</th><th colspan=\"2\">codes of 256</th><th rowspan=\"2\" "
         "class=\"number\">subnormal</th>"
         "<th rowspan=\"2\" class=\"number\">saturated</th><th rowspan=\"2\" class=\"number\">NaN</th></tr>\n<tr><th "
         "class=\"number\">fewest</th><th class=\"number\">most</th><th></th><th>0x00 to 0xff, "
         "black where visited</th></tr></thead><tbody>\n" +
         rows + "</tbody></table>\n";
}

}  // namespace assay::html
