// A library that ends its process while it is loaded.
#include <cstdlib>

#include "assay/abi.h"

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) { std::abort(); }
