// Which of an op's programs made some outputs, over all cases that a kernel answered.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/core/expectation.h"

namespace assay {

/// Names of the answers that hold for every element of the outputs.
std::vector<std::string> programs_that_made(const Expectation& programs, const std::vector<HostTensor>& outputs);

/// "made by   NAME" for each; of many how many each unit has, which stands first in a name.
std::vector<std::string> made_by_lines(const std::vector<std::string>& names);

/// What is known after several cases. A name that says how k was cut, as ", split-K 2", is one program with those that cut it
/// otherwise if every case has some such way: a library may cut each shape in its own.
class ProgramTally {
 public:
  /// `names`: the programs that made the outputs of a case.
  void add(const std::vector<std::string>& names, const std::string& case_id);
  /// The programs that made the outputs of all cases, those that cut k alike in all of them if there are any; if none did, the
  /// cases that none made, or that no program made all.
  std::vector<std::string> lines() const;
  /// Whether some outputs are those of no program.
  bool unexplained() const { return unexplained_ > 0; }

 private:
  struct Way {
    int64_t cases = 0;
    std::map<std::string, int64_t> cuts;  ///< how k was cut: cases
  };
  std::map<std::string, Way> ways_;
  int64_t cases_ = 0, unexplained_ = 0;
  std::string first_unexplained_;
};

}  // namespace assay
