// Rows that name other rows: chains of links, and launches of two ops.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"

namespace assay {

// Flow: links one after the other, each takes what the one before it made.

const Flow& chain_flow();

/// One link as written in a chain cell: "row_norm=ID", or only an id.
struct NamedLink {
  std::string flow, id;  ///< flow is empty if it is not written
  size_t at = 0;         ///< offset in the cell
  size_t id_at() const { return at + (flow.empty() ? 0 : flow.size() + 1); }
};
std::vector<NamedLink> named_links(const std::string& cell);

// Flow: what one launch does to two tensors, as the names of two contracts.

const Flow& launch_flow();

}  // namespace assay
