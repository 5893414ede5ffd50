// Assigns the tensors of a user's files to roles.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"

namespace assay {

/// What the user states about the files.
struct DumpArguments {
  std::vector<std::string> targets;  ///< FILE.safetensors or role=FILE.npy[:FORMAT]
  std::vector<std::string> tensors;  ///< "role=name in the file"
};

struct DumpedFiles {
  DumpedRoles roles;
  std::vector<std::string> there;  ///< names of all tensors in the files

  /// Text for a role that no tensor has: "; there are: a, b; name it with --tensor ROLE=NAME or ROLE=FILE.npy".
  std::string what_there_is(const std::string& role) const;
};

/// Reads the tensors of all targets that have a role of one of the ops. Throws UsageError, DumpError.
DumpedFiles gather(const DumpArguments& arguments, const std::vector<const Op*>& ops);

}  // namespace assay
