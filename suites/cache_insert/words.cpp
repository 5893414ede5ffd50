#include "suites/cache_insert/words.h"

#include <fmt/format.h>

#include "reference/flow/cache_insert/cache_record.h"
#include "reference/flow/group_quant/group_quant.h"
#include "suites/cache_insert/expect.h"
#include "suites/cache_insert/inputs.h"
#include "suites/rows/rotation.h"
#include "suites/rows/words.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// From the numbers of the group to the code of one of them.
void trace_code(std::vector<std::string>& lines, const Contract& contract, const CacheCase& c, const RowInputs& inputs,
                int64_t column) {
  const GroupQuant& quant = *contract.group_quant();
  const auto g = size_t(column / c.group_size);
  const Spans values = record_values(contract, inputs, nullptr, *c.x).values;
  Spans coded(std::vector<double>(size_t(c.coded), 0.0));
  for (size_t i = 0; i < coded.size(); ++i) coded.set(i, values[i]);
  const Spans sources = group_sources(quant, coded, inputs);
  const GroupScales scales = group_scales(quant, sources, inputs.scale_ub, {});
  append_cell(lines, (quant.scale_given ? "scale given to group " : "amax of group ") + std::to_string(g), quant.amax, sources[g],
              {});
  if (!quant.scale_given) append_cell(lines, "scale", quant.scale, scales.amax[g], {});
  if (!quant.mult.steps.empty()) append_cell(lines, "m", quant.mult, scales.s[g], {});
  Environment environment;
  environment.set("s", scales.s[g]);
  environment.set("m", scales.m[g]);
  append_cell(lines, "q", quant.code, coded[size_t(column)], environment);
}

}  // namespace

std::vector<std::string> cache_lines(const std::string& contract_id, const Format& x) {
  const Contract contract = bind(rulebook().contracts, contract_id, x);
  std::vector<std::string> lines = formulas(contract);
  const Record& record = rulebook().record(contract.group_quant()->record);
  lines.push_back("record " + record.id + "   (p = position in the block, b = tokens of a block, c = element; bytes)");
  for (const RecordPart& part : record.parts)
    lines.push_back(fmt::format("  {:<6} {} x {} at {}", part.name, part.elements,
                                part.format_in(*contract.group_quant()->q, x).name, part.offset.text()));
  return lines;
}

std::vector<std::string> trace_number(const CacheCase& c, const Problem& problem, int64_t row, int64_t column) {
  const Contract contract = bind(rulebook().contracts, c.contract, *c.x);
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
  Spans values(numbers.x);
  if (const RowNorm* norm = contract.row_norm()) values = append_norm(lines, *norm, numbers, *c.x, size_t(column));
  if (const Rope* rope = contract.rope()) append_rotation(lines, *rope, values, numbers, size_t(column));
  if (column < c.coded) trace_code(lines, contract, c, numbers, column);
  return lines;
}

}  // namespace assay
