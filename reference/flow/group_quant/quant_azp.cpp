// Quantization with a zero point: contract rows, mutants and accepted intervals.
#include <algorithm>
#include <cmath>

#include "reference/contracts/scale_spec.h"
#include "reference/flow/contract_mutants.h"
#include "reference/flow/flow.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/flow/row_run.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

void check(const RowCells& cells, const RangeScales& of_range) {
  cells.require_reduction("lo", of_range.lo, "least");
  cells.require_reduction("hi", of_range.hi, "greatest");
  for (const auto& [column, recipe] : {std::pair{"scale", &of_range.scale}, {"zero", &of_range.zero}}) {
    cells.forbid_reduction(column, *recipe);
    if (recipe->start.empty()) throw cells.error(column, 0, "must begin with lo: or hi:");
  }
  const std::vector<Step>& zero = of_range.zero.steps;
  if (zero.empty() || zero.back().verb != Verb::kTo || !(*zero.back().target == kInt32))
    throw cells.error("zero", 0, "must end with to(int32)");
}

/// Binds a contract row: the cells lo and hi (minimum and maximum), then scale, zero point, and codes.
Link bind_quant_azp(const RowCells& cells, const Format& x) {
  GroupQuant g;
  g.row = cells.id();
  g.q = &cells.format("q");
  Names names{{}, {{"x", &x}, {"q", g.q}}, {}};
  if (!cells.text("L").empty()) names.constants["L"] = cells.text("L");
  RangeScales of_range;
  of_range.lo = cells.recipe("lo", names);
  of_range.hi = cells.recipe("hi", names);
  names.quantities = {"lo", "hi"};
  of_range.scale = cells.recipe("scale", names);
  names.quantities = {"lo", "hi", "s"};
  of_range.zero = cells.recipe("zero", names);
  if (of_range.lo.empty() && of_range.hi.empty() && of_range.scale.empty() && of_range.zero.empty()) {
    g.scales = GivenScales{.with_zero = true};
  } else {
    check(cells, of_range);
    g.scales = std::move(of_range);
  }
  check_groups(cells.row());
  bind_codes(cells, names, {}, g);
  return g;
}

void add_edits(RowEdits& edits) {
  if (edits.reads_constant("L")) edits.constants("L");
  for (const char* column : {"lo", "hi", "scale", "zero", "mult", "code"}) edits.cell(column);
  if (!edits.steps("lo").empty())
    edits.flow_edit("range over", "lo, hi: over half the group", [](Link& link) {
      auto& of_range = std::get<RangeScales>(std::get<GroupQuant>(link).scales);
      of_range.lo.over = of_range.hi.over = Over::kHalf;
    });
  if (!edits.steps("lo").empty())
    edits.suspect_flow_edit("range over", "lo, hi: without the last element", [](Link& link) {
      auto& of_range = std::get<RangeScales>(std::get<GroupQuant>(link).scales);
      of_range.lo.over = of_range.hi.over = Over::kAllButLast;
    });
}

std::vector<std::string> inputs(const ContractRow& row) {
  if (!row.text("lo").empty()) return {};
  return {"scale", "azp"};
}

}  // namespace

const Flow& quant_azp_flow() {
  static const Flow flow{
      .name = "quant_azp",
      .says = "lo",
      .files = {"quant_azp.csv"},
      .columns = {"lo", "hi", "q", "L", "scale", "zero", "mult", "code", "group", "layouts", "pad"},
      .link = LinkFlow{
          .steps = {"lo", "hi", "scale", "zero", "mult", "code"},
          .place = ChainPlace::kLast,
          .place_words = "a quantization must be the last stage, as in row_norm=ID > quant_azp=ID",
          .bind = bind_quant_azp,
          .edits = add_edits,
          .inputs = inputs,
      },
  };
  return flow;
}

namespace {

/// Minimum or maximum of the elements first .. first + count - 1, ignoring NaN; NaN if all are NaN.
Span extreme(const Spans& values, size_t first, size_t count, Reduction reduction) {
  const bool least = reduction == Reduction::kLeast;
  Span found = point(std::nan(""));
  for (size_t i = first; i < first + count; ++i) {
    const Span v = values[i];
    if (v.any()) return v;
    if (std::isnan(v.low)) continue;
    if (std::isnan(found.low)) found = v;
    found = least ? Span{std::min(found.low, v.low), std::min(found.high, v.high)}
                  : Span{std::max(found.low, v.low), std::max(found.high, v.high)};
  }
  return found;
}

Spans ends_of_range(const char* name, const Recipe& cell, const Spans& values, int64_t group_size,
                    RowListener* listener) {
  const auto size = size_t(group_size),
             window = cell.over == Over::kAllButLast && size > 1 ? size - 1 : size_t(double(group_size) * share(cell.over));
  Spans ends(std::vector<double>((values.size() + size - 1) / size, 0));
  for (size_t g = 0; g < ends.size(); ++g)
    ends.set(g, extreme(values, g * size, std::min(window, values.size() - g * size), cell.reduction));
  run_cell(listener, name, cell, ends, Environment(), [&] { return each_group(group_size); });
  return ends;
}

/// Narrows each quantity that may have several values to the stored value, if the contract accepts the stored value.
void take_stored(Spans& spans, const std::vector<double>& stored) {
  for (size_t g = 0; g < stored.size(); ++g)
    if (!spans[g].pinned() && !spans[g].any() && may_equal(spans[g], stored[g])) spans.set(g, point(stored[g]));
}

}  // namespace

GroupScales zero_point_scales(const GroupQuant& contract, const Spans& values, const RowInputs& inputs, const StoredRow* stored,
                              RowListener* listener) {
  const auto places = [&] { return each_group(inputs.group_size); };
  GroupScales result;
  const auto* of_range = std::get_if<RangeScales>(&contract.scales);
  if (of_range == nullptr) {
    result.scale = result.s = Spans(inputs.scale);
    result.zero = result.azp = Spans(inputs.zero);
    if (listener) listener->quantity("scale given", result.scale, places());
    if (listener) listener->quantity("azp given", result.zero, places());
  } else {
    result.lo = ends_of_range("lo", of_range->lo, values, inputs.group_size, listener);
    result.hi = ends_of_range("hi", of_range->hi, values, inputs.group_size, listener);
    Environment known;
    known.set("lo", result.lo);
    known.set("hi", result.hi);
    const auto start = [&](const Recipe& cell) {
      return cell.start == "s" ? result.s : cell.start == "lo" ? result.lo : result.hi;
    };
    result.scale = start(of_range->scale);
    run_cell(listener, "scale", of_range->scale, result.scale, known, places);
    result.s = result.scale;
    if (stored) take_stored(result.s, stored->scale);
    known.set("s", result.s);
    result.zero = start(of_range->zero);
    run_cell(listener, "azp", of_range->zero, result.zero, known, places);
    result.azp = result.zero;
    if (stored) take_stored(result.azp, stored->zero);
  }
  result.m = result.s;
  run_cell(contract.mult.empty() ? nullptr : listener, "m", contract.mult, result.m, Environment(), places);
  return result;
}

}  // namespace assay
