#include "harness/core/op.h"

namespace assay {

Access access_of(const HostTensor& tensor) {
  if (tensor.spec.role == Role::kInput) return Access::kIn;
  return tensor.bytes.empty() || !tensor.spec.shares.empty() ? Access::kOut : Access::kInOut;
}

const char* name(Access access) {
  switch (access) {
    case Access::kIn:
      return "input";
    case Access::kOut:
      return "output";
    case Access::kInOut:
      break;
  }
  return "in place";
}

}  // namespace assay
