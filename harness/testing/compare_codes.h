// Compares tensors of a few codes with expected codes.
#pragma once

#include "harness/compare/compare.h"
#include "harness/compare/ordinals.h"
#include "harness/fill/philox.h"
#include "harness/testing/whole_part.h"
#include "reference/formats/catalogue.h"

namespace assay::compare_codes {

inline HostTensor tensor_of(const Format& format, const std::vector<uint32_t>& codes) {
  HostTensor tensor{dense("q", Role::kOutput, format, {1, int64_t(codes.size())}), {}};
  tensor.bytes.resize(tensor.spec.bytes());
  for (size_t i = 0; i < codes.size(); ++i) tensor.set_code(int64_t(i), codes[i]);
  return tensor;
}

inline WholePart pinned(const Format& format, const std::vector<uint32_t>& codes) {
  WholePart expected = testing::whole_part(format, {1, int64_t(codes.size())}, {}, {}, "pinned: one code");
  for (const uint32_t code : codes) expected.low.push_back(ordinal(format, code));
  return expected;
}

inline TensorFinding compare_values(const Format& format, double expected, double got) {
  return testing::compare_part(pinned(format, {code_of(format, expected)}), tensor_of(format, {code_of(format, got)}));
}

}  // namespace assay::compare_codes
