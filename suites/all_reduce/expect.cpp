#include "suites/all_reduce/expect.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "harness/core/tensor_of_part.h"
#include "reference/formats/round.h"
#include "suites/made_once.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

AcceptedRows accepted_rows(const Spans& values, const RankCase& c, int64_t first, int64_t end) {
  AcceptedRows accepted{first, end, std::vector<int32_t>(values.size()), {}};
  ordinals_of_values(*c.x, values.low, accepted.low);
  if (values.pinned()) return accepted;
  accepted.high.resize(values.size());
  ordinals_of_values(*c.x, values.high, accepted.high);
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i].any()) accepted.low[i] = Interval::anything().low, accepted.high[i] = Interval::anything().high;
  return accepted;
}

Part part_of(const RankCase& c, int rank, const std::string& justification) {
  Part y{"y", c.x, {c.m, c.n}, justification};
  y.name = "rank " + std::to_string(rank);
  y.rank = rank;
  if (c.shift == 0) return y;
  y.places = Places::of_rows([shift = c.shift, n = c.n](int64_t row) { return shift + row * n; });
  y.padding = [shift = c.shift](const std::function<void(const Padding&)>& visit) {
    for (int64_t i = 0; i < shift; ++i) visit({i, {0, i - shift}, PaddingRule::kUntouched});
  };
  return y;
}

std::string code_words(const Format& format, uint32_t code) {
  return fmt::format("0x{:0{}x} = {:.9g}", code, format.bits / 4, decode(format, code));
}

/// Owners of elements, if the contract lets an owner return something that no other rank does; otherwise empty.
std::vector<RankSegment> owners_apart(const RankCase& c) {
  if (!c.contract.codec.keeps_sums()) return {};
  return rank_segments(c.contract.owners, *c.x, c.elements(), c.ranks);
}

/// The difference of a rank's outputs from those of rank `base`. Elements that the rank owns are not compared.
std::optional<Violation> difference(const RankCase& c, const HostTensor& first, const HostTensor& other, int rank, int base,
                                    const std::vector<RankSegment>& owners) {
  Violation found{"the same bits on all ranks", "", 0, {}};
  int64_t count = 0;
  size_t segment = 0;
  for (int64_t i = 0; i < c.elements(); ++i) {
    while (segment < owners.size() && owners[segment].end <= i) ++segment;
    if (segment < owners.size() && (owners[segment].owner == rank || owners[segment].owner == base)) continue;
    const uint32_t a = first.code(c.shift + i), b = other.code(c.shift + i);
    if (a == b) continue;
    constexpr size_t kMostPlaces = 64;
    if (found.places.size() < kMostPlaces) found.places.push_back({fmt::format("y.rank {}", rank), i / c.n, i % c.n});
    if (count++ == 0)
      found.words = fmt::format("first y[{}, {}]: {} on rank {}, {} on rank {}", i / c.n, i % c.n, code_words(*c.x, b), rank,
                                code_words(*c.x, a), base);
  }
  if (count == 0) return std::nullopt;
  found.words =
      fmt::format("ranks {} and {} return different bits in {} of {} elements, {}", rank, base, count, c.elements(), found.words);
  return found;
}

std::string freedom(const RankReduce& contract) {
  if (contract.order == RankOrder::kAnyTree) return "what any tree of additions makes";
  if (contract.owners.any) return "what any rotation of the ranks makes";
  if (contract.codec.keeps_sums() && contract.codec.of_numbers) return "what divisions within 2 ulp make of the codes";
  return "every rounding and the order are pinned: one code";
}

/// Answers and the rule between them.
Expectation of_inputs(const RankCase& c, const RankReduce& contract, std::shared_ptr<const RankInputs> inputs) {
  struct Known {
    std::shared_ptr<const RankInputs> inputs;
    RankSums sums;
    Known(std::shared_ptr<const RankInputs> in, const RankReduce& contract, const Format& x)
        : inputs(std::move(in)), sums(contract, x, *inputs) {}
  };
  const auto known = std::make_shared<const Known>(std::move(inputs), contract, *c.x);
  Answer answer;
  answer.steps = c.m;
  for (int rank = 0; rank < c.ranks; ++rank) answer.parts.push_back(part_of(c, rank, freedom(contract)));
  answer.accepted = [c, known](int64_t first, int64_t end) {
    const int64_t from = first * c.n, count = (end - first) * c.n;
    AcceptedBlock block;
    if (known->sums.same_for_all()) {
      block.parts.assign(size_t(c.ranks), accepted_rows(known->sums.results(0, from, count), c, first, end));
      return block;
    }
    for (const Spans& values : known->sums.results_of_ranks(from, count))
      block.parts.push_back(accepted_rows(values, c, first, end));
    return block;
  };
  answer.glimpse = [c, known] {
    constexpr int64_t kFew = 64;
    AcceptedBlock block{std::vector<AcceptedRows>(size_t(c.ranks))};
    block.parts.front() = accepted_rows(known->sums.results(0, 0, std::min(c.n, kFew)), c, 0, 1);
    return block;
  };
  Expectation expectation{{std::move(answer)}};
  expectation.together = [c](const std::vector<HostTensor>& outputs) {
    std::vector<Violation> violations;
    const auto of_rank = [&](int rank) -> const HostTensor& { return tensor_of(outputs, part_of(c, rank, "")); };
    const std::vector<RankSegment> owners = owners_apart(c);
    const int bases = owners.empty() ? 1 : std::min(c.ranks, 2);  // what rank 0 owns is compared with rank 1
    for (int base = 0; base < bases; ++base)
      for (int rank = base + 1; rank < c.ranks; ++rank)
        if (auto found = difference(c, of_rank(base), of_rank(rank), rank, base, owners)) violations.push_back(std::move(*found));
    return violations;
  };
  return expectation;
}

using Decoded = MadeOnce<RankInputs>;

Hypothesis of_neighbour(const RankCase& c, RankNeighbour wrong, const std::shared_ptr<Decoded>& decoded) {
  const std::string name = wrong.name;
  return {name,
          [c, wrong = std::move(wrong), decoded](const Problem& problem, const std::vector<HostTensor>*) {
            return of_inputs(c, wrong.contract, decoded->of(problem, [&] { return rank_inputs(c, problem); }));
          },
          rulebook().equivalent(c.id(), *c.x, name)};
}

}  // namespace

Expectation expect_ranks(const RankCase& c, const RankReduce& contract, const Problem& problem) {
  return of_inputs(c, contract, std::make_shared<const RankInputs>(rank_inputs(c, problem)));
}

std::vector<Hypothesis> rank_hypotheses(const RankCase& c) {
  std::vector<Hypothesis> all;
  const auto decoded = std::make_shared<Decoded>();
  for (RankNeighbour& wrong : rank_neighbours(c.contract, *c.x, c.ranks, c.elements(), c.before > 0))
    all.push_back(of_neighbour(c, std::move(wrong), decoded));
  return all;
}

}  // namespace assay
