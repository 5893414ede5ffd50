#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "reference/contracts/row_cells.h"
#include "reference/flow/dot/dot.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"

namespace assay {
namespace {

constexpr const char* kScaleNames[] = {"tensor", "token", "channel", "token_channel"};

/// The argument of a word, a whole number from 1.
int64_t number_of(const RowCells& cells, const std::string& column, const CellStep& word) {
  const std::string text = word.argument(0);
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (word.arguments.size() != 1 || failure != std::errc() || end != text.data() + text.size() || value < 1)
    throw cells.error(column, word.position, "'" + word.text + "' takes one whole number from 1");
  return value;
}

std::vector<std::string> alternatives(const std::string& cell) {
  std::vector<std::string> all;
  for (size_t at = 0; at <= cell.size();) {
    const size_t end = std::min(cell.find('|', at), cell.size());
    all.push_back(cell.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

void read_promote(const RowCells& cells, DotContract& contract) {
  const std::vector<CellStep> words = cells.steps("promote");
  if (words.size() == 1 && words[0].text == "none") return;
  if (words.size() != 1 || words[0].word != "every") throw cells.error("promote", 0, "is none, or every(PRODUCTS)");
  contract.promote = number_of(cells, "promote", words[0]);
}

void read_split(const RowCells& cells, DotContract& contract) {
  const std::vector<CellStep> words = cells.steps("split");
  if (words.size() == 1 && words[0].text == "none") return;
  if (words.size() != 2 || words[0].word != "parts" || words[1].word != "of")
    throw cells.error("split", 0, "is none, or parts(AT_MOST) of(PRODUCTS)");
  contract.most_parts = int(number_of(cells, "split", words[0]));
  contract.part_of = number_of(cells, "split", words[1]);
}

void read_scales(const RowCells& cells, DotContract& contract) {
  for (const std::string& name : alternatives(cells.text("scales"))) try {
      contract.scales.push_back(gemm_scales_named(name));
    } catch (const std::out_of_range& error) {
      throw cells.error("scales", 0, error.what());
    }
}

void read_out(const RowCells& cells, DotContract& contract) {
  for (const std::string& name : alternatives(cells.text("out"))) {
    const Format* format = find_format(name);
    if (!format || (!(*format == kF32) && !(*format == kBf16) && !(*format == kF16)))
      throw cells.error("out", 0, "'" + name + "' is not one of: bf16, f16, f32");
    contract.out.push_back(format);
  }
}

Names names_for(const Format& y) {
  Names names;
  names.formats["y"] = &y;
  names.quantities = {"sa", "sb", "bias"};
  return names;
}

void check_steps(const RowCells& cells) {
  const Recipe y = cells.recipe("y", names_for(kF32)), bias = cells.recipe("bias", names_for(kF32));
  cells.forbid_reduction("y", y);
  cells.forbid_reduction("bias", bias);
  if (y.steps.empty() || y.steps.back().text != "to(y)") throw cells.error("y", 0, "ends with to(y)");
}

DotContract cells_of(const ContractRow& row) {
  const RowCells cells(row);
  DotContract contract;
  contract.row = &row;
  read_promote(cells, contract);
  read_split(cells, contract);
  read_scales(cells, contract);
  read_out(cells, contract);
  check_steps(cells);
  contract.y = cells.steps("y");
  contract.bias = cells.steps("bias");
  return contract;
}

}  // namespace

const Flow& dot_flow() {
  static const Flow flow{
      .name = "dot",
      .kind = FlowKind::kDot,
      .says = "unit",
      .files = {"dot.csv"},
      .columns = {"unit", "promote", "split", "scales", "y", "bias", "out"},
      .check = [](const ContractTables&, const ContractRow& row) { (void)cells_of(row); },
  };
  return flow;
}

bool DotContract::takes(GemmScales which) const { return std::find(scales.begin(), scales.end(), which) != scales.end(); }

bool DotContract::makes(const Format& y) const {
  return std::any_of(out.begin(), out.end(), [&](const Format* format) { return *format == y; });
}

const char* name_of(GemmScales scales) { return kScaleNames[size_t(scales)]; }

GemmScales gemm_scales_named(const std::string& name) {
  for (size_t i = 0; i < std::size(kScaleNames); ++i)
    if (name == kScaleNames[i]) return GemmScales(i);
  throw std::out_of_range("'" + name + "' is not one of: tensor, token, channel, token_channel");
}

DotContract read_dot(const ContractRow& row, const UnitTable& units) {
  DotContract contract = cells_of(row);
  try {
    contract.unit_row = &units.find(row.text("unit"));
  } catch (const std::out_of_range& error) {
    throw row.error("unit", 0, error.what());
  }
  contract.unit = contract.unit_row->unit;
  if (!contract.unit.known()) throw row.error("unit", 0, "of unit '" + contract.unit.id + "' nothing is predicted");
  if (!(*contract.unit.d == kF32) && !contract.of_integers())
    throw row.error("unit", 0, "a unit whose sums are f32 or int32 is asked for");
  if (contract.of_integers() && (contract.promote > 0 || contract.most_parts > 1))
    throw row.error("promote", 0, "integers are added in one chain");
  if (contract.promote % contract.unit.k != 0) throw row.error("promote", 0, "is no multiple of the unit's products");
  if (contract.part_of % contract.unit.k != 0) throw row.error("split", 0, "is no multiple of the unit's products");
  return contract;
}

Recipe dot_recipe(const DotContract& contract, const Format& y, bool with_bias) {
  std::vector<CellStep> steps = contract.y;
  if (with_bias) steps.insert(steps.end() - 1, contract.bias.begin(), contract.bias.end());
  return resolve(steps, names_for(y));
}

std::vector<DotProgram> dot_programs(const DotContract& contract, int64_t k) {
  std::vector<DotProgram> programs;
  for (int parts = contract.least_parts; parts <= contract.most_parts; ++parts) {
    const int64_t unit = std::max<int64_t>(1, contract.part_of), blocks = (k + unit - 1) / unit;
    const int64_t part = parts == 1 ? std::max<int64_t>(1, k) : (blocks + parts - 1) / parts * unit;
    if (!programs.empty() && programs.back().part <= part) continue;  // no shorter parts than before
    if (!programs.empty() && part >= k) continue;
    programs.push_back({contract.promote < part ? contract.promote : 0, part, "split-K " + std::to_string(parts)});
  }
  if (programs.size() == 1 && programs.front().part >= k) programs.front().name.clear();
  return programs;
}

}  // namespace assay
