/* Built with a header of another ABI version. */
#include "healthy.h"

const assay_library* assay_get_library(void) {
  static const assay_library library = {
      .abi = ASSAY_ABI_VERSION + 98, .size = sizeof(assay_library), .describe = describe, .run = run};
  return &library;
}
