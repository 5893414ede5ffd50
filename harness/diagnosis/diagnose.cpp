#include "harness/diagnosis/diagnose.h"

#include <algorithm>
#include <map>
#include <set>

#include "harness/diagnosis/membership.h"
#include "harness/diagnosis/zero_signs.h"

namespace assay {
namespace {

constexpr size_t kWorthNaming = 3;
/// Limits for pairs of hypotheses: how many first members, and how many elements all pairs of a case may cost.
constexpr int64_t kMostFirsts = 12, kElementsOfPairs = int64_t(1) << 26;

/// A hypothesis and its comparison with the outputs.
struct Tried {
  Hypothesis hypothesis;
  Memberships held;
  Tally result;
};

class Search {
 public:
  Search(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs, const Expectation& right,
         const Sample& sample)
      : bound_(bound), problem_(problem), outputs_(outputs), right_(right), sample_(sample), contract_(memberships(right, outputs, sample)) {
    std::vector<Hypothesis> hypotheses = bound.mutants();
    for (Hypothesis& hypothesis : hypotheses) {
      if (!hypothesis.equivalent.empty()) continue;
      const Expectation edited = hypothesis.expect(problem, &outputs);
      Tried tried{std::move(hypothesis), memberships(edited, outputs, sample), {}};
      tried.result = tally(contract_, tried.held);
      if (most_firsts(hypotheses.size()) == 0) tried.held = {};
      alone_.push_back(std::move(tried));
    }
  }

  std::vector<Cause> causes() {
    int64_t least_left = tally(contract_, contract_).failing;
    for (const Tried& tried : alone_) {
      if (!tried.result.counts()) continue;
      least_left = std::min(least_left, tried.result.left());
      causes_.push_back(cause_of(tried.result, {mistake(tried.hypothesis, tried.result.explained)}));
    }
    wrong_zeros();
    if (least_left > 0 && !in_a_situation())
      for (const Tried* first : firsts()) pairs_from(*first, least_left);
    std::stable_sort(causes_.begin(), causes_.end(), [](const Cause& a, const Cause& b) { return a.left() < b.left(); });
    return std::move(causes_);
  }

 private:
  /// Detects a cause that is no mutant: every wrong element is a zero of the wrong sign.
  void wrong_zeros() {
    const Tally result = tally(contract_, memberships(with_either_zero(right_), outputs_, sample_));
    if (result.failing == 0 || result.left() > 0) return;
    causes_.push_back(cause_of(result, {{"zeros: of the other sign", "zeros: of the other sign", result.explained}}));
  }

  Mistake mistake(const Hypothesis& hypothesis, int64_t needed) const {
    return {hypothesis.name, hypothesis.in_words ? hypothesis.in_words(outputs_) : hypothesis.name, needed};
  }

  static Cause cause_of(const Tally& result, std::vector<Mistake> mistakes) {
    return {std::move(mistakes), result.failing, result.explained, result.contradicted};
  }

  int64_t most_firsts(size_t hypotheses) const {
    const int64_t elements = 1 + contract_.elements();
    return std::min(kMostFirsts, kElementsOfPairs / (elements * int64_t(hypotheses + 1)));
  }

  /// First members of pairs: the hypotheses that leave least unexplained and those that explain most, as many as time allows.
  std::vector<const Tried*> firsts() const {
    const int64_t most = most_firsts(alone_.size());
    std::vector<const Tried*> candidates, chosen;
    for (const Tried& tried : alone_)
      if (tried.hypothesis.with_another && tried.result.explained > 0) candidates.push_back(&tried);
    const auto take = [&](auto before) {
      std::stable_sort(candidates.begin(), candidates.end(), before);
      for (int64_t i = 0; i < std::min(most, int64_t(candidates.size())); ++i)
        if (std::find(chosen.begin(), chosen.end(), candidates[size_t(i)]) == chosen.end())
          chosen.push_back(candidates[size_t(i)]);
    };
    take([](const Tried* a, const Tried* b) { return a->result.left() < b->result.left(); });
    take([](const Tried* a, const Tried* b) { return a->result.explained > b->result.explained; });
    return chosen;
  }

  const Tried* find_alone(const std::string& name) const {
    for (const Tried& tried : alone_)
      if (tried.hypothesis.name == name) return &tried;
    return nullptr;
  }

  void pairs_from(const Tried& first, int64_t least_left) {
    for (const Hypothesis& pair : first.hypothesis.with_another()) {
      const Tried* second = find_alone(pair.name);
      if (!second || !tried_pairs_.insert(std::minmax(first.hypothesis.name, pair.name)).second) continue;
      const Memberships held = memberships(pair.expect(problem_, &outputs_), outputs_, sample_);
      const Tally result = tally(contract_, held);
      if (!result.counts() || 2 * result.left() > least_left) continue;
      const int64_t need_first = explained_by_one_alone(contract_, held, second->held);
      const int64_t need_second = explained_by_one_alone(contract_, held, first.held);
      if (need_first == 0 || need_second == 0) continue;
      causes_.push_back(cause_of(result, {mistake(first.hypothesis, need_first), mistake(pair, need_second)}));
    }
  }

  /// If the op recognizes a failure signature, pairs that explain some elements by chance are not tried.
  bool in_a_situation() const {
    return causes_.empty() && !bound_.situation(problem_, outputs_).empty();
  }

  const BoundCase& bound_;
  const Problem& problem_;
  const std::vector<HostTensor>& outputs_;
  const Expectation& right_;
  const Sample& sample_;
  const Memberships contract_;
  std::vector<Tried> alone_;
  std::set<std::pair<std::string, std::string>> tried_pairs_;
  std::vector<Cause> causes_;
};

std::string in_words(const Cause& cause) {
  std::string line = "explains " + std::to_string(cause.explained) + " of " + std::to_string(cause.failing) + " failing elements";
  if (cause.contradicted > 0) line += " and contradicts " + std::to_string(cause.contradicted) + " good ones";
  for (const Mistake& mistake : cause.mistakes) {
    line += (&mistake == &cause.mistakes.front() ? ": " : "; and ") + mistake.words;
    if (cause.mistakes.size() > 1) line += " (needed for " + std::to_string(mistake.needed) + ")";
  }
  return line;
}

}  // namespace

std::vector<Cause> diagnose(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs,
                            const Sample* sample) {
  const Expectation right = bound.expect(problem, &outputs);
  return Search(bound, problem, outputs, right, sample ? *sample : all_steps(right.any_of.front())).causes();
}

std::vector<std::string> causes_in_words(const std::vector<Cause>& causes) {
  if (causes.empty()) return {"no known cause"};
  const Cause& best = causes.front();
  std::vector<std::string> words;
  for (const Cause& cause : causes) {
    // A hypothesis that explains less than half of what the best one explains is noise.
    if (words.size() == kWorthNaming || 2 * (cause.explained - cause.contradicted) < best.explained - best.contradicted) break;
    if (best.complete() && !cause.complete()) break;
    words.push_back(in_words(cause));
  }
  return words;
}

}  // namespace assay
