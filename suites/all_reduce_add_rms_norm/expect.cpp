// The accepted outputs of each rank of a fused op, and its mutants.
#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>

#include "harness/compare/element.h"
#include "harness/core/tensor_of_part.h"
#include "reference/flow/rank_reduce/rank_reduce_mutants.h"
#include "suites/all_reduce_add_rms_norm/fused_case.h"

namespace assay {
namespace {

/// The norm's answer for a problem and stored outputs.
using NormAnswer = std::function<Expectation(const Problem&, const std::vector<HostTensor>*)>;

/// The norm of one rank: its problem, its outputs as if it were alone, and its answer, which refers to both.
struct RankAnswer {
  Problem problem;
  std::vector<HostTensor> stored;
  Answer answer;
};

std::string name_of_rank(int rank) { return "rank " + std::to_string(rank); }

/// The outputs of a rank, as if it were alone.
std::vector<HostTensor> of_rank(const std::vector<HostTensor>& outputs, int rank) {
  std::vector<HostTensor> own;
  for (const HostTensor& output : outputs)
    if (output.spec.rank == rank) own.push_back(output), own.back().spec.rank = 0;
  return own;
}

/// The norm's answer with the rank added to its labels.
AcceptedBlock relabelled(AcceptedBlock block, int rank) {
  for (Violation& violation : block.violations) {
    violation.words = name_of_rank(rank) + ": " + violation.words;
    for (Place& place : violation.places) place.part += "." + name_of_rank(rank);
  }
  return block;
}

std::shared_ptr<const RankAnswer> answer_of(const BoundFused& c, const Problem& problem, const std::vector<HostTensor>* outputs,
                                            const RankSums& sums, const NormAnswer& norm, int rank) {
  auto made = std::make_shared<RankAnswer>();
  made->problem = c.norm_problem(problem, sums, rank);
  if (outputs) made->stored = of_rank(*outputs, rank);
  const std::vector<HostTensor>* stored = outputs ? &made->stored : nullptr;
  made->answer = norm(made->problem, stored).any_of.front();
  return made;
}

/// The first difference of a rank's part from rank 0's.
std::optional<Violation> difference(const Part& first, const Part& other, const std::vector<HostTensor>& outputs) {
  const HostTensor &a = tensor_of(outputs, first), &b = tensor_of(outputs, other);
  Violation found{"the same bits on all ranks", "", 0, {}};
  int64_t count = 0;
  for (int64_t i = 0; i < first.elements(); ++i) {
    const int64_t row = i / first.columns(), column = i % first.columns(), at = first.offset(row, column);
    const uint32_t was = load_code(first, a, at), is = load_code(other, b, at);
    if (was == is || count++ > 0) continue;
    found.words = fmt::format("first {}[{}, {}]: {:.9g} on rank {}, {:.9g} on rank 0", first.tensor, row, column,
                              decode(*first.format, is), other.rank, decode(*first.format, was));
    found.places.push_back({first.tensor + "." + name_of_rank(other.rank), row, column});
  }
  if (count == 0) return std::nullopt;
  found.words = fmt::format("ranks {} and 0 return different bits in {} of {} elements, {}", other.rank, count, first.elements(),
                            found.words);
  return found;
}

/// The accepted outputs of each rank for a given sum and norm.
Expectation expect_fused(const BoundFused& c, const Problem& problem, const std::vector<HostTensor>* outputs,
                         const RankReduce& contract, const NormAnswer& norm) {
  const int count = c.sum().ranks;
  const RankInputs inputs = rank_inputs(c.sum(), problem);
  const RankSums sums(contract, *c.sum().x, inputs);
  std::vector<std::shared_ptr<const RankAnswer>> ranks;
  for (int rank = 0; rank < count; ++rank) {
    const bool alike = rank > 0 && !outputs && sums.same_for_all();
    ranks.push_back(alike ? ranks.front() : answer_of(c, problem, outputs, sums, norm, rank));
  }
  Answer all;
  all.steps = ranks.front()->answer.steps;
  for (int rank = 0; rank < count; ++rank)
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
  const std::vector<Part> parts = all.parts;
  Expectation expectation{{std::move(all)}};
  expectation.together = [parts, each = parts.size() / size_t(count)](const std::vector<HostTensor>& stored) {
    std::vector<Violation> violations;
    for (size_t i = each; i < parts.size(); ++i)
      if (auto found = difference(parts[i % each], parts[i], stored)) violations.push_back(std::move(*found));
    return violations;
  };
  return expectation;
}

}  // namespace

Expectation BoundFused::expect(const Problem& problem, const std::vector<HostTensor>* outputs) const {
  return expect_fused(*this, problem, outputs, sum().contract,
                      [this](const Problem& of_rank, const std::vector<HostTensor>* stored) { return norm_->expect(of_rank, stored); });
}

std::vector<Hypothesis> BoundFused::mutants() const {
  // the mutants outlive this case
  const auto c = std::make_shared<const BoundFused>(sum_, norm_, name_);
  const NormAnswer right = [norm = norm_](const Problem& problem, const std::vector<HostTensor>* stored) {
    return norm->expect(problem, stored);
  };
  std::vector<Hypothesis> all;
  for (RankNeighbour& wrong : rank_neighbours(sum().contract, *sum().x, sum().ranks, sum().elements(), sum().before > 0)) {
    if (wrong.hidden_by_residual) continue;  // cases of all_reduce alone show it
    const std::string name = wrong.name;
    all.push_back({name, [c, right, wrong = std::move(wrong)](const Problem& problem, const std::vector<HostTensor>* outputs) {
                     return expect_fused(*c, problem, outputs, wrong.contract, right);
                   }});
  }
  // the norm's own op has cases that kill all of these
  for (Hypothesis& wrong : norm_->mutants()) {
    Hypothesis of_ranks{wrong.name, nullptr, wrong.equivalent};
    of_ranks.by_rows = wrong.by_rows;
    if (wrong.in_words)
      of_ranks.in_words = [words = wrong.in_words](const std::vector<HostTensor>& outputs) { return words(of_rank(outputs, 0)); };
    of_ranks.suspect = true;  // data of the norm's own op kill it
    of_ranks.expect = [c, norm = wrong.expect](const Problem& problem, const std::vector<HostTensor>* outputs) {
      return expect_fused(*c, problem, outputs, c->sum().contract, norm);
    };
    all.push_back(std::move(of_ranks));
  }
  return all;
}

}  // namespace assay
