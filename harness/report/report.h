// Reports of a run as files: CSV, JUnit XML, JSON, HTML, Markdown, SARIF; and the annotations of GitHub Actions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/report/failure_groups.h"
#include "harness/report/provenance.h"
#include "harness/run/run.h"

namespace assay {

/// A column or key of a report with its description, which `assay docs` prints.
struct ReportField {
  std::string name, meaning;
  std::string type = "string";  ///< JSON type; "number or string": the string is nan or inf; "optional object": may be absent
};

/// A contract in words, for the HTML report.
struct ContractText {
  std::vector<std::string> formulas;         ///< "amax = max(|x|)"
  std::map<std::string, std::string> cells;  ///< its recipes by column: "code" -> "div(s) to(q)"
};
using ContractTexts = std::map<std::string, ContractText>;

enum class ReportKind { kConsole, kGithub, kCsv, kJunit, kJson, kHtml, kMarkdown, kSarif };

struct ReportRequest {
  ReportKind kind;
  std::string file;  ///< empty for console and github
};

/// Parses "console", "csv:FILE", "html:FILE" and so on. Throws UsageError with a list of the kinds.
ReportRequest parse_report(const std::string& text);

/// Writes each file report as a whole. The HTML report shows changes since `earlier`, if given. Throws std::runtime_error naming
/// a file that cannot be written.
void write_reports(const std::vector<ReportRequest>& requests, const RunResult& result, const LibraryInfo& library,
                   const Provenance& provenance, const EarlierRun* earlier = nullptr, const ContractTexts& contracts = {});

// The CSV report: one row per tensor of each verdict.

/// The value of `run_schema`. Raise it when a column changes its meaning or is removed, not for new columns.
inline constexpr int kCsvVersion = 1;

/// RFC 4180 with a header. A verdict without compared tensors has one row with empty tensor columns. The last columns begin with
/// "run_": `run_id` is in every row, the other "run_" columns only in the first row. Reports can be concatenated: the
/// value of a run_* column for a run is the first nonempty one among the rows with its run_id. To compare two runs, ignore the
/// run_* columns and "seconds".
std::string csv_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance);

/// All columns except those that begin with "run_".
std::vector<ReportField> csv_columns();

// JUnit XML, for CI systems.

/// One testsuite per op, one testcase per verdict. A verdict that is as expected is no failure; a known failure is a skip with
/// its reason. `broken` and `unjudged` are errors. A failure's message ends with its cause. Properties hold the provenance.
std::string junit_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance);

// The JSON report: everything that a verdict contains.

/// Version of the JSON report. Raise it when a field changes its meaning or is removed, not for new fields.
inline constexpr int kJsonVersion = 1;

/// One object: version, library, provenance, ending, counts, verdicts. Keys have a fixed order. Provenance and each verdict are
/// on lines of their own, so that two reports can be compared with diff. Codes are strings of hex digits; numbers that JSON lacks
/// are "nan", "inf" and "-inf".
std::string json_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance);

/// All keys of the JSON report as paths, such as "verdicts[].tensors[].outside".
std::vector<ReportField> json_fields();

// Markdown: the comment of a pull request and the step summary of a CI job.

/// At most 60,000 bytes, a size that GitHub and GitLab accept for a comment. Long lists are cut, and say how many entries follow.
std::string markdown_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance);

/// Workflow commands of GitHub Actions, one a line: an error for each cause of unexpected verdicts, a notice for fixed failures.
/// An annotation names the row of the first case if the case table lies in `workspace`; GitHub shows only files of the checkout.
std::string github_annotations(const RunResult& result, const std::string& workspace);

/// SARIF 2.1.0. Each contract is a rule. Each failure is a result at the row of its case; the path of the case table is relative
/// to `workspace` if it lies there. The gate's state becomes `baselineState`; a failure on the known-failures list has
/// `suppressions`.
std::string sarif_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance,
                       const std::string& workspace);

/// Root of the checkout: $GITHUB_WORKSPACE, $CI_PROJECT_DIR (GitLab), else the current folder.
std::string workspace_of_job();

// Schemas of reports, which `assay docs` writes.

/// JSON Schema (draft 2020-12) of the JSON report. Further keys are allowed: a minor version may add some.
std::string json_schema_text();

/// Table Schema (Data Package standard) of the CSV report.
std::string csv_schema_text();

// The HTML report: one file, no script, no network access, readable without colour.

/// The result is also well-formed XML, so that tests can parse it. `earlier`: a run to compare with, or null. `contracts`: the
/// texts of contracts to show with failures; a contract that is not in it is named only by its id.
std::string html_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance,
                      const EarlierRun* earlier = nullptr, const ContractTexts& contracts = {});

}  // namespace assay
