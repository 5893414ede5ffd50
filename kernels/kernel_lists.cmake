# Lists of kernels that the compiler and CMake both read, such as ops/ops.inc, with lines MACRO(name). CMake stops with an error
# if a list and the sources differ.

# assay_listed(<variable> <list> FILES <glob> [EXCEPT <file>] NAME <regex>)
# For lists of files. <glob> matches the files that must be listed. The name of a file is its path without what <regex> matches.
# A name without a file, a file that is not listed, and a duplicate name are errors.
function(assay_listed variable list)
  cmake_parse_arguments(PARSE_ARGV 2 L "" "FILES;EXCEPT;NAME" "")
  cmake_path(ABSOLUTE_PATH list)
  cmake_path(GET list PARENT_PATH folder)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
  file(STRINGS ${list} names REGEX "^ASSAY_")
  list(TRANSFORM names REPLACE "^ASSAY_[A-Z]+\\((.*)\\)$" "\\1")

  file(GLOB found RELATIVE ${folder} CONFIGURE_DEPENDS ${folder}/${L_FILES})
  list(REMOVE_ITEM found "${L_EXCEPT}")
  list(TRANSFORM found REPLACE "${L_NAME}" "")
  list(REMOVE_DUPLICATES found)
  set(unlisted ${found})
  foreach(name IN LISTS names)
    if(NOT name IN_LIST found)
      message(FATAL_ERROR "${list} has '${name}', and there is no file ${L_FILES} of that name")
    endif()
    if(NOT name IN_LIST unlisted)
      message(FATAL_ERROR "${list} has '${name}' twice")
    endif()
    list(REMOVE_ITEM unlisted ${name})
  endforeach()
  if(NOT unlisted STREQUAL "")
    message(FATAL_ERROR "${list} does not have: ${unlisted}")
  endif()
  set(${variable} ${names} PARENT_SCOPE)
endfunction()

# assay_listed_functions(<variable> <list> FILES <glob> SUFFIX <suffix>)
# For lists of functions: each name stands for a function std::vector<Kernel> <name><suffix>() that one of the files defines. Sets the variable
# to these files. A name without a function, a function that is not listed, and a duplicate name are errors.
function(assay_listed_functions variable list)
  cmake_parse_arguments(PARSE_ARGV 2 L "" "FILES;SUFFIX" "")
  cmake_path(ABSOLUTE_PATH list)
  cmake_path(GET list PARENT_PATH folder)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
  file(STRINGS ${list} names REGEX "^ASSAY_")
  list(TRANSFORM names REPLACE "^ASSAY_[A-Z]+\\((.*)\\)$" "\\1")

  file(GLOB files CONFIGURE_DEPENDS ${folder}/${L_FILES})
  set(unlisted "")
  foreach(file IN LISTS files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(STRINGS ${file} lines REGEX "^std::vector<Kernel> [a-z0-9_]+${L_SUFFIX}\\(\\) {")
    list(TRANSFORM lines REPLACE "^std::vector<Kernel> ([a-z0-9_]+)${L_SUFFIX}\\(.*" "\\1")
    list(APPEND unlisted ${lines})
  endforeach()
  set(found ${unlisted})
  foreach(name IN LISTS names)
    if(NOT name IN_LIST found)
      message(FATAL_ERROR "${list} has '${name}', and no file ${L_FILES} defines ${name}${L_SUFFIX}()")
    endif()
    if(NOT name IN_LIST unlisted)
      message(FATAL_ERROR "${list} has '${name}' twice")
    endif()
    list(REMOVE_ITEM unlisted ${name})
  endforeach()
  if(NOT unlisted STREQUAL "")
    message(FATAL_ERROR "${list} does not have: ${unlisted}")
  endif()
  set(${variable} ${files} PARENT_SCOPE)
endfunction()

# assay_op_sources(<folder>): the sources of the kernels, compiled once per vendor: as C++ for the CPU, as CUDA for NVIDIA, as HIP for AMD.
# <folder>/ops.inc lists the ops; the folders below it hold them. Sets:
#   ASSAY_HOST_SOURCES    sources without kernels; every library that launches kernels links them
#   ASSAY_KERNEL_SOURCES  sources with kernels
#   ASSAY_OP_SOURCES      both, and the list of all kernels: all sources of a vendor's library except library.cpp
function(assay_op_sources folder)
  assay_listed_functions(kernels ${folder}/ops.inc FILES */*.cpp SUFFIX _kernels)
  set(host ${folder}/call.cpp ${folder}/host_checks.cpp ${folder}/gemm_host_checks.cpp)
  set(ASSAY_HOST_SOURCES ${host} PARENT_SCOPE)
  set(ASSAY_KERNEL_SOURCES ${kernels} PARENT_SCOPE)
  set(ASSAY_OP_SOURCES ${host} ${folder}/all_kernels.cpp ${kernels} PARENT_SCOPE)
endfunction()
