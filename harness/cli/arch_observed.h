// What units of a chip were seen to return, as a table of digests: golden/observed/<arch>/units.csv.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "harness/cli/arch_data.h"
#include "harness/cli/verbs.h"
#include "harness/core/call.h"

namespace assay {

/// A unit on one kind of data.
struct ObservedUnit {
  UnitCalls calls;
  std::array<uint64_t, kUnitChains.size()> digests = {};  ///< of d, for each length of chains
};

/// Sorted by unit, with chip, driver, toolkit and date.
void write_observed_units(const std::string& path, const LibraryInfo& seen_on, std::vector<ObservedUnit> observed);

/// assay arch verify FILE.csv: makes the same calls' operands again and holds what the rows predict against the digests; --unit chooses.
/// Throws TableError for a file that is none, names no unit or data, or counts other elements than its tiles have.
int verify_observed(const ArchArguments& arguments);

}  // namespace assay
