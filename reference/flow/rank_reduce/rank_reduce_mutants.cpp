// Mutants of all-reduces: of the order and rounding of additions, and of the codec.
#include "reference/flow/rank_reduce/rank_reduce.h"

#include <algorithm>
#include <string>
#include <utility>

#include "reference/formats/catalogue.h"
#include "reference/recipe/recipe.h"

namespace assay {
namespace {

using Steps = std::vector<CellStep>;

/// Ranks per chunk in mutants of rows without chunks.
constexpr int kUsualChunk = 8;

/// Mutants of the order of additions. Two ranks have only one order, and a single chunk changes nothing.
void edit_order(const RankReduce& right, int world_size, RankEdits& edits) {
  if (world_size < 3) return;
  for (const RankOrder order : {RankOrder::kAbsolute, RankOrder::kFromOwner, RankOrder::kBehindOwner, RankOrder::kDescending,
                                RankOrder::kPairs, RankOrder::kFromReader, RankOrder::kChunks}) {
    if (order == RankOrder::kChunks && world_size <= kUsualChunk) continue;
    if (order == right.order || right.order == RankOrder::kAnyTree || right.owners.any) continue;
    // without a rank that keeps its exact sums (`keeper`), a codec has no owners
    if (right.codec.group > 0 && order == RankOrder::kFromOwner && !right.codec.keeps_sums()) continue;
    edits.add(std::string("order: ") + name_of(right.order) + " -> " + name_of(order), [&](RankNeighbour& wrong) {
      wrong.contract.order = order;
      wrong.contract.chunk = order == RankOrder::kChunks ? kUsualChunk : 0;
      if (wrong.contract.owners.of_bytes == 0 && wrong.contract.owners.stripe == 0) wrong.contract.owners.of_bytes = kUsualPacket;
    });
  }
}

/// The steps without those that flush subnormals.
Steps unflushed(const Steps& steps) {
  Steps kept;
  for (const CellStep& step : steps)
    if (step.word != "ftz") kept.push_back(step);
  return kept;
}

bool flushes(const Steps& steps) { return unflushed(steps).size() < steps.size(); }

/// The mutant's steps. If the contract's steps `right` flush subnormals, adds a flush after the first `behind` steps.
Steps flushed_as(const Steps& right, Steps steps, size_t behind) {
  if (flushes(right)) steps.insert(steps.begin() + std::ptrdiff_t(behind), CellStep::made("ftz"));
  return steps;
}

/// True if values are converted to another format before they are added.
bool casts(const Steps& wire) {
  return std::any_of(wire.begin(), wire.end(), [](const CellStep& step) { return step.word == "to"; });
}

/// Mutants of the factor that values are multiplied by before the conversion, and of its inverse in y.
void edit_divisor(const RankReduce& right, RankEdits& edits) {
  const auto is_product = [](const CellStep& step) { return step.word == "mul"; };
  if (!casts(right.wire) || !is_product(right.wire.front())) return;
  edits.add("wire: " + right.wire.front().text + " is left out, and its inverse of y", [&](RankNeighbour& wrong) {
    std::erase_if(wrong.contract.wire, is_product);
    std::erase_if(wrong.contract.y, is_product);
    wrong.hidden_by_residual = true;
  });
}

/// Mutant, if the contract flushes subnormals: nothing is flushed. Not for fp16, whose subnormals are normal in fp32.
void edit_flush(const RankReduce& right, const Format& x, RankEdits& edits) {
  if (!flushes(right.add) || x == kF16) return;
  edits.add("ftz: subnormal numbers are kept", [&](RankNeighbour& wrong) {
    wrong.contract.wire = unflushed(right.wire);
    wrong.contract.add = unflushed(right.add);
    wrong.hidden_by_residual = true;
  });
}

void edit_sums(const RankReduce& right, const Format& x, int world_size, RankEdits& edits) {
  edits.add(right.from_zero ? "start: zero -> first" : "start: first -> zero",
            [&](RankNeighbour& wrong) { wrong.contract.from_zero = !right.from_zero, wrong.hidden_by_residual = true; });
  const CellStep sum = right.add.front(), to_x = CellStep::made("to", {"x"});
  const bool one_sum = world_size == 2;  // if there is only one sum, rounding it twice is the same as once
  if (!(x == kF32) && !one_sum) {
    if (right.adds_in_x())
      edits.cell("add", &RankReduce::add, flushed_as(right.add, {sum}, 1), "to(x) -> nothing");
    else
      edits.cell("add", &RankReduce::add, flushed_as(right.add, {sum, to_x}, 1), "to(x) behind add(v)");
  }
  const auto rounded_to = [&](const char* format) { return flushed_as(right.add, {sum, CellStep::made("to", {format})}, 1); };
  if (x == kBf16 && !casts(right.wire)) edits.cell("add", &RankReduce::add, rounded_to("f16"), "to(f16) behind add(v)");
  if (x == kF32) edits.cell("add", &RankReduce::add, rounded_to("bf16"), "to(bf16) behind add(v)");
  for (size_t i = 1; i < right.add.size() && !(x == kF32); ++i)
    for (const CellStep& other : other_forms(right.add[i])) {
      Steps steps = right.add;
      steps[i] = other;
      edits.cell("add", &RankReduce::add, steps, right.add[i].text + " -> " + other.text);
    }
}

void edit_ends(const RankReduce& right, const Format& x, RankEdits& edits) {
  const Steps plus = {CellStep::made("add", {"0"})},
              minus = {CellStep::made("neg"), CellStep::made("add", {"0"}), CellStep::made("neg")};
  const Steps sent = unflushed(right.wire);
  const std::string wire = sent.empty() ? "nothing" : text_of(sent);
  const std::vector<Steps> others = casts(sent) ? std::vector<Steps>{Steps()} : std::vector<Steps>{Steps(), plus, minus};
  for (const Steps& other : others)
    if (text_of(other) != text_of(sent))
      edits.cell("wire", &RankReduce::wire, flushed_as(right.wire, other, other.size()),
                 wire + " -> " + (other.empty() ? "nothing" : text_of(other)));
  if (text_of(sent) == text_of(minus) && x.bytes() == 2)
    edits.add(right.wire_of_words ? "wire: of words -> of numbers" : "wire: of numbers -> of words", [&](RankNeighbour& wrong) {
      wrong.contract.wire_of_words = !right.wire_of_words, wrong.hidden_by_residual = true;
    });
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

void edit_ranks(int world_size, bool before, RankEdits& edits) {
  for (int rank = 0; rank < world_size; ++rank) {
    const std::string name = "rank " + std::to_string(rank);
    edits.add(name + " is left out", [&](RankNeighbour& wrong) { wrong.contract.terms = {{TermStep::kDrop, rank}}; });
    edits.add(name + " is counted twice", [&](RankNeighbour& wrong) { wrong.contract.terms = {{TermStep::kRepeat, rank}}; });
    if (before)
      edits.add(name + " gives its numbers of the call before", [&](RankNeighbour& wrong) {
        wrong.contract.terms = {{TermStep::kRecall, rank}};
      });
    edits.add(name + " returns its own numbers", [&](RankNeighbour& wrong) {
      wrong.contract.result = ResultStep{ResultStep::kOwnNumbers, rank};
    });
  }
}

void edit_segments(const RankReduce& right, const Format& x, int world_size, int64_t elements, bool before, RankEdits& edits) {
  const int64_t packet = (right.owners.of_bytes > 0 ? right.owners.of_bytes : kUsualPacket) / x.bytes();
  const int64_t part = elements / packet / world_size * packet;
  const auto result = [&](const std::string& name, ResultStep::Kind kind) {
    edits.add(name, [&](RankNeighbour& wrong) { wrong.contract.result = ResultStep{kind}; });
  };
  if (part > 0) result("segments: each is the next owner's", ResultStep::kNextSegment);
  if (part > 0 && before) result("segments of others: of the call before", ResultStep::kOthersBefore);
  if (part * world_size < elements) result("rest behind equal parts: a rank's own numbers", ResultStep::kOwnRest);
}

}  // namespace

std::vector<RankNeighbour> rank_neighbours(const RankReduce& right, const Format& x, int world_size, int64_t elements,
                                           bool before) {
  RankEdits edits(right);
  if (elements == 0) return {};
  edit_order(right, world_size, edits);
  edit_sums(right, x, world_size, edits);
  edit_ends(right, x, edits);
  edit_flush(right, x, edits);
  edit_divisor(right, edits);
  edit_ranks(world_size, before, edits);
  if (right.codec.group == 0) edit_segments(right, x, world_size, elements, before, edits);
  edit_rank_codec(right, edits);
  return std::move(edits.all);
}

// Mutants of a codec, and of which sums are sent as codes.

namespace {

using Steps = std::vector<CellStep>;

/// The steps with the opposite treatment of overflow: the largest value instead of Inf, or Inf instead of the largest value.
Steps with_other_overflow(Steps steps) {
  for (CellStep& step : steps)
    if (step.word == "to" && (step.argument(0) == "x" || step.argument(0) == "f16")) {
      const bool saturates = step.has_argument("sat") || step.has_argument("ovfl");
      step = saturates ? CellStep::made("to", {step.argument(0)}) : CellStep::made("to", {step.argument(0), "sat"});
    }
  return steps;
}

/// Mutants for the diagnosis only, with a small mistake in one step of the codec: another operator or sign, a constant that is
/// off by one.
void edit_slips_of_codec(const RankReduce& right, RankEdits& edits) {
  const size_t known = edits.all.size();
  for (const auto& [column, cell] : {std::pair("scale", &RankCodec::scale), std::pair("mult", &RankCodec::mult),
                                     std::pair("code", &RankCodec::code), std::pair("decode", &RankCodec::decode)})
    for (size_t i = 0; i < (right.codec.*cell).size(); ++i)
      for (const Slip& slip : slips_of((right.codec.*cell)[i])) {
        Steps steps = without(right.codec.*cell, i), wrong_steps = slip.steps;
        for (CellStep& step : wrong_steps) step = CellStep::made(step.word, step.argument_texts());  // codecs need exact values
        steps.insert(steps.begin() + std::ptrdiff_t(i), wrong_steps.begin(), wrong_steps.end());
        edits.add(std::string(column) + ": " + (right.codec.*cell)[i].text + " -> " + slip.words,
                  [&](RankNeighbour& wrong) { wrong.contract.codec.*cell = steps; });
      }
  if (const Format* format = right.codec.code_format())
    for (const CodeMisreading& wrong_way : code_misreadings(*format))
      edits.add("codes: " + wrong_way.words, [&](RankNeighbour& wrong) { wrong.contract.codec.read = wrong_way.read; });
  for (size_t i = known; i < edits.all.size(); ++i) edits.all[i].suspect = true;
}

}  // namespace

const Format* RankCodec::code_format() const {
  for (auto step = code.rbegin(); step != code.rend(); ++step)
    if (step->word == "to") {
      const Format* format = find_format(step->argument(0));
      return format && !format->is_integer() ? format : nullptr;
    }
  return nullptr;
}

void edit_rank_codec(const RankReduce& right, RankEdits& edits) {
  const RankCodec& codec = right.codec;
  if (codec.group == 0) return;
  edit_slips_of_codec(right, edits);
  if (codec.of_numbers)
    edits.add("codec: the numbers of ranks are not coded", [](RankNeighbour& wrong) { wrong.contract.codec.of_numbers = false; });
  else
    edits.add("codec: the numbers of ranks are coded, too", [](RankNeighbour& wrong) { wrong.contract.codec.of_numbers = true; });
  edits.add("codec: sums are not coded", [](RankNeighbour& wrong) { wrong.contract.codec.of_sums = false; });
  if (codec.keeps_sums()) {
    edits.add("codec: the owner reads its code", [](RankNeighbour& wrong) { wrong.contract.codec.keeper = RankCodec::kNobody; });
    edits.add("owners: each is the next rank", [](RankNeighbour& wrong) { wrong.contract.codec.keeper = 1; });
  } else {
    edits.add("codec: the owner keeps its own sum", [](RankNeighbour& wrong) { wrong.contract.codec.keeper = 0; });
  }
  edits.add("group: half as many numbers", [&](RankNeighbour& wrong) { wrong.contract.codec.group = codec.group / 2; });
  if (codec.apart > 1) {
    edits.add("group: both halves have one scale", [&](RankNeighbour& wrong) {
      wrong.contract.codec.group = codec.group * codec.apart;
      wrong.contract.codec.apart = 1;
    });
    edits.add("group: neighbours instead of every second", [](RankNeighbour& wrong) { wrong.contract.codec.apart = 1; });
  }
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
      if (step.arguments.size() < 3) continue;  // its bounds are symmetric already
      edits.add("code: " + step.text + " -> the same on both sides", [&](RankNeighbour& wrong) {
        wrong.contract.codec.code[i] = CellStep::made("clamp", {step.argument(0), step.argument(1), "-" + step.argument(1)});
      });
    }
    if (step.word == "to" && step.has_argument("nosat")) {
      const CellStep saturates = CellStep::made("to", {step.argument(0)});
      edits.add("code: " + step.text + " -> " + saturates.text,
                [&](RankNeighbour& wrong) { wrong.contract.codec.code[i] = saturates; });
    }
    if (step.word == "rint")
      edits.add("code: rint -> trunc", [&](RankNeighbour& wrong) { wrong.contract.codec.code[i] = CellStep::made("trunc"); });
  }
  const auto rounds = [](const Steps& steps) {
    return std::any_of(steps.begin(), steps.end(), [](const CellStep& step) {
      return step.word == "to" && (step.argument(0) == "x" || step.argument(0) == "f16");
    });
  };
  if (!rounds(codec.scale) || codec.keeps_sums()) return;  // kernels whose owners keep exact sums have no overflow mode
  edits.add("overflow: to the other end", [&](RankNeighbour& wrong) {
    for (Steps* steps : {&wrong.contract.codec.scale, &wrong.contract.codec.mult, &wrong.contract.codec.code,
                         &wrong.contract.codec.decode, &wrong.contract.add, &wrong.contract.wire})
      *steps = with_other_overflow(*steps);
  });
}

}  // namespace assay
