#include "harness/report/heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string_view>

namespace assay::html {
namespace {

/// A shade covers shares above the previous one's limit, up to and including `up_to` percent. The last one is for completely
/// wrong cells.
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

/// Prints shares as numbers in cells that are wide enough and hold several elements.
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

/// A line through cells with violations: elements that are wrong together though each may be right by itself.
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

/// Label every n-th cell, so that labels do not overlap.
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
    // a count beside a row needs a label for every row
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
                        : fmt::format("A cell is {} {} x {} columns; its shade is the share of elements outside.", p.cell_rows,
                                      p.cell_rows == 1 ? "row" : "rows", p.cell_columns));
  for (size_t s = 0; s < kShadeCount; ++s) {
    if (count[s] == 0) continue;
    set(child(caption, "span", "key"), "style", fmt::format("background:{}", kShades[s].grey));
    const std::string_view words = !single ? kShades[s].words : s + 1 == kShadeCount ? "outside" : "accepted";
    write(caption, fmt::format("{}: {} {}", words, count[s], count[s] == 1 ? "cell" : "cells"));
  }
  if (!has_joint) return;
  child(caption, "span", "key together");
  write(caption, "line: places that are wrong together, though each alone may be right");
}

}  // namespace

void heat_map(Node parent, const TensorFinding& finding) {
  const Sheet sheet(finding);
  constexpr double kRight = 110, kBottom = 4;
  const std::string width = fmt::format("{:.5g}", sheet.left + sheet.width() + kRight),
                    height = fmt::format("{:.5g}", sheet.top + sheet.height() + kBottom);
  const Node figure = line(parent, "figure"), svg = set(set(child(figure, "svg", "heat"), "width", width), "height", height);
  set(svg, "viewBox", fmt::format("0 0 {} {}", width, height));
  set(set(svg, "role", "img"), "aria-label", "share of elements outside, by place");
  cells(svg, sheet);
  numbers(svg, sheet);
  const std::string joint = joint_strokes(sheet);
  if (!joint.empty()) set(child(svg, "path", "joint"), "d", joint);
  axes(svg, sheet);
  legend(child(figure, "figcaption"), sheet, !joint.empty());
}

}  // namespace assay::html
