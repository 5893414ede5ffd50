#include "reference/contracts/bind.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "reference/contracts/group_shape.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/parse.h"
#include "reference/table/near.h"

namespace assay {
namespace {

Recipe parse_cell(const ContractRow& row, const std::string& column, const Names& names) {
  try {
    return parse_recipe(row.text(column), names);
  } catch (const ParseError& error) {
    throw row.error(column, error.position, error.what());
  }
}

/// A cell that reduces must begin with one of these, any other cell with none.
void require_reduction(const ContractRow& row, const std::string& column, const Recipe& recipe, bool wanted,
                       const char* allowed) {
  if ((recipe.reduction != Reduction::kNone) != wanted)
    throw row.error(column, 0, wanted ? std::string("begins with ") + allowed : "takes one number and cannot reduce");
}

const Format* code_format(const ContractRow& row) {
  if (const Format* q = find_format(row.text("q"))) return q;
  std::vector<std::string> known;
  for (const Format& format : all_formats()) known.emplace_back(format.name);
  throw row.error("q", 0, "unknown format '" + row.text("q") + "'" + did_you_mean(row.text("q"), known));
}

/// The cells that all rows with codes have.
void bind_codes(const ContractRow& row, Names& names, const std::vector<std::string>& sources, GroupQuant& g) {
  names.quantities = sources;
  g.mult = parse_cell(row, "mult", names);
  names.quantities = {"s", "m"};
  if (g.has_zero) names.quantities.emplace_back("azp");
  g.code = parse_cell(row, "code", names);
  for (const auto& [column, recipe] : {std::pair{"scale", &g.scale}, {"mult", &g.mult}, {"code", &g.code}})
    require_reduction(row, column, *recipe, false, "");
  if (g.code.steps.empty() || g.code.steps.back().verb != Verb::kTo || !(*g.code.steps.back().target == *g.q))
    throw row.error("code", 0, "ends with to(q)");
}

/// A row whose codes count from a zero point, which lies in the middle of its cells: least and greatest number, scale, zero
/// point.
GroupQuant bind_quant_azp(const ContractRow& row, const Format& x) {
  GroupQuant g;
  g.row = row.id;
  g.q = code_format(row);
  g.has_zero = true;
  Names names{{}, {{"x", &x}, {"q", g.q}}, {}};
  if (!row.text("L").empty()) names.constants["L"] = row.text("L");
  g.lo = parse_cell(row, "lo", names);
  g.hi = parse_cell(row, "hi", names);
  names.quantities = {"lo", "hi"};
  g.scale = parse_cell(row, "scale", names);
  names.quantities = {"lo", "hi", "s"};
  g.zero = parse_cell(row, "zero", names);
  g.scale_given = g.lo.empty() && g.hi.empty() && g.scale.empty() && g.zero.empty();
  if (!g.scale_given) {
    require_reduction(row, "lo", g.lo, true, "least");
    require_reduction(row, "hi", g.hi, true, "greatest");
    require_reduction(row, "zero", g.zero, false, "");
    for (const auto& [column, recipe] : {std::pair{"scale", &g.scale}, {"zero", &g.zero}})
      if (recipe->start.empty()) throw row.error(column, 0, "begins with a quantity: lo: or hi:");
    if (g.zero.steps.empty() || g.zero.steps.back().verb != Verb::kTo || !(*g.zero.steps.back().target == kInt32))
      throw row.error("zero", 0, "ends with to(int32)");
  }
  check_groups(row);
  bind_codes(row, names, {}, g);
  return g;
}

GroupQuant bind_group_quant(const ContractRow& row, const Format& x) {
  GroupQuant g;
  g.row = row.id;
  g.q = code_format(row);
  if (row.flow == "cache_insert") g.record = row.text("record");
  Names names{{{"M", row.text("M")}}, {{"x", &x}, {"q", g.q}}, {}};
  g.amax = parse_cell(row, "amax", names);
  names.quantities = {"ub"};
  g.scale = parse_cell(row, "scale", names);
  g.scale_given = g.amax.empty() && g.scale.empty();
  if (!g.scale_given) require_reduction(row, "amax", g.amax, true, "absmax or absmax(keep)");
  check_groups(row);
  bind_codes(row, names, {"amax"}, g);
  return g;
}

int64_t column_number(const ContractRow& row, const std::string& column) {
  const std::string& text = row.text(column);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    throw row.error(column, 0, "'" + text + "' is no column: a number, from 0");
  return value;
}

RowNorm bind_row_norm(const ContractRow& row, const Format& x) {
  RowNorm n;
  n.row = row.id;
  Names names{{}, {{"x", &x}}, {}};
  n.mean = parse_cell(row, "mean", {{}, {{"x", &x}}, {"n"}});
  const Recipe sum = parse_cell(row, "sum", names);
  n.deviates = sum.reduction == Reduction::kDeviations;
  if (n.deviates && !n.centers()) throw row.error("sum", 0, "there is no mean that x deviates from");
  if (sum.text() != (n.deviates ? "deviations" : "squares"))
    throw row.error("sum", 0,
                    n.deviates || sum.reduction == Reduction::kSquares ? "is squares or deviations alone"
                                                                       : "begins with squares or deviations");
  n.residual = parse_cell(row, "residual", names);
  n.w = parse_cell(row, "w", names);
  names.quantities = {"res"};
  n.z = parse_cell(row, "z", names);
  if (n.z.empty() != n.residual.empty())
    throw row.error(n.z.empty() ? "z" : "residual", 0, "a row has both a z and a residual, or neither");
  for (const auto& [column, recipe] : {std::pair{"z", &n.z}, {"residual", &n.residual}})
    for (const Step& step : recipe->steps)
      if (step.is_free()) throw row.error(column, 0, "'" + step.text + "' leaves it free; what is summed must be one number");
  if (!row.text("stored_from").empty()) n.stored_from = column_number(row, "stored_from");
  if (n.stored_from != RowNorm::kNoColumn && n.residual.empty()) throw row.error("stored_from", 0, "there is no residual");
  names.quantities = {"n", "eps"};
  if (n.centers()) names.quantities.emplace_back("mu");
  n.r = parse_cell(row, "r", names);
  names.quantities = {"r", "w"};
  if (n.centers()) names.quantities.insert(names.quantities.end(), {"mu", "b"});
  n.y = parse_cell(row, "y", names);
  if (n.centers() && n.adds()) throw row.error("z", 0, "a norm that takes the mean off adds no residual yet");
  for (const auto& [column, recipe] : {std::pair{"z", &n.z}, {"residual", &n.residual}, {"mean", &n.mean}, {"r", &n.r}, {"w", &n.w}, {"y", &n.y}})
    require_reduction(row, column, *recipe, false, "");
  try {
    n.depth = Expression(row.text("depth"));
    for (const std::string& name : n.depth.names())
      if (name != "n") throw ParseError(0, "unknown name '" + name + "'; known here: n");
    if (n.depth.integer({{"n", 1}}) < 0) throw ParseError(0, "a depth is not negative");
  } catch (const ParseError& error) {
    throw row.error("depth", error.position, error.what());
  } catch (const std::domain_error& error) {
    throw row.error("depth", 0, error.what());
  }
  return n;
}

Gated bind_gated(const ContractRow& row, const Format& x) {
  Gated g;
  g.row = row.id;
  g.h = parse_cell(row, "h", {{}, {{"x", &x}}, {"g", "u"}});
  require_reduction(row, "h", g.h, false, "");
  const std::string& halves = row.text("halves");
  if (halves != "gate_up" && halves != "up_gate")
    throw row.error("halves", 0, "'" + halves + "' is not one of: gate_up, up_gate");
  g.gate_first = halves == "gate_up";
  return g;
}

/// One of two words in a cell.
bool is_first_of(const ContractRow& row, const std::string& column, const std::string& one, const std::string& other) {
  const std::string& text = row.text(column);
  if (text != one && text != other) throw row.error(column, 0, "'" + text + "' is not one of: " + one + ", " + other);
  return text == one;
}

Rope bind_rope(const ContractRow& row, const Format& x) {
  Rope rope;
  rope.row = row.id;
  rope.interleaved = is_first_of(row, "pairs", "interleaved", "neox");
  rope.first = is_first_of(row, "dims", "first", "last");
  rope.rest = parse_cell(row, "rest", {{}, {{"x", &x}}, {}});
  const Names names{{}, {{"x", &x}}, {"e", "o", "c", "s"}};
  rope.even = parse_cell(row, "even", names);
  rope.odd = parse_cell(row, "odd", names);
  for (const auto& [column, recipe] : {std::pair{"even", &rope.even}, {"odd", &rope.odd}, {"rest", &rope.rest}})
    require_reduction(row, column, *recipe, false, "");
  return rope;
}

}  // namespace

const GroupQuant* Contract::group_quant() const { return std::get_if<GroupQuant>(&links.back()); }
const RowNorm* Contract::row_norm() const { return std::get_if<RowNorm>(&links.front()); }
const Gated* Contract::gated() const { return std::get_if<Gated>(&links.front()); }
const Rope* Contract::rope() const {
  for (const Link& link : links)
    if (const auto* rope = std::get_if<Rope>(&link)) return rope;
  return nullptr;
}

Link bind_link(const ContractRow& row, const Format& x) {
  if (!has_recipes(row)) throw row.error("id", 0, "'" + row.id + "' is a " + row.flow + ", not a row of recipes");
  if (row.flow == "group_quant" || row.flow == "cache_insert") return bind_group_quant(row, x);
  if (row.flow == "quant_azp") return bind_quant_azp(row, x);
  if (row.flow == "gated") return bind_gated(row, x);
  if (row.flow == "rope") return bind_rope(row, x);
  return bind_row_norm(row, x);
}

Contract bind(const ContractTables& tables, const std::string& id, const Format& x) {
  const ContractRow& row = tables.find(id);
  Contract contract{id, {}};
  for (const std::string& link : chain_of(row)) {
    const ContractRow& part = tables.find(link);
    if (part.flow == "chain") throw row.error("chain", 0, "'" + link + "' is a chain itself; a chain names plain rows");
    contract.links.push_back(bind_link(part, x));
  }
  return contract;
}

}  // namespace assay
