// Sections of the HTML report and the pictures in them.
#pragma once

#include <vector>

#include "harness/compare/verdict.h"
#include "harness/report/failure_groups.h"
#include "harness/report/html/parts.h"
#include "harness/report/report.h"
#include "harness/run/run.h"

namespace assay::html {

// Verdicts by contract.

/// A table of ops by vendor, then a collapsed table of contracts for each op, with links to the cards of failures. Warp sizes
/// with equal counts share a line. Contracts that the library does not offer are collapsed.
void matrix(Node section, const RunResult& result, const std::vector<FailureGroup>& groups, const ContractTexts& contracts);

// What a run's data can detect, as a section of the HTML report.

/// A collapsed table for each op: one row per output tensor of each contract, over the data sets of its cases. Nothing if no
/// mutation score was computed.
void power(Node section, const RunResult& result);

// Changes since an earlier run, as a section of the HTML report.

/// Counts, and the cases that changed in collapsed lists.
void trend(Node section, const RunResult& result, const EarlierRun& earlier);

// The gate's comparison with a baseline, as a section of the HTML report.

/// States with counts and what they do to the gate, then the verdicts of each state in collapsed lists. Nothing for other verbs.
void gate(Node section, const RunResult& result);

// The failures of a run by cause, as sections of the HTML report.

/// One line per cause, linked to its card.
void cause_table(Node section, const RunResult& result, const std::vector<FailureGroup>& groups);

/// One card per cause: its first failure in full, the others in a collapsed list, grouped by kernel if there are several.
void cause_cards(Node section, const RunResult& result, const std::vector<FailureGroup>& groups, const ContractTexts& contracts);

// One verdict in full, for the HTML report.

/// `title` names the case, or several cases that differ only in warp size. `contract`: shown with the changed term marked; may be
/// null.
void failure(Node card, const Verdict& verdict, const std::string& title, const ContractText* contract);

// Error distributions of a tensor's wrong elements, as tables with bars.

/// Elements outside, by ulp distance.
void distance_chart(Node parent, const TensorFinding& finding);

/// Share outside and distances, by exponent of the accepted value.
void magnitude_chart(Node parent, const TensorFinding& finding);

/// Elements by the share of the budget used; nothing if every element has one accepted code.
void budget_chart(Node parent, const TensorFinding& finding);

/// The worst element and its neighbours: codes, values, accepted intervals.
void neighbours_table(Node parent, const TensorFinding& finding);

// Heat map of a tensor's wrong elements.

/// A figure with cells of the tensor's rows and columns, darker for a larger share outside, and a legend. `finding` must have a
/// picture.
void heat_map(Node parent, const TensorFinding& finding);

}  // namespace assay::html
