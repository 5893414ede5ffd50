#include "suites/cache_insert/words.h"

#include <fmt/format.h>

#include "reference/flow/group_quant/group_quant.h"
#include "suites/cache_insert/expect.h"
#include "suites/cache_insert/inputs.h"
#include "suites/rows/rotation.h"
#include "suites/rows/words.h"
#include "suites/rulebook.h"

namespace assay {
std::vector<std::string> cache_lines(const std::string& contract_id, const Format& x) {
  const std::shared_ptr<const Contract> bound = bound_contract(contract_id, x);
  const Contract& contract = *bound;
  std::vector<std::string> lines = formulas(contract);
  const Record& record = rulebook().record(contract.group_quant()->record);
  lines.push_back("record " + record.id + "   (p = position in the block, b = tokens of a block, c = element; bytes)");
  for (const RecordPart& part : record.parts)
    lines.push_back(fmt::format("  {:<6} {} x {} at {}", part.name, part.elements,
                                part.format_in(*contract.group_quant()->q, x).name, part.offset.text()));
  return lines;
}

std::vector<std::string> record_lines(const CacheCase& p) {
  std::vector<std::string> lines = {
      fmt::format("kv_cache: record {}: byte of element c of the token at position p of a block of b = {} tokens", p.record->id,
                  p.block_size)};
  for (const RecordPart& part : p.record->parts)
    lines.push_back(fmt::format("  {:<6} {} x {} at {}{}", part.name, part.elements, part.format_in(*p.q, *p.x).name,
                                part.offset.text(), part.kind == PartKind::kZeros ? ", which must be zero" : ""));
  lines.push_back(fmt::format("  a block takes {} bytes, of which the last {} are a gap that must stay as it was", p.block_stride(), p.gap));
  return lines;
}

std::vector<std::string> trace_number(const CacheCase& c, const Problem& problem, int64_t row, int64_t column) {
  const Contract& contract = *c.bound;
  std::vector<std::string> lines = {fmt::format("number {} of row {}", column, row)};
  if (row >= int64_t(c.slots.size()) || c.slots[size_t(row)] < 0) {
    lines.emplace_back("  has no slot: nothing is stored");
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
        fmt::format("  {}[{}] is byte {} of the buffer", part.name, element, placing.byte(part, c, size_t(row), element)));
  }
  const RowInputs numbers = inputs.of_row(row);
  if (const Rope* rope = contract.rope()) append_pair(lines, *rope, numbers, size_t(column));
  Trace trace{size_t(column)};
  record_values(contract, numbers, nullptr, *c.x, &trace);
  for (std::string& line : trace_lines(trace, column / c.group_size)) lines.push_back(std::move(line));
  return lines;
}

}  // namespace assay
