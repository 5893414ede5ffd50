// assay judge FILE:TENSOR --as scale: checks a single scale tensor.
#include <cstdio>

#include "harness/check/scale_tensor.h"
#include "harness/cli/judge.h"
#include "harness/cli/places.h"
#include "harness/dump/strided.h"
#include "harness/text/error.h"
#include "suites/rulebook.h"

namespace assay {

int judge_scale(const JudgeArguments& arguments) {
  if (arguments.targets.size() != 1)
    throw UsageError("--as " + arguments.as + " takes one tensor: FILE.safetensors:TENSOR or FILE.npy");
  open_contracts(arguments.suites);
  const NamedTensor named = open_tensor(arguments.targets.front());
  const ScaleFacts facts(named_values("--param", arguments.parameters), named.dump.metadata, arguments.layout);
  const DumpedTensor dumped{{storage_spec(named.dump, named.tensor), read_bytes(named.dump, named.tensor)}, named.dump.file, named.tensor.name,
                            named.tensor.dtype, named.tensor.format == nullptr};
  ScaleGrid grid = scale_grid(dumped, facts);
  grid.powers_of_two = arguments.as == "ue8m0_scale";
  const ScaleReport report = look_at_scales(grid);
  std::printf("%s", scale_text(grid, report).c_str());
  return report.findings.empty() ? kAllAsExpected : kUnexpected;
}

}  // namespace assay
