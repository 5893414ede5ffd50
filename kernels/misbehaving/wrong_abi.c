/* Built with a header of another ABI version. */
#include "healthy.h"

const assay_library* assay_get_library(void) {
  static const assay_library library = {
      ASSAY_ABI_VERSION + 98, sizeof(assay_library), describe, run, NULL, NULL, NULL, NULL, NULL};
  return &library;
}
