# cmake -DSOURCE=... -DOUTPUT=... -DVERSION=... -P commit.cmake: writes OUTPUT, the only source with the commit hash, if it
# changed. Runs at every build, so that a commit costs one compiled file and one link. The hash is "unknown" if SOURCE is not a
# git working tree: a release unpacked inside another project's tree must not show that project's commit.
set(commit unknown)
find_program(git git)
if(git)
  execute_process(COMMAND ${git} rev-parse --show-prefix HEAD WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE answer ERROR_QUIET
    OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
  # `git rev-parse --show-prefix` is empty only at the top of a working tree.
  if(NOT failed AND answer MATCHES "^\n?([0-9a-f]+)$")
    set(commit ${CMAKE_MATCH_1})
    execute_process(COMMAND ${git} diff --quiet HEAD -- WORKING_DIRECTORY ${SOURCE} RESULT_VARIABLE edited ERROR_QUIET)
    if(edited)
      string(APPEND commit "+edited")
    endif()
  endif()
endif()
set(text "namespace assay {\nextern const char *const kVersion, *const kCommit;\nconst char *const kVersion = \"${VERSION}\", *const kCommit = \"${commit}\";\n}  // namespace assay\n")
set(before "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT before STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()
