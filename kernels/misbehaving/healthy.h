/* The correct kernel that every library of this folder wraps. The results of a library are right; only its behaviour is wrong. */
#ifndef ASSAY_MISBEHAVING_HEALTHY_H
#define ASSAY_MISBEHAVING_HEALTHY_H

#define assay_get_library healthy_library
#include "../example_plugin/my_rms_norm.c"
#undef assay_get_library

/* Defines the library table with run() replaced. */
#define MISBEHAVE_WITH(its_run)                                                                         \
  const assay_library* assay_get_library(void) {                                                        \
    static const assay_library library = {                                                              \
        .abi = ASSAY_ABI_VERSION, .size = sizeof(assay_library), .describe = describe, .run = its_run}; \
    return &library;                                                                                    \
  }

/* Defines the library table with two kernels of the given names. */
#define MISBEHAVE_WITH_TWO(its_run, one, other)                                                             \
  static const char* describe_two(void) {                                                                   \
    return "{\"name\": \"two\", \"arch\": \"cpu\", \"kernels\": [{\"name\": \"" one                         \
           "\", \"op\": \"rms_norm\", \"contracts\": ["                                                     \
           "\"vllm.rms_norm@2026-06-18\"], \"accepts\": {\"x\": [\"bf16\"]}}, {\"name\": \"" other          \
           "\", \"op\": \"rms_norm\", "                                                                     \
           "\"contracts\": [\"vllm.rms_norm@2026-06-18\"], \"accepts\": {\"x\": [\"bf16\"]}}]}";            \
  }                                                                                                         \
  const assay_library* assay_get_library(void) {                                                            \
    static const assay_library library = {                                                                  \
        .abi = ASSAY_ABI_VERSION, .size = sizeof(assay_library), .describe = describe_two, .run = its_run}; \
    return &library;                                                                                        \
  }

#endif
