// One call of the C ABI, read and checked, and the table rows by which a library offers its kernels. A call that a kernel cannot serve is
// refused here, with a message, before anything runs.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "assay/plugin/call.hpp"
#include "assay/plugin/table.hpp"
#include "kernels/simt/launch.h"

namespace assay_kernels {

// One call of the C ABI, read and checked. What a kernel cannot do is refused here, with a message, before anything runs.

using assay::plugin::failed;
using assay::plugin::has_type;
using assay::plugin::named;
using assay::plugin::unsupported;

struct Shape {
  int64_t rows, columns;
};

/// What the harness calls these kernels with is complete, so what is missing is no skip as in a plug-in's call but a failure.
class Call : public assay::plugin::Call {
 public:
  using DeviceError = simt::DeviceError;  ///< what simt::launch() throws makes ASSAY_DEVICE_LOST of the call

  explicit Call(const assay_call& call);

  const std::string& contract() const { return contract_; }

  /// Tensor of that role, of two dimensions (`gamma`: one). Refuses the call if it is missing or not aligned to its elements.
  const assay_tensor& input(const char* role) const { return tensor(role, 0); }
  const assay_tensor& output(const char* role) const { return tensor(role, 1); }

  using assay::plugin::Call::number;
  double number(const char* parameter) const;

  /// A grid in this call's stream, lane order and warp size.
  simt::Launch grid(int64_t blocks, int threads) const;
  int warp() const { return int(number("warp", 32)); }

 private:
  const assay_tensor& tensor(const char* role, int is_output) const;
  std::string contract_;
};

/// Refuses unless the data is aligned to 16 bytes: what a thread loads at a time.
void expect_aligned(const assay_tensor& tensor);

/// Rows and columns of a dense row-major matrix whose storage holds all of it. Refuses anything else.
Shape dense_matrix(const assay_tensor& tensor);

/// The same of a matrix whose rows may lie apart, strides[0] from one to the next.
Shape matrix_of_rows(const assay_tensor& tensor);

/// Refuses unless the tensor has these rows and columns and its highest addressed element lies in its storage.
void expect_matrix(const assay_tensor& tensor, Shape shape);

/// Refuses unless the tensor is dense, of that length and as wide as `like`.
void expect_vector(const assay_tensor& tensor, int64_t length, const assay_tensor& like);

// What a library offers: rows of assay/plugin/table.hpp, from which describe() and run() come.

using assay::plugin::Accepts;
using assay::plugin::Values;
using Kernel = assay::plugin::KernelOf<Call>;

/// Types of x that most kernels take.
inline const Values kHalf{"bf16", "f16"};
inline const Values kAny{"bf16", "f16", "f32"};

/// Every kernel of every op.
std::vector<Kernel> all_kernels();

/// Those that a chip can run: instructions of a tensor core belong to one. `arch` as in describe(), "sm_90" or "gfx942:sramecc+"; empty where
/// no chip is known: all of them.
std::vector<Kernel> kernels_of(const std::string& arch);

}  // namespace assay_kernels
