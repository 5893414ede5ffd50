// The registry of ops.
#pragma once

#include <span>

#include "harness/core/op.h"

namespace assay {

std::span<const Op> all_ops();

/// The first op that takes the contract and has all of these parameters, or else the first that takes it. Throws
/// std::out_of_range for an unknown contract, UsageError for a contract that no op takes.
const Op& op_of_contract(const std::string& contract, const std::map<std::string, std::string>& parameters = {});

/// Throws std::out_of_range with similar names.
const Op& find_op(std::string_view name);

}  // namespace assay
