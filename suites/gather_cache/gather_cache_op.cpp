// The op gather_cache, which reads tokens from a paged cache: tensors of a case, accepted outputs, mutants.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>

#include "harness/fill/fill.h"
#include "reference/flow/flow.h"
#include "reference/flow/gather/gather.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/registry.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_tensors.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Number of block table columns that no sequence needs, and of rows of y after the last token.
constexpr int64_t kSpareColumns = 2, kSpareRows = 2;

struct GatherCase {
  Gather contract;
  const Record* record = nullptr;
  const Format* y = nullptr;  ///< format of y, and of elements that the cache does not quantize
  int64_t blocks = 0, block_size = 0, gap = 0;
  std::vector<int64_t> lengths, starts;  ///< lengths of the sequences, positions where reading starts; no `starts`: no such input
  int64_t pitch = 0;                     ///< row stride of y, in elements; 0: dense
  std::string fill, copied, scale;
  uint64_t seed = 0;
  int warp = 0;

  const std::string& id() const { return contract.row->id; }
  const Format& codes() const { return contract.q ? *contract.q : *y; }
  int64_t block_stride() const { return record->block_bytes(block_size, codes(), *y) + gap; }
  int64_t numbers() const { return record->numbers(); }
  int64_t tokens() const {
    return contract.by_table ? std::accumulate(lengths.begin(), lengths.end(), int64_t{0}) : blocks * block_size;
  }
  int64_t rows() const { return tokens() + (contract.spares_rows ? kSpareRows : 0); }
  int64_t columns_of(size_t request) const {
    const int64_t start = starts.empty() ? 0 : starts[request];
    return (start + lengths[request] + block_size - 1) / block_size;
  }
  bool lies_far() const { return lie_far(*y, rows(), pitch); }
  bool coded() const { return record->find(PartKind::kCodes) != nullptr; }
  bool given_scale() const { return coded() && !record->find(PartKind::kScales); }
};

void read_sequences(const Cells& cells, GatherCase& c) {
  if (cells.wanted("lengths", c.contract.by_table, "a block table"))
    c.lengths = cells.list("lengths", "a length of a sequence; expected a list such as 5;0;17");
  if (cells.wanted("starts", c.contract.starts != SequenceStarts::kNone, "seq_starts", false))
    c.starts = cells.list("starts", "a position in a sequence; expected one for each sequence, such as 0;16;3");
  if (!c.starts.empty() && c.starts.size() != c.lengths.size())
    cells.refuse("starts", fmt::format("expected a position for each of {} sequences, got {}", c.lengths.size(), c.starts.size()));
}

GatherCase read_gather_case(const Case& one) {
  const Cells cells(one);
  const ContractRow& row = cells.contract();
  if (row.flow != &gather_flow())
    cells.refuse("contract", "'" + row.id + "' is a " + row.flow->name + " contract; expected a contract that reads a cache");
  GatherCase c;
  c.contract = read_gather(row);
  c.record = &rulebook().record(c.contract.record);
  if (cells.wanted("y", !c.contract.keeps_parts, "a choice of output format")) {
    c.y = &cells.format_taken("y", row, "numbers", [&](const Format& y) { return c.contract.takes(y); });
  } else {
    c.y = c.contract.q;
  }
  c.blocks = cells.positive("blocks");
  c.block_size = cells.positive("block_size");
  c.gap = cells.from_zero("gap");
  if (c.block_stride() % 16 != 0)
    cells.refuse("gap", fmt::format("expected a block of a multiple of 16 bytes, got {}", c.block_stride()));
  if (!c.contract.by_table && c.gap > 0) cells.refuse("gap", "contract " + row.id + " reads a cache whose blocks have no gap between them");
  read_sequences(cells, c);
  if (cells.given("pitch")) {
    c.pitch = cells.positive("pitch");
    if (c.contract.keeps_parts) cells.refuse("pitch", "contract " + row.id + " stores dense rows");
    if (c.pitch < c.numbers()) cells.refuse("pitch", fmt::format("expected at least {}, the columns of a row", c.numbers()));
  }
  if (cells.wanted("fill", c.coded(), "codes")) c.fill = cells.fill_name("fill");
  if (cells.wanted("copied", c.record->find(PartKind::kValues) != nullptr, "uncoded elements"))
    c.copied = cells.fill_name("copied");
  if (cells.wanted("scale", c.coded(), "scales")) c.scale = cells.fill_name("scale");
  c.seed = cells.seed();
  c.warp = cells.warp();
  return c;
}

CaseName name_of(const Case& one, const GatherCase& c) {
  std::string shape = c.contract.keeps_parts ? "" : std::string(c.y->name) + ".";
  shape += fmt::format("b{}x{}", c.blocks, c.block_size);
  if (c.gap > 0) shape += fmt::format("+{}", c.gap);
  if (!c.lengths.empty()) shape += fmt::format(".l{}", fmt::join(c.lengths, "_"));
  if (!c.starts.empty()) shape += fmt::format(".from{}", fmt::join(c.starts, "_"));
  if (c.pitch > 0) shape += fmt::format(".pitch{}", c.pitch);
  std::string fills;
  for (const std::string& fill : {c.fill, c.copied, c.scale})
    if (!fill.empty()) fills += fill + ".";
  return {one.op, c.id(), shape, fmt::format("{}s{}", fills, c.seed), c.warp};
}

// The tensors of a call.

/// Random streams of the tensors of a case.
enum Ordinal : uint32_t { kCodes = 0, kCopied = 1, kScales = 2, kTable = 11, kBytes = 12 };

/// Assigns blocks in random order, sequence by sequence. If there are too few, several sequences share blocks. Entries that no
/// token needs hold the number of the last block.
HostTensor block_table(const GatherCase& c) {
  std::vector<int64_t> order(size_t(c.blocks));
  std::iota(order.begin(), order.end(), int64_t{0});
  const Random random(c.seed, kTable);
  for (int64_t i = c.blocks - 1; i > 0; --i) std::swap(order[size_t(i)], order[size_t(random.below(i + 1, i))]);
  int64_t columns = 1;
  for (size_t r = 0; r < c.lengths.size(); ++r) columns = std::max(columns, c.columns_of(r));
  columns += kSpareColumns;
  std::vector<int64_t> table(size_t(columns) * c.lengths.size(), c.blocks - 1);
  size_t next = 0;
  for (size_t r = 0; r < c.lengths.size(); ++r)
    for (int64_t block = 0; block < c.columns_of(r); ++block)
      table[r * size_t(columns) + size_t(block)] = order[next++ % order.size()];
  return input_integers("block_table", {int64_t(c.lengths.size()), columns}, table);
}

/// Generates one part of the records in all slots of the cache, a row for each slot.
void fill_part(const GatherCase& c, const RecordPart& part, HostTensor& cache) {
  const bool codes = part.kind == PartKind::kCodes, scales = part.kind == PartKind::kScales;
  const std::string& name = codes ? c.fill : scales ? c.scale : c.copied;
  const Format& format = part.format_in(c.codes(), *c.y);
  HostTensor elements{dense(part.name, Role::kInput, format, {c.blocks * c.block_size, part.elements}), {}};
  fill(elements, {.name = name, .seed = c.seed, .group_size = 0, .tensor = codes ? kCodes : scales ? kScales : kCopied});
  const auto bytes = size_t(format.bytes());
  const int64_t stride = c.block_stride();
  for (int64_t place = 0; place < c.blocks * c.block_size; ++place)
    for (int64_t e = 0; e < part.elements; ++e) {
      const int64_t at = place / c.block_size * stride + part.byte(c.block_size, place % c.block_size, e);
      std::memcpy(cache.bytes.data() + at, elements.bytes.data() + size_t(place * part.elements + e) * bytes, bytes);
    }
}

HostTensor cache_of(const GatherCase& c) {
  HostTensor cache{dense("kv_cache", Role::kInput, kUint8, {c.blocks, c.block_stride()}), {}};
  cache.bytes.resize(cache.spec.bytes());
  const Random random(c.seed, kBytes);
  for (size_t i = 0; i < cache.bytes.size(); i += 16) {
    const auto bits = random.block(int64_t(i / 16));
    std::memcpy(cache.bytes.data() + i, bits.data(), std::min<size_t>(16, cache.bytes.size() - i));
  }
  for (const RecordPart& part : c.record->parts)
    if (part.kind != PartKind::kZeros) fill_part(c, part, cache);
  return cache;
}

std::vector<int64_t> first_rows(const GatherCase& c) {
  std::vector<int64_t> first{0};
  for (const int64_t length : c.lengths) first.push_back(first.back() + length);
  return first;
}

TensorSpec result_of(const GatherCase& c) {
  TensorSpec y = dense("y", Role::kOutput, c.contract.keeps_parts ? *c.contract.q : *c.y,
                       {c.rows(), c.contract.keeps_parts ? c.record->parts.front().elements : c.numbers()});
  if (c.pitch > 0 && c.lies_far()) y.far = c.pitch;
  else if (c.pitch > 0) y.strides[0] = c.pitch, y.storage = c.rows() == 0 ? 0 : (c.rows() - 1) * c.pitch + c.numbers();
  return y;
}

Problem problem_of(const GatherCase& c) {
  Problem made;
  made.tensors.push_back(cache_of(c));
  if (c.contract.by_table) {
    made.tensors.push_back(block_table(c));
    made.tensors.push_back(input_integers("cu_seq_lens", first_rows(c)));
    if (!c.starts.empty()) made.tensors.push_back(input_integers("seq_starts", c.starts));
  }
  if (c.given_scale()) {
    made.tensors.push_back({dense("scale", Role::kInput, kF32, {1}), {}});
    fill(made.tensors.back(), {.name = c.scale, .seed = c.seed, .tensor = kScales});
  }
  made.tensors.push_back({result_of(c), {}});
  if (c.contract.keeps_parts) made.tensors.push_back({dense("y_scale", Role::kOutput, kF32, {c.rows()}), {}});
  made.parameters = {{"block_size", double(c.block_size)}, {"warp", double(c.warp)}};
  return made;
}

GatherInputs inputs_of(const GatherCase& c, const Gather& contract, const Problem& problem) {
  GatherInputs inputs;
  inputs.record = &rulebook().record(contract.record);
  inputs.y = c.y;
  inputs.cache = find(problem.tensors, "kv_cache").bytes;
  inputs.blocks = c.blocks, inputs.block_size = c.block_size, inputs.block_stride = c.block_stride(), inputs.gap = c.gap;
  inputs.table = integers_of(problem.tensors, "block_table");
  inputs.first = integers_of(problem.tensors, "cu_seq_lens");
  inputs.starts = integers_of(problem.tensors, "seq_starts");
  if (c.contract.by_table) inputs.table_columns = find(problem.tensors, "block_table").spec.shape[1];
  if (c.given_scale()) inputs.scale = decode(kF32, find(problem.tensors, "scale").code(0));
  return inputs;
}

// The accepted outputs of a case.

constexpr const char* kPinned = "every rounding is pinned: one code";

/// The elements of y that come from `part` of the record. If `first`, also lists the gaps of y, which must not change.
Part part_of_y(const GatherCase& c, const RecordPart& part, bool copies, bool only, bool first) {
  const Format& format = part.kind == PartKind::kCodes && !copies ? *c.y : part.format_in(c.codes(), *c.y);
  const bool scales = part.kind == PartKind::kScales;
  Part y{scales ? "y_scale" : "y",
         copies ? &with_nans_by_code(format) : &format,
         {c.tokens(), part.elements},
         copies ? "copied bit for bit" : kPinned,
         only || scales || c.contract.keeps_parts ? "" : part.name};
  const int64_t columns = scales                   ? part.elements
                          : c.contract.keeps_parts ? part.elements
                                                   : c.numbers(),
                pitch = scales || c.pitch == 0 || c.lies_far() ? columns : c.pitch;
  y.places = Places::of_rows([pitch, from = scales ? int64_t{0} : part.from](int64_t row) { return row * pitch + from; });
  if (!first && !scales) return y;
  y.padding = [pitch, columns, tokens = c.tokens(), rows = c.rows()](const std::function<void(const Padding&)>& visit) {
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t i = row < tokens ? columns : 0; i < (row + 1 < rows ? pitch : columns); ++i)
        visit({row * pitch + i, {row, i}, PaddingRule::kUntouched});
  };
  return y;
}

bool is_copied(const Gather& contract, const RecordPart& part) { return contract.keeps_parts || part.kind == PartKind::kValues; }

/// The parts of the record that y contains, in the order of the record table.
std::vector<const RecordPart*> parts_of_result(const Gather& contract, const Record& record) {
  std::vector<const RecordPart*> parts;
  for (const RecordPart& part : record.parts)
    if (part.kind == PartKind::kCodes || part.kind == PartKind::kValues ||
        (part.kind == PartKind::kScales && contract.keeps_parts))
      parts.push_back(&part);
  return parts;
}

AcceptedRows rows_of_part(const Gather& contract, const GatherInputs& inputs, const RecordPart& part, const Format& format,
                          int64_t first, int64_t end) {
  AcceptedRows accepted{first, end, {}, {}};
  for (int64_t row = first; row < end; ++row) {
    if (is_copied(contract, part)) {
      for (const uint32_t code : copied(contract, inputs, part, row)) accepted.low.push_back(ordinal(format, code));
      continue;
    }
    const Spans numbers = gathered(contract, inputs, part, row);
    const size_t before = accepted.low.size();
    accepted.low.resize(before + numbers.size());
    ordinals_of_values(format, numbers.low, std::span(accepted.low).subspan(before));
  }
  return accepted;
}

Expectation expect_gathered(const GatherCase& c, const Gather& contract, const Problem& problem) {
  const auto inputs = std::make_shared<const GatherInputs>(inputs_of(c, contract, problem));
  const std::vector<const RecordPart*> parts = parts_of_result(contract, *inputs->record),
                                       right = parts_of_result(c.contract, *c.record);
  Answer answer;
  answer.steps = c.tokens();
  for (size_t i = 0; i < right.size(); ++i)
    answer.parts.push_back(part_of_y(c, *right[i], is_copied(c.contract, *right[i]), right.size() == 1, i == 0));
  std::vector<const Format*> formats;
  for (const Part& part : answer.parts) formats.push_back(part.format);
  answer.accepted = [contract, inputs, parts, formats](int64_t first, int64_t end) {
    AcceptedBlock block;
    for (size_t i = 0; i < parts.size(); ++i)
      block.parts.push_back(rows_of_part(contract, *inputs, *parts[i], *formats[i], first, end));
    return block;
  };
  return {{std::move(answer)}};
}

GatherExtents extents_of(const GatherCase& c) {
  GatherExtents extents{int64_t(c.lengths.size()), c.tokens(), c.block_size, c.blocks, c.gap};
  for (size_t r = 0; r + 1 < c.lengths.size(); ++r) extents.empty_request |= c.lengths[r] == 0;
  extents.spare_columns = kSpareColumns > 0;
  for (const int64_t start : c.starts) extents.starts |= start > 0, extents.remainders |= start % c.block_size != 0;
  return extents;
}

class BoundGather : public BoundCase {
 public:
  BoundGather(GatherCase c, CaseName name) : c_(std::move(c)), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  Problem problem() const override { return problem_of(c_); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>*) const override {
    return expect_gathered(c_, c_.contract, problem);
  }
  std::vector<Hypothesis> mutants() const override {
    std::vector<Hypothesis> all;
    for (GatherNeighbour& wrong : gather_neighbours(c_.contract, *c_.record, rulebook().records, *c_.y, extents_of(c_))) {
      all.push_back({wrong.name,
                     [c = c_, contract = std::move(wrong.contract)](const Problem& problem, const std::vector<HostTensor>*) {
                       return expect_gathered(c, contract, problem);
                     },
                     wrong.suspect ? "" : rulebook().equivalent(c_.id(), *c_.y, wrong.name)});
      all.back().suspect = wrong.suspect;
    }
    return all;
  }
  std::vector<std::string> formulas() const override { return gather_lines(c_.contract, *c_.record, *c_.y); }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override;
  std::string traced() const override { return "y"; }
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>& multiple_of) const override;

 private:
  const GatherCase c_;
  const CaseName name_;
};

std::vector<std::string> BoundGather::trace(const Problem& problem, int64_t row, int64_t column) const {
  if (row >= c_.tokens() || column >= c_.numbers()) return {fmt::format("y has {} rows and {} columns", c_.tokens(), c_.numbers())};
  const GatherInputs inputs = inputs_of(c_, c_.contract, problem);
  const CachedToken token = token_of_row(c_.contract, inputs, row);
  std::vector<std::string> lines;
  if (token.request >= 0) lines.push_back(fmt::format("row {}: position {} of sequence {}", row, token.index, token.request));
  lines.push_back(fmt::format("token {} of block {}", token.position, token.block));
  for (const RecordPart* part : parts_of_result(c_.contract, *c_.record)) {
    const int64_t element = part->kind == PartKind::kScales ? 0 : column - part->from;
    if (element < 0 || element >= part->elements) continue;
    const int64_t byte = token.block * c_.block_stride() + part->byte(c_.block_size, token.position, element);
    const uint32_t code = codes_of_part(c_.contract, inputs, *part, token)[size_t(element)];
    lines.push_back(fmt::format("{}[{}] is byte {} of kv_cache: code 0x{:x}, {:.9g}", part->name, element, byte, code,
                                decode(format_of_part(c_.contract, inputs, *part), code)));
    if (!is_copied(c_.contract, *part))
      lines.push_back(fmt::format("y = {:.9g}", gathered(c_.contract, inputs, *part, row).low[size_t(element)]));
  }
  return lines;
}

/// What --minimize can reduce: the number of sequences; the first ones remain.
std::optional<Shrinking> BoundGather::shrinking(const std::map<std::string, int64_t>&) const {
  Shrinking shrinking{{}, {}, std::max<int64_t>(1, c_.tokens() * c_.numbers())};
  if (c_.lengths.size() > 1)
    shrinking.axes.push_back({int64_t(c_.lengths.size()), [lengths = c_.lengths, starts = c_.starts](int64_t sequences) {
                                const auto some = [&](const std::vector<int64_t>& all) {
                                  return fmt::format(
                                      "{}", fmt::join(std::span(all).first(std::min(all.size(), size_t(sequences))), ";"));
                                };
                                return CellChanges{{"lengths", some(lengths)}, {"starts", some(starts)}};
                              }});
  return shrinking;
}

}  // namespace

Op gather_cache_op() {
  return {
      .name = "gather_cache",
      .roles =
          {{"kv_cache", Access::kIn,
            "[blocks, bytes of a block] uint8: the cache; the contract's record gives the offsets of a token's bytes"},
           {"block_table", Access::kIn,
            "[sequences, columns] int32: the number of each block of a sequence; absent for contracts that read the whole cache"},
           {"cu_seq_lens", Access::kIn, "[sequences + 1] int32: the first row of each sequence in y; last: the number of tokens"},
           {"seq_starts", Access::kIn, "[sequences] int32: the position from which each sequence is read; may be absent"},
           {"scale", Access::kIn, "[1] f32: the scale of all elements; only for contracts whose cache stores no scales"},
           {"y", Access::kOut,
            "[tokens, elements of a token]: the decoded values, or the codes; y may have more rows than there are tokens, and "
            "gaps between rows"},
           {"y_scale", Access::kOut, "[tokens] f32: the scales, unchanged; only for contracts that copy codes"}},
      .parameters = {roles::kBlockSize, roles::kWarp},
      .columns = {"contract", "y", "blocks", "block_size", "gap", "lengths", "starts", "pitch", "fill", "copied", "scale", "seed",
                  "warp"},
      .optional_columns = {"y", "lengths", "starts", "pitch", "copied", "scale"},
      .takes = [](const std::string& contract) { return rulebook().is_row(contract, gather_flow()); },
      .bind =
          [](const Case& one) {
            GatherCase c = read_gather_case(one);
            CaseName name = name_of(one, c);
            return std::make_unique<const BoundGather>(std::move(c), std::move(name));
          }};
}

}  // namespace assay
