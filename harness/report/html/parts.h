// Helpers to build the HTML report. Each appends to a node; text is escaped when the page is written.
#pragma once

#include <pugixml.hpp>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/report/failure_groups.h"
#include "harness/report/report.h"
#include "harness/run/run.h"

namespace assay::html {

using Node = pugi::xml_node;

/// Appends an element, with a CSS class if given.
Node child(Node parent, const char* name, const std::string& css_class = "");
/// As child(); the element starts a new line in the HTML source.
Node line(Node parent, const char* name, const std::string& css_class = "");

/// Sets an attribute. Returns `node`.
Node set(Node node, const char* attribute, const std::string& value);

/// Appends text that may come from a library: unprintable characters are escaped as in C. Returns `node`.
Node write(Node node, const std::string& text);
/// As write(), with the exponent of "2^-3" as a superscript.
Node write_powers(Node node, const std::string& text);
void code(Node parent, const std::string& text);  ///< monospaced
void soft(Node parent, const std::string& text);  ///< de-emphasized

/// Gives a node the glossary entry of `word` as its tooltip; does nothing for other words. Returns `node`.
Node explained(Node node, const std::string& word);

/// Defines the drawings that mark() refers to. Call it once, at the beginning of the body.
void mark_definitions(Node body);
/// The symbol of an outcome. Symbols differ in shape, so that they can be told apart without colour.
void mark(Node parent, Outcome outcome);

/// A bar; `share` is the filled part, from 0 to 1.
void bar(Node parent, double share);

/// "12.5 %"; "0 %" only for zero and "100 %" only for all.
std::string percent(int64_t count, int64_t of);

/// A container for a wide table or drawing, which scrolls without the page.
Node wide(Node parent);

/// A link to a cause's card. `number` counts from 0; readers see it from 1.
Node cause_link(Node parent, size_t number);

/// A table with this head. Returns its body.
Node table(Node parent, const std::string& css_class, const std::vector<std::string>& head);
/// Appends a cell to a row.
Node cell(Node row, const std::string& css_class = "");

/// A section that readers can unfold. Write the title into `summary`, and what it hides into `content`.
struct Folded {
  Node summary, content;
};
Folded folded(Node parent);

/// Begins a page: document type, a head with the style sheet and then `style`, and an empty body. Returns the body.
Node begin_page(pugi::xml_document& document, const std::string& title, const std::string& style = "");

/// The HTML source of a document. Every element has an end tag, except void elements (such as br) and SVG elements.
std::string source_of(pugi::xml_document& document);

// Style sheet of the HTML report.

extern const char* const kStyle;

// Sections of the HTML report and the pictures in them.

// Verdicts by contract.

/// A table of ops by vendor, then a collapsed table of contracts for each op, with links to the cards of failures. Warp sizes
/// with equal counts share a line. Contracts that the library does not offer are collapsed.
void matrix(Node section, const RunResult& result, const std::vector<FailureGroup>& groups, const ContractTexts& contracts);

// Which mutants the inputs of a run expose, as a section of the HTML report.

/// A collapsed table for each op: one row per output tensor of each contract, summed over the data sets of its cases. Nothing if
/// no mutation score was computed.
void power(Node section, const RunResult& result);

// Changes since an earlier run, as a section of the HTML report.

/// Counts, and the cases that changed in collapsed lists.
void trend(Node section, const RunResult& result, const EarlierRun& earlier);

// The gate's comparison with a baseline, as a section of the HTML report.

/// States with counts and whether the gate passes with them, then the verdicts of each state in collapsed lists. Nothing for
/// verbs other than `gate`.
void gate(Node section, const RunResult& result);

// The failures of a run by cause, as sections of the HTML report.

/// One line per cause, linked to its card.
void cause_table(Node section, const RunResult& result, const std::vector<FailureGroup>& groups);

/// One card per cause: its first failure in full, the others in a collapsed list, grouped by kernel if there are several.
void cause_cards(Node section, const RunResult& result, const std::vector<FailureGroup>& groups, const ContractTexts& contracts);

// One verdict in full, for the HTML report.

/// `title` names the case, or several cases that differ only in warp size. `contract`: the contract to show, with a mark at the
/// step that the first cause changes; may be null.
void failure(Node card, const Verdict& verdict, const std::string& title, const ContractText* contract);

// Error distributions of a tensor's wrong elements, as tables with bars.

/// The number of elements outside their intervals, by distance in ulp.
void distance_chart(Node parent, const TensorFinding& finding);

/// By exponent of the accepted value: the share of elements outside, and their distances.
void magnitude_chart(Node parent, const TensorFinding& finding);

/// The number of elements by budget use (glossary); nothing if every element has one accepted code.
void budget_chart(Node parent, const TensorFinding& finding);

/// The worst element and its neighbours: codes, values, accepted intervals.
void neighbours_table(Node parent, const TensorFinding& finding);

// Heat map of a tensor's wrong elements.

/// A figure of the cells of the finding's Picture with a legend. A cell is darker if more of its elements are outside their
/// intervals. `finding` must have a picture.
void heat_map(Node parent, const TensorFinding& finding);

}  // namespace assay::html
