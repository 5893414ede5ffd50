/* Writes a length of three gigabytes into each file that it did not open, and goes on. */
#include <unistd.h>

#include "healthy.h"

static assay_status scribble(const assay_call* call) {
  static const unsigned char length[8] = {0, 0, 0, 0xc0};
  for (int file = 3; file < 16; ++file)
    if (write(file, length, sizeof length) < 0) continue;
  return run(call);
}
MISBEHAVE_WITH(scribble)
