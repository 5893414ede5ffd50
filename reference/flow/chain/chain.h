// Contract rows that name other rows: chains of stages, and launches of two ops.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"

namespace assay {

// Op kind "chain": stages that run in sequence; each stage takes the result of the stage before.

const Flow& chain_flow();

/// A stage as written in a chain cell: "row_norm=ID", or only an id.
struct NamedLink {
  std::string flow, id;  ///< flow: op kind, empty if it is not written
  size_t at = 0;         ///< character offset in the cell
  size_t id_at() const { return at + (flow.empty() ? 0 : flow.size() + 1); }
};
std::vector<NamedLink> named_links(const std::string& cell);

// Op kind "launch": one kernel launch that does two ops on different tensors. The row names the contracts of both ops.

const Flow& launch_flow();

}  // namespace assay
