// A user's tensors as a call that was made: which tensor has which role, and where its elements lie.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"
#include "harness/run/run_case.h"

namespace assay {

/// What a user says of files of tensors.
struct DumpArguments {
  std::vector<std::string> targets;  ///< FILE.safetensors, role=FILE.npy[:FORMAT]
  std::vector<std::string> tensors;  ///< "role=name in the file"
};

struct DumpedFiles {
  DumpedRoles roles;
  std::vector<std::string> there;  ///< names of all tensors of the files

  /// "; there are: a, b; name it with --tensor ROLE=NAME or ROLE=FILE.npy", for a role that no tensor has.
  std::string what_there_is(const std::string& role) const;
};

/// The tensors of all targets that a role of one of the ops is named by. Throws UsageError, DumpError.
DumpedFiles gather(const DumpArguments& arguments, const std::vector<const Op*>& ops);

/// A dump as a problem and what some kernel made of it.
struct DumpedCall {
  DumpCase dump;
  std::shared_ptr<const BoundCase> judging;  ///< the bound case, without padding that the dump does not hold
  Problem problem;
  CallResult result;
};

/// Throws UsageError, or MissingRole: tensors that are no instance of the contract.
DumpedCall dumped_call(const Op& op, const DumpRequest& request);

}  // namespace assay
