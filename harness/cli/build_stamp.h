// Which program this is. Defined in sources that ci/cmake/commit.cmake writes at every build, and sources_of_answers.cmake after changes.
#pragma once

namespace assay {

extern const char* const kVersion;
extern const char* const kCommit;  ///< "0123...", with "+edited" if the tree is not the commit's, or "unknown" outside git

/// SHA-256 of all sources that decide what is accepted, and which mistakes a data set shows (ci/cmake/sources_of_answers.cmake).
extern const char* const kSourcesOfAnswers;

}  // namespace assay
