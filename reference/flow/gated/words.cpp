#include "reference/flow/words.h"
#include "reference/recipe/formula.h"

namespace assay {

void append_formulas(const Gated& gated, FormulaLines& to) {
  to.add("h", formula(gated.h, "g") + "   (g = gate, u = up: " +
                  (gated.gate_first ? "the first half, the second)" : "the second half, the first)"));
  to.value = "h";
}

std::string freedom(const Gated& gated, const RowInputs&, const Format&) { return free_steps({&gated.h}); }

}  // namespace assay
