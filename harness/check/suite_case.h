// Suite cases without a kernel library: the user gets a case's inputs and computes the outputs, which are then checked.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/check/judge_tensors.h"
#include "harness/core/case.h"
#include "harness/core/op.h"
#include "harness/golden/golden.h"

namespace assay {

/// The cases of an op's tables, and the recorded mutation scores of their inputs.
struct OpCases {
  std::vector<Case> cases;
  PowerRecords power;
};
/// The cases of an op; its tables are read once. Call it after open_rulebook(), with the same root. Thread-safe. Throws
/// TableError.
const OpCases& cases_of_op(const Op& op, const std::string& root);

/// A case with its inputs. Immutable and thread-safe.
class SuiteCase {
 public:
  /// Throws UsageError for a case that tensors alone cannot represent: a sweep, or a case with warm-up calls.
  SuiteCase(const Op& op, const Case& one, const Power* power);

  const Op& op() const { return op_; }
  const Case& one() const { return one_; }
  const Problem& problem() const { return problem_; }

  /// The verdict on outputs, which are named by role; NAME_out is another name for role NAME. Throws UsageError, MissingRole.
  TensorsVerdict judge(const DumpedRoles& outputs, const std::string& kernel, const std::string& backend) const;

 private:
  const Op& op_;
  const Case one_;
  const Power* power_;  ///< recorded mutation score, or nullptr
  const std::shared_ptr<const BoundCase> bound_;
  const Problem problem_;
};

/// The call as one line of JSON: the content of call.json, and the report of assay_check_case_open() (check.h).
std::string call_json(const SuiteCase& one);

/// The case with that id. If there is none, throws UsageError that suggests similar ids.
std::unique_ptr<const SuiteCase> open_suite_case(const std::string& id, const std::string& root);

// Files with the inputs of cases, and with the outputs that a program in any language computed from them (docs/guides/python.md
// describes the format):
//
//   DIR/inputs.json                       {"assay_inputs": 1, "cases": [ids]}
//   DIR/<case id>/call.json               op, contract, parameters; role, access, dtype, shape and strides of each tensor
//   DIR/<case id>/inputs.safetensors      inputs, and tensors that are updated in place
//   DIR/<case id>/outputs.safetensors     written by your program: the outputs by role

/// Whether the folder has a file inputs.json.
bool has_case_inputs(const std::string& folder);

/// Writes call.json and inputs.safetensors of a case. Throws std::system_error.
void write_case_inputs(const std::string& folder, const SuiteCase& one);
/// Writes inputs.json. Call it last: a folder without that file is incomplete.
void write_case_list(const std::string& folder, const std::vector<std::string>& ids);

/// The ids of inputs.json. Throws DumpError.
std::vector<std::string> read_case_list(const std::string& folder);

/// The path at which your program must store the outputs of a case.
std::string outputs_file(const std::string& folder, const std::string& id);
/// The tensors in outputs_file(). Throws DumpError.
DumpedRoles read_case_outputs(const std::string& folder, const std::string& id);

}  // namespace assay
