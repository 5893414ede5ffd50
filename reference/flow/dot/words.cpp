#include "reference/flow/dot/words.h"

#include "reference/formats/catalogue.h"
#include "reference/recipe/formula.h"
#include "reference/units/formula.h"

namespace assay {

std::vector<std::string> dot_lines(const DotContract& contract) {
  const std::string unit = contract.unit.id;
  std::vector<std::string> lines = {"chain = instructions of " + unit +
                                    " in ascending k, each with the result of the one before, from 0"};
  if (contract.promote > 0)
    lines.push_back("acc   = 0; then acc + chain for each " + std::to_string(contract.promote) +
                    " products, each sum rounded to f32");
  else
    lines.push_back("acc   = the chain of all products");
  if (contract.most_parts > 1)
    lines.push_back("split   k may be cut into 1 to " + std::to_string(contract.most_parts) + " parts of whole " +
                    std::to_string(contract.part_of) + " products: acc of each, added in f32 in ascending order");
  const Format& y = *contract.out.front();
  lines.push_back("y     = " + formula(dot_recipe(contract, y, false), "acc"));
  if (!contract.bias.empty()) lines.push_back("        with a bias " + formula(dot_recipe(contract, y, true), "acc"));
  for (const std::string& line : unit_lines(contract.unit)) lines.push_back("unit    " + line);
  return lines;
}

}  // namespace assay
