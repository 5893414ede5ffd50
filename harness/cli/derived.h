// The files that the program makes from tables and recordings alone: what `assay regenerate` writes and checks.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "harness/cli/places.h"
#include "harness/core/case.h"
#include "harness/golden/power_records.h"

namespace assay {

/// A kind of derived files, as --part names it.
struct DerivedPart {
  std::string name;    ///< "predicted"
  std::string folder;  ///< under golden/, of files that are all of this part; empty: a section of one Markdown file
};

std::span<const DerivedPart> derived_parts();

/// Makes derived files. What several parts need is made once.
class Derivation {
 public:
  using MakeDocs = std::function<std::map<std::string, std::string>()>;

  /// `golden`: the folder of golden files. `believe`: take what golden/power records, where its seal is right. Throws TableError.
  /// `docs` makes the pages of docs/reference, which need the command line; empty: there are none.
  Derivation(const Suites& suites, std::string golden, bool believe, MakeDocs docs = {});

  /// Text of each file by its path. Throws UsageError for a Markdown file that lacks its section.
  std::map<std::string, std::string> files(const DerivedPart& part);
  /// Files in the part's folder that are not among these.
  std::vector<std::string> strays(const DerivedPart& part, const std::map<std::string, std::string>& files) const;

  const std::vector<Case>& quick_cases() const { return cases_; }
  /// What golden/power records of the quick cases, right seals alone.
  const PowerRecords& records() const { return records_; }
  size_t computed() const { return computed_; }  ///< data sets whose power was computed

 private:
  const std::map<std::string, Power>& powers();

  std::shared_ptr<const OpRegistry> ops_;
  std::string golden_;
  std::vector<Case> all_cases_, cases_;  ///< of all tiers; of the quick one
  PowerRecords records_;
  bool believe_;
  MakeDocs docs_;
  std::map<std::string, Power> powers_;  ///< by data set, once it was asked for
  size_t computed_ = 0;
};

/// What the reference predicts of the cases, by op.
std::map<std::string, Golden> predicted_now(const OpRegistry& ops, const std::vector<Case>& cases);

/// The table of `assay sharpness`, of cases of the quick and the full tier.
std::string sharpness_now(const OpRegistry& ops, std::vector<Case> cases);

/// The table of `assay witness check` on golden/witness. Throws std::runtime_error if a row does not allow its witness.
std::string witness_table_now(const OpRegistry& ops);

}  // namespace assay
