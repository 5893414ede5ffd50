#include "reference/flow/contract_mutants.h"
#include "suites/contract_edits.h"
#include "suites/qk_norm_rope/expect.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

struct NamedReading {
  const char* name;
  HeadReading reading;
};

/// Wrong ways to read the inputs that a case has.
std::vector<NamedReading> readings(const HeadCase& c) {
  std::vector<NamedReading> all;
  for (const auto& [name, angles] : wrong_angles()) all.push_back({name, {.angles = angles}});
  if (c.k_heads > 0) {
    all.push_back({"weights: q_weight for heads of K too", {.q_weight_alone = true}});
    all.push_back({"weights: k_weight for heads of Q too", {.k_weight_alone = true}});
  }
  if (c.v_heads > 0) all.push_back({"v: normalized and rotated as K", {.v_as_k = true}});
  return all;
}

Hypothesis of(const HeadCase& c, const std::string& name, const Contract& contract, const HeadReading& reading) {
  return {name,
          [c, contract, reading](const Problem& problem, const std::vector<HostTensor>* outputs) {
            return expect_heads(contract, c, problem, outputs, reading);
          },
          rulebook().equivalent(c.contract, *c.x, name)};
}

/// Where all of a head is rotated, its first numbers are its last.
bool is_none(const HeadCase& c, const Neighbour& mistake) { return c.rotary == c.n && mistake.kind == EditKind::kPartOfHead; }

/// Mutants of the contract, applied after `first`.
std::vector<Neighbour> mistakes(const HeadCase& c, const Neighbour& first) {
  std::vector<Neighbour> all = neighbours_of(rulebook().contracts, first, *c.x);
  std::erase_if(all, [&](const Neighbour& one) { return is_none(c, one); });
  return all;
}

}  // namespace

std::vector<Hypothesis> head_hypotheses(const HeadCase& c) {
  const Neighbour right = unedited(rulebook().contracts, c.contract, *c.x);
  std::vector<Hypothesis> all;
  for (const std::shared_ptr<const Neighbour>& mistake : contract_edits(c.contract, *c.x)) {
    if (is_none(c, *mistake)) continue;
    all.push_back(of(c, mistake->name, mistake->contract, {}));
    all.back().suspect = mistake->suspect;
    all.back().with_another = [c, mistake] {
      const Neighbour& first = *mistake;
      std::vector<Hypothesis> pairs;
      for (const Neighbour& second : mistakes(c, first)) pairs.push_back(of(c, second.name, second.contract, {}));
      for (const NamedReading& second : readings(c)) pairs.push_back(of(c, second.name, first.contract, second.reading));
      return pairs;
    };
  }
  for (const NamedReading& first : readings(c)) {
    all.push_back(of(c, first.name, right.contract, first.reading));
    all.back().with_another = [c, right, first] {
      std::vector<Hypothesis> pairs;
      for (const Neighbour& second : mistakes(c, right)) pairs.push_back(of(c, second.name, second.contract, first.reading));
      return pairs;
    };
  }
  return all;
}

}  // namespace assay
