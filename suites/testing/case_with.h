// Builds cases of a shipped op for its tests: default cells with some changes.
#pragma once

#include <map>
#include <string>

#include "harness/core/op.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {

using TestCells = std::map<std::string, std::string>;

/// An op with the shipped contract registry, which is opened once.
inline const Op& shipped_op(std::string_view name) {
  static const bool open = (open_rulebook(ASSAY_SOURCE_DIR), true);
  (void)open;
  return shipped_ops().find(name);
}

/// The case with `usual` cells, overridden by `changed`, as the op names it. Throws TableError.
inline Case case_of(const Op& op, TestCells usual, const TestCells& changed) {
  Case one;
  one.op = op.name;
  one.parameters = std::move(usual);
  for (const auto& [column, cell] : changed) one.parameters[column] = cell;
  return checked_case(op, std::move(one));
}

/// The op's error for such a case; empty if it is valid.
inline std::string refusal_of(const Op& op, const TestCells& usual, const TestCells& changed) {
  try {
    (void)case_of(op, usual, changed);
  } catch (const TableError& error) {
    return error.what();
  }
  return "";
}

}  // namespace assay
