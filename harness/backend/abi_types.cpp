#include "harness/backend/abi_types.h"

#include <stdexcept>
#include <string>

#include "reference/formats/catalogue.h"

namespace assay {

assay_type_code type_code_of(const Format& format) {
  struct Row {
    const Format& format;
    assay_type_code code;
  };
  static const Row kRows[] = {{kF32, ASSAY_FLOAT},
                              {kBf16, ASSAY_BFLOAT},
                              {kF16, ASSAY_FLOAT},
                              {kE4M3Fn, ASSAY_FLOAT8_E4M3FN},
                              {kE4M3Fnuz, ASSAY_FLOAT8_E4M3FNUZ},
                              {kE5M2, ASSAY_FLOAT8_E5M2},
                              {kE5M2Fnuz, ASSAY_FLOAT8_E5M2FNUZ},
                              {kE8M0, ASSAY_FLOAT8_E8M0FNU},
                              {kE2M1, ASSAY_FLOAT4_E2M1FN},
                              {kInt8, ASSAY_INT},
                              {kInt32, ASSAY_INT},
                              {kInt64, ASSAY_INT},
                              {kUint8, ASSAY_UINT}};
  for (const Row& row : kRows) {
    if (row.format == format) return row.code;
  }
  throw std::logic_error("the C ABI has no type for format " + std::string(format.name));
}

}  // namespace assay
