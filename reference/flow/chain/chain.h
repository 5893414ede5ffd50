// Flow: a chain of links; each takes the output of the previous one.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/rows.h"

namespace assay {

const Flow& chain_flow();

/// One link as written in a chain cell: "row_norm=ID", or only an id.
struct NamedLink {
  std::string flow, id;  ///< flow is empty if it is not written
  size_t at = 0;         ///< offset in the cell
  size_t id_at() const { return at + (flow.empty() ? 0 : flow.size() + 1); }
};
std::vector<NamedLink> named_links(const std::string& cell);

}  // namespace assay
