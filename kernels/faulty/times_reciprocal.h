// A step from a number to the quotient that is rounded to a code: a product with 1 / s where the op divides by s.
#pragma once

namespace assay_kernels {

struct TimesReciprocal {
  float inverse;
  explicit TimesReciprocal(float s) : inverse(1.0f / s) {}
  float operator()(float x) const { return x * inverse; }
};

}  // namespace assay_kernels
