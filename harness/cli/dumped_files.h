// Which tensors of a user's files have which role.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"

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

}  // namespace assay
