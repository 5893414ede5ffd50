// Finds which algorithm variants made the outputs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/core/expectation.h"

namespace assay {

// Finds which algorithm variants made the outputs, over all cases that a kernel answered.

/// Names of the answers that match every element of the outputs.
std::vector<std::string> programs_that_made(const Expectation& programs, const std::vector<HostTensor>& outputs);

/// "made by   NAME" for each name; for a long list, the number of names per tensor core, which comes first in a name.
std::vector<std::string> made_by_lines(const std::vector<std::string>& names);

/// The result over several cases. A library may choose split-K per shape. So variants that differ only in ", split-K N" count as
/// one variant, if the outputs of every case match at least one of them.
class ProgramTally {
 public:
  /// `names`: the variants that match the outputs of a case.
  void add(const std::vector<std::string>& names, const std::string& case_id);
  /// Lines with the variants that match all cases; variants with one split-K in all cases are preferred. If no variant matches
  /// all: the cases that no variant matches, or a note that different cases need different variants.
  std::vector<std::string> lines() const;
  /// Whether some outputs match no variant.
  bool unexplained() const { return unexplained_ > 0; }

 private:
  struct Way {
    int64_t cases = 0;
    std::map<std::string, int64_t> cuts;  ///< split-K part -> number of cases
  };
  std::map<std::string, Way> ways_;
  int64_t cases_ = 0, unexplained_ = 0;
  std::string first_unexplained_;
};

// For outputs that match no variant as a whole: finds variants that each made some of the columns, or of the rows. If there are
// none, finds the closest variant.

/// One line per variant of a mixture: "columns 0 to 11 by X". A variant owns a column or row if all of its elements match. A
/// mixture has at most four variants and covers everything. If there is none: one line with the closest variant, the number of
/// matching elements and the first that does not match. Every answer must have one part; outputs without elements give no lines.
/// Compares four windows of columns if all columns would cost more than 2^31 multiply-accumulates.
std::vector<std::string> pieces_that_made(const Expectation& programs, const std::vector<HostTensor>& outputs);

}  // namespace assay
