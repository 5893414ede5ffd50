// Functions whose bits must not depend on the machine. glibc picks its expf and log2f by CPU; these are our own arithmetic in
// double, rounded once at the end. Built with -ffp-contract=off.
#pragma once

namespace simt::cpu {

float rsqrt(float value);  ///< the nearest float but for about 1 in 2^29; 0 gives Inf, negative gives NaN
float exp2(float value);   ///< exact for integers
float exp(float value);    ///< within one ulp
float tanh(float value);   ///< within one ulp
float erf(float value);    ///< within one ulp
float log(float value);    ///< within one ulp; 0 gives -Inf, negative gives NaN
float log2(float value);   ///< exact for powers of two; 0 gives -Inf, negative gives NaN

}  // namespace simt::cpu
