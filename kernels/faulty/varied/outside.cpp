// Mistakes that no edit of a contract describes: the diagnosis is to name none.
#include "kernels/faulty/offers/group.h"
#include "kernels/faulty/offers/norm.h"
#include "kernels/faulty/varied/here.h"
#include "kernels/ops/quant_group/vllm.h"

namespace assay_kernels {
namespace {

struct Gain : VllmRmsNorm20260618 {
  static float factor(float mean, float eps) { return NormRules::factor(mean, eps) * (65.0f / 64.0f); }
};
struct DividedByLess : VllmRmsNorm20260618 {
  static float mean(float sum, float n) { return sum / (n - 1.0f); }
};
struct CodesInReverse : VllmGroupFp8 {
  struct Code : VllmGroupFp8::Code {
    static uint32_t encode4(const float* v) { return __builtin_bswap32(VllmGroupFp8::Code::encode4(v)); }
  };
};
struct WordsInReverse : VllmGroupFp8Packed {
  static uint32_t pack(const float* s) { return __builtin_bswap32(VllmGroupFp8Packed::pack(s)); }
};
struct ScaleOff : VllmGroupFp8 {
  static float scale(float amax) { return VllmGroupFp8::scale(amax) * (1.0f + 0x1p-19f); }
};

}  // namespace

std::vector<Kernel> outside() {
  return {
      of_norms<Gain>("gain", kHere),
      of_norms<DividedByLess>("divided_by_less", kHere),
      in_registers<CodesInReverse>("codes_in_reverse", kHere),
      in_shared_memory<WordsInReverse>("words_in_reverse", kHere),
      in_registers<ScaleOff>("scale_off", kHere),
  };
}

}  // namespace assay_kernels
