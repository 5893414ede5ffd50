#include "harness/report/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <vector>

#include "harness/report/html/parts.h"
#include "harness/report/words.h"

namespace assay::html {
namespace {

constexpr size_t kMostRows = 24;  ///< limit on the rows of a chart; beyond it, adjacent bins are merged

/// A figure with a table and a caption. Returns the table's body.
Node chart(Node parent, const std::string& title, const std::vector<std::string>& head, const std::string& caption) {
  const Node figure = line(parent, "figure");
  write(line(figure, "h5"), title);
  const Node body = table(figure, "numbers", head);
  write(child(figure, "figcaption"), caption);
  return body;
}

double ratio(int64_t count, int64_t of) { return of == 0 ? 0 : double(count) / double(of); }

std::string power_of_two(int exponent) { return fmt::format("2^{}", exponent); }

/// Label of `step` adjacent bins of which `bin` is the index: "+4 .. +7", "+2^20 .. +2^21".
std::string distances_text(int bin, int step) {
  constexpr int kInDigits = 16;
  const char sign = bin < 0 ? '-' : '+';
  const int low = (std::abs(bin) - 1) * step, high = std::abs(bin) * step;
  if (high == 1) return fmt::format("{}1", sign);
  if (high <= kInDigits) return fmt::format("{0}{1} .. {0}{2}", sign, 1 << low, (1 << high) - 1);
  return fmt::format("{0}{1} .. {0}{2}", sign, power_of_two(low), power_of_two(high));
}

/// Label for a bin of `step` exponents; `bin` is floor(exponent / step).
std::string exponents_text(int bin, int step) {
  return step == 1 ? power_of_two(bin) : power_of_two(bin * step) + " .. " + power_of_two(bin * step + step - 1);
}

std::map<int, int64_t> coarser(const std::map<int, int64_t>& bins, int step) {
  std::map<int, int64_t> merged;
  for (const auto& [bin, count] : bins) merged[(bin < 0 ? -1 : 1) * ((std::abs(bin) + step - 1) / step)] += count;
  return merged;
}

std::map<int, Magnitude> coarser(const std::map<int, Magnitude>& bins, int step) {
  std::map<int, Magnitude> merged;
  for (const auto& [exponent, m] : bins) {
    Magnitude& sum = merged[int(std::floor(double(exponent) / step))];
    sum.elements += m.elements;
    sum.outside += m.outside;
    sum.sum_ulps += m.sum_ulps;
    sum.worst_ulps = std::max(sum.worst_ulps, m.worst_ulps);
  }
  return merged;
}

void magnitude_row(Node body, const std::string& label, const Magnitude& m) {
  const Node row = line(body, "tr");
  write_powers(cell(row), label);
  write(cell(row), std::to_string(m.elements));
  write(cell(row), std::to_string(m.outside));
  bar(cell(row), ratio(m.outside, m.elements));
  write(cell(row), m.outside == 0 ? "" : fmt::format("{:.3g}", double(m.sum_ulps) / double(m.outside)));
  write(cell(row), m.outside == 0 ? "" : std::to_string(m.worst_ulps));
}

/// A count and its bar.
void count_row(Node body, const std::string& label, int64_t count, int64_t most) {
  const Node row = line(body, "tr");
  write_powers(cell(row), label);
  write(cell(row), std::to_string(count));
  bar(cell(row), ratio(count, most));
}

}  // namespace

void distance_chart(Node parent, const TensorFinding& f) {
  const std::map<int, int64_t> distances = f.picture->ulps();
  const int step = distances.size() > kMostRows ? 4 : 1;
  std::vector<std::pair<std::string, int64_t>> counts;
  for (const auto& [bin, count] : coarser(distances, step)) counts.emplace_back(distances_text(bin, step), count);
  counts.emplace_back("is NaN", f.picture->became_nan);
  counts.emplace_back("should be NaN", f.picture->should_be_nan);
  counts.emplace_back("another NaN", f.picture->other_nan);
  counts.emplace_back("sign of zero", f.picture->sign_of_zero);
  std::erase_if(counts, [](const auto& count) { return count.second == 0; });
  int64_t most = 0;
  for (const auto& [label, count] : counts) most = std::max(most, count);
  if (counts.empty()) return;
  const Node body = chart(parent, "How far outside", {"distance", "elements", ""},
                          fmt::format("In ulp of {} from the nearest accepted code.", f.format));
  for (const auto& [label, count] : counts) count_row(body, label, count, most);
}

void magnitude_chart(Node parent, const TensorFinding& f) {
  std::map<int, Magnitude> exponents = f.picture->magnitudes;
  const Magnitude zero = exponents[Picture::kZero], special = exponents[Picture::kNotFinite];
  exponents.erase(Picture::kZero);
  exponents.erase(Picture::kNotFinite);
  int step = 1;
  while (!exponents.empty() && coarser(exponents, step).size() > kMostRows) step *= 2;
  const Node body = chart(parent, "Error by magnitude", {"accepted", "elements", "outside", "share", "mean ulp", "worst ulp"},
                          "By the exponent of the nearest accepted value; means over what is outside.");
  if (zero.elements > 0) magnitude_row(body, "0", zero);
  for (const auto& [bin, m] : coarser(exponents, step)) magnitude_row(body, exponents_text(bin, step), m);
  if (special.elements > 0) magnitude_row(body, "Inf, NaN", special);
}

void budget_chart(Node parent, const TensorFinding& f) {
  const auto& budget = f.picture->budget;
  const int64_t most = *std::max_element(budget.begin(), budget.end());
  if (most == 0) return;
  const Node body = chart(parent, "Use of the budget", {"budget use", "elements", ""},
                          "Distance from the middle of the accepted set in half widths, where it has a width.");
  for (size_t bin = 0; bin < budget.size(); ++bin) {
    const std::string label = bin < 10    ? fmt::format("{:.1f} .. {:.1f}", double(bin) / 10, double(bin + 1) / 10)
                              : bin == 10 ? "1 .. 2, outside"
                                          : "over 2, outside";
    if (bin < 10 || budget[bin] > 0) count_row(body, label, budget[bin], most);
  }
}

void neighbours_table(Node parent, const TensorFinding& f) {
  const std::vector<Element>& around = f.picture->around;
  if (around.size() < 2) return;
  const Node figure = line(wide(parent), "figure");
  write(line(figure, "h5"), "Beside the worst element");
  const Node body = table(figure, "around", {"at"}), head = body.parent().child("thead").child("tr");
  std::map<std::string, Node> rows;
  for (const char* name : {"got code", "got value", "accepted", "verdict"}) write(cell(rows[name] = line(body, "tr")), name);
  for (const Element& e : around) {
    const bool worst = e.at == f.worst.at;
    const std::string css_class = std::string(e.outside ? "wrong" : "right") + (worst ? " worst" : "");
    write(child(head, "th", css_class), shape_text(e.at) + (worst ? " worst" : ""));
    write(cell(rows["got code"], css_class), code_digits(f.format, e.code));
    write(cell(rows["got value"], css_class), fmt::format("{:.6g}", e.value));
    const Node accepted = write(cell(rows["accepted"], css_class), code_digits(f.format, e.low_code));
    child(accepted, "br");
    write(accepted, fmt::format("{:.6g}", e.low));
    if (e.low_code != e.high_code) {
      child(accepted, "br");
      write(accepted, ".. " + code_digits(f.format, e.high_code));
      child(accepted, "br");
      write(accepted, fmt::format("{:.6g}", e.high));
    }
    const std::string words = e.ulps != 0 ? fmt::format("{:+} ulp", e.ulps) : distance_text(f.format, e);
    write(cell(rows["verdict"], css_class), e.outside ? words : "accepted");
  }
}

}  // namespace assay::html
