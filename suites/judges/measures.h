// The measures of the checks in rules.csv, each according to the source that its row cites.
#pragma once

#include <string>
#include <vector>

#include "suites/judges/rules.h"

namespace assay::judges {

struct Measure {
  std::string name;
  std::vector<std::string> bounds;    ///< required
  std::vector<std::string> optional;  ///< optional
};

///   close      torch.isclose everywhere: |a - b| <= atol + rtol |other|; NaN is close to nothing, Inf to itself
///   equal      torch.equal: values; NaN is equal to nothing, and -0 to 0
///   bits       codes
///   steps      no code further than `steps` from the other, fewer than `share` of them apart (vLLM's fp8_ulp_distance: bytes in
///   the
///              order of their numbers)
///   tiny_diff  sglang's assert_all_close_or_tiny_diff: bytes less than two apart, fewer than `share` of them apart, of at most
///              `elements`; of int8 it compares a tensor with itself; other formats it does not know
///   diff       DeepGEMM's calc_diff: 1 - 2 xy / (x x + y y) < limit
///   cosine     xy / (|x| |y|) > limit
///   mean_diff  vLLM's mean relative difference: mean |a - b| / mean |b| < limit
///   fuzz       FlashInfer's: |a - b| <= of_largest max |b| + rtol |b| everywhere
///   sqnr       20 log10(|x| / |x - y|) >= limit, x the input of the kernel
///   logged     AITER's checkAllclose, whose result nobody looks at: accepts
///   reported   AITER's checkAllclose where it writes "failed!": more than `share` are not close
const std::vector<Measure>& measures();

Judgement measured(const Check& check, const Answer& kernel, const Answer& reference);

}  // namespace assay::judges
