#include "reference/flow/gated/gated.h"

#include "reference/recipe/eval.h"

namespace assay {

Spans gated_values(const Gated& contract, const std::vector<double>& row) {
  const auto half = std::ptrdiff_t(row.size() / 2);
  Spans first(std::vector<double>(row.begin(), row.begin() + half)), second(std::vector<double>(row.begin() + half, row.end()));
  Environment environment;
  const Spans& gate = contract.gate_first ? first : second;
  environment.set("g", gate);
  environment.set("u", contract.gate_first ? second : first);
  Spans h = gate;
  evaluate(contract.h, h, environment);
  return h;
}

GateAndUp gate_and_up(const Gated& contract, const std::vector<double>& row, size_t place) {
  const double first = row[place], second = row[row.size() / 2 + place];
  return contract.gate_first ? GateAndUp{first, second} : GateAndUp{second, first};
}

}  // namespace assay
