/* Two kernels that compute rightly; the first leaves a thread behind that writes over its tensors a moment later, when the other
 * kernel is being called. */
#include <pthread.h>
#include <unistd.h>

#include "healthy.h"

struct late {
  unsigned char* at;
  size_t bytes;
};

static void* write_later(void* argument) {
  struct late* const late = argument;
  for (int i = 0; i < 100; ++i) {
    usleep(1000);
    for (size_t k = 0; k < late->bytes; ++k) ((volatile unsigned char*)late->at)[k] ^= 0xff;
  }
  return NULL;
}

static assay_status leave_thread(const assay_call* call) {
  static struct late late;
  pthread_t thread;
  const assay_status status = run(call);
  if (status != ASSAY_OK) return status;
  const assay_tensor* y = tensor_of(call, "y");
  if (strcmp(call->kernel, "late") != 0) {
    usleep(20000); /* long enough for the other's thread to reach what this call has written */
    return status;
  }
  late.at = y->data;
  late.bytes = y->bytes;
  if (pthread_create(&thread, NULL, write_later, &late) == 0) pthread_detach(thread);
  return status;
}
MISBEHAVE_WITH_TWO(leave_thread, "late", "innocent")
