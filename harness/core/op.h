// What an op is to the harness: what calls of it have, the columns of its case tables, and how a case is read. The harness knows no op
// by name; suites/ fills this in.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "harness/core/bound_case.h"
#include "harness/core/case.h"
#include "harness/core/dumped.h"

namespace assay {

/// A tensor that calls of the op may have, by the name that a plug-in finds it by.
struct RoleSpec {
  std::string name;
  Access access;
  std::string what;  ///< shape and meaning
  bool of_each_rank = false;  ///< every rank has a tensor of its own: a dump calls that of rank 2 "x@2"
};

/// A number that calls of the op may have.
struct ParameterSpec {
  std::string name, what;
};

/// The case that a dump is an instance of, and its problem: data of inputs and in-place tensors are placeholders.
struct DumpCase {
  Case one;
  std::shared_ptr<const BoundCase> bound;
  Problem problem;
  std::map<std::string, ScalePlacing> placings{};  ///< of scales with a layout, by role; all other tensors are placed by shape
};

struct Op {
  std::string name;
  std::vector<RoleSpec> roles{};            ///< every tensor of every problem is one of them, and so used
  std::vector<ParameterSpec> parameters{};  ///< likewise
  std::vector<std::string> columns{};        ///< of its case tables, besides why and blind_to; keys of a kernel's `accepts`
  std::set<std::string> optional_columns{};  ///< of those: a table may lack them, and its cases then have empty cells
  std::string data_column = "fill";  ///< of those: which data its cases have, by which power is told apart; empty: data decide nothing
  bool has_sweeps = false;           ///< it has cases of more inputs than one problem holds
  std::string untried{};  ///< real-world algorithms that are not modelled, and why; printed when no program made the outputs
  /// Whether the op's cases can have this contract. False also for one that does not exist.
  std::function<bool(const std::string& contract)> takes{};
  /// Reads one expanded row. Throws TableError with the column at fault.
  std::function<std::unique_ptr<const BoundCase>(const Case&)> bind{};
  /// Empty, or the case that a user's tensors are an instance of. Throws UsageError naming the tensor and what was expected.
  std::function<DumpCase(const Op&, const DumpRequest&)> case_of_dump{};
};

/// The row with the name and the chip that its bound case gives it. Throws TableError with the column at fault.
Case checked_case(const Op& op, Case one);

}  // namespace assay
