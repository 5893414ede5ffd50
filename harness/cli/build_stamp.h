// Version of this program. ci/cmake/commit.cmake generates the definition at every build.
#pragma once

namespace assay {

extern const char* const kVersion;
extern const char* const kCommit;  ///< commit hash, with "+edited" if the tree has uncommitted changes; "unknown" outside git

}  // namespace assay
