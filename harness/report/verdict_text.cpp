#include "harness/report/verdict_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "harness/report/causes.h"
#include "harness/text/messages.h"
#include "reference/formats/catalogue.h"

namespace assay {

std::string shape_text(const std::array<int64_t, 2>& shape) { return fmt::format("[{}, {}]", shape[0], shape[1]); }

std::string code_digits(const std::string& format, uint32_t code) {
  const Format* known = find_format(format);
  return fmt::format("0x{:0{}x}", code, known != nullptr ? known->bits / 4 : 8);
}

std::string code_text(const std::string& format, uint32_t code, double value) {
  return fmt::format("{} = {:.9g}", code_digits(format, code), value);
}

std::string accepted_text(const std::string& format, const Element& e) {
  const std::string low = code_text(format, e.low_code, e.low);
  return e.low_code == e.high_code ? low : low + " .. " + code_text(format, e.high_code, e.high);
}

std::string distance_text(const std::string& format, const Element& e) {
  if (e.ulps != 0) return fmt::format("{:+} ulp of {}", e.ulps, format);
  if (std::isnan(e.value) != std::isnan(e.low)) return std::isnan(e.value) ? "is NaN" : "should be NaN";
  return std::isnan(e.value) ? "is another NaN" : "differs in the sign of zero";
}

std::string direction_text(const TensorFinding& f) {
  if (f.outside < 2) return "";
  if (f.toward_zero == f.outside) return ", every one toward zero";
  if (f.away_from_zero == f.outside) return ", every one away from zero";
  if (f.toward_zero + f.away_from_zero == 0) return "";
  return fmt::format(", {} toward zero, {} away from zero", f.toward_zero, f.away_from_zero);
}

std::string data_text(const DataPower& data) {
  const auto percent = [&](int64_t count) { return data.elements == 0 ? 0 : 100.0 * double(count) / double(data.elements); };
  const std::string codes = data.codes.none() ? "" : fmt::format("{} of 256 codes, ", data.codes.count());
  return fmt::format("{} {}: {}{:.3g} % subnormal, {:.3g} % saturated, {:.3g} % NaN", data.tensor, data.format, codes,
                     percent(data.subnormal), percent(data.saturated), percent(data.not_a_number));
}

std::string program_text(const Verdict& verdict) {
  return verdict.program + (verdict.program_said.empty() ? "" : "; the library said " + verdict.program_said);
}

std::string headline(const Verdict& verdict) {
  std::string text = verdict.message;
  for (const TensorFinding& finding : verdict.tensors) {
    if (finding.agrees()) continue;
    text += text.empty() ? "" : "; ";
    if (finding.outside > 0) {
      text += fmt::format("{}: {} of {} elements outside, worst {} ulp at {}", finding.name, finding.outside, finding.elements,
                          finding.worst_ulps, shape_text(finding.worst.at));
    }
    if (finding.padding_wrong > 0) {
      text +=
          fmt::format("{}{}: {} padding elements wrong", finding.outside > 0 ? ", " : "", finding.name, finding.padding_wrong);
    }
  }
  return text;
}

std::string next_step(const Verdict& v) {
  const bool called = (v.repro.starts_with("assay run") || v.repro.starts_with("ASSAY_PYTHON=")) && v.backend != "dump";
  const bool makes_calls = v.message.find("--in-process") == std::string::npos;  // else the message itself names a next step
  if (called && makes_calls && v.outcome == Outcome::kBroken && v.repro.find(" --cases ") == std::string::npos)
    return fmt::format("assay explain {} --backend {} --kernel {} --minimize finds the smallest case that still breaks",
                       shell_word(v.case_id), shell_word(v.backend), shell_word(v.kernel));
  const bool unknown = v.outcome == Outcome::kFail && !v.causes.empty() && is_unknown(v.causes.front());
  if (!unknown || !called) return "";
  return fmt::format("assay contracts match --op {} --backend {} --kernel {}", v.op, shell_word(v.backend), shell_word(v.kernel));
}

CaseRow row_of(const Verdict& verdict, const std::string& workspace) {
  const size_t colon = verdict.origin.rfind(':');
  if (colon == std::string::npos || colon == 0) return {};
  CaseRow row{verdict.origin.substr(0, colon), std::max<int64_t>(1, std::atoll(verdict.origin.c_str() + colon + 1))};
  std::error_code none;
  const std::filesystem::path whole = std::filesystem::absolute(row.file, none).lexically_normal();
  const std::filesystem::path relative = whole.lexically_relative(std::filesystem::path(workspace).lexically_normal());
  if (std::filesystem::exists(whole, none) && !relative.empty() && *relative.begin() != "..")
    row.file = relative.string(), row.in_workspace = true;
  return row;
}

std::string gate_note(const GateFinding& gate) {
  std::string text = gate.note;
  for (const std::string& change : gate.changes) text += (text.empty() ? "" : "; ") + change;
  return text;
}

std::string headline_with_cause(const Verdict& verdict) {
  const std::string text = headline(verdict);
  if (verdict.causes.empty()) return text;
  return text + (text.empty() ? "cause: " : "; cause: ") + verdict.causes.front();
}

namespace {

constexpr int64_t kTiles[] = {128, 64};

/// Ascending ranges [first, end) as text: "0..3, 7"; after eight of them ", ...".
std::string ranges_text(const std::vector<std::array<int64_t, 2>>& ranges) {
  constexpr size_t kMostRanges = 8;
  std::string text;
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (i == kMostRanges) return text + ", ...";
    const auto [first, end] = ranges[i];
    text += fmt::format("{}{}", text.empty() ? "" : ", ", first);
    if (end - first > 1) text += fmt::format("..{}", end - 1);
  }
  return text;
}

/// Rows or columns with wrong elements: exact if few, else rounded to cells of the Picture. Empty if all have some.
std::string places_line(const char* what, const FewNumbers& exact, const std::vector<bool>& cells, int64_t cell, int64_t size) {
  if (!exact.many()) return places_text(what, exact.all(), size);
  std::vector<std::array<int64_t, 2>> ranges;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (!cells[i]) continue;
    const int64_t first = int64_t(i) * cell, end = std::min(size, first + cell);
    if (!ranges.empty() && ranges.back()[1] == first)
      ranges.back()[1] = end;
    else
      ranges.push_back({first, end});
  }
  if (ranges == std::vector<std::array<int64_t, 2>>{{0, size}}) return "";
  return fmt::format("{}s {} of {}", what, ranges_text(ranges), size);  // plural, because this branch is for many rows or columns
}

/// Number of wrong elements per tile, if cells of the picture align with tiles.
std::string tiles(const TensorFinding& f, int64_t side) {
  const Picture& p = *f.picture;
  const bool cells_fill_tiles = p.cell_rows <= side && p.cell_columns <= side, several = f.shape[0] > side || f.shape[1] > side;
  if (!cells_fill_tiles || !several) return "";
  const int64_t down = (f.shape[0] + side - 1) / side, across = (f.shape[1] + side - 1) / side;
  std::vector<int64_t> outside(size_t(down * across), 0);
  for (int64_t r = 0; r < p.rows; ++r)
    for (int64_t c = 0; c < p.columns; ++c)
      outside[size_t(r * p.cell_rows / side * across + c * p.cell_columns / side)] += p.outside[size_t(r * p.columns + c)];
  const int64_t some = std::count_if(outside.begin(), outside.end(), [](int64_t count) { return count > 0; });
  if (some == down * across) return "";
  int64_t whole = 0, first = -1;
  for (int64_t i = 0; i < down * across; ++i) {
    const int64_t elements = std::min(side, f.shape[0] - i / across * side) * std::min(side, f.shape[1] - i % across * side);
    whole += outside[size_t(i)] == elements;
    if (outside[size_t(i)] > 0 && first < 0) first = i;
  }
  if (some == 1)
    return fmt::format("all wrong elements are in tile [{}, {}] of {} x {} (1 of {}), which is {}", first / across,
                       first % across, side, side, down * across, whole == 1 ? "completely wrong" : "partly right");
  return fmt::format("tiles of {0} x {0}: {1} of {2} have wrong elements (completely wrong: {3}); the first is tile [{4}, {5}]",
                     side, some, down * across,
                     whole == 0      ? "none"
                     : whole == some ? "all"
                                     : fmt::format("{}", whole),
                     first / across, first % across);
}

}  // namespace

std::vector<std::string> where_lines(const TensorFinding& f) {
  if (!f.picture || f.outside == 0 || f.outside == f.elements) return {};
  const Picture& p = *f.picture;
  std::vector<bool> rows(size_t(p.rows), false), columns(size_t(p.columns), false);
  for (int64_t r = 0; r < p.rows; ++r)
    for (int64_t c = 0; c < p.columns; ++c)
      if (p.outside[size_t(r * p.columns + c)] > 0) rows[size_t(r)] = columns[size_t(c)] = true;
  const std::string in_rows = places_line("row", p.rows_outside, rows, p.cell_rows, f.shape[0]),
                    in_columns = places_line("column", p.columns_outside, columns, p.cell_columns, f.shape[1]);
  std::vector<std::string> all;
  if (!in_rows.empty() || !in_columns.empty())
    all.push_back(in_rows + (in_rows.empty() || in_columns.empty() ? "" : "; ") + in_columns);
  for (const int64_t side : kTiles)
    if (const std::string text = tiles(f, side); !text.empty()) all.push_back(text);
  return all;
}

}  // namespace assay
