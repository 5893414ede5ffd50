// Mutants of contracts that read a cache: which token, which scale, which layout, and where a number is rounded.
#include <algorithm>

#include "reference/flow/gather/gather.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/recipe.h"

namespace assay {
namespace {

using Steps = std::vector<CellStep>;

class GatherEdits {
 public:
  explicit GatherEdits(const Gather& right) : right_(right) {}

  template <class Change>
  void add(const std::string& name, Change change) {
    GatherNeighbour wrong{name, right_};
    change(wrong.contract);
    all.push_back(std::move(wrong));
  }
  void steps(const std::string& words, Steps steps) {
    add("y: " + words, [&](Gather& wrong) { wrong.y = std::move(steps); });
  }

  std::vector<GatherNeighbour> all;

 private:
  const Gather& right_;
};

void edit_numbers(const Gather& right, const Format& y, GatherEdits& edits) {
  for (size_t i = 0; i < right.y.size(); ++i) {
    const CellStep& step = right.y[i];
    if (step.word == "mul") {
      edits.steps("drop " + step.text, without(right.y, i));
      Steps twice = right.y, divided = right.y, narrow = right.y;
      twice.insert(twice.begin() + std::ptrdiff_t(i), step);
      edits.steps(step.text + " twice", std::move(twice));
      divided[i] = CellStep::made("div", step.argument_texts());
      const std::string words = step.text + " -> " + divided[i].text;
      edits.steps(words, std::move(divided));
      const CellStep through = CellStep::made("to", {y == kF16 ? "bf16" : "f16"});
      narrow.insert(narrow.begin() + std::ptrdiff_t(i) + 1, through);
      edits.steps(through.text + " behind " + step.text, std::move(narrow));
    }
    if (step.word != "to" || y == kF32) continue;
    for (const CellStep& other : other_forms(step)) {
      Steps changed = right.y;
      changed[i] = other;
      edits.steps(step.text + " -> " + other.text, std::move(changed));
    }
  }
  if (right.q && !right.keeps_parts)
    for (const Format* other : {&kE4M3Fn, &kE4M3Fnuz, &kE5M2})
      if (!(*other == *right.q)) edits.add("codes: read as " + std::string(other->name), [&](Gather& wrong) { wrong.q = other; });
}

void edit_tokens(const Gather& right, const GatherExtents& extents, GatherEdits& edits) {
  if (extents.block_size > 1) {
    edits.add("position: the next one of the block", [](Gather& wrong) { wrong.position = Gather::Position::kNext; });
    edits.add("position: the first one of the block", [](Gather& wrong) { wrong.position = Gather::Position::kFirst; });
  }
  if (extents.gap > 0 && extents.blocks > 1)
    edits.add("blocks: without the gap between them", [](Gather& wrong) { wrong.gap_ignored = true; });
  if (!right.by_table) return;
  const auto table = [&](const char* name, Gather::Table mistake) {
    edits.add(name, [&](Gather& wrong) { wrong.table = mistake; });
  };
  table("table: not read", Gather::Table::kIgnored);
  if (extents.requests > 1) {
    table("table: row of the next sequence", Gather::Table::kOfNextRequest);
    edits.add("cu_seq_lens: the first token belongs to the sequence before",
              [](Gather& wrong) { wrong.first_token_of_previous = true; });
    if (extents.spare_columns) table("table: rows without spare columns", Gather::Table::kPackedRows);
    if (extents.empty_request) table("table: empty sequences have no row", Gather::Table::kOfUsedRequests);
  }
  if (!extents.starts) return;
  edits.add("seq_starts: not read", [](Gather& wrong) { wrong.starts = SequenceStarts::kNone; });
  if (!extents.remainders) return;
  if (right.starts == SequenceStarts::kTokens)
    edits.add("seq_starts: whole blocks", [](Gather& wrong) { wrong.starts = SequenceStarts::kBlocks; });
  else
    edits.add("seq_starts: of tokens", [](Gather& wrong) { wrong.starts = SequenceStarts::kTokens; });
}

void edit_scales(const Gather& right, const Record& record, const GatherExtents& extents, GatherEdits& edits) {
  const RecordPart* scales = record.find(PartKind::kScales);
  const bool converts = right.q && !right.keeps_parts;
  if (scales && extents.block_size > 1)
    edits.add("scale: of the next token", [](Gather& wrong) { wrong.scale = Gather::WhichScale::kNextToken; });
  if (scales && scales->elements > 1 && converts) {
    edits.add("scale: of the next group", [](Gather& wrong) { wrong.scale = Gather::WhichScale::kNextGroup; });
    edits.add("scale: of the first group for all", [](Gather& wrong) { wrong.scale = Gather::WhichScale::kFirst; });
  }
  if (record.find(PartKind::kValues) && converts)
    edits.add("uncoded elements: scaled", [](Gather& wrong) { wrong.values_converted = true; });
}

bool same_parts(const Record& a, const Record& b) {
  return a.parts.size() == b.parts.size() && std::all_of(a.parts.begin(), a.parts.end(), [&](const RecordPart& part) {
           const RecordPart* other = b.find(part.name);
           return other && other->elements == part.elements && other->format == part.format;
         });
}

}  // namespace

std::vector<GatherNeighbour> gather_neighbours(const Gather& right, const Record& record, const std::vector<Record>& records,
                                               const Format& y, const GatherExtents& extents) {
  GatherEdits edits(right);
  if (extents.rows == 0) return {};
  edit_numbers(right, y, edits);
  edit_tokens(right, extents, edits);
  edit_scales(right, record, extents, edits);
  for (const Record& other : records)
    if (other.id != record.id && same_parts(record, other))
      edits.add("record: " + record.id + " -> " + other.id, [&](Gather& wrong) { wrong.record = other.id; });
  return std::move(edits.all);
}

}  // namespace assay
