#include "reference/flow/rank_reduce/edits.h"

#include "reference/formats/catalogue.h"
#include "reference/recipe/verbs.h"

namespace assay {
namespace {

using Steps = std::vector<CellStep>;

class Edits {
 public:
  explicit Edits(const RankReduce& right) : right_(right) {}

  template <class Change>
  void add(const std::string& name, Change change) {
    RankNeighbour wrong{name, right_, {}};
    change(wrong);
    all.push_back(std::move(wrong));
  }
  void cell(const std::string& column, Steps RankReduce::*cell, const Steps& steps, const std::string& words) {
    add(column + ": " + words, [&](RankNeighbour& wrong) { wrong.contract.*cell = steps; });
  }

  std::vector<RankNeighbour> all;

 private:
  const RankReduce& right_;
};

/// With two ranks every order adds the same two numbers.
void edit_order(const RankReduce& right, int world_size, Edits& edits) {
  if (world_size < 3) return;
  for (const RankOrder order : {RankOrder::kAbsolute, RankOrder::kFromOwner, RankOrder::kBehindOwner, RankOrder::kDescending,
                                RankOrder::kPairs, RankOrder::kFromReader}) {
    if (order == right.order || right.order == RankOrder::kAnyTree || right.owners.any) continue;
    if (right.codec.group > 0 && order == RankOrder::kFromOwner) continue;  // groups are looked at alone
    edits.add(std::string("order: ") + name_of(right.order) + " -> " + name_of(order), [&](RankNeighbour& wrong) {
      wrong.contract.order = order;
      if (wrong.contract.owners.of_bytes == 0) wrong.contract.owners.of_bytes = kUsualPacket;
    });
  }
}

void edit_sums(const RankReduce& right, const Format& x, int world_size, Edits& edits) {
  edits.add(right.from_zero ? "start: zero -> first" : "start: first -> zero",
            [&](RankNeighbour& wrong) { wrong.contract.from_zero = !right.from_zero; });
  const CellStep sum = right.add.front(), to_x = CellStep::made("to", {"x"});
  const bool one_sum = world_size == 2;  // rounded once or twice is the same
  if (!(x == kF32) && !one_sum) {
    if (right.adds_in_x())
      edits.cell("add", &RankReduce::add, {sum}, "to(x) -> nothing");
    else
      edits.cell("add", &RankReduce::add, {sum, to_x}, "to(x) behind add(v)");
  }
  if (x == kBf16) edits.cell("add", &RankReduce::add, {sum, CellStep::made("to", {"f16"})}, "to(f16) behind add(v)");
  if (x == kF32) edits.cell("add", &RankReduce::add, {sum, CellStep::made("to", {"bf16"})}, "to(bf16) behind add(v)");
  for (size_t i = 1; i < right.add.size() && !(x == kF32); ++i)
    for (const CellStep& other : other_forms(right.add[i])) {
      Steps steps = right.add;
      steps[i] = other;
      edits.cell("add", &RankReduce::add, steps, right.add[i].text + " -> " + other.text);
    }
}

void edit_ends(const RankReduce& right, const Format& x, Edits& edits) {
  const Steps plus = {CellStep::made("add", {"0"})},
              minus = {CellStep::made("neg"), CellStep::made("add", {"0"}), CellStep::made("neg")};
  const std::string wire = right.wire.empty() ? "nothing" : text_of(right.wire);
  for (const Steps& other : {Steps{}, plus, minus})
    if (text_of(other) != text_of(right.wire))
      edits.cell("wire", &RankReduce::wire, other, wire + " -> " + (other.empty() ? "nothing" : text_of(other)));
  Steps gained = {CellStep::made("mul", {"101/100"})};
  gained.insert(gained.end(), right.y.begin(), right.y.end());
  edits.cell("y", &RankReduce::y, gained, "gain 101/100");
  for (size_t i = 0; i < right.y.size() && !(x == kF32) && !right.adds_in_x(); ++i)
    for (const CellStep& other : other_forms(right.y[i])) {
      Steps steps = right.y;
      steps[i] = other;
      edits.cell("y", &RankReduce::y, steps, right.y[i].text + " -> " + other.text);
    }
}

void edit_ranks(int world_size, bool before, Edits& edits) {
  for (int rank = 0; rank < world_size; ++rank) {
    const std::string name = "rank " + std::to_string(rank);
    edits.add(name + " is left out", [&](RankNeighbour& wrong) { wrong.mistake.lost = rank; });
    edits.add(name + " is counted twice", [&](RankNeighbour& wrong) { wrong.mistake.twice = rank; });
    if (before)
      edits.add(name + " gives its numbers of the call before", [&](RankNeighbour& wrong) { wrong.mistake.stale = rank; });
    edits.add(name + " returns its own numbers", [&](RankNeighbour& wrong) { wrong.mistake.misses = rank; });
  }
}

void edit_segments(const RankReduce& right, const Format& x, int world_size, int64_t elements, bool before, Edits& edits) {
  const int64_t packet = (right.owners.of_bytes > 0 ? right.owners.of_bytes : kUsualPacket) / x.bytes();
  const int64_t part = elements / packet / world_size * packet;
  if (part > 0) {
    edits.add("segments: each is the next owner's", [](RankNeighbour& wrong) { wrong.mistake.next_segment = true; });
    if (before)
      edits.add("segments of others: of the call before", [](RankNeighbour& wrong) { wrong.mistake.segments_before = true; });
  }
  if (part * world_size < elements)
    edits.add("rest behind equal parts: a rank's own numbers", [](RankNeighbour& wrong) { wrong.mistake.rest_left = true; });
}

Steps without(Steps steps, size_t i) {
  steps.erase(steps.begin() + std::ptrdiff_t(i));
  return steps;
}

/// Another rounding where a number of the format overflows: to its largest or to Inf.
Steps with_other_overflow(Steps steps) {
  for (CellStep& step : steps)
    if (step.word == "to" && step.argument(0) == "x")
      step = step.has_argument("sat") ? CellStep::made("to", {"x"}) : CellStep::made("to", {"x", "sat"});
  return steps;
}

void edit_codec(const RankReduce& right, Edits& edits) {
  const RankCodec& codec = right.codec;
  if (codec.group == 0) return;
  edits.add("codec: the numbers of ranks are not coded", [](RankNeighbour& wrong) { wrong.mistake.first_uncoded = true; });
  edits.add("codec: sums are not coded", [](RankNeighbour& wrong) { wrong.mistake.sum_uncoded = true; });
  edits.add("codec: the owner keeps its own sum", [](RankNeighbour& wrong) { wrong.mistake.owner_uncoded = true; });
  edits.add("group: both halves have one scale", [&](RankNeighbour& wrong) {
    wrong.contract.codec.group = codec.group * codec.apart;
    wrong.contract.codec.apart = 1;
  });
  edits.add("group: half as many numbers", [&](RankNeighbour& wrong) { wrong.contract.codec.group = codec.group / 2; });
  edits.add("group: neighbours instead of every second", [](RankNeighbour& wrong) { wrong.contract.codec.apart = 1; });
  if (codec.signed_extreme)
    edits.add("extreme: signed -> magnitude", [](RankNeighbour& wrong) { wrong.contract.codec.signed_extreme = false; });
  for (size_t i = 0; i < codec.mult.size(); ++i)
    if (codec.mult[i].word == "add")
      edits.add("mult: drop " + codec.mult[i].text,
                [&](RankNeighbour& wrong) { wrong.contract.codec.mult = without(codec.mult, i); });
  for (size_t i = 0; i < codec.code.size(); ++i) {
    const CellStep& step = codec.code[i];
    if (step.word == "clamp") {
      edits.add("code: drop " + step.text, [&](RankNeighbour& wrong) { wrong.contract.codec.code = without(codec.code, i); });
      edits.add("code: " + step.text + " -> the same on both sides", [&](RankNeighbour& wrong) {
        wrong.contract.codec.code[i] = CellStep::made("clamp", {step.argument(0), step.argument(1), "-" + step.argument(1)});
      });
    }
    if (step.word == "rint")
      edits.add("code: rint -> trunc", [&](RankNeighbour& wrong) { wrong.contract.codec.code[i] = CellStep::made("trunc"); });
  }
  edits.add("overflow: to the other end", [&](RankNeighbour& wrong) {
    for (Steps* steps : {&wrong.contract.codec.scale, &wrong.contract.codec.mult, &wrong.contract.codec.code,
                         &wrong.contract.codec.decode, &wrong.contract.add})
      *steps = with_other_overflow(*steps);
  });
}

}  // namespace

std::vector<RankNeighbour> rank_neighbours(const RankReduce& right, const Format& x, int world_size, int64_t elements,
                                           bool before) {
  Edits edits(right);
  if (elements == 0) return {};
  edit_order(right, world_size, edits);
  edit_sums(right, x, world_size, edits);
  edit_ends(right, x, edits);
  edit_ranks(world_size, before, edits);
  if (right.codec.group == 0) edit_segments(right, x, world_size, elements, before, edits);
  edit_codec(right, edits);
  return std::move(edits.all);
}

}  // namespace assay
