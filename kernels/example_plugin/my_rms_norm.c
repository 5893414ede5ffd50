/* An example kernel library in one file: rms_norm on the CPU for bf16, contract vllm.rms_norm@2026-06-18.
 * Build: cc -std=c99 -O2 -ffp-contract=off -fPIC -shared -I../abi my_rms_norm.c -lm -o libmy_rms_norm.so
 * Check: assay run --backend ./libmy_rms_norm.so --suite rms_norm
 * SPDX-License-Identifier: Apache-2.0 */
#include <assay/abi.h>
#include <math.h>
#include <string.h>

static const assay_tensor* tensor_of(const assay_call* call, const char* role) {
  for (int32_t i = 0; i < call->n_tensors; ++i)
    if (strcmp(call->tensors[i].role, role) == 0) return &call->tensors[i];
  return NULL;
}

static double parameter_of(const assay_call* call, const char* name, double fallback) {
  for (int32_t i = 0; i < call->n_params; ++i)
    if (strcmp(call->params[i].name, name) == 0) return call->params[i].value;
  return fallback;
}

static assay_status answer(const assay_call* call, assay_status status, const char* message) {
  if (call->message && call->message_bytes > 0) {
    strncpy(call->message, message, call->message_bytes - 1);
    call->message[call->message_bytes - 1] = '\0';
  }
  return status;
}

static int is_bf16(const assay_tensor* t) { return t && t->type_code == ASSAY_BFLOAT && t->type_bits == 16; }

static float from_bf16(uint16_t code) {
  const uint32_t bits = (uint32_t)code << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Rounds to nearest, ties to even. */
static uint16_t to_bf16(float value) {
  uint32_t bits;
  if (value != value) return 0x7fff;
  memcpy(&bits, &value, sizeof bits);
  return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static assay_status run(const assay_call* call) {
  const assay_tensor *x = tensor_of(call, "x"), *gamma = tensor_of(call, "gamma"), *y = tensor_of(call, "y");
  if (strcmp(call->op, "rms_norm") != 0) return answer(call, ASSAY_UNSUPPORTED, "this kernel supports only op rms_norm");
  if (!is_bf16(x) || !is_bf16(gamma) || !is_bf16(y)) return answer(call, ASSAY_UNSUPPORTED, "this kernel supports only bf16");
  if (x->ndim != 2 || y->ndim != 2 || gamma->ndim != 1)
    return answer(call, ASSAY_FAILED, "x and y must have two dimensions, gamma one");
  const int64_t m = x->shape[0], n = x->shape[1];
  const float eps = (float)parameter_of(call, "eps", 1e-6);

  for (int64_t i = 0; i < m; ++i) {
    const uint16_t* from = (const uint16_t*)x->data + i * x->strides[0];
    uint16_t* to = (uint16_t*)y->data + i * y->strides[0];
    double sum = 0; /* double: the contract accepts every sum that is at least as accurate as its reduction tree */
    for (int64_t j = 0; j < n; ++j) {
      const float v = from_bf16(from[j * x->strides[1]]);
      sum += (double)(v * v);
    }
    const float r = (float)(1.0 / sqrt((double)((float)(sum / (double)n) + eps)));
    for (int64_t j = 0; j < n; ++j) {
      const float scaled = from_bf16(from[j * x->strides[1]]) * r; /* rounded to fp32 before the multiplication with the weight */
      to[j * y->strides[1]] = to_bf16(scaled * from_bf16(((const uint16_t*)gamma->data)[j * gamma->strides[0]]));
    }
  }
  return ASSAY_OK;
}

static const char* describe(void) {
  return "{\"name\": \"my_rms_norm\", \"arch\": \"cpu\", \"device\": \"\", \"driver\": \"\", \"toolkit\": \"\", \"kernels\": ["
         "{\"name\": \"my_rms_norm\", \"op\": \"rms_norm\", \"contracts\": [\"vllm.rms_norm@2026-06-18\"], \"accepts\": {\"x\": "
         "[\"bf16\"]}}]}";
}

const assay_library* assay_get_library(void) {
  static const assay_library library = {
      .abi = ASSAY_ABI_VERSION, .size = sizeof(assay_library), .describe = describe, .run = run};
  return &library;
}
