// One call of the C ABI, read and checked. What a kernel cannot do is refused here, with a message, before anything runs.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "assay/abi.h"
#include "kernels/simt/launch.h"

namespace assay_kernels {

/// Why a call is not run: ASSAY_UNSUPPORTED for what this library does not do, ASSAY_FAILED for what is wrong in itself.
struct Refusal : std::runtime_error {
  Refusal(assay_status s, const std::string& why) : std::runtime_error(why), status(s) {}
  assay_status status;
};
[[noreturn]] inline void unsupported(const std::string& why) { throw Refusal(ASSAY_UNSUPPORTED, why); }
[[noreturn]] inline void wrong(const std::string& why) { throw Refusal(ASSAY_FAILED, why); }

struct Shape {
  int64_t rows, columns;
};

class Call {
 public:
  explicit Call(const assay_call& call);

  const assay_call& raw() const { return call_; }
  const std::string& contract() const { return contract_; }

  /// Tensor of that role, of two dimensions (`gamma`: one). Refuses the call if it is missing or not aligned to its elements.
  const assay_tensor& input(const char* role) const { return tensor(role, 0); }
  const assay_tensor& output(const char* role) const { return tensor(role, 1); }

  double number(const char* parameter) const;
  double number_or(const char* parameter, double fallback) const;

  /// A grid in this call's stream, lane order and warp size.
  simt::Launch grid(int64_t blocks, int threads) const;
  int warp() const { return int(number_or("warp", 32)); }

 private:
  const assay_tensor& tensor(const char* role, int is_output) const;
  const assay_param* find(const char* parameter) const;
  const assay_call& call_;
  std::string contract_;
};

/// Refuses unless the data is aligned to 16 bytes: what a thread loads at a time.
void expect_aligned(const assay_tensor& tensor);

bool has_type(const assay_tensor& tensor, int code, int bits);

/// Rows and columns of a dense row-major matrix whose storage holds all of it. Refuses anything else.
Shape dense_matrix(const assay_tensor& tensor);

/// The same of a matrix whose rows may lie apart, strides[0] from one to the next.
Shape matrix_of_rows(const assay_tensor& tensor);

/// Refuses unless the tensor has these rows and columns and its highest addressed element lies in its storage.
void expect_matrix(const assay_tensor& tensor, Shape shape);

/// Refuses unless the tensor is dense, of that length and as wide as `like`.
void expect_vector(const assay_tensor& tensor, int64_t length, const assay_tensor& like);

}  // namespace assay_kernels
