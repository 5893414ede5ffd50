// Cases of a shipped op for its tests: usual cells, some of them changed.
#pragma once

#include <map>
#include <string>

#include "harness/core/op.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {

using TestCells = std::map<std::string, std::string>;

/// An op under the shipped rulebook, which is opened once.
inline const Op& shipped_op(std::string_view name) {
  static const bool open = (open_rulebook(ASSAY_SOURCE_DIR), true);
  (void)open;
  return shipped_ops().find(name);
}

/// The case of these cells, `changed` in the place of the usual ones, as the op reads it. Throws TableError.
inline Case case_of(const Op& op, TestCells usual, const TestCells& changed) {
  Case one;
  one.op = op.name;
  one.parameters = std::move(usual);
  for (const auto& [column, cell] : changed) one.parameters[column] = cell;
  return checked_case(op, std::move(one));
}

/// What the op says against such a case; empty if it takes it.
inline std::string refusal_of(const Op& op, const TestCells& usual, const TestCells& changed) {
  try {
    (void)case_of(op, usual, changed);
  } catch (const TableError& error) {
    return error.what();
  }
  return "";
}

}  // namespace assay
