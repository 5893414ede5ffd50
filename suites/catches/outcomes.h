// What came out of diagnosing kernels: tables, complaints and every miss.
#pragma once

#include <string>
#include <vector>

#include "suites/catches/measuring.h"

namespace assay {

constexpr const char* kSectionOfDiagnosis = "diagnosis measured";

/// Of the tables, whose lines line_of() makes.
constexpr const char* kHeadOfDiagnosis =
    "| kernels | cases | fail | first | tied | one of two | later | another | unknown | right "
    "|\n|---|---|---|---|---|---|---|---|---|---|\n";
std::string line_of(const std::string& name, const Score& score);

/// What a race gives depends on which thread ran which block before: its numbers change from run to run.
bool is_race(const Subject& subject);

/// The measured tables, what is wrong with the measurement, and every miss.
struct Outcomes {
  std::string kinds, kernels, races, list;
  std::vector<std::string> complaints;

  void complain(const std::string& name, const Subject& subject, const Score& score);
};

/// Of kernels of the libraries in a folder, by kind, and of a healthy library with wrong bytes.
Outcomes measured(const std::string& folder, const std::vector<Subject>& all, const std::vector<Case>& cases);

/// What these kernels' lines in the file's table of misses would have to be and are not.
std::vector<std::string> differences(const Outcomes& outcomes, const std::vector<Subject>& sample, const std::string& file);

}  // namespace assay
