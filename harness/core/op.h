// Description of an op for the harness: its tensors and parameters, the columns of its case tables, how to bind a case, and how
// to find the case of a user's tensors. The harness contains no op names; suites/ fills in these structs.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/tensor.h"
#include "harness/text/messages.h"

namespace assay {

/// A tensor of the op's calls. Plug-ins find it by this name.
struct RoleSpec {
  std::string name;
  Access access;
  std::string what;  ///< shape and meaning
  bool of_each_rank = false;  ///< every rank has such a tensor; in a dump, the tensor of rank 2 has the name "x@2"
};

/// A number that the harness may pass to the kernel with a call of the op.
struct ParameterSpec {
  std::string name, what;
};

/// A tensor of a dump with its bytes, in the memory layout of the dump.
struct DumpedTensor {
  HostTensor tensor;
  std::string file, name, dtype;
  bool plain_bytes = false;  ///< the file does not tell the format of these bytes (U8, |V1)

  std::string place() const { return file + ": tensor '" + name + "'"; }
};

using DumpedRoles = std::map<std::string, DumpedTensor>;

/// How a dump holds a tensor of scales that has a scale layout.
enum class ScalePlacing {
  kMemory,   ///< with the layout's own shape and strides, padding included
  kLogical,  ///< with the layout's shape, but other strides
  kFlat      ///< as the storage in one flat tensor, or column after column
};

/// What a user states about the tensors. `parameters` and `layout` override what is inferred from shapes and formats.
struct DumpRequest {
  std::string contract;
  const DumpedRoles& roles;
  std::map<std::string, std::string> parameters{};
  std::string layout{};
};

/// Thrown if no tensor of a dump has the role. The code that read the files adds the names of the dump's tensors to the message.
struct MissingRole : UsageError {
  explicit MissingRole(const std::string& name) : UsageError("no tensor for role '" + name + "'"), role(name) {}

  std::string role;
};

/// The case that matches a dump, and its problem. Inputs and in-place tensors hold placeholders, not yet the data of the dump.
struct DumpCase {
  Case one;
  std::shared_ptr<const BoundCase> bound;
  Problem problem;
  std::map<std::string, ScalePlacing> placings{};  ///< key: role; only scale tensors with a layout are listed, since for others
                                                   ///< the shape determines the places of the elements
};

struct Op {
  std::string name;
  std::vector<RoleSpec> roles{};            ///< every tensor that a problem may have
  std::vector<ParameterSpec> parameters{};  ///< every parameter that a call may have
  std::vector<std::string> columns{};        ///< columns of its case tables besides why and blind_to; keys of a kernel's
                                             ///< `accepts`
  std::set<std::string> optional_columns{};  ///< columns that a table may leave out; cases then have empty cells
  std::string data_column = "fill";  ///< the column that names a case's inputs, by which tables list mutation scores; empty if
                                     ///< results do not depend on input data
  bool has_sweeps = false;           ///< some cases are sweeps: they have more inputs than one problem can hold
  std::string untried{};  ///< real-world algorithms without a model, and why; printed if no modelled algorithm gives the outputs
  /// Whether cases of the op can have this contract; false if the contract does not exist.
  std::function<bool(const std::string& contract)> takes{};
  /// Binds a case, which is one expanded row of a table. Throws TableError that names the wrong column.
  std::function<std::unique_ptr<const BoundCase>(const Case&)> bind{};
  /// Derives a case from a user's tensors. Empty if the op does not support dumps. Throws UsageError that names the tensor and
  /// what was expected.
  std::function<DumpCase(const Op&, const DumpRequest&)> case_of_dump{};
};

/// Binds the case, and returns it with its name and architecture. Throws TableError that names the wrong column.
Case checked_case(const Op& op, Case one);

/// Caches a value that all hypotheses of a case derive from its problem. Computes it again if the problem changes. Thread-safe.
template <class Made>
class MadeOnce {
 public:
  template <class Make>
  std::shared_ptr<const Made> of(const Problem& problem, Make make) {
    const std::lock_guard lock(mutex_);
    const void* const first = problem.tensors.front().bytes.data();
    if (!made_ || problem_ != &problem || first_ != first) {
      made_ = std::make_shared<const Made>(make());
      problem_ = &problem;
      first_ = first;
    }
    return made_;
  }

 private:
  std::mutex mutex_;
  const Problem* problem_ = nullptr;
  const void* first_ = nullptr;  ///< address of the first tensor's bytes; needed because a new Problem may lie at the address of
                                 ///< a destroyed one
  std::shared_ptr<const Made> made_;
};

}  // namespace assay
