// Which program this is. Defined in a source that ci/cmake/commit.cmake writes at every build.
#pragma once

namespace assay {

extern const char* const kVersion;
extern const char* const kCommit;  ///< "0123...", with "+edited" if the tree is not the commit's, or "unknown" outside git

}  // namespace assay
