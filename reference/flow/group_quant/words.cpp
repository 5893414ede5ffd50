#include "reference/flow/words.h"
#include "reference/recipe/formula.h"

namespace assay {

void append_formulas(const GroupQuant& quant, FormulaLines& to) {
  if (!quant.scale_given && quant.has_zero) {
    to.add("lo", formula(quant.lo, to.value));
    to.add("hi", formula(quant.hi, to.value));
    to.add("scale", formula(quant.scale, "hi"));
    to.add("azp", formula(quant.zero, "lo") + "   (s = scale)");
  } else if (!quant.scale_given) {
    to.add("amax", formula(quant.amax, to.value));
    to.add("scale", formula(quant.scale, "amax"));
  }
  if (!quant.mult.steps.empty()) to.add("m", formula(quant.mult, "scale"));
  to.add("q", formula(quant.code, to.value) + "   (s = scale)");
}

std::string freedom(const GroupQuant& quant, const RowInputs&, const Format&) {
  return free_steps({&quant.scale, &quant.zero, &quant.mult, &quant.code});
}

}  // namespace assay
