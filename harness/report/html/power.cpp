#include "harness/report/html/power.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <utility>

namespace assay::html {
namespace {

/// All data sets of an op and contract.
struct Family {
  std::set<std::string> data_sets;
  const Power *fewest = nullptr, *most = nullptr;                    ///< data sets with the lowest and highest mutation score
  std::map<std::pair<std::string, std::string>, DataPower> tensors;  ///< summed by tensor name and format
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

/// One stroke per visited code; 0x00 is leftmost.
void code_strip(Node parent, const std::bitset<256>& codes) {
  std::string strokes;
  for (size_t code = 0; code < codes.size();) {
    const size_t begin = code;
    while (code < codes.size() && codes.test(code) == codes.test(begin)) ++code;
    if (codes.test(begin)) strokes += fmt::format("M{} 6h{}", begin, code - begin);
  }
  const Node svg = set(set(child(parent, "svg", "codes"), "width", "258"), "height", "12");
  set(set(svg, "viewBox", "0 0 256 12"), "preserveAspectRatio", "none");
  set(child(svg, "path"), "d", strokes);
}

std::string faults_text(const Power* power) {
  return power == nullptr ? "" : fmt::format("{} of {}", power->seen(), power->faults);
}

/// A cell that spans the rows of all tensors of a family.
Node spanning(Node row, size_t rows, const char* css_class) {
  return set(set(child(row, "td"), "rowspan", std::to_string(rows)), "class", css_class);
}

void share_cell(Node row, int64_t count, int64_t of) {
  write(cell(row, count == 0 ? "number none" : "number"), count == 0 ? "\xC2\xB7" : percent(count, of));
}

void family_rows(Node body, const std::string& op, const std::string& contract, const Family& family) {
  const size_t count = family.tensors.size();
  Node row = line(body, "tr");
  const Node names = spanning(row, count, "contract");
  code(names, contract);
  child(names, "br");
  soft(names, op);
  for (const std::string& text : {std::to_string(family.data_sets.size()), faults_text(family.fewest), faults_text(family.most)})
    write(spanning(row, count, "number"), text);
  for (const auto& [tensor, sum] : family.tensors) {
    const bool counted = sum.codes.any();
    if (&sum != &family.tensors.begin()->second) row = line(body, "tr");
    code(cell(row), tensor.first + " " + tensor.second);
    write(cell(row, "number"), counted ? std::to_string(sum.codes.count()) : "");
    const Node strip = cell(row);
    if (counted) code_strip(strip, sum.codes);
    for (const int64_t part : {sum.subnormal, sum.saturated, sum.not_a_number}) share_cell(row, part, sum.elements);
  }
}

/// Two header rows: a title over two columns has their names below it.
void head(Node table) {
  const Node head = child(table, "thead"), above = line(head, "tr"), below = line(head, "tr");
  const auto over = [&](const char* span, const char* text, const char* css_class = "") {
    const Node name = set(child(above, "th"), span, "2");
    write(*css_class == 0 ? name : set(name, "class", css_class), text);
  };
  over("rowspan", "contract");
  over("rowspan", "data sets", "number");
  over("colspan", "mutants that a data set kills");
  over("rowspan", "output");
  over("colspan", "codes of 256");
  for (const char* text : {"subnormal", "saturated", "NaN"}) over("rowspan", text, "number");
  write(child(below, "th", "number"), "fewest");
  write(child(below, "th", "number"), "most");
  child(below, "th");
  write(child(below, "th"), "0x00 to 0xff, black where visited");
}

}  // namespace

void power(Node section, const RunResult& result) {
  std::map<std::pair<std::string, std::string>, Family> families;
  for (const Verdict& v : result.verdicts) {
    if (v.power.faults == 0) continue;
    Family& family = families[{v.op, v.contract}];
    // Cases that differ only in warp size, and several kernels on one case, share their data.
    if (family.data_sets.insert(data_id(v.case_id)).second) add(v.power, family);
  }
  if (families.empty()) return;
  write(line(section, "p", "soft"),
        "A data set kills a mutant of its contract if no correct kernel could return what the mutant must. Codes, "
        "subnormal, saturated and NaN outputs are those that the contract demands.");
  const Node table = line(wide(section), "table", "power");
  head(table);
  const Node body = child(table, "tbody");
  for (const auto& [key, family] : families) family_rows(body, key.first, key.second, family);
}

}  // namespace assay::html
