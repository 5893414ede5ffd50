// Results of the diagnosis measurement: tables, complaints and misses.
#pragma once

#include <string>
#include <vector>

#include "suites/catches/measuring.h"

namespace assay {

constexpr const char* kSectionOfDiagnosis = "diagnosis measured";

/// Head of the tables whose rows line_of() makes.
constexpr const char* kHeadOfDiagnosis =
    "| kernels | cases | fail | first | tied | one of two | later | another | unknown | right "
    "|\n|---|---|---|---|---|---|---|---|---|---|\n";
std::string line_of(const std::string& name, const Score& score);

/// The results of a race depend on thread timing and change from run to run.
bool is_race(const Subject& subject);

/// The measured tables, errors of the measurement, and every miss.
struct Outcomes {
  std::string kinds, kernels, races, list;
  std::vector<std::string> complaints;

  void complain(const std::string& name, const Subject& subject, const Score& score);
};

/// Measures the kernels of the libraries in a folder, by kind, and a healthy library with wrong bytes.
Outcomes measured(const std::string& folder, const std::vector<Subject>& all, const std::vector<Case>& cases);

/// Lines of the file's table of misses that differ for these kernels.
std::vector<std::string> differences(const Outcomes& outcomes, const std::vector<Subject>& sample, const std::string& file);

}  // namespace assay
