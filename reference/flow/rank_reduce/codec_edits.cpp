// Mistakes of a codec and of whose sums go through it.
#include <algorithm>

#include "reference/flow/rank_reduce/edit_list.h"

namespace assay {
namespace {

using Steps = std::vector<CellStep>;

Steps without(Steps steps, size_t i) {
  steps.erase(steps.begin() + std::ptrdiff_t(i));
  return steps;
}

/// Another rounding where a number of the format overflows: to its largest or to Inf.
Steps with_other_overflow(Steps steps) {
  for (CellStep& step : steps)
    if (step.word == "to" && (step.argument(0) == "x" || step.argument(0) == "f16"))
      step = step.has_argument("sat") ? CellStep::made("to", {step.argument(0)}) : CellStep::made("to", {step.argument(0), "sat"});
  return steps;
}

}  // namespace

void edit_rank_codec(const RankReduce& right, RankEdits& edits) {
  const RankCodec& codec = right.codec;
  if (codec.group == 0) return;
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
      if (step.arguments.size() < 3) continue;  // it is
      edits.add("code: " + step.text + " -> the same on both sides", [&](RankNeighbour& wrong) {
        wrong.contract.codec.code[i] = CellStep::made("clamp", {step.argument(0), step.argument(1), "-" + step.argument(1)});
      });
    }
    if (step.word == "to" && step.has_argument("nosat")) {
      const CellStep saturates = CellStep::made("to", {step.argument(0)});
      edits.add("code: " + step.text + " -> " + saturates.text, [&](RankNeighbour& wrong) { wrong.contract.codec.code[i] = saturates; });
    }
    if (step.word == "rint")
      edits.add("code: rint -> trunc", [&](RankNeighbour& wrong) { wrong.contract.codec.code[i] = CellStep::made("trunc"); });
  }
  const auto rounds = [](const Steps& steps) {
    return std::any_of(steps.begin(), steps.end(),
                       [](const CellStep& step) { return step.word == "to" && (step.argument(0) == "x" || step.argument(0) == "f16"); });
  };
  if (!rounds(codec.scale) || codec.keeps_sums()) return;  // those have no bit that arms it
  edits.add("overflow: to the other end", [&](RankNeighbour& wrong) {
    for (Steps* steps : {&wrong.contract.codec.scale, &wrong.contract.codec.mult, &wrong.contract.codec.code,
                         &wrong.contract.codec.decode, &wrong.contract.add, &wrong.contract.wire})
      *steps = with_other_overflow(*steps);
  });
}

}  // namespace assay
