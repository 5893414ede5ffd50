# Lists of kernels that the compiler and CMake both read, such as ops/ops.inc: a line MACRO(name) each. What differs between a list and the
# sources stops the configuration.

# assay_listed(<variable> <list> FILES <glob> [EXCEPT <file>] NAME <regex>)
# Names that are files. <glob> gives the files that the list names; <regex> takes from a file's path what is no part of its name. A name
# without a file, a file that is not listed, and a name that stands twice are errors.
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
# Names that are functions: each stands for a function std::vector<Kernel> <name><suffix>(), which one of the files defines. Sets the variable
# to these files. A name without a function, a function that is not listed, and a name that stands twice are errors.
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
#   ASSAY_HOST_SOURCES    what has no kernel; any library that starts kernels links it
#   ASSAY_KERNEL_SOURCES  what has kernels
#   ASSAY_OP_SOURCES      both, and the list of all kernels: all of a vendor's library but its library.cpp
function(assay_op_sources folder)
  assay_listed_functions(kernels ${folder}/ops.inc FILES */*.cpp SUFFIX _kernels)
  set(host ${folder}/call.cpp ${folder}/host_checks.cpp)
  set(ASSAY_HOST_SOURCES ${host} PARENT_SCOPE)
  set(ASSAY_KERNEL_SOURCES ${kernels} PARENT_SCOPE)
  set(ASSAY_OP_SOURCES ${host} ${folder}/all_kernels.cpp ${kernels} PARENT_SCOPE)
endfunction()
