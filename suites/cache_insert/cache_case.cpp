#include "suites/cache_insert/cache_case.h"

#include <algorithm>
#include <stdexcept>

#include "reference/contracts/scale_spec.h"
#include "reference/flow/flow.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/formats/catalogue.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

void read_record(const Cells& cells, CacheCase& c) {
  c.bound = bound_contract(c.contract, *c.x);
  const GroupQuant& quant = *c.bound->group_quant();
  c.q = quant.q;
  try {
    c.record = &rulebook().record(quant.record);
  } catch (const std::out_of_range& error) {
    cells.refuse("contract", error.what());
  }
  for (const RecordPart& part : c.record->parts) {
    if (part.kind != PartKind::kCodes) continue;
    if (part.from != c.coded) cells.refuse("contract", "record " + quant.record + " has no codes of a token's first numbers");
    c.coded += part.elements;
  }
  if (c.coded == 0) cells.refuse("contract", "record " + quant.record + " has no codes");
  const ContractRow& row = rulebook().contracts.find(quant.row);
  c.group_size = parse_scale_spec(row.text("group")).block().columns_of(c.coded);
  const RecordPart* scales = c.record->find(PartKind::kScales);
  const int64_t groups = c.coded / c.group_size;
  if (quant.takes_scales() ? scales != nullptr : !scales || scales->elements != groups || c.coded % c.group_size != 0)
    cells.refuse("contract", "record " + quant.record + " has no place for the scales of groups of " + row.text("group"));
}

}  // namespace

CacheCase read_cache_case(const Cells& cells, const ContractRow& row) {
  CacheCase c;
  c.contract = row.id;
  const Flow& last = *rulebook().contracts.find(chain_of(row).back()).flow;
  if (&last != &cache_insert_flow())
    cells.refuse("contract", "'" + row.id + "' ends with a " + last.name + " row and this op takes cache_insert rows");
  c.x = find_format(cells.text("x"));
  if (!c.x || !(*c.x == kBf16 || *c.x == kF16)) cells.refuse("x", "'" + cells.text("x") + "' is not one of: bf16, f16");
  read_record(cells, c);
  c.m = cells.positive("m");
  c.blocks = cells.positive("blocks");
  c.block_size = cells.positive("block_size");
  if (cells.text("gap") != "0") c.gap = cells.positive("gap");
  if (c.block_stride() % 16 != 0)
    cells.refuse("gap", "a block of " + std::to_string(c.block_stride()) + " bytes is not a multiple of 16");
  c.seed = uint64_t(cells.positive("seed"));
  try {
    c.slot_cell = parse_slots(cells.text("slot_mapping"));
    c.slots = slots_of(c.slot_cell, c.blocks * c.block_size, c.block_size, c.seed);
  } catch (const std::invalid_argument& error) {
    cells.refuse("slot_mapping", error.what());
  }
  if (int64_t(c.slots.size()) > c.m) cells.refuse("slot_mapping", "has more rows than m");
  if (std::all_of(c.slots.begin(), c.slots.end(), [](int64_t slot) { return slot < 0; }))
    cells.refuse("slot_mapping", "no row is stored");
  c.fill = cells.fill_name("fill");
  for (const char* column : {"rope", "value"})
    if (cells.has(column)) c.second_fill = cells.fill_name(column);
  const bool given = cells.has("scale") && !cells.text("scale").empty();
  if (given != !c.record->find(PartKind::kScales))
    cells.refuse("scale", "contract " + c.contract + (given ? " takes none" : " needs one"));
  if (given) c.scale_fill = cells.fill_name("scale");
  if (cells.has("row_stride") && !cells.text("row_stride").empty()) {
    c.row_stride = cells.positive("row_stride");
    if (c.row_stride < c.numbers())
      cells.refuse("row_stride",
                   "rows of " + std::to_string(c.numbers()) + " would overlap at a stride of " + std::to_string(c.row_stride));
  }
  if (cells.has("gamma")) c.gamma = cells.fill_name("gamma"), c.eps = cells.number("eps");
  c.warp = cells.warp();
  return c;
}

std::string cache_shape(const Case& c, const CacheCase& p) {
  std::string slots = c.text("slot_mapping");
  std::replace(slots.begin(), slots.end(), ';', '_');
  std::replace(slots.begin(), slots.end(), ':', '-');
  std::string shape =
      std::string(p.x->name) + ".m" + std::to_string(p.m) + ".b" + std::to_string(p.blocks) + "x" + std::to_string(p.block_size);
  if (p.gap > 0) shape += "+" + std::to_string(p.gap);
  if (p.row_stride > 0) shape += ".stride" + std::to_string(p.row_stride);
  if (!p.gamma.empty()) shape += ".eps" + c.text("eps");
  return shape + "." + slots;
}

CaseName cache_case_name(const Case& c, const CacheCase& p) {
  std::string fills = p.fill;
  for (const std::string& another : {p.second_fill, p.gamma, p.scale_fill})
    if (!another.empty()) fills += "." + another;
  return {c.op, p.contract, cache_shape(c, p), fills + ".s" + std::to_string(p.seed), p.warp};
}

Shrinking shrink_tokens(const CacheCase& c) {
  Shrinking all;
  if (c.slot_cell.pattern != SlotPattern::kListed)
    all.axes.push_back({c.m, [c](int64_t rows) {
                          const CacheCase fewer = c.with_fewer_rows(rows);
                          return CellChanges{{"m", std::to_string(fewer.m)}, {"slot_mapping", fewer.slot_cell.text()}};
                        }});
  all.elements = c.m * c.numbers();
  return all;
}

CacheCase CacheCase::with_fewer_rows(int64_t rows) const {
  if (m <= rows || slot_cell.pattern == SlotPattern::kListed) return *this;
  CacheCase c = *this;
  c.slot_cell.rows = std::min(rows, int64_t(slots.size()));
  c.slots = slots_of(c.slot_cell, blocks * block_size, block_size, seed);
  c.m = rows;
  return c;
}

}  // namespace assay
