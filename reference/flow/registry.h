// The one list of flows.
#pragma once

#include <span>
#include <string>

#include "reference/flow/flow.h"

namespace assay {

/// In the order in which their tables are read: a table is of the first flow whose column `says` it has, and a chain stands after
/// the rows that it names.
std::span<const Flow* const> all_flows();

/// Throws std::out_of_range with near matches.
const Flow& flow_named(const std::string& name);

/// Whether the contract takes that beside x: the row or, of a chain, one of its links. "residual", "beta", "scale", "up", ...
bool takes(const ContractTables& tables, const ContractRow& row, const std::string& input);

/// Whether the row is a GEMM, of a unit or of a kernel that nobody knows.
bool is_product(const ContractRow& row);

/// Whether the row makes codes and says in which layouts their scales lie.
bool is_quantization(const ContractRow& row);

}  // namespace assay
