#include "suites/rows/expect.h"

#include <fmt/format.h>

#include <memory>

#include "harness/core/tensor_of_part.h"
#include "reference/flow/rank_reduce/edits.h"
#include "suites/all_reduce_add_rms_norm/fused_case.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// A rank's norm: its problem, what it stored as if it were alone, and its answer, which refers to both.
struct RankAnswer {
  Problem problem;
  std::vector<HostTensor> stored;
  Answer answer;
};

std::string name_of_rank(int rank) { return "rank " + std::to_string(rank); }

/// What the norm's answer says of its rank.
AcceptedBlock relabelled(AcceptedBlock block, int rank) {
  for (Violation& violation : block.violations) {
    violation.words = name_of_rank(rank) + ": " + violation.words;
    for (Place& place : violation.places) place.part += "." + name_of_rank(rank);
  }
  return block;
}

std::shared_ptr<const RankAnswer> answer_of(const FusedCase& c, const Problem& problem, const std::vector<HostTensor>* outputs,
                                            const RankSums& sums, const NormAnswer& norm, int rank) {
  auto made = std::make_shared<RankAnswer>();
  made->problem = norm_problem(c, problem, sums, rank);
  if (outputs)
    for (const HostTensor& output : *outputs)
      if (output.spec.rank == rank) made->stored.push_back(output), made->stored.back().spec.rank = 0;
  const std::vector<HostTensor>* stored = outputs ? &made->stored : nullptr;
  made->answer = (norm ? norm(made->problem, stored)
                       : expect_rows(bind(rulebook().contracts, c.norm.contract, *c.norm.x), c.norm, made->problem, stored))
                     .any_of.front();
  return made;
}

std::optional<Violation> difference(const FusedCase& c, const std::vector<HostTensor>& outputs, const std::string& role,
                                    int rank) {
  Part part{.tensor = role, .format = c.sum.x, .shape = {}};
  const HostTensor& first = tensor_of(outputs, part);
  part.rank = rank;
  const HostTensor& other = tensor_of(outputs, part);
  int64_t count = 0, at = 0;
  for (int64_t i = c.sum.elements(); i-- > 0;)
    if (first.code(i) != other.code(i)) ++count, at = i;
  if (count == 0) return std::nullopt;
  return Violation{"the same bits on all ranks",
                   fmt::format("ranks {} and 0 return different bits in {} of {} elements, first {}[{}, {}]: {:.9g} on rank {}, {:.9g} on rank 0",
                               rank, count, c.sum.elements(), role, at / c.sum.n, at % c.sum.n, decode(*c.sum.x, other.code(at)), rank,
                               decode(*c.sum.x, first.code(at))),
                   0,
                   {{role + "." + name_of_rank(rank), at / c.sum.n, at % c.sum.n}}};
}

}  // namespace

Expectation expect_fused(const FusedCase& c, const Problem& problem, const std::vector<HostTensor>* outputs,
                         const RankReduce& contract, const RankMistake& mistake, const NormAnswer& norm) {
  const RankInputs inputs = rank_inputs(c.sum, problem);
  const RankSums sums(contract, *c.sum.x, inputs, mistake);
  std::vector<std::shared_ptr<const RankAnswer>> ranks;
  for (int rank = 0; rank < c.sum.ranks; ++rank) {
    const bool alike = rank > 0 && !outputs && sums.same_for_all();
    ranks.push_back(alike ? ranks.front() : answer_of(c, problem, outputs, sums, norm, rank));
  }
  Answer all;
  all.steps = ranks.front()->answer.steps;
  for (int rank = 0; rank < c.sum.ranks; ++rank)
    for (Part part : ranks[size_t(rank)]->answer.parts) {
      part.rank = rank;
      part.name = name_of_rank(rank);
      all.parts.push_back(std::move(part));
    }
  all.accepted = [ranks](int64_t first, int64_t end) {
    AcceptedBlock block;
    for (size_t rank = 0; rank < ranks.size(); ++rank) {
      const bool known = rank > 0 && ranks[rank] == ranks.front();
      const size_t parts = ranks[rank]->answer.parts.size();
      AcceptedBlock own = known ? AcceptedBlock{{block.parts.begin(), block.parts.begin() + std::ptrdiff_t(parts)}, {}}
                                : relabelled(ranks[rank]->answer.accepted(first, end), int(rank));
      block.parts.insert(block.parts.end(), own.parts.begin(), own.parts.end());
      block.violations.insert(block.violations.end(), own.violations.begin(), own.violations.end());
    }
    return block;
  };
  Expectation expectation{{std::move(all)}};
  expectation.together = [c](const std::vector<HostTensor>& stored) {
    std::vector<Violation> violations;
    for (int rank = 1; rank < c.sum.ranks; ++rank)
      for (const char* role : {"residual", "y"})
        if (auto found = difference(c, stored, role, rank)) violations.push_back(std::move(*found));
    return violations;
  };
  return expectation;
}

std::vector<Hypothesis> fused_hypotheses(const FusedCase& c) {
  std::vector<Hypothesis> all;
  for (RankNeighbour& wrong : rank_neighbours(c.sum.contract, *c.sum.x, c.sum.ranks, c.sum.elements(), c.sum.before > 0)) {
    // Signs of zeros are those of all_reduce alone: a residual that is not -0, too, hides them.
    if (wrong.name.starts_with("start:") || wrong.name.starts_with("wire:")) continue;
    const std::string name = wrong.name;
    all.push_back({name, [c, wrong = std::move(wrong)](const Problem& problem, const std::vector<HostTensor>* outputs) {
                     return expect_fused(c, problem, outputs, wrong.contract, wrong.mistake);
                   }});
  }
  for (Hypothesis& wrong : find_op(c.norm_case.op).neighbours(c.norm_case)) {
    Hypothesis of_ranks{wrong.name, nullptr, wrong.equivalent};
    of_ranks.suspect = wrong.suspect;
    of_ranks.expect = [c, norm = wrong.expect](const Problem& problem, const std::vector<HostTensor>* outputs) {
      return expect_fused(c, problem, outputs, c.sum.contract, {}, norm);
    };
    all.push_back(std::move(of_ranks));
  }
  return all;
}

}  // namespace assay
