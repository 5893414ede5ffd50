// Measures the diagnosis on kernels with known mistakes, with cases that no table contains. Also selects samples of kernels by
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

/// How a failing case was explained.
enum class Said {
  kFirst,    ///< the first cause is exactly the kernel's
  kTied,     ///< another cause comes first, but both give the same outputs
  kAllSeen,  ///< one of the kernel's two mistakes, which alone explains every wrong element
  kLater,    ///< the kernel's cause is listed later, or together with another one
  kOther,    ///< only other causes
  kUnknown   ///< "no known cause"
};
inline constexpr size_t kSaid = 6;

/// A kernel and its mistakes.
struct Subject {
  std::string kernel;
  std::string kind;                 ///< section of the table
  std::vector<std::string> causes;  ///< globs; empty for a healthy kernel, and if no cause is right
  std::vector<std::string> patterns = {};  ///< if `causes` is empty: globs of the patterns that describe the mistake

  /// True for first, tied and one of two; for a kernel without causes, true if none is named.
  bool is_right(Said said) const;
};

/// Counts over the cases of one or several kernels.
struct Score {
  int64_t cases = 0, right = 0;
  std::array<int64_t, kSaid> said{};
  std::vector<std::string> missed;  ///< case and causes of each diagnosis that is not right

  int64_t failing() const;
  void add(const Score& other);
};

/// Splits a cell into mistakes at " + ".
std::vector<std::string> causes_in(const std::string& cell);

/// Whether a line names a mistake. A mistake with several symptoms (such as a hang or stale data) has several globs, separated by
/// " or ".
bool names(const std::string& line, const std::string& cause);

/// Every row of faults.csv as kind "changed", then diagnosis.csv.
std::vector<Subject> subjects(const std::string& root);

/// Compares the reported causes with the kernel's. Padding is a symptom of many mistakes, so its line only counts if it is one of
/// the causes.
Said judge_words(const std::vector<std::string>& words, const std::vector<std::string>& causes);

/// Whether a pattern is reported that none of these globs describes.
bool misled_by_patterns(const std::vector<std::string>& said, const std::vector<std::string>& patterns);

/// Whether rows and columns of the kernel's cases can be changed; false for casts.
bool has_shapes(const Backend& backend, const Subject& subject);

/// Runs a kernel on the given cases of its contract with other rows, columns and seeds.
Score measure(const Backend& backend, const Subject& subject, const std::vector<Case>& cases);

/// A library in which one of `every` output bytes, chosen at random, is wrong.
Backend corrupted(Backend backend, int64_t every);

// Selects a stable sample by name, for tests where running everything would take minutes.

/// True for about one name in `one_in`.
inline bool in_sample(std::string_view name, unsigned one_in) {
  uint32_t hash = 2166136261u;  // FNV-1a, mixed once more so that all bits count
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  hash = (hash ^ hash >> 15) * 0x2c1b3c6du;
  return (hash ^ hash >> 13) % one_in == 0;
}

/// Parses "8" (one in eight).
inline unsigned one_in(const std::string& text) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < 1 || value > 1000)
    throw std::runtime_error("one in '" + text + "' is not a sample");
  return unsigned(value);
}

/// The value of ASSAY_SAMPLE, for tests without arguments; 1 (everything) if it is not set.
inline unsigned one_in_of_environment() {
  const char* const text = std::getenv("ASSAY_SAMPLE");
  return text ? one_in(text) : 1;
}

}  // namespace assay
