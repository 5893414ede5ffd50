# What the reference accepts, and which mistakes a data set shows, is made by these sources alone: the digest of all of them says whether what is
# written down in golden/power still holds. Tests, benchmarks and programs that measure the harness are none of them.
#
# As a module: assay_sources_of_answers(ROOT OUT) lists them, relative to ROOT. As a script, cmake -DSOURCE=... -DOUTPUT=... -P
# sources_of_answers.cmake, it writes OUTPUT, the one source that knows the digest.
function(assay_sources_of_answers root out)
  set(globs "")
  foreach(room reference suites harness/core harness/fill harness/text harness/compare harness/diagnosis kernels/abi)
    list(APPEND globs ${root}/${room}/*.h ${root}/${room}/*.cpp ${root}/${room}/*.inc)
  endforeach()
  if(CMAKE_SCRIPT_MODE_FILE)
    file(GLOB_RECURSE files RELATIVE ${root} ${globs})
  else()
    file(GLOB_RECURSE files RELATIVE ${root} CONFIGURE_DEPENDS ${globs})
  endif()
  list(FILTER files EXCLUDE REGEX "_test\\.cpp$|/(testing|bench|oracles|judges|catches)/")
  list(APPEND files reference/CMakeLists.txt ci/cmake/options.cmake)  # flags that change arithmetic
  list(SORT files)
  set(${out} ${files} PARENT_SCOPE)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  assay_sources_of_answers(${SOURCE} files)
  set(digests "")
  foreach(file IN LISTS files)
    file(SHA256 ${SOURCE}/${file} digest)
    string(APPEND digests "${file} ${digest}\n")
  endforeach()
  string(SHA256 digest "${digests}")
  file(WRITE ${OUTPUT} "namespace assay {\nextern const char* const kSourcesOfAnswers;\nconst char* const kSourcesOfAnswers = \"${digest}\";\n}  // namespace assay\n")
endif()
