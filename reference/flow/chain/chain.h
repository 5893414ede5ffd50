// Flow: links one after the other, each takes what the one before it made.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/rows.h"

namespace assay {

const Flow& chain_flow();

/// One link of a chain cell, as it is written: "row_norm=ID", or an id alone.
struct NamedLink {
  std::string flow, id;  ///< flow is empty where it is not written
  size_t at = 0;         ///< where it begins in the cell
  size_t id_at() const { return at + (flow.empty() ? 0 : flow.size() + 1); }
};
std::vector<NamedLink> named_links(const std::string& cell);

}  // namespace assay
