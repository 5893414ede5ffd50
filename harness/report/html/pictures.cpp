#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <numeric>
#include <string_view>
#include <vector>

#include "harness/report/html/parts.h"
#include "harness/report/verdict_text.h"

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

/// Label of `step` adjacent bins; `bin` is the index of the first: "+4 .. +7", "+2^20 .. +2^21".
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
  const Node body =
      chart(parent, "How far outside", {"distance", "elements", ""},
            fmt::format("Numbers of elements by their distance from the nearest accepted code, in ulp of {}.", f.format));
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
                          "One line for each exponent of the nearest accepted value. Means count only wrong elements.");
  if (zero.elements > 0) magnitude_row(body, "0", zero);
  for (const auto& [bin, m] : coarser(exponents, step)) magnitude_row(body, exponents_text(bin, step), m);
  if (special.elements > 0) magnitude_row(body, "Inf, NaN", special);
}

void budget_chart(Node parent, const TensorFinding& f) {
  const auto& budget = f.picture->budget;
  const int64_t most = *std::max_element(budget.begin(), budget.end());
  if (most == 0) return;
  const Node body = chart(parent, "Use of the budget", {"budget use", "elements", ""},
                          "Numbers of elements by their distance from the middle of the accepted interval, divided by half its "
                          "width. Only elements that accept several codes count.");
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

namespace {

/// A shade of the heat map. It marks cells whose share of wrong elements is above the `up_to` of the shade before it, and at most
/// its own `up_to`, in percent. The last shade marks cells in which every element is wrong.
struct Shade {
  std::string_view grey, words;
  double up_to;
};
constexpr Shade kShades[] = {{"#fff", "none outside", 0},   {"#dcdcdc", "up to 3 %", 3},   {"#bdbdbd", "up to 12 %", 12},
                             {"#989898", "up to 25 %", 25}, {"#6f6f6f", "up to 50 %", 50}, {"#454545", "below 100 %", 100},
                             {"#000", "all outside", 100}};
constexpr size_t kShadeCount = std::size(kShades);

size_t shade_of(int64_t outside, int64_t elements) {
  if (outside == elements) return kShadeCount - 1;
  size_t shade = 0;
  while (100.0 * double(outside) > kShades[shade].up_to * double(elements)) ++shade;
  return shade;
}

/// Sizes in pixels. Small tensors get large cells, so that a cell can show a number.
struct Sheet {
  const Picture& picture;
  const std::array<int64_t, 2>& shape;
  double left = 54, top = 18, cell_width = 0, cell_height = 0;

  Sheet(const TensorFinding& f) : picture(*f.picture), shape(f.shape) {
    cell_width = std::clamp(960.0 / double(picture.columns), 8.0, 44.0);
    cell_height = picture.rows <= 8 ? 20 : picture.rows <= 16 ? 15 : picture.rows <= 32 ? 11 : 8;
  }
  double width() const { return cell_width * double(picture.columns); }
  double height() const { return cell_height * double(picture.rows); }
  int64_t outside(int64_t r, int64_t c) const { return picture.outside[size_t(r * picture.columns + c)]; }
  size_t shade(int64_t r, int64_t c) const { return shade_of(outside(r, c), picture.cell_elements(r, c, shape)); }
  int64_t outside_of_row(int64_t r) const {
    const auto begin = picture.outside.begin() + r * picture.columns;
    return std::accumulate(begin, begin + picture.columns, int64_t{0});
  }
  int64_t elements_of_row(int64_t r) const { return std::min(picture.cell_rows, shape[0] - r * picture.cell_rows) * shape[1]; }
};

/// Draws each run of equal shade as one stroke, to keep a page with forty maps small.
void cells(Node svg, const Sheet& sheet) {
  std::array<std::string, kShadeCount> strokes;
  for (int64_t r = 0; r < sheet.picture.rows; ++r) {
    for (int64_t c = 0; c < sheet.picture.columns;) {
      const size_t shade = sheet.shade(r, c);
      const int64_t begin = c;
      while (c < sheet.picture.columns && sheet.shade(r, c) == shade) ++c;
      if (shade > 0) strokes[shade] += fmt::format("M{} {}.5h{}", begin, r, c - begin);
    }
  }
  const Node group =
      set(child(svg, "g", "cells"), "transform",
          fmt::format("translate({} {}) scale({:.6g} {:.6g})", sheet.left, sheet.top, sheet.cell_width, sheet.cell_height));
  for (size_t s = 1; s < kShadeCount; ++s)
    if (!strokes[s].empty()) set(set(child(group, "path"), "stroke", std::string(kShades[s].grey)), "d", strokes[s]);
}

/// Text at a point; `anchor` says whether its start, middle or end is there.
Node text_at(Node svg, double x, double y, const std::string& words, const char* anchor = "") {
  const Node made = set(set(child(svg, "text"), "x", fmt::format("{:.5g}", x)), "y", fmt::format("{:.5g}", y));
  if (*anchor != 0) set(made, "text-anchor", anchor);
  return write(made, words);
}

/// Prints the share of wrong elements in cells that are wide enough and have several elements.
void numbers(Node svg, const Sheet& sheet) {
  constexpr double kWideEnough = 34;
  if (sheet.cell_width < kWideEnough || sheet.cell_height < 11) return;
  for (int64_t r = 0; r < sheet.picture.rows; ++r) {
    for (int64_t c = 0; c < sheet.picture.columns; ++c) {
      const int64_t outside = sheet.outside(r, c), elements = sheet.picture.cell_elements(r, c, sheet.shape);
      if (outside == 0 || outside == elements) continue;
      const Node share = text_at(svg, sheet.left + (double(c) + 0.5) * sheet.cell_width,
                                 sheet.top + (double(r) + 0.5) * sheet.cell_height + 3.5, percent(outside, elements), "middle");
      if (sheet.shade(r, c) > 3) set(share, "class", "on-dark");
    }
  }
}

/// A line through each cell with a Violation: each element may be in its interval, but together they break a rule.
std::string joint_strokes(const Sheet& sheet) {
  const Picture& p = sheet.picture;
  std::string strokes;
  for (int64_t r = 0; r < p.rows; ++r) {
    for (int64_t c = 0; c < p.columns && !p.joint.empty(); ++c) {
      if (p.joint[size_t(r * p.columns + c)] == 0) continue;
      strokes += fmt::format("M{:.5g} {:.5g}h{:.5g}", sheet.left + double(c) * sheet.cell_width,
                             sheet.top + (double(r) + 0.5) * sheet.cell_height, sheet.cell_width);
    }
  }
  return strokes;
}

/// The n for which labels at every n-th cell do not overlap. `cell`, `label`: sizes in pixels.
int64_t label_step(double cell, double label) {
  int64_t step = 1;
  while (double(step) * cell < label) step *= 2;
  return step;
}

void tick(Node svg, const std::string& stroke) { set(child(svg, "path", "tick"), "d", stroke); }

void axes(Node svg, const Sheet& sheet) {
  const Picture& p = sheet.picture;
  const int64_t across = label_step(sheet.cell_width, 40), down = label_step(sheet.cell_height, 11);
  for (int64_t c = 0; c < p.columns; c += across) {
    const double x = sheet.left + double(c) * sheet.cell_width;
    tick(svg, fmt::format("M{:.5g} {}v{:.5g}", x, sheet.top - 4, sheet.height() + 4));
    text_at(svg, x + 2, sheet.top - 6, std::to_string(c * p.cell_columns));
  }
  for (int64_t r = 0; r < p.rows; r += down) {
    const double y = sheet.top + (double(r) + 0.5) * sheet.cell_height + 3.5;
    tick(svg, fmt::format("M{} {:.5g}h{:.5g}", sheet.left - 3, sheet.top + double(r) * sheet.cell_height, sheet.width() + 3));
    text_at(svg, sheet.left - 5, y, fmt::format("row {}", r * p.cell_rows), "end");
    // prints the count of each row beside it, if every row has a label
    if (down == 1)
      text_at(svg, sheet.left + sheet.width() + 6, y, fmt::format("{} of {}", sheet.outside_of_row(r), sheet.elements_of_row(r)));
  }
  const Node edge = set(set(child(svg, "rect", "edge"), "x", fmt::format("{}", sheet.left)), "y", fmt::format("{}", sheet.top));
  set(set(edge, "width", fmt::format("{:.5g}", sheet.width())), "height", fmt::format("{:.5g}", sheet.height()));
}

void legend(Node caption, const Sheet& sheet, bool has_joint) {
  std::array<int64_t, kShadeCount> count{};
  for (int64_t r = 0; r < sheet.picture.rows; ++r) {
    for (int64_t c = 0; c < sheet.picture.columns; ++c) ++count[sheet.shade(r, c)];
  }
  const Picture& p = sheet.picture;
  const bool single = p.cell_rows * p.cell_columns == 1;
  write(caption, single ? "A cell is one element."
                        : fmt::format("A cell is {} {} x {} columns; its shade is the share of wrong elements.", p.cell_rows,
                                      p.cell_rows == 1 ? "row" : "rows", p.cell_columns));
  for (size_t s = 0; s < kShadeCount; ++s) {
    if (count[s] == 0) continue;
    set(child(caption, "span", "key"), "style", fmt::format("background:{}", kShades[s].grey));
    const std::string_view words = !single ? kShades[s].words : s + 1 == kShadeCount ? "outside" : "accepted";
    write(caption, fmt::format("{}: {} {}", words, count[s], count[s] == 1 ? "cell" : "cells"));
  }
  if (!has_joint) return;
  child(caption, "span", "key together");
  write(caption, "a line marks elements that contradict each other, though each alone may be accepted");
}

}  // namespace

void heat_map(Node parent, const TensorFinding& finding) {
  const Sheet sheet(finding);
  constexpr double kRight = 110, kBottom = 4;
  const std::string width = fmt::format("{:.5g}", sheet.left + sheet.width() + kRight),
                    height = fmt::format("{:.5g}", sheet.top + sheet.height() + kBottom);
  const Node figure = line(parent, "figure"), svg = set(set(child(figure, "svg", "heat"), "width", width), "height", height);
  set(svg, "viewBox", fmt::format("0 0 {} {}", width, height));
  set(set(svg, "role", "img"), "aria-label", "share of wrong elements by position");
  cells(svg, sheet);
  numbers(svg, sheet);
  const std::string joint = joint_strokes(sheet);
  if (!joint.empty()) set(child(svg, "path", "joint"), "d", joint);
  axes(svg, sheet);
  legend(child(figure, "figcaption"), sheet, !joint.empty());
}

}  // namespace assay::html
