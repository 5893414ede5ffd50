// Derived files: the files that `assay regenerate` writes or checks. They are computed only from tables and recordings.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "harness/cli/places.h"
#include "harness/core/case.h"
#include "harness/golden/golden.h"

namespace assay {

/// A kind of derived file, as --part names it.
struct DerivedPart {
  std::string name;    ///< "predicted"
  std::string folder;  ///< folder under golden/ with the files of this part; empty: the part is a Markdown section, or pages
};

std::span<const DerivedPart> derived_parts();

/// Makes derived files. Results that several parts need are computed once.
class Derivation {
 public:
  using MakeDocs = std::function<std::map<std::string, std::string>()>;

  /// `golden`: the folder of golden files. `believe`: trust records of golden/power if their hash (seal) matches. Throws TableError.
  /// `docs` makes the pages of docs/reference, for which it needs the command line's options; empty: leaves these pages out.
  Derivation(const Suites& suites, std::string golden, bool believe, MakeDocs docs = {});

  /// Text of each file of a part, by path. Throws UsageError for a Markdown file that lacks the section.
  std::map<std::string, std::string> files(const DerivedPart& part);
  /// Files in the part's folder that are not in `files`.
  std::vector<std::string> strays(const DerivedPart& part, const std::map<std::string, std::string>& files) const;

  const std::vector<Case>& quick_cases() const { return cases_; }
  /// Records of golden/power for the quick cases, without records whose hash (seal) does not match.
  const PowerRecords& records() const { return records_; }
  size_t computed() const { return computed_; }  ///< number of data sets whose mutation score was computed

 private:
  const std::map<std::string, Power>& powers();

  std::shared_ptr<const OpRegistry> ops_;
  std::string golden_;
  std::vector<Case> all_cases_, cases_;  ///< all tiers; quick tier
  PowerRecords records_;
  bool believe_;
  MakeDocs docs_;
  std::map<std::string, Power> powers_;  ///< by data set; empty until powers() is called
  size_t computed_ = 0;
};

/// The outputs that the reference predicts for the cases, by op.
std::map<std::string, Golden> predicted_now(const OpRegistry& ops, const std::vector<Case>& cases);

/// The table of `assay sharpness`, computed from cases of the quick and the full tier.
std::string sharpness_now(const OpRegistry& ops, std::vector<Case> cases);

/// The table of `assay witness check` on golden/witness. Throws std::runtime_error if a contract does not accept its witness.
std::string witness_table_now(const OpRegistry& ops);

// golden/casts/<contract>.csv: the result of a cast contract for every input, run-length encoded.

/// The text of each cast's file, by its path under root/casts.
std::map<std::string, std::string> cast_runs(const std::string& root);

/// Calls `say` for each file that is missing or belongs to no cast contract, and for the first line of a file that differs from
/// the reference.
void check_cast_runs(const std::string& root, const std::function<void(const std::string& file, const std::string& what)>& say);

}  // namespace assay
