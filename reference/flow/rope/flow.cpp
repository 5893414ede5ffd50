#include <tuple>

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

/// In both cells, another quantity instead of one.
void replace_in_both(Link& link, const std::string& from, const std::string& to) {
  Rope& rope = std::get<Rope>(link);
  for (Recipe* cell : {&rope.even, &rope.odd}) replace_quantity(*cell, from, to);
}

/// Two quantities exchange their places.
void exchange_in_both(Link& link, const std::string& one, const std::string& other) {
  const std::string between = "the other";
  replace_in_both(link, one, between);
  replace_in_both(link, other, one);
  replace_in_both(link, between, other);
}

/// Each product and each sum is rounded to x, as operators of 16-bit types do.
void in_16_bits(RowEdits& edits) {
  for (const char* column : {"even", "odd"})
    for (const EditedStep& token : edits.steps(column))
      if (token.edited) return;
  EditedRow& row = edits.add_whole("rope: every step rounded to x");
  for (const char* column : {"even", "odd"}) {
    EditedCell& tokens = RowEdits::steps(row, column);
    for (EditedStep& token : tokens)
      token = RowEdits::edited(token.step.slack.fma ? CellStep::made(token.step.word, token.step.argument_texts()) : token.step, token.label);
    tokens.insert(tokens.begin(), RowEdits::edited(CellStep::made(std::string(edits.x().name) + ":"), "f32:"));
  }
}

/// What a rotation goes by, and what all of its cells do.
void add_edits(RowEdits& edits) {
  edits.constants("pairs");
  edits.constants("dims", EditKind::kPartOfHead);
  edits.flow_edit("turn", "rope: turned the other way", [](Link& link) { replace_in_both(link, "s", kMinusS); });
  edits.flow_edit("turn", "rope: cos and sin exchanged", [](Link& link) { exchange_in_both(link, "c", "s"); });
  edits.flow_edit("turn", "rope: each number is its own partner", [](Link& link) { exchange_in_both(link, "e", "o"); });
  if (edits.row().text("pairs") == "neox" && !edits.is_edited("pairs"))
    edits.flow_edit("turn", "rope: half a head apart", [](Link& link) {
      replace_in_both(link, "o", kOAcross);
      replace_in_both(link, "e", kEAcross);
    }, EditKind::kPartOfHead);
  for (const auto& [column, verb, other] : {std::tuple{"even", "sub", "add"}, {"odd", "add", "sub"}}) {
    const EditedCell& tokens = edits.steps(column);
    for (size_t i = 0; i < tokens.size(); ++i) {
      const CellStep& step = tokens[i].step;
      if (step.word == verb && !tokens[i].edited)
        edits.replace(column, tokens, i, CellStep::made(other, step.argument_texts(), step.slack));
    }
  }
  edits.in_all_cells("rope: to(x) -> to(x,rz)", "to(x)", CellStep::made("to", {"x", "rz"}));
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
      .steps = {"even", "odd", "rest"},
      .bind = bind_rope,
      .edits = add_edits,
      .inputs = [](const ContractRow&) { return std::vector<std::string>{"cos", "sin"}; },
  };
  return flow;
}

}  // namespace assay
