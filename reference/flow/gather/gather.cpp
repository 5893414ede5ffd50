// Rows of the table of cache reads: columns, checks, evaluation, formulas and mutants.
#include "reference/flow/gather/gather.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/eval.h"
#include "reference/recipe/recipe.h"

namespace assay {
namespace {

Names names_for(const Format& y) {
  Names names;
  names.formats["y"] = &y;
  names.quantities = {"s"};
  return names;
}

SequenceStarts read_starts(const RowCells& cells) {
  const std::string& word = cells.text("starts");
  if (word.empty()) return SequenceStarts::kNone;
  if (word == "blocks") return SequenceStarts::kBlocks;
  if (word == "tokens") return SequenceStarts::kTokens;
  throw cells.error("starts", 0, "'" + word + "': expected blocks, tokens, or an empty cell");
}

}  // namespace

Recipe gather_recipe(const std::vector<CellStep>& cell, const Format& y) { return resolve(cell, names_for(y)); }

bool Gather::takes(const Format& format) const {
  return std::any_of(formats.begin(), formats.end(), [&](const Format* one) { return *one == format; });
}

Gather read_gather(const ContractRow& row) {
  const RowCells cells(row);
  Gather contract;
  contract.row = &row;
  contract.record = cells.text("record");
  if (!cells.text("codes").empty()) contract.q = &cells.format("codes");
  contract.by_table = cells.is_first_of("tokens", "table", "all");
  contract.keeps_parts = cells.is_first_of("gives", "parts", "y");
  contract.starts = read_starts(cells);
  if (!contract.by_table && contract.starts != SequenceStarts::kNone)
    throw cells.error("starts", 0, "is only allowed if tokens is 'table'");
  const std::string& past_end = cells.text("past_end");
  if (!past_end.empty() && past_end != "untouched")
    throw cells.error("past_end", 0, "'" + past_end + "': expected untouched or an empty cell");
  contract.spares_rows = !past_end.empty();
  if (!cells.text("numbers").empty()) contract.formats = cells.formats_of_numbers("numbers");
  if (contract.formats.empty() != contract.keeps_parts)
    throw cells.error("numbers", 0, "is required if gives is y, and must be empty otherwise");
  for (const Format* format : contract.formats) cells.forbid_reduction("y", cells.recipe("y", names_for(*format)));
  contract.y = cells.steps("y");
  const bool converts = contract.q != nullptr && !contract.keeps_parts;
  if (contract.y.empty() == converts)
    throw cells.error("y", 0, "is required if codes is not empty and gives is y, and must be empty otherwise");
  return contract;
}

const Flow& gather_flow() {
  static const Flow flow{
      .name = "gather",
      .says = "gives",
      .files = {"cache_gather.csv"},
      .columns = {"record", "codes", "tokens", "starts", "gives", "y", "numbers", "past_end"},
      .check = [](const ContractTables&, const ContractRow& row) { (void)read_gather(row); },
  };
  return flow;
}

// Which token of the cache belongs to a row of the result.

namespace {

/// The row of the block table that is read for a request; mutants read another one.
int64_t request_in_table(const Gather& contract, const GatherInputs& inputs, int64_t request) {
  const auto requests = int64_t(inputs.first.size()) - 1;
  if (contract.table == Gather::Table::kOfNextRequest) return (request + 1) % requests;
  if (contract.table != Gather::Table::kOfUsedRequests) return request;
  int64_t used = 0;
  for (int64_t r = 0; r < request; ++r) used += inputs.first[size_t(r + 1)] > inputs.first[size_t(r)];
  return used;
}

/// Columns of the block table that the longest sequence needs.
int64_t used_columns(const GatherInputs& inputs) {
  int64_t most = 1;
  for (size_t r = 0; r + 1 < inputs.first.size(); ++r) {
    const int64_t start = inputs.starts.empty() ? 0 : inputs.starts[r];
    most = std::max(most, (start + inputs.first[r + 1] - inputs.first[r] + inputs.block_size - 1) / inputs.block_size);
  }
  return most;
}

int64_t physical_block(const Gather& contract, const GatherInputs& inputs, int64_t request, int64_t block) {
  if (contract.table == Gather::Table::kIgnored) return block % inputs.blocks;
  const int64_t columns = contract.table == Gather::Table::kPackedRows ? used_columns(inputs) : inputs.table_columns;
  const int64_t at = request_in_table(contract, inputs, request) * columns + block;
  const int64_t found = inputs.table[size_t(at) % inputs.table.size()];
  return found < 0 || found >= inputs.blocks ? 0 : found;  // out of range only if a mutant reads a table entry that no token uses
}

int64_t position_of(const Gather& contract, const GatherInputs& inputs, int64_t position) {
  if (contract.position == Gather::Position::kNext) return (position + 1) % inputs.block_size;
  return contract.position == Gather::Position::kFirst ? 0 : position;
}

}  // namespace

CachedToken token_of_row(const Gather& contract, const GatherInputs& inputs, int64_t row) {
  const int64_t size = inputs.block_size;
  if (inputs.first.empty()) return {-1, row, row / size, position_of(contract, inputs, row % size)};
  const auto& first = inputs.first;
  // An empty sequence begins at the same row as the next one, so this takes the last sequence that begins at or before `row`.
  auto request = int64_t(std::upper_bound(first.begin(), first.end() - 1, row) - first.begin()) - 1;
  if (contract.first_token_of_previous)
    request = std::max<int64_t>(0, int64_t(std::lower_bound(first.begin(), first.end() - 1, row) - first.begin()) - 1);
  int64_t index = row - first[size_t(request)];
  if (!inputs.starts.empty()) {
    const int64_t start = inputs.starts[size_t(request)];
    if (contract.starts == SequenceStarts::kTokens) index += start;
    if (contract.starts == SequenceStarts::kBlocks) index += start / size * size;
  }
  return {request, index, physical_block(contract, inputs, request, index / size), position_of(contract, inputs, index % size)};
}

// The elements of a token.

const Format& format_of_part(const Gather& contract, const GatherInputs& inputs, const RecordPart& part) {
  return part.format_in(contract.q ? *contract.q : *inputs.y, *inputs.y);
}

std::vector<uint32_t> codes_of_part(const Gather& contract, const GatherInputs& inputs, const RecordPart& part,
                                    const CachedToken& token) {
  const int64_t stride = inputs.block_stride - (contract.gap_ignored ? inputs.gap : 0);
  const auto bytes = size_t(format_of_part(contract, inputs, part).bytes());
  std::vector<uint32_t> codes(size_t(part.elements), 0);
  for (int64_t e = 0; e < part.elements; ++e) {
    const auto at = size_t(token.block * stride + part.byte(inputs.block_size, token.position, e));
    if (at + bytes > inputs.cache.size()) continue;
    for (size_t b = 0; b < bytes; ++b) codes[size_t(e)] |= std::to_integer<uint32_t>(inputs.cache[at + b]) << (8 * b);
  }
  return codes;
}

namespace {

CachedToken beside(const GatherInputs& inputs, CachedToken token) {
  token.position = (token.position + 1) % inputs.block_size;
  return token;
}

/// The scales of a token's groups; for a record without scales, the only scale of the call.
std::vector<double> scales_of(const Gather& contract, const GatherInputs& inputs, const CachedToken& token) {
  const RecordPart* part = inputs.record->find(PartKind::kScales);
  if (!part) return {double(float(inputs.scale))};
  const Format& format = format_of_part(contract, inputs, *part);
  std::vector<double> scales;
  for (const uint32_t code :
       codes_of_part(contract, inputs, *part, contract.scale == Gather::WhichScale::kNextToken ? beside(inputs, token) : token))
    scales.push_back(format == kE8M0 && code == 0xff ? std::numeric_limits<double>::infinity()
                                                     : decode(format, code));  // 2^(byte - 127) in fp32; for 0xff: Inf
  if (contract.scale == Gather::WhichScale::kFirst) std::fill(scales.begin(), scales.end(), scales.front());
  if (contract.scale == Gather::WhichScale::kNextGroup) std::rotate(scales.begin(), scales.begin() + 1, scales.end());
  return scales;
}

}  // namespace

Spans gathered(const Gather& contract, const GatherInputs& inputs, const RecordPart& part, int64_t row) {
  const CachedToken token = token_of_row(contract, inputs, row);
  const Format& format = format_of_part(contract, inputs, part);
  std::vector<double> values;
  for (const uint32_t code : codes_of_part(contract, inputs, part, token))
    values.push_back(contract.read ? contract.read(format, code) : decode(format, code));
  const std::vector<double> scales = scales_of(contract, inputs, token);
  std::vector<double> of_elements(values.size());
  for (size_t i = 0; i < values.size(); ++i) of_elements[i] = scales[i * scales.size() / values.size()];
  const Spans scale(std::move(of_elements));
  Environment environment;
  environment.set("s", scale);
  Spans y(std::move(values));
  evaluate(gather_recipe(contract.y, *inputs.y), y, environment);
  return y;
}

std::vector<uint32_t> copied(const Gather& contract, const GatherInputs& inputs, const RecordPart& part, int64_t row) {
  const CachedToken token = token_of_row(contract, inputs, row);
  const bool of_next = part.kind == PartKind::kScales && contract.scale == Gather::WhichScale::kNextToken;
  std::vector<uint32_t> codes = codes_of_part(contract, inputs, part, of_next ? beside(inputs, token) : token);
  if (!contract.values_converted || part.kind != PartKind::kValues) return codes;
  const Format& format = format_of_part(contract, inputs, part);
  Spans values;
  for (const uint32_t code : codes) values.low.push_back(decode(format, code));
  Environment environment;
  environment.set("s", point(scales_of(contract, inputs, token).back()));
  evaluate(gather_recipe(contract.y, *inputs.y), values, environment);
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = code_of(format, values.low[i]);
  return codes;
}

// Contracts as text.

std::vector<std::string> gather_lines(const Gather& contract, const Record& record, const Format& y) {
  std::vector<std::string> lines;
  if (contract.by_table) {
    lines.emplace_back("i     = row - cu_seq_lens[r], for the sequence r that contains the row");
    if (contract.starts == SequenceStarts::kTokens) lines.emplace_back("i     = i + seq_starts[r], if the call has seq_starts");
    if (contract.starts == SequenceStarts::kBlocks)
      lines.emplace_back("i     = i + floor(seq_starts[r] / block_size) * block_size, if the call has seq_starts");
    lines.emplace_back("token = position i mod block_size of block block_table[r, floor(i / block_size)]");
  } else {
    lines.emplace_back("token = position row mod block_size of block floor(row / block_size)");
  }
  lines.push_back("record " + record.id + "   (offsets in bytes; p = position in the block, b = tokens of a block, c = element)");
  for (const RecordPart& part : record.parts)
    lines.push_back("  " + part.name + std::string(part.name.size() < 6 ? 6 - part.name.size() : 0, ' ') + " " +
                    std::to_string(part.elements) + " x " + std::string(part.format_in(contract.q ? *contract.q : y, y).name) +
                    " at " + part.offset.text());
  if (contract.keeps_parts) {
    lines.emplace_back("each part is copied bit for bit");
    return lines;
  }
  if (contract.q) {
    lines.push_back(record.find(PartKind::kScales) ? "s     = the scale of the code's group" : "s     = scale[0]");
    lines.push_back("y     = " + formula(gather_recipe(contract.y, y), "code"));
  }
  if (record.find(PartKind::kValues)) lines.emplace_back("uncoded elements are copied bit for bit");
  return lines;
}

// Mutants: wrong token, wrong scale, wrong layout, and other roundings.

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
  if (right.q && !right.keeps_parts)
    for (const CodeMisreading& wrong_way : code_misreadings(*right.q)) {
      edits.add("codes: " + wrong_way.words, [&](Gather& wrong) { wrong.read = wrong_way.read; });
      edits.all.back().suspect = true;
    }
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
