#include "reference/flow/words.h"
#include "reference/recipe/formula.h"

namespace assay {

void append_formulas(const GroupQuant& quant, FormulaLines& to) {
  if (const auto* of_range = std::get_if<RangeScales>(&quant.scales)) {
    to.add("lo", formula(of_range->lo, to.value));
    to.add("hi", formula(of_range->hi, to.value));
    to.add("scale", formula(of_range->scale, "hi"));
    to.add("azp", formula(of_range->zero, "lo") + "   (s = scale)");
  } else if (const auto* of_amax = std::get_if<AmaxScales>(&quant.scales)) {
    to.add("amax", formula(of_amax->amax, to.value));
    to.add("scale", formula(of_amax->scale, "amax"));
  }
  if (quant.outer) to.add("g", "the scale of the outer level, an input");
  if (!quant.mult.steps.empty()) to.add("m", formula(quant.mult, "scale"));
  to.add("q", formula(quant.code, to.value) + "   (s = scale)");
}

std::string freedom(const GroupQuant& quant, const RowInputs&, const Format&) {
  if (const auto* of_range = std::get_if<RangeScales>(&quant.scales))
    return free_steps({&of_range->scale, &of_range->zero, &quant.mult, &quant.code});
  if (const auto* of_amax = std::get_if<AmaxScales>(&quant.scales))
    return free_steps({&of_amax->scale, &quant.mult, &quant.code});
  return free_steps({&quant.mult, &quant.code});
}

}  // namespace assay
