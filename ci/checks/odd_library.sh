# A plug-in configured by the environment: ODD_KERNELS is the list of kernels in describe()'s JSON; ODD_RUN is what run() does
# besides computing rms_norm correctly: crash, crash_above_3 (rows), hang, refuse. Sourced after lib.sh; sets $odd.
odd=$scratch/libodd.so
cat >"$scratch/odd.c" <<'END'
#include "healthy.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char* odd_describe(void) {
  static char text[1 << 16];
  const char* kernels = getenv("ODD_KERNELS");
  if (!kernels) return describe();
  snprintf(text, sizeof text, "{\"name\": \"odd\", \"arch\": \"cpu\", \"kernels\": [%s]}", kernels);
  return text;
}

static assay_status odd_run(const assay_call* call) {
  const char* how = getenv("ODD_RUN");
  if (how && strcmp(how, "hang") == 0) for (;;) pause();
  if (how && strcmp(how, "refuse") == 0) return answer(call, ASSAY_UNSUPPORTED, "not today");
  if (how && strcmp(how, "crash") == 0) abort();
  if (how && strcmp(how, "crash_above_3") == 0 && tensor_of(call, "x")->shape[0] > 3) abort();
  return run(call);
}

const assay_library* assay_get_library(void) {
  static const assay_library library = {
      .abi = ASSAY_ABI_VERSION, .size = sizeof(assay_library), .describe = odd_describe, .run = odd_run};
  return &library;
}
END
cc -std=gnu11 -O1 -ffp-contract=off -fPIC -shared -I"$root/kernels/abi" -I"$root/kernels/misbehaving" "$scratch/odd.c" -lm -o "$odd" ||
  fail "the odd library does not compile"
