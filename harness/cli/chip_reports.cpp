#include "harness/cli/chip_reports.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <system_error>

#include "harness/text/messages.h"
#include "harness/text/text_file.h"

namespace assay {

ChipReports::ChipReports(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    const size_t colon = text.find(':');
    const std::string kind = text.substr(0, colon), file = colon == std::string::npos ? "" : text.substr(colon + 1);
    if ((kind != "json" && kind != "html") || file.empty())
      throw UsageError("--report " + text + ": expected json:FILE or html:FILE");
    try {
      require_writable(file);
    } catch (const std::system_error& error) {
      throw UsageError("--report " + text + ": " + error.what());
    }
    requests_.push_back({kind == "html", file});
  }
}

bool ChipReports::write(const Json& found, const std::function<std::string(const Json&)>& page) const {
  bool all = true;
  for (const Request& request : requests_) {
    try {
      write_atomically(request.file, request.html ? page(found) : json_file_text(found));
    } catch (const std::system_error& error) {
      std::fprintf(stderr, "assay: %s\n", printable(error.what()).c_str());
      all = false;
    }
  }
  return all;
}

Json library_json(const LibraryInfo& library, const Provenance& provenance) {
  return {{"name", printable(library.name)},     {"arch", printable(library.arch)},       {"device", printable(library.device)},
          {"driver", printable(library.driver)}, {"toolkit", printable(library.toolkit)}, {"file", provenance.library.path},
          {"digest", provenance.library.digest}};
}

Json provenance_json(const Provenance& provenance) {
  return {{"version", provenance.version}, {"commit", provenance.commit},           {"begun", provenance.begun},
          {"ended", provenance.ended},     {"ended_early", provenance.ended_early}, {"host", provenance.host},
          {"command", provenance.command}};
}

namespace {

/// JSON objects and lists down to this depth are written with one line for each member.
constexpr int kUnfolded = 3;

void append_json(std::string& text, const Json& json, int depth) {
  if (!json.is_structured() || json.empty() || depth == kUnfolded) {
    text += json.dump(-1, ' ', false, Json::error_handler_t::replace);
    return;
  }
  const std::string indent(size_t(depth) + 1, ' ');
  text += json.is_object() ? "{" : "[";
  const char* separator = "\n";
  for (const auto& [key, value] : json.items()) {
    text += separator + indent;
    if (json.is_object()) text += Json(key).dump() + ": ";
    append_json(text, value, depth + 1);
    separator = ",\n";
  }
  text += "\n" + std::string(size_t(depth), ' ') + (json.is_object() ? "}" : "]");
}

constexpr char kChipStyle[] = R"(
.steps { font: 11.5px/1.4 ui-monospace, "DejaVu Sans Mono", monospace; }
.k, .failing td:nth-child(3), .failing th, .found th { white-space: nowrap; }
.failing td:nth-child(2), .failing td:nth-child(4) { min-width: 11em; }
.ok { color: var(--good); }
.bad { font-weight: bold; color: var(--alarm); }
.grid td, .grid th { text-align: right; padding: 2px 4px; white-space: nowrap; font-size: 0.9em; }
.grid td:first-child, .grid th:first-child { text-align: left; }
.worst td { font-size: 0.92em; }
.worst td:nth-child(-n+2), .worst th { white-space: nowrap; }
.rules td:nth-child(2) { width: 44%; }
.digests { columns: 3; column-gap: 26px; margin: 6px 0; padding: 0; list-style: none; font: 10.5px/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
.digests li { break-inside: avoid; }
.signatures { display: grid; grid-template-columns: 1fr 1fr; gap: 18px 60px; margin: 26px 0 0; }
.signatures div { padding-top: 26px; border-bottom: 1px solid var(--ink); }
@page { size: A4; margin: 13mm 13mm 15mm; }
@media print {
  body { font-size: 10px; }
  .ending { font-size: 22px; margin-bottom: 8px; }
  .facts dt { font-size: 9px; }
  h2 { margin: 16px 0 5px; padding-top: 5px; font-size: 14px; }
  td, th, .grid td, .grid th { padding-top: 1px; padding-bottom: 1px; }
  .grid td, .grid th { padding-left: 4px; padding-right: 4px; font-size: 9px; }
  .steps { font-size: 8.5px; }
  .digests { font-size: 7px; columns: 2; }
  .signatures { break-inside: avoid; }
}
)";

}  // namespace

std::string json_file_text(const Json& json) {
  std::string text;
  append_json(text, json, 0);
  return text + "\n";
}

ChipPage::ChipPage(const std::string& title, const std::string& headline, bool good) {
  const html::Node body = html::begin_page(document_, title + ": " + headline, kChipStyle);
  main_ = html::line(body, "main");
  html::write(html::line(main_, "h1"), title);
  html::write(html::line(main_, "p", good ? "ending" : "ending bad"), headline);
}

void ChipPage::facts(const std::vector<Fact>& facts) {
  const html::Node list = html::line(main_, "dl", "facts");
  for (const Fact& fact : facts) {
    if (fact.value.empty()) continue;
    const html::Node item = html::line(list, "div");
    html::write(html::child(item, "dt"), fact.name);
    html::write(html::child(item, "dd"), fact.value);
  }
}

html::Node ChipPage::section(const std::string& heading) {
  const html::Node section = html::line(main_, "section");
  html::write(html::line(section, "h2"), heading);
  return section;
}

html::Node text_row(html::Node body, const std::vector<std::string>& cells, const std::string& css_class) {
  const html::Node row = html::line(body, "tr", css_class);
  for (const std::string& text : cells) html::write(html::cell(row), text);
  return row;
}

std::string chip_text(const Json& library) {
  const std::string device = library.value("device", ""), arch = library.value("arch", "");
  return device.empty() || device == arch ? arch : device + " (" + arch + ")";
}

std::string steps_text(const Json& cells) {
  std::vector<std::string> steps;
  for (const auto& [column, text] : cells.items())
    if (text.is_string() && !text.get_ref<const std::string&>().empty()) steps.push_back(text.get<std::string>());
  return fmt::format("{}", fmt::join(steps, " | "));
}

bool found_as_called(const Json& one) {
  const Json called = one.value("called", Json());
  return one.value("known", false) && (!called.is_object() || called.value("equal", false));
}

namespace {

std::string nearest_text(const Json& nearest) {
  if (!nearest.is_object()) return "no row of units.csv has these operand formats";
  std::string text =
      fmt::format("{}, {} of {} cells", nearest.value("row", ""), nearest.value("alike", 0), nearest.value("of", 0));
  const std::vector<std::string> same = nearest.value("same_cells", std::vector<std::string>());
  if (!same.empty()) text += fmt::format("; rows with the same cells: {}", fmt::join(same, ", "));
  return text;
}

/// Says of an instruction in probe's JSON whether the model that probe found equals the instruction's row in the table.
std::string found_text(const Json& one) {
  if (const std::string why = one.value("no_answer", ""); !why.empty()) return "no answer: " + why;
  if (!one.value("known", false)) return "UNKNOWN: no model explains its results";
  const Json called = one.value("called", Json());
  if (!called.is_object()) return "a model was found; the instruction's row of units.csv has none";
  if (called.value("equal", false)) return "equal to the instruction's row of units.csv";
  return fmt::format("DIFFERS in {}", fmt::join(called.value("differs_in", std::vector<std::string>()), ", "));
}

void instruction_table(html::Node section, const Json& instructions) {
  const html::Node body = html::table(html::wide(section), "found",
                                      {"instruction", "m x n x k", "found", "verdict", "nearest row", "not observable"});
  for (const Json& one : instructions) {
    const bool good = found_as_called(one);
    const html::Node row = html::line(body, "tr");
    html::code(html::cell(row), one.value("id", ""));
    html::write(html::cell(row), fmt::format("{} x {} x {}", one.value("m", 0), one.value("n", 0), one.value("k", 0)));
    html::write(html::cell(row, "steps"), steps_text(one.value("cells", Json::object())));
    html::write(html::cell(row, good ? "ok" : "bad"), found_text(one));
    html::write(html::cell(row), nearest_text(one.value("nearest", Json())));
    std::vector<std::string> hidden;
    for (const Json& cell : one.value("not_observable", Json::array()))
      hidden.push_back(cell.value("cell", "") + ", also " + cell.value("also", ""));
    html::write(html::cell(row), fmt::format("{}", fmt::join(hidden, "; ")));
  }
}

/// Writes the results that the best model does not explain.
void unexplained_list(html::Node section, const Json& instructions) {
  for (const Json& one : instructions) {
    if (one.value("unexplained", Json::array()).empty() && one.value("remarks", Json::array()).empty()) continue;
    html::write(html::line(section, "h3"), one.value("id", "") + ": results that the model in the table above does not explain");
    const html::Node list = html::line(section, "ul");
    for (const Json& remark : one.at("remarks")) html::write(html::line(list, "li"), remark.get<std::string>());
    for (const Json& kind : one.at("unexplained"))
      html::write(html::line(list, "li"),
                  fmt::format("{} inputs: {} of {} elements; {}", kind.value("inputs", ""), kind.value("wrong", int64_t{0}),
                              kind.value("elements", int64_t{0}), kind.value("example", "")));
  }
}

void conversion_table(html::Node section, const Json& conversions) {
  const html::Node body = html::table(html::wide(section), "conversions",
                                      {"conversion", "from", "to", "inputs", "verdict", "obeys", "does not obey"});
  for (const Json& one : conversions) {
    const bool good = one.value("as_called", false);
    const html::Node row = html::line(body, "tr");
    html::code(html::cell(row), one.value("called", ""));
    for (const char* column : {"from", "to"}) html::write(html::cell(row), one.value(column, ""));
    html::write(html::cell(row), std::to_string(one.value("inputs", int64_t{0})));
    const std::string silent = one.value("no_answer", "");
    html::write(html::cell(row, good ? "ok" : "bad"), !silent.empty() ? silent
                                                      : good          ? "obeys its contract"
                                                                      : "does NOT obey its contract");
    html::write(html::cell(row), fmt::format("{}", fmt::join(one.value("obeys", std::vector<std::string>()), ", ")));
    html::write(html::cell(row),
                good ? "" : fmt::format("{}", fmt::join(one.value("disobeys", std::vector<std::string>()), "; ")));
  }
}

}  // namespace

std::string probe_html(const Json& found) {
  const Json &instructions = found.at("instructions"), &conversions = found.at("conversions"),
             &provenance = found.at("provenance");
  size_t known = 0, right = 0, kept = 0;
  for (const Json& one : instructions) {
    known += one.value("known", false), right += found_as_called(one);
  }
  for (const Json& one : conversions) kept += one.value("as_called", false);
  const std::string early = provenance.value("ended_early", "");
  const bool good = right == instructions.size() && kept == conversions.size() && early.empty();
  const std::string headline = fmt::format(
      "a model was found for {} of {} instructions; {} of them behave as the library states, and so do "
      "{} of {} conversions",
      known, instructions.size(), right, kept, conversions.size());
  ChipPage page("Assay probe: " + chip_text(found.at("library")), headline, good);
  page.facts({{"library", found.at("library").value("name", "") + " (" + found.at("library").value("digest", "") + ")"},
              {"driver", found.at("library").value("driver", "")},
              {"toolkit", found.at("library").value("toolkit", "")},
              {"date", provenance.value("begun", "")},
              {"host", provenance.value("host", "")},
              {"Assay", provenance.value("version", "") + ", commit " + provenance.value("commit", "").substr(0, 12)},
              {"ended early by", early}});
  if (!instructions.empty()) {
    const html::Node section = page.section("Tensor core instructions");
    html::write(html::line(section, "p", "soft"),
                "The column 'found' shows the model that explains the results, as cells of reference/contracts/units.csv: order "
                "| exponent | sum | c | round | scale | special.");
    instruction_table(section, instructions);
    unexplained_list(section, instructions);
  }
  if (!conversions.empty()) conversion_table(page.section("Conversions"), conversions);
  return page.source();
}

}  // namespace assay
