// What the diagnosis says of a kernel whose mistakes are known, on cases that no table has.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/core/case.h"

namespace assay {

/// How a failing case was explained.
enum class Said {
  kFirst,    ///< the first cause is the kernel's, all of it and nothing else
  kTied,     ///< it stands beside the first one, and these outputs follow from both
  kAllSeen,  ///< it is one of the kernel's two mistakes, and alone it explains every wrong element: the other leaves no trace
  kLater,    ///< the kernel's cause stands further down, or with another one beside it
  kOther,    ///< other causes only
  kUnknown   ///< "no known cause"
};
inline constexpr size_t kSaid = 6;

/// A kernel and what is wrong with it.
struct Subject {
  std::string kernel;
  std::string kind;                 ///< section of the table
  std::vector<std::string> causes;  ///< globs; none for a healthy kernel and where nothing can be named

  /// First, tied or one of two; that no cause is named where there is none.
  bool is_right(Said said) const;
};

/// Cases of one kernel or of many.
struct Score {
  int64_t cases = 0, right = 0;
  std::array<int64_t, kSaid> said{};
  std::vector<std::string> missed;  ///< case and words wherever that is not right

  int64_t failing() const;
  void add(const Score& other);
};

/// The mistakes that a cell names, parted by " + ".
std::vector<std::string> causes_in(const std::string& cell);

/// Whether a line names a mistake. One that shows now in one way and now in another, such as by a hang or by old numbers, has a glob for
/// each, parted by " or ".
bool names(const std::string& line, const std::string& cause);

/// Every row of faults.csv as kind "changed", then diagnosis.csv.
std::vector<Subject> subjects(const std::string& root);

/// The causes that a report names, held against those of the kernel. Padding is a symptom of many mistakes: its line is looked at
/// only if it is one of the causes.
Said judge_words(const std::vector<std::string>& words, const std::vector<std::string>& causes);

/// Whether the kernel's cases have rows and columns to change; those of casts have none.
bool has_shapes(const Backend& backend, const Subject& subject);

/// Runs a kernel on the given cases of its contract with other rows, columns and numbers.
Score measure(const Backend& backend, const Subject& subject, const std::vector<Case>& cases);

/// A library in whose outputs every so manyth byte is another, drawn at random.
Backend corrupted(Backend backend, int64_t every);

}  // namespace assay
