#include "suites/dsv4_qnorm_kv_insert/two_answers.h"

#include <utility>

#include "suites/cache_insert/expect.h"
#include "suites/cache_insert/hypotheses.h"
#include "suites/qk_norm_rope/expect.h"

namespace assay {
namespace {

using Expect = std::function<Expectation(const Problem&, const std::vector<HostTensor>*)>;

Expect heads_answer(const LaunchCase& c, const AngleReading& angles = {}) {
  return [c, angles](const Problem& problem, const std::vector<HostTensor>* outputs) {
    return expect_heads(*c.heads.bound, c.heads, problem, outputs, {.angles = angles});
  };
}

Expect insert_answer(const LaunchCase& c, const AngleReading& angles = {}) {
  return [c, angles](const Problem& problem, const std::vector<HostTensor>* outputs) {
    return expect_cache(*c.insert.bound, Placing(c.insert), c.insert, problem, outputs, {.angles = angles});
  };
}

Expect both(Expect heads, Expect insert) {
  return [heads = std::move(heads), insert = std::move(insert)](const Problem& problem, const std::vector<HostTensor>* outputs) {
    return Expectation{{side_by_side(heads(problem, outputs).any_of.front(), insert(problem, outputs).any_of.front())}};
  };
}

/// A mutant of the heads with correct records, or of the records with correct heads.
Hypothesis of_heads(Hypothesis one, const Expect& insert) {
  one.name = "Q: " + one.name;
  // records are always computed whole
  one.first_row = [heads = one.expect](const Problem& problem) { return heads(problem, nullptr); };
  one.expect = both(one.expect, insert);
  return one;
}
Hypothesis of_insert(Hypothesis one, const Expect& heads) {
  one.name = "KV: " + one.name;
  one.expect = both(heads, one.expect);
  return one;
}

}  // namespace

Expectation expect_launch(const LaunchCase& c, const Problem& problem, const std::vector<HostTensor>* outputs) {
  return both(heads_answer(c), insert_answer(c))(problem, outputs);
}

std::vector<Hypothesis> launch_hypotheses(const LaunchCase& c) {
  const Expect heads = heads_answer(c), insert = insert_answer(c);
  std::vector<Hypothesis> all;
  for (Hypothesis& one : head_hypotheses(c.heads)) {
    all.push_back(of_heads(one, insert));
    all.back().with_another = [c, insert, one] {
      std::vector<Hypothesis> pairs;
      for (Hypothesis& second : one.with_another()) pairs.push_back(of_heads(std::move(second), insert));
      for (Hypothesis& second : cache_hypotheses(c.insert)) pairs.push_back(of_insert(std::move(second), one.expect));
      return pairs;
    };
  }
  for (Hypothesis& one : cache_hypotheses(c.insert)) {
    all.push_back(of_insert(one, heads));
    all.back().with_another = [c, heads, one] {
      std::vector<Hypothesis> pairs;
      if (one.with_another)
        for (Hypothesis& second : one.with_another()) pairs.push_back(of_insert(std::move(second), heads));
      for (Hypothesis& second : head_hypotheses(c.heads)) pairs.push_back(of_heads(std::move(second), one.expect));
      return pairs;
    };
  }
  for (const auto& [name, angles] : wrong_angles())
    all.push_back({std::string("Q and KV: ") + name, both(heads_answer(c, angles), insert_answer(c, angles))});
  return all;
}

}  // namespace assay
