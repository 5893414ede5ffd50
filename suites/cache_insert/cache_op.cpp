#include "suites/cache_insert/cache_op.h"

#include <fmt/format.h>

#include <utility>

#include "reference/flow/group_quant/group_quant.h"
#include "suites/cache_insert/cache_case.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_tensors.h"
#include "suites/rows/row_text.h"
#include "suites/rulebook.h"

namespace assay {

// Text about a contract for a paged cache: its formulas, its record, and the trace of one element of a token.

std::vector<std::string> cache_lines(const std::string& contract_id, const Format& x) {
  const std::shared_ptr<const Contract> bound = bound_contract(contract_id, x);
  const Contract& contract = *bound;
  std::vector<std::string> lines = formulas(contract);
  const Record& record = rulebook().record(contract.group_quant()->record);
  lines.push_back("record " + record.id + "   (offsets in bytes; p = position in the block, b = tokens of a block, c = element)");
  for (const RecordPart& part : record.parts)
    lines.push_back(fmt::format("  {:<6} {} x {} at {}", part.name, part.elements,
                                part.format_in(*contract.group_quant()->q, x).name, part.offset.text()));
  return lines;
}

std::vector<std::string> record_lines(const CacheCase& p) {
  std::vector<std::string> lines = {
      fmt::format("kv_cache: record {}: byte offset of element c of the token at position p, in a block of b = {} tokens", p.record->id,
                  p.block_size)};
  for (const RecordPart& part : p.record->parts)
    lines.push_back(fmt::format("  {:<6} {} x {} at {}{}", part.name, part.elements, part.format_in(*p.q, *p.x).name,
                                part.offset.text(), part.kind == PartKind::kZeros ? ", which must be zero" : ""));
  lines.push_back(
      fmt::format("  a block takes {} bytes; its last {} bytes are a gap that must not change", p.block_stride(), p.gap));
  return lines;
}

std::vector<std::string> trace_number(const CacheCase& c, const Problem& problem, int64_t row, int64_t column) {
  const Contract& contract = *c.bound;
  std::vector<std::string> lines = {fmt::format("element {} of row {}", column, row)};
  if (row >= int64_t(c.slots.size()) || c.slots[size_t(row)] < 0) {
    lines.emplace_back("  the row has no slot, so it is not stored");
    return lines;
  }
  const int64_t slot = c.slots[size_t(row)];
  const Placing placing(c);
  lines.push_back(fmt::format("  slot {}: position {} of block {}", slot, slot % c.block_size, slot / c.block_size));
  const CacheInputs inputs(contract, c, problem);
  for (const RecordPart& part : c.record->parts) {
    const bool scales = part.kind == PartKind::kScales;
    if (part.kind == PartKind::kZeros || (scales && column >= c.coded)) continue;
    const int64_t element = scales ? column / c.group_size : column - part.from;
    if (element < 0 || element >= part.elements) continue;
    lines.push_back(
        fmt::format("  {}[{}] is byte {} of kv_cache", part.name, element, placing.byte(part, c, size_t(row), element)));
  }
  const RowInputs numbers = inputs.of_row(row);
  if (const Rope* rope = contract.rope()) append_pair(lines, *rope, numbers, size_t(column));
  Trace trace{size_t(column)};
  record_values(contract, numbers, nullptr, *c.x, &trace);
  for (std::string& line : trace_lines(trace, column / c.group_size)) lines.push_back(std::move(line));
  return lines;
}

namespace {

// The parsed case of the ops that fill a paged cache, and how an Op is made.

/// Rows of a subsample. Within these rows every input generator repeats its pattern.
constexpr int64_t kExcerptRows = 256;

class BoundInsert : public BoundCase {
 public:
  BoundInsert(std::shared_ptr<const CacheOpParts> op, CacheCase c, CaseName name)
      : op_(std::move(op)), c_(std::move(c)), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  Problem problem() const override {
    Problem problem{op_->inputs(c_), {{"block_size", double(c_.block_size)}, {"warp", double(c_.warp)}}};
    if (!c_.gamma.empty()) problem.parameters.emplace_back("eps", c_.eps);
    if (!c_.scale_fill.empty())
      for (HostTensor& scale : cache_scales(c_)) problem.tensors.push_back(std::move(scale));
    problem.tensors.push_back(slot_mapping(c_));
    problem.tensors.push_back(cache_before(kCache, c_));
    return problem;
  }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override {
    return expect_cache(*c_.bound, Placing(c_), c_, problem, outputs);
  }
  std::vector<Hypothesis> mutants() const override { return cache_hypotheses(c_); }
  std::unique_ptr<const BoundCase> excerpt() const override {
    CacheCase few = c_.with_fewer_rows(kExcerptRows);
    return few.m < c_.m ? std::make_unique<const BoundInsert>(op_, std::move(few), name_) : nullptr;
  }
  std::vector<std::string> formulas() const override { return cache_lines(c_.contract, *c_.x); }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override {
    return trace_number(c_, problem, row, column);
  }
  std::vector<std::string> layouts() const override { return record_lines(c_); }
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>&) const override { return shrink_tokens(c_); }

 private:
  const std::shared_ptr<const CacheOpParts> op_;
  const CacheCase c_;
  const CaseName name_;
};

bool takes_record(const std::string& contract, bool (*takes)(const Flow&, const Record&)) {
  const std::vector<const ContractRow*> links = rulebook().links_of(contract);
  if (links.empty() || links.back()->flow != &cache_insert_flow()) return false;
  return takes(*links.front()->flow, rulebook().record(links.back()->text("record")));
}

std::unique_ptr<const BoundCase> bind_insert(const std::shared_ptr<const CacheOpParts>& op, const Case& c) {
  const Cells cells(c);
  const ContractRow& contract = cells.contract();
  op->require(cells, contract);
  CacheCase p = read_cache_case(cells, contract);
  if (op->require_case) op->require_case(cells, p);
  require_row_strides(cells, p, op->widths ? op->widths(p) : std::vector<int64_t>{p.numbers()});
  CaseName name = cache_case_name(c, p);
  return std::make_unique<const BoundInsert>(op, std::move(p), std::move(name));
}

}  // namespace

Op cache_op(CacheOpParts own) {
  own.roles.insert(own.roles.end(), {roles::kSlots, roles::kCacheBuffer});
  own.parameters.insert(own.parameters.begin(), {roles::kBlockSize, roles::kWarp});
  const auto parts = std::make_shared<const CacheOpParts>(std::move(own));
  return {.name = parts->name,
          .roles = parts->roles,
          .parameters = parts->parameters,
          .columns = parts->columns,
          .optional_columns = {"scale", "row_stride", "max_position"},
          .takes = [parts](const std::string& contract) { return takes_record(contract, parts->takes); },
          .bind = [parts](const Case& c) { return bind_insert(parts, c); }};
}

}  // namespace assay
