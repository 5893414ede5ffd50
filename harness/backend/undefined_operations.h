// What a library's own checks report during a call. GCC and Clang compile such checks into a library with -fsanitize=bounds,
// integer-divide-by-zero, null or shift-exponent. The program that loads the library contains the functions that they call.
#pragma once

#include <string>

namespace assay {

/// Forgets what was reported so far. The next call reports again.
void forget_undefined();

/// The operations that the checks reported since forget_undefined(), ordered by source line:
/// "outside: index -1 of an array of type 'float [8]' (at mine.h:12)". Empty if there are none.
std::string undefined_operations();

/// The same for the handler of a crash: the first of them, in memory that lives on; "" if there are none.
const char* undefined_before_crash();

}  // namespace assay
