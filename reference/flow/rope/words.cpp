#include "reference/flow/words.h"
#include "reference/recipe/formula.h"

namespace assay {

void append_formulas(const Rope& rope, FormulaLines& to) {
  to.add("pairs", std::string(rope.interleaved ? "neighbours" : "numbers half of the rotated ones apart") +
                      (rope.first ? " at the beginning of a head" : " at the end of a head") +
                      "   (c, s = cosine and sine of the position)");
  to.add("even", formula(rope.even, "e") + (to.value == "x" ? "" : "   (e, o of " + to.value + ")"));
  to.add("odd", formula(rope.odd, "o"));
  to.add("rest", formula(rope.rest, to.value));
}

std::string freedom(const Rope& rope, const RowInputs&, const Format&) { return free_steps({&rope.even}); }

}  // namespace assay
