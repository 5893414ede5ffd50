#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "reference/formats/catalogue.h"
#include "suites/cache_insert/cache_case.h"
#include "suites/cache_insert/cache_op.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// What defines a mutant: its contract, where it stores records, and how it reads the inputs.
struct Answer {
  Contract contract;
  Placing placing;
  Misreading misreading = {};
};

template <class What>
struct Named {
  std::string name;
  What what;
};

Hypothesis of(const CacheCase& c, const std::string& name, const Answer& answer) {
  Hypothesis made{name,
                  [c, answer](const Problem& problem, const std::vector<HostTensor>* outputs) {
                    return expect_cache(answer.contract, answer.placing, c, problem, outputs, answer.misreading);
                  },
                  rulebook().equivalent(c.contract, *c.x, name)};
  const Placing right(c);
  if (answer.placing.same_places(right) && answer.placing.left_out.empty() && c.m > 0)
    made.first_row = [c, answer](const Problem& problem) {
      return expect_first_record(answer.contract, c, problem, answer.misreading);
    };
  return made;
}

std::vector<Neighbour> edits(const CacheCase& c, const Neighbour& first) {
  return neighbours_of(rulebook().contracts, first, *c.x);
}

/// Mutants that read an input wrongly: fp16 bits as integers, the scale of another group, or wrong angles for a token.
std::vector<Named<Misreading>> misreadings_of(const CacheCase& c, const Contract& contract) {
  const Format& x = *c.x;
  std::vector<Named<Misreading>> all;
  if (const size_t scales = c.scale_fill.empty() ? 0 : cache_scale_names(c).size(); scales > 1) {
    all.push_back({"scales: of V for K and of K for V", {.scales = WhichScale::kOfTheOther}});
    if (c.coded / c.group_size > int64_t(scales))
      all.push_back({"scales: of the first head for all", {.scales = WhichScale::kFirst}});
  }
  // vLLM's dispatch maps half to uint16_t, so amax compares fp16 bits as integers (suites/FINDINGS.md); bf16 is not affected.
  const bool of_inputs = !contract.rope() && !contract.row_norm() && !contract.group_quant()->takes_scales();
  if (x == kF16 && of_inputs) all.push_back({"amax: fp16 codes read as integers", {.amax_of_codes = true}});
  if (!contract.rope()) return all;
  for (const auto& [name, angles] : wrong_angles()) all.push_back({name, {.angles = angles}});
  all.push_back({"rope: left out", {.unrotated = true}});
  return all;
}

/// A mutant that reads the inputs at other row strides. `stride` computes the wrong stride of an input from its right spec.
Hypothesis rows_read_at(const char* name, const CacheCase& c, const Contract& contract,
                        const std::function<int64_t(const TensorSpec&)>& stride) {
  return {name, [c, contract, stride](Problem problem, const std::vector<HostTensor>* outputs) {
            int64_t columns = 0;
            for (size_t t = c.first_input; columns < c.numbers(); ++t) {
              TensorSpec& rows = problem.tensors[t].spec;
              rows.strides.front() = stride(rows);
              columns += rows.shape[1];
            }
            return expect_cache(contract, Placing(c), c, problem, outputs);
          }};
}

/// Mutants: rows with gaps are read as if they had none, or all inputs are read at the row stride of the first.
std::vector<Hypothesis> wrong_strides(const CacheCase& c, const Contract& contract) {
  if (c.row_strides.empty() || c.m == 1 || lie_far(*c.x, c.m, c.row_strides.front())) return {};
  std::vector<Hypothesis> all;
  if (c.row_strides.front() > c.numbers() || !c.second_fill.empty())
    all.push_back(rows_read_at("kv: rows are read without the gaps between them", c, contract,
                               [](const TensorSpec& rows) { return rows.shape[1]; }));
  if (c.row_strides.size() > 1 && c.row_strides.front() < c.row_strides.back())
    all.push_back(rows_read_at("inputs: rows are read at the distance of those of the first", c, contract,
                               [stride = c.row_strides.front()](const TensorSpec&) { return stride; }));
  return all;
}

/// Whether two records have the same parts, at the same or other offsets.
bool same_parts(const Record& a, const Record& b) {
  return a.parts.size() == b.parts.size() && std::all_of(a.parts.begin(), a.parts.end(), [&](const RecordPart& part) {
           const RecordPart* other = b.find(part.name);
           return other && other->elements == part.elements && other->format == part.format;
         });
}

/// Mutants that store right elements at wrong addresses, or do not store them.
std::vector<Named<Placing>> wrong_placings(const CacheCase& c) {
  const Placing right(c);
  std::vector<Named<Placing>> all;
  const auto add = [&](const std::string& name, const Placing& placing) {
    if (fits(placing, c)) all.push_back({name, placing});
  };
  for (const Record& other : rulebook().records) {
    Placing placing = right;
    placing.record = &other;
    if (other.id != c.record->id && same_parts(*c.record, other)) add("record: " + c.record->id + " -> " + other.id, placing);
  }
  for (const RecordPart& part : c.record->parts) {
    Placing placing = right;
    placing.left_out = part.name;
    add(std::string(kCache) + "." + part.name + ": not written", placing);
  }
  if (c.gap > 0) {
    Placing placing = right;
    placing.block_stride -= c.gap;
    add("blocks: without the gap between them", placing);
  }
  Placing in_order = right;
  std::iota(in_order.slots.begin(), in_order.slots.end(), int64_t{0});
  if (in_order.slots != right.slots && int64_t(in_order.slots.size()) <= c.blocks * c.block_size)
    add("slots: rows in order, whatever slot_mapping says", in_order);
  Placing wrapped = right;
  for (int64_t& slot : wrapped.slots)
    if (slot < 0) slot = c.blocks * c.block_size - 1;
  if (wrapped.slots != right.slots) all.push_back({"slots: a negative one is the last", wrapped});
  return all;
}

/// Pairs of a mutant of the contract and this misreading or placing. Each pair has the name of the contract's mutant.
std::vector<Hypothesis> beside(const CacheCase& c, const Neighbour& right, const Placing& placing, const Misreading& misreading) {
  std::vector<Hypothesis> pairs;
  for (const Neighbour& edited : edits(c, right)) pairs.push_back(of(c, edited.name, {edited.contract, placing, misreading}));
  return pairs;
}

}  // namespace

std::vector<Hypothesis> cache_hypotheses(const CacheCase& c) {
  if (c.m == 0) return {};  // without rows nothing is stored
  const Neighbour right = unedited(rulebook().contracts, c.contract, *c.x);
  const Placing places(c);
  const std::vector<Named<Misreading>> misreadings = misreadings_of(c, right.contract);
  const std::vector<Named<Placing>> placings = wrong_placings(c);
  std::vector<Hypothesis> all;
  for (const std::shared_ptr<const Neighbour>& first : contract_edits(c.contract, *c.x)) {
    const Neighbour& edited = *first;
    all.push_back(of(c, edited.name, {edited.contract, places}));
    all.back().suspect = edited.suspect;
    all.back().with_another = [=] {
      const Neighbour& edited = *first;
      std::vector<Hypothesis> pairs = beside(c, edited, places, {});
      for (const auto& [name, misreading] : misreadings) pairs.push_back(of(c, name, {edited.contract, places, misreading}));
      for (const auto& [name, placing] : placings) pairs.push_back(of(c, name, {edited.contract, placing}));
      return pairs;
    };
  }
  for (const auto& [name, misreading] : misreadings) {
    all.push_back(of(c, name, {right.contract, places, misreading}));
    all.back().with_another = [=, misreading = misreading] {
      std::vector<Hypothesis> pairs = beside(c, right, places, misreading);
      for (const auto& [second, placing] : placings) pairs.push_back(of(c, second, {right.contract, placing, misreading}));
      return pairs;
    };
  }
  for (Hypothesis& wrong : wrong_strides(c, right.contract)) all.push_back(std::move(wrong));
  for (const auto& [name, placing] : placings) {
    all.push_back(of(c, name, {right.contract, placing}));
    all.back().with_another = [=, placing = placing] {
      std::vector<Hypothesis> pairs = beside(c, right, placing, {});
      for (const auto& [second, misreading] : misreadings) pairs.push_back(of(c, second, {right.contract, placing, misreading}));
      return pairs;
    };
  }
  return all;
}

}  // namespace assay
