// Reports about a chip: results of probe, golden diff and signoff, as JSON and as an HTML page made from that JSON.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/report/html/parts.h"
#include "harness/report/provenance.h"
#include "reference/units/unit_separate.h"
#include "reference/units/unit_table.h"

namespace assay {

using Json = nlohmann::ordered_json;

/// The files of --report json:FILE and html:FILE, opened before the work and written after it.
class ChipReports {
 public:
  /// Takes the values of --report. Throws UsageError if one is neither json:FILE nor html:FILE, or cannot be written.
  explicit ChipReports(const std::vector<std::string>& texts);

  /// Writes every file that can be written. `page` makes HTML from `found`. Returns false if a file cannot be written.
  bool write(const Json& found, const std::function<std::string(const Json&)>& page) const;

 private:
  struct Request {
    bool html;
    std::string file;
  };
  std::vector<Request> requests_;
};

/// What a library says about itself and its device, with the digest of its file.
Json library_json(const LibraryInfo& library, const Provenance& provenance);
Json provenance_json(const Provenance& provenance);

/// JSON as valid UTF-8, with one line for each member of the upper levels, and a final line break.
std::string json_file_text(const Json& json);

/// For an instruction in probe's JSON: true if probe found a model, and the instruction's row in the table has the same model. If
/// the table has no such row, a found model suffices.
bool found_as_called(const Json& instruction);

/// The page of `assay probe --report html:FILE`, from its JSON.
std::string probe_html(const Json& found);

/// A page about a chip: a title, a headline, facts, then sections.
class ChipPage {
 public:
  ChipPage(const std::string& title, const std::string& headline, bool good);

  html::Node main() const { return main_; }
  /// A list of facts; empty values are left out.
  void facts(const std::vector<Fact>& facts);
  /// A section with a heading.
  html::Node section(const std::string& heading);
  std::string source() { return html::source_of(document_); }

 private:
  pugi::xml_document document_;
  html::Node main_;
};

/// A row of a table; its cells are escaped.
html::Node text_row(html::Node body, const std::vector<std::string>& cells, const std::string& css_class = "");

/// The chip that a library_json() names, for example "NVIDIA H200 (sm_90)".
std::string chip_text(const Json& library);

/// Lines with the smallest input on which instructions a and b differ, and what each returns. `found` must have such an input.
std::vector<std::string> witness_lines(const UnitRow& a, const UnitRow& b, const UnitSeparation& found);

/// The steps of a model on one line, without empty cells: "take(16) | ea+eb | align(25) truncate".
std::string steps_text(const Json& cells);

}  // namespace assay
