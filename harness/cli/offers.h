// What a kernel library says of itself, held against what there is: an offer that no case can ever meet is a mistake of its author.
#pragma once

#include <string>
#include <vector>

#include "harness/core/call.h"
#include "suites/registry.h"

namespace assay {

/// Needs an open rulebook. Throws LibraryError naming the kernel, the word and what it may have meant: an op or a contract that there
/// is not, a case parameter that the op has not, a cell that no column of that name can hold.
void require_known_offers(const OpRegistry& ops, const LibraryInfo& library);

/// Contracts that a kernel offers and none of these cases has, a line for each: it would never be called under them. Nothing is said of
/// an op that has no case among these.
std::vector<std::string> offers_without_cases(const LibraryInfo& library, const std::vector<Case>& cases);

/// True if the library works on this host and no kernel of it says which warp sizes it takes: cases that differ in warp alone are the
/// same call to it.
bool ignores_warp(const LibraryInfo& library);

/// The cases without those that differ from one before in warp alone.
std::vector<Case> each_data_once(std::vector<Case> cases);

}  // namespace assay
