// For tests: recorded outputs of GEMM libraries as outputs of a case. The folder `gemm` of ASSAY_HARDWARE_VECTORS holds them; its
// README describes the inputs.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/compare/element.h"
#include "harness/core/op.h"
#include "harness/core/tensor_of_part.h"
#include "reference/testing/unit_data.h"

namespace assay::testing {

using recorded::mix;
using recorded::npy;

/// Empty if there is none.
inline std::filesystem::path recordings_folder() {
  const char* const vectors = std::getenv("ASSAY_HARDWARE_VECTORS");
  const std::filesystem::path folder = vectors ? std::filesystem::path(vectors) / "gemm" : std::filesystem::path();
  return std::filesystem::exists(folder) ? folder : std::filesystem::path();
}

/// Names of all recorded outputs, with block scales or with others; tables of codes and scales are skipped.
inline std::set<std::string> recordings_of(const std::filesystem::path& folder, bool of_blocks) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().stem().string();
    const auto begins = [&](const std::string& with) { return name.starts_with(with); };
    if (entry.path().extension() != ".npy" || begins("table_") || begins("scales_") || name.ends_with("_head")) continue;
    const bool blocks = begins("deepgemm_") || begins("cublaslt_1x128") || begins("cutlass_blockwise") || begins("triton_block");
    if (blocks == of_blocks) names.insert(name);
  }
  return names;
}

template <class Recorded, size_t kCount>
std::set<std::string> names_of(const Recorded (&all)[kCount]) {
  std::set<std::string> names;
  for (const Recorded& one : all) names.insert(one.name);
  return names;
}

inline constexpr uint64_t kStepOfRecordings = 0x9e3779b97f4a7c15, kSeedOfRecordings = 0xd1342543de82ef95;

inline void put(HostTensor& tensor, const std::string& bytes) {
  ASSERT_EQ(tensor.spec.bytes(), bytes.size()) << tensor.spec.name;
  tensor.bytes.resize(bytes.size());
  std::memcpy(tensor.bytes.data(), bytes.data(), bytes.size());
}

/// Codes of a factor [rows, k], taken from a table of 4096.
inline std::string recorded_codes(const std::string& table, uint64_t seed, int64_t rows, int64_t k) {
  std::string all;
  for (uint64_t row = 0; row < uint64_t(rows); ++row)
    for (uint64_t i = 0; i < uint64_t(k); ++i)
      all.push_back(table[mix((row * 16384 + i + 1) * kStepOfRecordings + seed * kSeedOfRecordings) & 4095]);
  return all;
}

/// The scale with an index, between 2^low and 2^high.
inline double recorded_scale(int64_t number, uint64_t seed, int low, int high) {
  const uint64_t h = mix((uint64_t(number) + 1) * kStepOfRecordings + seed * kSeedOfRecordings) & 0xffffff;
  return (1 + double(h >> 4) * 0x1p-20) * std::ldexp(1.0, int(h & 15) * (high - low) / 16 + low);
}

/// Whether some rows of a recording match a variant.
inline bool agrees(const Answer& answer, const HostTensor& d, int64_t first, int64_t end) {
  const Part& part = answer.parts.front();
  const AcceptedBlock block = answer.accepted(first, end);
  const AcceptedRows& rows = block.parts.front();
  for (size_t i = 0; i < rows.low.size(); ++i)
    if (!rows.at(i).holds(*part.format, ordinal(*part.format, d.code(first * part.columns() + int64_t(i))))) return false;
  return true;
}

/// The first rows distinguish most variants, so they are compared first.
inline bool agrees(const Expectation& expectation, const HostTensor& d) {
  constexpr int64_t kFew = 3;
  return std::any_of(expectation.any_of.begin(), expectation.any_of.end(), [&](const Answer& answer) {
    const int64_t few = std::min(kFew, answer.steps);
    return agrees(answer, d, 0, few) && agrees(answer, d, few, answer.steps);
  });
}

/// Collects the mutants of a contract that its recordings refute.
class SeenEdits {
 public:
  void look(const std::string& contract, const std::vector<Hypothesis>& edits, const Problem& problem, const HostTensor& d) {
    for (const Hypothesis& wrong : edits) {
      if (!wrong.equivalent.empty()) continue;
      all_[contract].insert(wrong.name);
      if (!agrees(wrong.expect(problem, nullptr), d)) failing_[contract].insert(wrong.name);
    }
  }
  void expect_all_but(const std::map<std::string, std::set<std::string>>& unseen) {
    for (const auto& [contract, names] : all_) {
      const auto known = unseen.find(contract);
      for (const std::string& name : names) {
        const bool expected = known != unseen.end() && known->second.contains(name);
        EXPECT_EQ(failing_[contract].contains(name), !expected) << contract << ": " << name;
      }
    }
  }

 private:
  std::map<std::string, std::set<std::string>> all_, failing_;
};

}  // namespace assay::testing
