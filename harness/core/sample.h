// Which steps of a large answer are looked at more closely than to count what is wrong: failing ones and good ones, spread over all.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/blocks.h"

namespace assay {

/// Steps of an answer. Of small tensors all of them.
struct Sample {
  std::vector<StepRange> steps;             ///< ascending, apart
  int64_t failing = 0, good = 0, of = 0;    ///< chosen steps with and without something wrong, and the steps of the answer

  bool is_everything() const { return failing + good == of; }
  /// "looked at 64 of 65536 rows: 32 that fail, 32 that do not"; empty if the sample is everything.
  std::string words() const;
};

/// The steps of a sample in ranges of some ten thousand elements.
std::vector<StepRange> blocks_of(const Sample& sample, const Answer& answer);

/// Everything, whatever fails there.
Sample all_steps(const Answer& answer);

/// Remembers, while steps are judged in their order, one failing and one good step of each 64th part of all steps.
class SampleKeeper {
 public:
  explicit SampleKeeper(int64_t steps);

  void add(int64_t step, bool fails);
  void merge(const SampleKeeper& later);

  /// Everything if the answer has few elements; else of the remembered steps as many as have few elements, failing ones and good
  /// ones alike.
  Sample chosen(const Answer& answer) const;

 private:
  static constexpr int64_t kParts = 64;
  static constexpr int64_t kNone = -1;
  int64_t steps_;
  std::array<int64_t, kParts> failing_, good_;  ///< the first of each part
};

}  // namespace assay
