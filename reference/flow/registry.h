// The list of all flows.
#pragma once

#include <span>
#include <string>

#include "reference/flow/flow.h"

namespace assay {

/// In the order in which tables are loaded. A table belongs to the first flow whose column `says` it has. Chains come after the
/// rows that they name.
std::span<const Flow* const> all_flows();

/// Throws std::out_of_range that lists similar names.
const Flow& flow_named(const std::string& name);

/// Whether the contract takes `input` beside x, in its row or in a link of its chain: "residual", "beta", "scale", "up", ...
bool takes(const ContractTables& tables, const ContractRow& row, const std::string& input);

/// Whether the row is a GEMM, with a known unit or an unknown kernel.
bool is_product(const ContractRow& row);

/// Whether the row produces codes and names the layouts of their scales.
bool is_quantization(const ContractRow& row);

}  // namespace assay
