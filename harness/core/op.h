// Describes an op to the harness: its tensors and parameters, the columns of its case tables, and how to bind a case. The harness
// contains no op names; suites/ fills in these structs.
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

/// A tensor of the op's calls. Plug-ins find it by this name.
struct RoleSpec {
  std::string name;
  Access access;
  std::string what;  ///< shape and meaning
  bool of_each_rank = false;  ///< every rank has its own; a dump calls that of rank 2 "x@2"
};

/// A number that calls of the op may have.
struct ParameterSpec {
  std::string name, what;
};

/// The case that matches a dump, and its problem. The data of inputs and in-place tensors are placeholders.
struct DumpCase {
  Case one;
  std::shared_ptr<const BoundCase> bound;
  Problem problem;
  std::map<std::string, ScalePlacing> placings{};  ///< scale tensors with a layout, by role; all other tensors are placed by
                                                   ///< shape
};

struct Op {
  std::string name;
  std::vector<RoleSpec> roles{};            ///< every tensor that a problem may have, with its use
  std::vector<ParameterSpec> parameters{};  ///< every parameter that a call may have
  std::vector<std::string> columns{};        ///< columns of its case tables besides why and blind_to; keys of a kernel's
                                             ///< `accepts`
  std::set<std::string> optional_columns{};  ///< columns that a table may leave out; cases then have empty cells
  std::string data_column = "fill";  ///< the column that names a case's data; mutation scores are listed by it; empty: data do
                                     ///< not matter
  bool has_sweeps = false;           ///< some cases have more inputs than one problem holds
  std::string untried{};  ///< real-world algorithms that are not modelled, and why; printed when no program made the outputs
  /// Whether cases of the op can have this contract. Also false if the contract does not exist.
  std::function<bool(const std::string& contract)> takes{};
  /// Reads one expanded row. Throws TableError with the column at fault.
  std::function<std::unique_ptr<const BoundCase>(const Case&)> bind{};
  /// Finds the case that a user's tensors are an instance of. May be empty. Throws UsageError naming the tensor and what was
  /// expected.
  std::function<DumpCase(const Op&, const DumpRequest&)> case_of_dump{};
};

/// The case with the name and architecture that binding it yields. Throws TableError naming the wrong column.
Case checked_case(const Op& op, Case one);

}  // namespace assay
