// Mutation scores of data sets, read from golden/power where a record is valid and computed otherwise.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/golden/golden.h"
#include "harness/run/run.h"
#include "suites/registry.h"

namespace assay {

/// The valid records for these cases, read from `folder`; if that is empty, from golden/power. Throws std::runtime_error for a damaged file.
PowerRecords recorded_power(const std::vector<Case>& cases, const std::string& folder = {});

/// The mutation score of each data set by its id, from the records or computed on all cores. `computed` counts computed ones.
std::map<std::string, Power> powers_of(const OpRegistry& ops, const std::vector<Case>& cases, const PowerRecords& records,
                                       size_t& computed);

/// Text for the report about the origin of the scores: "mutation scores of 120 data sets: 118 read from golden/power, 2 computed".
std::string power_sources(const std::vector<Case>& cases, const RunResult& result, const PowerRecords& records);

}  // namespace assay
