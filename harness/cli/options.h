// Adds the command-line options of each verb with CLI11.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "harness/cli/places.h"
#include "harness/cli/verbs.h"

namespace assay {

/// Validates a number of seconds above 0. CLI11's PositiveNumber accepts NaN and Inf.
const CLI::Validator& seconds();
/// Validates a whole number, such as a seed. CLI11's own conversion (strtoull) reads -1 as 2^64 - 1.
const CLI::Validator& whole_number();

/// Adds the options that select cases, from the shipped tables or from tables of the user's own.
void add_selection(CLI::App& verb, Selection& selection, UserTables& tables);

// These verbs run kernels on cases, or work with the results of such a run.
void add_run(CLI::App& program, RunArguments& run);
void add_list(CLI::App& program, ListArguments& listed);
void add_new(CLI::App& program, NewArguments& made);
void add_inputs(CLI::App& program, InputsArguments& inputs);
void add_judge(CLI::App& program, JudgeArguments& judge);
void add_history(CLI::App& program, HistoryArguments& history);
void add_gate(CLI::App& program, GateArguments& gate);
void add_known(CLI::App& program, KnownArguments& known);
void add_golden(CLI::App& program, GoldenArguments& golden);
void add_explain(CLI::App& program, ExplainArguments& explain);
void add_hunt(CLI::App& program, HuntArguments& hunt);

// These verbs are about contracts, tensor cores, and the tables of the suites.
void add_contracts(CLI::App& program, ContractsArguments& contracts);
void add_arch(CLI::App& program, ArchArguments& arch);
void add_probe(CLI::App& program, ProbeArguments& probe);
void add_signoff(CLI::App& program, SignoffArguments& signoff);
void add_witness(CLI::App& program, WitnessArguments& witness);
void add_regenerate(CLI::App& program, RegenerateArguments& regenerate);
/// Adds a verb that prints a table about the cases: power or sharpness.
void add_table(CLI::App& program, const std::string& name, const std::string& what, PowerArguments& arguments);

// The verb `docs`: generates reference pages from the program's own tables, so that they cannot go stale.
struct DocsArguments {
  std::string output;  ///< write the pages to this folder, and the counts in pages outside of it; empty: do not write
  std::string check;   ///< exit 1 if a page of this folder, or a count in those other pages, is stale; empty: do not check
  Suites suites{};
};

/// One page of the reference.
struct DocsPage {
  std::string file, text;
};

/// "| a | b |": a row of a Markdown table. A | inside a cell is escaped.
std::string markdown_row(const std::vector<std::string>& cells);
/// Title row of a Markdown table and the separator line below it.
std::string markdown_header(const std::vector<std::string>& titles);

/// The page that describes recipe steps and every column of the contract tables. Throws std::logic_error for a column without a description.
DocsPage contract_cells_page();

/// By path: the text of each page, and of README.md and test-rocm-without-gpu.md with their counts. Opens the contract registry.
std::map<std::string, std::string> docs_files(const CLI::App& program, const Suites& suites, const std::string& folder);

void add_docs(CLI::App& program, DocsArguments& arguments);
int docs_verb(const CLI::App& program, const DocsArguments& arguments);

}  // namespace assay
