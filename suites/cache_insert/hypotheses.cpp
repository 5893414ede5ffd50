#include "suites/cache_insert/hypotheses.h"

#include <algorithm>
#include <numeric>

#include "reference/contracts/neighbours.h"
#include "suites/cache_insert/expect.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

Hypothesis placed(const std::string& name, const CacheCase& c, const Contract& contract, const Placing& placing) {
  return {name, [c, contract, placing](const Problem& problem, const std::vector<HostTensor>* outputs) {
            return expect_cache(contract, placing, c, problem, outputs);
          }};
}

/// Wrong places to find the angles of a token in.
std::vector<Hypothesis> reading_hypotheses(const CacheCase& c, const Contract& contract) {
  std::vector<std::pair<const char*, CacheReading>> readings;
  for (const auto& [name, angles] : wrong_angles()) readings.push_back({name, {.angles = angles}});
  readings.push_back({"rope: left out", {.unturned = true}});
  std::vector<Hypothesis> all;
  for (const auto& [name, reading] : readings)
    all.push_back({name, [c, contract, reading = reading](const Problem& problem, const std::vector<HostTensor>* outputs) {
                     return expect_cache(contract, Placing(c), c, problem, outputs, reading);
                   }});
  return all;
}

/// Rows that lie apart, read as if they followed each other.
Hypothesis rows_read_without_gaps(const CacheCase& c, const Contract& contract) {
  return {"kv: rows are read without the gaps between them",
          [c, contract](Problem problem, const std::vector<HostTensor>* outputs) {
            TensorSpec& rows = problem.tensors[c.first_input].spec;
            rows.strides.front() = c.numbers();
            return expect_cache(contract, Placing(c), c, problem, outputs);
          }};
}

/// The same parts, elsewhere.
bool same_parts(const Record& a, const Record& b) {
  return a.parts.size() == b.parts.size() && std::all_of(a.parts.begin(), a.parts.end(), [&](const RecordPart& part) {
           const RecordPart* other = b.find(part.name);
           return other && other->elements == part.elements && other->format == part.format;
         });
}

/// Ways in which right numbers come to wrong places, or to none.
std::vector<Hypothesis> place_hypotheses(const CacheCase& c, const Contract& contract) {
  const Placing right(c);
  std::vector<Hypothesis> all;
  const auto add = [&](const std::string& name, const Placing& placing) {
    if (fits(placing, c)) all.push_back(placed(name, c, contract, placing));
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
  if (wrapped.slots != right.slots) all.push_back(placed("slots: a negative one is the last", c, contract, wrapped));
  return all;
}

}  // namespace

std::vector<Hypothesis> cache_hypotheses(const CacheCase& c) {
  const ContractTables& tables = rulebook().contracts;
  const Neighbour right = unedited(tables, c.contract, *c.x);
  std::vector<Hypothesis> all;
  for (const Neighbour& edited : neighbours_of(tables, right, *c.x)) {
    all.push_back(placed(edited.name, c, edited.contract, Placing(c)));
    all.back().equivalent = rulebook().equivalent(c.contract, *c.x, edited.name);
  }
  if (right.contract.rope())
    for (Hypothesis& hypothesis : reading_hypotheses(c, right.contract)) all.push_back(std::move(hypothesis));
  if (c.row_stride > c.numbers() && c.m > 1) all.push_back(rows_read_without_gaps(c, right.contract));
  for (Hypothesis& hypothesis : place_hypotheses(c, right.contract)) all.push_back(std::move(hypothesis));
  return all;
}

}  // namespace assay
