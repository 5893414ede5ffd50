// Measures the diagnosis on kernels with known mistakes, with cases that are in no case table. Also selects samples of kernels by
// name.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/call.h"
#include "harness/core/case.h"

namespace assay {

/// What the diagnosis said about a failing case.
enum class Said {
  kFirst,    ///< the first cause is exactly the kernel's mistake
  kTied,     ///< another cause comes first, but gives the same outputs
  kAllSeen,  ///< the kernel has two mistakes, and the named one alone explains every wrong element
  kLater,    ///< the mistake is a later cause, or is named together with another one
  kOther,    ///< only other causes are named
  kUnknown   ///< no cause is named
};
inline constexpr size_t kSaid = 6;

/// A kernel whose mistakes are known.
struct Subject {
  std::string kernel;
  std::string kind;                 ///< the section of the table that lists it
  std::vector<std::string> causes;  ///< globs, one for each mistake; empty: the kernel is healthy, or its mistake is no mutant
  std::vector<std::string> patterns = {};  ///< if `causes` is empty: globs of patterns that may be named

  /// Whether this diagnosis is right: kFirst, kTied or kAllSeen; for a kernel without causes, kUnknown.
  bool is_right(Said said) const;
};

/// Numbers of cases, for one or several kernels.
struct Score {
  int64_t cases = 0, right = 0;
  std::array<int64_t, kSaid> said{};
  std::vector<std::string> missed;  ///< each failing case whose diagnosis is not right, with the causes that were named

  int64_t failing() const;
  void add(const Score& other);
};

/// The mistakes that a cell such as "A + B" lists.
std::vector<std::string> causes_in(const std::string& cell);

/// Whether the line names the mistake `cause`. A mistake with several symptoms, such as a hang or stale data, has several globs,
/// separated by " or ".
bool names(const std::string& line, const std::string& cause);

/// All rows of faults.csv, with kind "changed"; then all rows of diagnosis.csv.
std::vector<Subject> subjects(const std::string& root);

/// Compares the lines of a diagnosis with the kernel's mistakes. A line about padding counts only if padding is one of the
/// mistakes, because many mistakes also change padding.
Said judge_words(const std::vector<std::string>& words, const std::vector<std::string>& causes);

/// Whether the diagnosis names a pattern that matches none of these globs.
bool misled_by_patterns(const std::vector<std::string>& said, const std::vector<std::string>& patterns);

/// Whether the rows and columns of the kernel's cases can be changed. False for casts.
bool has_shapes(const Backend& backend, const Subject& subject);

/// Runs a kernel on the cases of its contract among `cases`, with other rows, columns and seeds.
Score measure(const Backend& backend, const Subject& subject, const std::vector<Case>& cases);

/// The same library, but with wrong bytes in its outputs: about one in `every`, chosen at random.
Backend corrupted(Backend backend, int64_t every);

// Selects samples by name, for tests in which all kernels would take minutes. The sample is the same in each run.

/// Whether the name is in the sample, which holds about one name in `one_in`.
inline bool in_sample(std::string_view name, unsigned one_in) {
  uint32_t hash = 2166136261u;  // FNV-1a, then a further mix, so that every bit of the name matters
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  hash = (hash ^ hash >> 15) * 0x2c1b3c6du;
  return (hash ^ hash >> 13) % one_in == 0;
}

/// Parses "8": a sample of one in eight.
inline unsigned one_in(const std::string& text) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < 1 || value > 1000)
    throw std::runtime_error("one in '" + text + "' is not a sample");
  return unsigned(value);
}

/// The value of ASSAY_SAMPLE, for tests without arguments. If it is not set: 1, all kernels.
inline unsigned one_in_of_environment() {
  const char* const text = std::getenv("ASSAY_SAMPLE");
  return text ? one_in(text) : 1;
}

}  // namespace assay
