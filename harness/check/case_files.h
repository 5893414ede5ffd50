// Inputs of cases as files, and outputs that any program in any language wrote beside them (docs/guides/python.md describes the format):
//
//   DIR/inputs.json                       {"assay_inputs": 1, "cases": [ids]}
//   DIR/<case id>/call.json               op, contract, parameters, and of each tensor role, access, dtype, shape and strides
//   DIR/<case id>/inputs.safetensors      tensors that are inputs or in place
//   DIR/<case id>/outputs.safetensors     yours: the outputs by role
#pragma once

#include <string>
#include <vector>

#include "harness/check/suite_case.h"
#include "harness/core/dumped.h"

namespace assay {

/// Whether the folder holds an inputs.json.
bool has_case_inputs(const std::string& folder);

/// Writes call.json and inputs.safetensors of a case. Throws std::system_error.
void write_case_inputs(const std::string& folder, const SuiteCase& one);
/// Writes inputs.json, last: a folder without it is incomplete.
void write_case_list(const std::string& folder, const std::vector<std::string>& ids);

/// The ids of inputs.json. Throws DumpError.
std::vector<std::string> read_case_list(const std::string& folder);

/// The file in which the outputs of a case are expected.
std::string outputs_file(const std::string& folder, const std::string& id);
/// Its tensors. Throws DumpError.
DumpedRoles read_case_outputs(const std::string& folder, const std::string& id);

}  // namespace assay
