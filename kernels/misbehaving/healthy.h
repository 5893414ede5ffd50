/* The healthy kernel around which each library of this folder misbehaves: numbers right, conduct wrong. */
#ifndef ASSAY_MISBEHAVING_HEALTHY_H
#define ASSAY_MISBEHAVING_HEALTHY_H

#define assay_get_library healthy_library
#include "../example_plugin/my_rms_norm.c"
#undef assay_get_library

/* The library with another run(). */
#define MISBEHAVE_WITH(its_run)                                                                          \
  const assay_library* assay_get_library(void) {                                                         \
    static const assay_library library = {                                                               \
        .abi = ASSAY_ABI_VERSION, .size = sizeof(assay_library), .describe = describe, .run = its_run}; \
    return &library;                                                                                     \
  }

#endif
