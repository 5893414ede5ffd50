#include "harness/report/heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string_view>

#include "harness/report/html_parts.h"

namespace assay::html {
namespace {

/// A shade stands for shares above the one before, up to and with `up_to` percent. The last is for whole cells only.
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

/// Sizes in pixels; large cells for small tensors, so that they can hold a number.
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

/// Runs of one shade as strokes one cell wide: a page with forty maps must stay small.
std::string cells(const Sheet& sheet) {
  std::array<std::string, kShadeCount> strokes;
  for (int64_t r = 0; r < sheet.picture.rows; ++r) {
    for (int64_t c = 0; c < sheet.picture.columns;) {
      const size_t shade = sheet.shade(r, c);
      const int64_t begin = c;
      while (c < sheet.picture.columns && sheet.shade(r, c) == shade) ++c;
      if (shade > 0) strokes[shade] += fmt::format("M{} {}.5h{}", begin, r, c - begin);
    }
  }
  std::string text = fmt::format("<g class=\"cells\" transform=\"translate({} {}) scale({:.6g} {:.6g})\">", sheet.left, sheet.top,
                                 sheet.cell_width, sheet.cell_height);
  for (size_t s = 1; s < kShadeCount; ++s) {
    if (!strokes[s].empty()) text += fmt::format("<path stroke=\"{}\" d=\"{}\"/>", kShades[s].grey, strokes[s]);
  }
  return text + "</g>\n";
}

/// Shares as numbers where a cell is wide enough and holds more than one element.
std::string numbers(const Sheet& sheet) {
  constexpr double kWideEnough = 34;
  if (sheet.cell_width < kWideEnough || sheet.cell_height < 11) return "";
  std::string text;
  for (int64_t r = 0; r < sheet.picture.rows; ++r) {
    for (int64_t c = 0; c < sheet.picture.columns; ++c) {
      const int64_t outside = sheet.outside(r, c), elements = sheet.picture.cell_elements(r, c, sheet.shape);
      if (outside == 0 || outside == elements) continue;
      text +=
          fmt::format("<text x=\"{:.4g}\" y=\"{:.4g}\" text-anchor=\"middle\"{}>{}</text>",
                      sheet.left + (double(c) + 0.5) * sheet.cell_width, sheet.top + (double(r) + 0.5) * sheet.cell_height + 3.5,
                      sheet.shade(r, c) > 3 ? " class=\"on-dark\"" : "", percent(outside, elements));
    }
  }
  return text;
}

/// A line through cells in which elements are wrong together, though each alone may be right.
std::string joint_lines(const Sheet& sheet) {
  const Picture& p = sheet.picture;
  std::string strokes;
  for (int64_t r = 0; r < p.rows; ++r) {
    for (int64_t c = 0; c < p.columns && !p.joint.empty(); ++c) {
      if (p.joint[size_t(r * p.columns + c)] == 0) continue;
      strokes += fmt::format("M{:.5g} {:.5g}h{:.5g}", sheet.left + double(c) * sheet.cell_width,
                             sheet.top + (double(r) + 0.5) * sheet.cell_height, sheet.cell_width);
    }
  }
  return strokes.empty() ? "" : fmt::format("<path class=\"joint\" d=\"{}\"/>\n", strokes);
}

/// Every how many cells a label fits.
int64_t label_step(double cell, double label) {
  int64_t step = 1;
  while (double(step) * cell < label) step *= 2;
  return step;
}

std::string axes(const Sheet& sheet) {
  std::string text;
  const Picture& p = sheet.picture;
  const int64_t across = label_step(sheet.cell_width, 40), down = label_step(sheet.cell_height, 11);
  for (int64_t c = 0; c < p.columns; c += across) {
    const double x = sheet.left + double(c) * sheet.cell_width;
    text += fmt::format("<path class=\"tick\" d=\"M{0:.5g} {1}v{2:.5g}\"/><text x=\"{3:.5g}\" y=\"{4}\">{5}</text>", x,
                        sheet.top - 4, sheet.height() + 4, x + 2, sheet.top - 6, c * p.cell_columns);
  }
  for (int64_t r = 0; r < p.rows; r += down) {
    const double y = sheet.top + (double(r) + 0.5) * sheet.cell_height + 3.5;
    text += fmt::format(
        "<path class=\"tick\" d=\"M{0} {1:.5g}h{2:.5g}\"/><text x=\"{3}\" y=\"{4:.5g}\" text-anchor=\"end\">row {5}</text>",
        sheet.left - 3, sheet.top + double(r) * sheet.cell_height, sheet.width() + 3, sheet.left - 5, y, r * p.cell_rows);
    // The number beside a row is the row's own; rows without a label would have no room for theirs.
    if (down == 1) {
      text += fmt::format("<text x=\"{:.5g}\" y=\"{:.5g}\">{} of {}</text>", sheet.left + sheet.width() + 6, y,
                          sheet.outside_of_row(r), sheet.elements_of_row(r));
    }
  }
  return text + fmt::format("<rect class=\"edge\" x=\"{}\" y=\"{}\" width=\"{:.5g}\" height=\"{:.5g}\"/>\n", sheet.left,
                            sheet.top, sheet.width(), sheet.height());
}

std::string legend(const Sheet& sheet) {
  std::array<int64_t, kShadeCount> count{};
  for (int64_t r = 0; r < sheet.picture.rows; ++r) {
    for (int64_t c = 0; c < sheet.picture.columns; ++c) ++count[sheet.shade(r, c)];
  }
  const Picture& p = sheet.picture;
  const bool single = p.cell_rows * p.cell_columns == 1;
  std::string text = single ? "A cell is one element."
                            : fmt::format("A cell is {} {} x {} columns; its shade is the share of elements outside.",
                                          p.cell_rows, p.cell_rows == 1 ? "row" : "rows", p.cell_columns);
  for (size_t s = 0; s < kShadeCount; ++s) {
    if (count[s] == 0) continue;
    text += fmt::format("<span class=\"key\" style=\"background:{}\"></span>{}: {} {}", kShades[s].grey,
                        single && s + 1 == kShadeCount ? "outside"
                        : single                       ? "accepted"
                                                       : kShades[s].words,
                        count[s], count[s] == 1 ? "cell" : "cells");
  }
  if (!joint_lines(sheet).empty())
    text += "<span class=\"key together\"></span>line: places that are wrong together, though each alone may be right";
  return text;
}

}  // namespace

std::string heat_map(const TensorFinding& finding) {
  const Sheet sheet(finding);
  constexpr double kRight = 110, kBottom = 4;
  const double width = sheet.left + sheet.width() + kRight, height = sheet.top + sheet.height() + kBottom;
  return fmt::format(
             "<figure><svg class=\"heat\" width=\"{0:.5g}\" height=\"{1:.5g}\" viewBox=\"0 0 {0:.5g} {1:.5g}\" role=\"img\" "
             "aria-label=\"share of elements outside, by place\">\n",
             width, height) +
         cells(sheet) + numbers(sheet) + joint_lines(sheet) + axes(sheet) + "</svg><figcaption>" + legend(sheet) +
         "</figcaption></figure>\n";
}

}  // namespace assay::html
