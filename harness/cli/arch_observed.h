// Recorded results of real tensor cores as a table of digests: golden/observed/<arch>/units.csv.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "harness/cli/arch_data.h"
#include "harness/cli/verbs.h"
#include "harness/core/call.h"

namespace assay {

/// One instruction on one kind of data.
struct ObservedUnit {
  UnitCalls calls;
  std::array<uint64_t, kUnitChains.size()> digests = {};  ///< digest of d for each chain length
};

/// Writes the table, sorted by instruction, with GPU, driver, toolkit and date.
void write_observed_units(const std::string& path, const LibraryInfo& seen_on, std::vector<ObservedUnit> observed);

/// assay arch verify FILE.csv: generates the operands of the recorded calls again and compares the models' predictions with the
/// digests. --unit selects instructions. Throws TableError for an invalid file, an unknown instruction or kind of data, or a
/// number of elements that is not a multiple of the tile.
int verify_observed(const ArchArguments& arguments);

}  // namespace assay
