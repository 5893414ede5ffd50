// Checks what a kernel library advertises: an offer that no case can match is an error of its author.
#pragma once

#include <string>
#include <vector>

#include "harness/core/call.h"
#include "suites/registry.h"

namespace assay {

/// Needs an open rulebook. Throws LibraryError naming the kernel, the word and what it may have meant: an op or a contract that there
/// is not, a case parameter that the op has not, a cell that no column of that name can hold.
void require_known_offers(const OpRegistry& ops, const LibraryInfo& library);

/// One line that counts the offered contracts without a case and names the first; empty if every offered contract has a case. Such
/// a kernel is never called under the contract. Ops without any case among `cases` are not counted.
std::string offers_without_cases(const LibraryInfo& library, const std::vector<Case>& cases);

/// True if the library works on this host and no kernel states its warp sizes. Cases that differ only in warp size are then the
/// same call.
bool ignores_warp(const LibraryInfo& library);

/// Removes cases that differ from an earlier one only in warp size.
std::vector<Case> each_data_once(std::vector<Case> cases);

}  // namespace assay
