// Checks what a kernel library advertises: an offer that no case can match is an error of its author.
#pragma once

#include <string>
#include <vector>

#include "harness/core/call.h"

namespace assay {

/// Needs an open contract registry. Throws LibraryError naming the kernel, the wrong word and similar valid words, for an unknown
/// op, contract or case parameter, or a cell that its column cannot hold.
void require_known_offers(const LibraryInfo& library);

/// Contracts that a kernel offers and none of these cases has, a line for each: it would never be called under them. Nothing is said of
/// an op that has no case among these.
std::vector<std::string> offers_without_cases(const LibraryInfo& library, const std::vector<Case>& cases);

/// True if the library works on this host and no kernel states its warp sizes. Cases that differ only in warp size are then the
/// same call.
bool ignores_warp(const LibraryInfo& library);

/// Removes cases that differ from an earlier one only in warp size.
std::vector<Case> each_data_once(std::vector<Case> cases);

}  // namespace assay
