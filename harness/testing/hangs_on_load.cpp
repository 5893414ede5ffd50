// A library whose constructor never returns.
#include <unistd.h>

#include "assay/abi.h"

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  for (;;) ::pause();
}
