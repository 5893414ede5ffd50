#include <tuple>

#include "reference/contracts/neighbours_tokens.h"
#include "reference/contracts/row_edits.h"
#include "reference/flow/flow.h"
#include "reference/flow/rope/rope.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

Link bind_rope(const RowCells& cells, const Format& x) {
  Rope rope;
  rope.row = cells.id();
  rope.interleaved = cells.is_first_of("pairs", "interleaved", "neox");
  rope.first = cells.is_first_of("dims", "first", "last");
  rope.rest = cells.recipe("rest", {{}, {{"x", &x}}, {}});
  const Names names{{}, {{"x", &x}}, {"e", "o", "c", "s"}};
  rope.even = cells.recipe("even", names);
  rope.odd = cells.recipe("odd", names);
  for (const auto& [column, recipe] : {std::pair{"even", &rope.even}, {"odd", &rope.odd}, {"rest", &rope.rest}})
    cells.forbid_reduction(column, *recipe);
  return rope;
}

Rope& rope(Link& link) { return std::get<Rope>(link); }

/// Each product and each sum is rounded to x, as operators of 16-bit types do.
void in_16_bits(RowEdits& edits) {
  for (const char* column : {"even", "odd"})
    for (const CellToken& token : edits.tokens(column))
      if (token.edited) return;
  EditedRow& row = edits.add_whole("rope: every step rounded to x");
  for (const char* column : {"even", "odd"}) {
    CellTokens& tokens = RowEdits::tokens(row, column);
    for (CellToken& token : tokens) token = RowEdits::edited(token.text.substr(0, token.text.find("~fma")), token.label);
    tokens.insert(tokens.begin(), RowEdits::edited(std::string(edits.x().name) + ":", "f32:"));
  }
}

/// What a rotation goes by, and what all of its cells do.
void add_edits(RowEdits& edits) {
  edits.constants("pairs");
  edits.constants("dims");
  edits.flow_edit("turn", "rope: turned the other way", [](Link& link) { rope(link).sin_negated = true; });
  edits.flow_edit("turn", "rope: cos and sin exchanged", [](Link& link) { rope(link).exchanged = true; });
  edits.flow_edit("turn", "rope: each number is its own partner", [](Link& link) { rope(link).own_partner = true; });
  if (edits.row().text("pairs") == "neox" && !edits.is_edited("pairs"))
    edits.flow_edit("turn", "rope: half a head apart", [](Link& link) { rope(link).across = true; });
  for (const auto& [column, verb, other] : {std::tuple{"even", "sub", "add"}, {"odd", "add", "sub"}}) {
    const CellTokens& tokens = edits.tokens(column);
    for (size_t i = 0; i < tokens.size(); ++i)
      if (verb_of(tokens[i].text) == verb && !tokens[i].edited)
        edits.replace(column, tokens, i, std::string(other).append(tokens[i].text, tokens[i].text.find('(')));
  }
  edits.in_all_cells("rope: to(x) -> to(x,rz)", "to(x)", "to(x,rz)");
  if (edits.x().bits < kF32.bits) in_16_bits(edits);
}

}  // namespace

const Flow& rope_flow() {
  static const Flow flow{
      .name = "rope",
      .kind = FlowKind::kLink,
      .says = "pairs",
      .files = {"rope.csv"},
      .columns = {"pairs", "dims", "cache", "even", "odd", "rest"},
      .bind = bind_rope,
      .edits = add_edits,
      .inputs = [](const ContractRow&) { return std::vector<std::string>{"cos", "sin"}; },
  };
  return flow;
}

}  // namespace assay
