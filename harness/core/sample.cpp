#include "harness/core/sample.h"

#include <algorithm>

namespace assay {
namespace {

/// Up to here every element is looked at.
constexpr int64_t kFewElements = int64_t{1} << 22;
/// Of a larger answer so many: each of some forty hypotheses is evaluated on them.
constexpr int64_t kSampledElements = int64_t{1} << 20;
/// The same for elements that are sums of products: half a second each on one core.
constexpr int64_t kFewProducts = int64_t{1} << 27, kSampledProducts = int64_t{1} << 26;

/// As many of the steps, evenly spread, as there is room for; at least one.
std::vector<int64_t> thinned(const std::array<int64_t, 64>& steps, int64_t none, int64_t most) {
  std::vector<int64_t> there;
  for (const int64_t step : steps)
    if (step != none) there.push_back(step);
  const auto count = int64_t(there.size());
  const int64_t kept = std::min(count, std::max<int64_t>(1, most));
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < kept; ++i) chosen.push_back(there[size_t(i * count / kept)]);
  return chosen;
}

}  // namespace

std::string Sample::words() const {
  if (is_everything()) return "";
  return "looked at " + std::to_string(failing + good) + " of " + std::to_string(of) + " rows: " + std::to_string(failing) +
         " that fail, " + std::to_string(good) + " that do not";
}

std::vector<StepRange> blocks_of(const Sample& sample, const Answer& answer) {
  return sample.is_everything() ? block_ranges(answer) : sample.steps;
}

Sample all_steps(const Answer& answer) { return {{{0, answer.steps}}, 0, answer.steps, answer.steps}; }

SampleKeeper::SampleKeeper(int64_t steps) : steps_(steps) {
  failing_.fill(kNone);
  good_.fill(kNone);
}

void SampleKeeper::add(int64_t step, bool fails) {
  int64_t& first = (fails ? failing_ : good_)[size_t(step * kParts / steps_)];
  if (first == kNone) first = step;
}

void SampleKeeper::merge(const SampleKeeper& later) {
  for (size_t i = 0; i < size_t(kParts); ++i) {
    if (failing_[i] == kNone) failing_[i] = later.failing_[i];
    if (good_[i] == kNone) good_[i] = later.good_[i];
  }
}

Sample SampleKeeper::chosen(const Answer& answer) const {
  const bool few = answer.elements() <= kFewElements && answer.elements() <= kFewProducts / answer.products;
  if (few || answer.steps <= 1) return all_steps(answer);
  const int64_t elements = std::min(kSampledElements, kSampledProducts / answer.products);
  const int64_t room = elements / std::max<int64_t>(1, answer.elements() / answer.steps);
  const std::vector<int64_t> failing = thinned(failing_, kNone, room / 2), good = thinned(good_, kNone, room / 2);
  Sample sample{{}, int64_t(failing.size()), int64_t(good.size()), answer.steps};
  std::vector<int64_t> steps = failing;
  steps.insert(steps.end(), good.begin(), good.end());
  std::sort(steps.begin(), steps.end());
  for (const int64_t step : steps) sample.steps.push_back({step, step + 1});
  return sample;
}

}  // namespace assay
