// class Call: a call of the C ABI, with checks of its tensors and parameters. A call that a kernel cannot serve is rejected with
// a message before anything runs. Also the kernel table that describe() lists.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "assay/plugin/call.hpp"
#include "assay/plugin/table.hpp"
#include "kernels/simt/launch.h"

namespace assay_kernels {


using assay::plugin::failed;
using assay::plugin::has_type;
using assay::plugin::named;
using assay::plugin::unsupported;

struct Shape {
  int64_t rows, columns;
};

/// The harness passes complete calls to these kernels, so a missing tensor or parameter is a failure. In a plug-in it is a skip.
class Call : public assay::plugin::Call {
 public:
  using DeviceError = simt::DeviceError;  ///< an exception of simt::launch() ends the call with ASSAY_DEVICE_LOST

  explicit Call(const assay_call& call);

  const std::string& contract() const { return contract_; }

  /// The tensor with that role, of any number of dimensions. Rejects the call if it is missing, or not aligned to its element
  /// size.
  const assay_tensor& input(const char* role) const { return tensor(role, 0); }
  const assay_tensor& output(const char* role) const { return tensor(role, 1); }

  using assay::plugin::Call::number;
  double number(const char* parameter) const;

  /// A launch on this call's stream, with its warp size. `schedule_seed` and `stack_fill` of the call matter on the CPU only.
  simt::Launch grid(int64_t blocks, int threads) const;
  int warp() const { return int(number("warp", 32)); }

 private:
  const assay_tensor& tensor(const char* role, int is_output) const;
  std::string contract_;
};

/// Rejects the call unless the data are aligned to 16 bytes, the size of a thread's load.
void expect_aligned(const assay_tensor& tensor);

/// Rows and columns of a dense row-major matrix. Rejects any other tensor, and storage that is too small.
Shape dense_matrix(const assay_tensor& tensor);

/// Rows and columns of a matrix of contiguous rows, strides[0] elements apart. Rejects other tensors, and too small storage.
Shape matrix_of_rows(const assay_tensor& tensor);

/// Rejects the call unless the tensor has these rows and columns and its last element lies within its storage.
void expect_matrix(const assay_tensor& tensor, Shape shape);

/// Rejects the call unless the tensor is a dense vector of that length with the type of `like`.
void expect_vector(const assay_tensor& tensor, int64_t length, const assay_tensor& like);

// Types of assay/plugin/table.hpp for the table of kernels. describe() and run() are derived from this table.

using assay::plugin::Accepts;
using assay::plugin::Values;
using Kernel = assay::plugin::KernelOf<Call>;

/// Types of x that most kernels take.
inline const Values kHalf{"bf16", "f16"};
inline const Values kAny{"bf16", "f16", "f32"};

/// Every kernel of every op.
std::vector<Kernel> all_kernels();

/// The kernels that a GPU can run: contracts of other architectures' tensor core instructions are left out. `arch` is named as
/// in describe(), such as "sm_90" or "gfx942:sramecc+". Returns all kernels if it is empty.
std::vector<Kernel> kernels_of(const std::string& arch);

}  // namespace assay_kernels
