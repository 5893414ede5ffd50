// A library that ends its process before anyone has called it.
#include <cstdlib>

#include "assay/abi.h"

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) { std::abort(); }
