#include "reference/flow/gated/gated.h"

#include "reference/flow/row_run.h"

namespace assay {

Spans gated_values(const Gated& contract, const std::vector<double>& row, RowListener* listener) {
  const auto half = std::ptrdiff_t(row.size() / 2);
  Spans first(std::vector<double>(row.begin(), row.begin() + half)), second(std::vector<double>(row.begin() + half, row.end()));
  Environment environment;
  const Spans& gate = contract.gate_first ? first : second;
  environment.set("g", gate);
  const Spans& up = contract.gate_first ? second : first;
  environment.set("u", up);
  if (listener) listener->quantity("u", up, each_column());
  Spans up_plus_zero = up;
  for (size_t i = 0; i < up.size(); ++i)
    if (up[i].low == 0) up_plus_zero.set(i, {0, 0});
  environment.set("u0", up_plus_zero);
  Spans h = gate;
  run_cell(listener, "h", contract.h, h, environment, each_column);
  return h;
}

void run(const Gated& link, RowRun& row) { row.values = gated_values(link, row.inputs.x, row.listener); }

}  // namespace assay
