#include "suites/rows/layout_words.h"

#include <fmt/format.h>

#include "suites/rows/padding.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

const char* rule_in_words(PaddingRule rule) {
  switch (rule) {
    case PaddingRule::kZero:
      return "must be zero";
    case PaddingRule::kUntouched:
      return "must stay as it was";
    case PaddingRule::kFree:
      break;
  }
  return "may be anything";
}

}  // namespace

std::vector<std::string> layout_lines(const std::string& tensor, const Layout& layout, const std::string& pad) {
  std::vector<std::string> lines = {
      fmt::format("{}: layout {}: {}", tensor, layout.id, layout.why),
      fmt::format("  scale (r, c) of m rows of g groups is {} element {}", layout.element->name, layout.offset.text()),
      fmt::format("  the tensor is {} [{}, {}], strides [{}, {}], storage {}", layout.type->name, layout.shape[0].text(),
                  layout.shape[1].text(), layout.strides[0].text(), layout.strides[1].text(), layout.storage.text())};
  if (layout.packs_words())
    lines.push_back(fmt::format("  {} {} to an element, the first in its lowest bits", layout.type->bits / layout.element->bits,
                                layout.element->name));
  if (layout.rows.text() != "m")
    lines.push_back(fmt::format("  rows from m to {}: {}", layout.rows.text(), rule_in_words(padding_rule(pad, "rows"))));
  if (layout.cols.text() != "g")
    lines.push_back(fmt::format("  groups from g to {}: {}", layout.cols.text(), rule_in_words(padding_rule(pad, "k"))));
  return lines;
}

std::vector<std::string> row_layout_lines(const RowCase& c) {
  if (c.layout() == nullptr) return {};
  const std::string last = chain_of(rulebook().contracts.find(c.contract)).back();
  std::vector<std::string> lines = layout_lines("scale", *c.layout(), rulebook().contracts.find(last).text("pad"));
  lines.push_back(fmt::format("  here m = {}, g = {}; a group is {} x {} numbers", c.rows_of_scales(), c.scales_of_row(), c.group_rows(),
                              c.group_size()));
  if (c.groups.any()) lines.push_back("  each expert has a grid of its own, one behind the other");
  return lines;
}

}  // namespace assay
