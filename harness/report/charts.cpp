#include "harness/report/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <vector>

#include "harness/report/html_parts.h"
#include "harness/report/words.h"

namespace assay::html {
namespace {

using ChartRows = std::vector<std::vector<std::string>>;

constexpr size_t kMostRows = 24;  ///< of a chart; beyond, neighbouring bins share a row

std::string chart(const std::string& title, const ChartRows& rows, const std::string& caption) {
  return fmt::format("<figure><h5>{}</h5>\n{}<figcaption>{}</figcaption></figure>\n", title, table("numbers", rows), caption);
}

double ratio(int64_t count, int64_t of) { return of == 0 ? 0 : double(count) / double(of); }

std::string raised(int exponent) { return fmt::format("2<sup>{}</sup>", exponent); }

/// The distances of `step` neighbouring bins, of which `bin` counts from zero: "+4 .. +7", "+2^20 .. +2^21".
std::string distances_text(int bin, int step) {
  constexpr int kInDigits = 16;
  const char sign = bin < 0 ? '-' : '+';
  const int low = (std::abs(bin) - 1) * step, high = std::abs(bin) * step;
  if (high == 1) return fmt::format("{}1", sign);
  if (high <= kInDigits) return fmt::format("{0}{1} .. {0}{2}", sign, 1 << low, (1 << high) - 1);
  return fmt::format("{0}{1} .. {0}{2}", sign, raised(low), raised(high));
}

/// Bins of `step` exponents: the floor of exponent / step.
std::string exponents_text(int bin, int step) {
  return step == 1 ? raised(bin) : raised(bin * step) + " .. " + raised(bin * step + step - 1);
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

std::vector<std::string> magnitude_row(const std::string& label, const Magnitude& m) {
  const std::string mean = m.outside == 0 ? "" : fmt::format("{:.3g}", double(m.sum_ulps) / double(m.outside));
  return {label,
          std::to_string(m.elements),
          std::to_string(m.outside),
          bar(ratio(m.outside, m.elements)),
          mean,
          m.outside == 0 ? "" : std::to_string(m.worst_ulps)};
}

}  // namespace

std::string distance_chart(const TensorFinding& f) {
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
  ChartRows rows = {{"distance", "elements", ""}};
  for (const auto& [label, count] : counts) rows.push_back({label, std::to_string(count), bar(ratio(count, most))});
  return chart("How far outside", rows, fmt::format("In ulp of {} from the nearest accepted code.", f.format));
}

std::string magnitude_chart(const TensorFinding& f) {
  std::map<int, Magnitude> exponents = f.picture->magnitudes;
  const Magnitude zero = exponents[Picture::kZero], special = exponents[Picture::kNotFinite];
  exponents.erase(Picture::kZero);
  exponents.erase(Picture::kNotFinite);
  int step = 1;
  while (!exponents.empty() && coarser(exponents, step).size() > kMostRows) step *= 2;
  ChartRows rows = {{"accepted", "elements", "outside", "share", "mean ulp", "worst ulp"}};
  if (zero.elements > 0) rows.push_back(magnitude_row("0", zero));
  for (const auto& [bin, m] : coarser(exponents, step)) rows.push_back(magnitude_row(exponents_text(bin, step), m));
  if (special.elements > 0) rows.push_back(magnitude_row("Inf, NaN", special));
  return chart("Error by magnitude", rows, "By the exponent of the nearest accepted value; means over what is outside.");
}

std::string budget_chart(const TensorFinding& f) {
  const auto& budget = f.picture->budget;
  const int64_t most = *std::max_element(budget.begin(), budget.end());
  if (most == 0) return "";
  ChartRows rows = {{"budget use", "elements", ""}};
  for (size_t bin = 0; bin < budget.size(); ++bin) {
    const std::string label = bin < 10    ? fmt::format("{:.1f} .. {:.1f}", double(bin) / 10, double(bin + 1) / 10)
                              : bin == 10 ? "1 .. 2, outside"
                                          : "over 2, outside";
    if (bin < 10 || budget[bin] > 0) rows.push_back({label, std::to_string(budget[bin]), bar(ratio(budget[bin], most))});
  }
  return chart("Use of the budget", rows, "Distance from the middle of the accepted set in half widths, where it has a width.");
}

std::string neighbours_table(const TensorFinding& f) {
  const std::vector<Element>& around = f.picture->around;
  if (around.size() < 2) return "";
  std::string head, got, value, accepted, distance;
  for (const Element& e : around) {
    const bool worst = e.at == f.worst.at;
    const std::string css = fmt::format("class=\"{}{}\"", e.outside ? "wrong" : "right", worst ? " worst" : "");
    head += fmt::format("<th {}>{}{}</th>", css, shape_text(e.at), worst ? " worst" : "");
    got += fmt::format("<td {}>{}</td>", css, code_digits(f.format, e.code));
    value += fmt::format("<td {}>{:.6g}</td>", css, e.value);
    const std::string low = fmt::format("{}<br/>{:.6g}", code_digits(f.format, e.low_code), e.low);
    const std::string high = fmt::format("{}<br/>{:.6g}", code_digits(f.format, e.high_code), e.high);
    accepted += fmt::format("<td {}>{}</td>", css, e.low_code == e.high_code ? low : low + "<br/>.. " + high);
    const std::string words = e.ulps != 0 ? fmt::format("{:+} ulp", e.ulps) : distance_text(f.format, e);
    distance += fmt::format("<td {}>{}</td>", css, e.outside ? words : "accepted");
  }
  return "<figure><h5>Beside the worst element</h5>\n<table class=\"around\"><thead><tr><th>at</th>" + head +
         "</tr></thead><tbody>\n<tr><td>got code</td>" + got + "</tr>\n<tr><td>got value</td>" + value +
         "</tr>\n<tr><td>accepted</td>" + accepted + "</tr>\n<tr><td>verdict</td>" + distance +
         "</tr>\n</tbody></table></figure>\n";
}

}  // namespace assay::html
