// The verb `docs`: generates reference pages from the program's own tables, so that they cannot go stale.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "harness/cli/places.h"

namespace assay {

struct DocsArguments {
  std::string output;  ///< folder that gets the pages, and the README.md two folders above it gets its table; empty: none
  std::string check;   ///< such a folder: exit 1 if a page or that table is stale
  Suites suites{};
};

/// One page of the reference.
struct DocsPage {
  std::string file, text;
};

/// "| a | b |": a row of a Markdown table. A | inside a cell is escaped.
std::string markdown_row(const std::vector<std::string>& cells);
/// Title row of a Markdown table and the rule below it.
std::string markdown_header(const std::vector<std::string>& titles);

/// Page on recipe steps and every column of the contract tables. Throws std::logic_error for a column without a description.
DocsPage contract_cells_page();

/// The text of each page, and of the README.md two folders above, by path. Opens the rulebook.
std::map<std::string, std::string> docs_files(const CLI::App& program, const Suites& suites, const std::string& folder);

void add_docs(CLI::App& program, DocsArguments& arguments);
int docs_verb(const CLI::App& program, const DocsArguments& arguments);

}  // namespace assay
