# Sources of the kernels, compiled once per vendor: as C++ for the CPU, as CUDA for NVIDIA, as HIP for AMD.
#
# assay_op_sources(<folder>) collects those of the ops that <folder>/ops.inc lists: every .cpp of an op's folder. One named *_host.cpp has
# no kernel, only what the host checks, and is also linked where another library starts kernels of its own by it. Sets:
#   ASSAY_HOST_SOURCES    those of the host that any library of kernels needs
#   ASSAY_KERNEL_SOURCES  those with kernels
#   ASSAY_OP_SOURCES      both, and the list: all of a vendor's library but its library.cpp
include(${CMAKE_CURRENT_LIST_DIR}/../listed.cmake)

function(assay_op_sources folder)
  assay_listed(ops ${folder}/ops.inc FILES */* NAME "/.*$")
  set(host ${folder}/call.cpp)
  set(kernels "")
  foreach(op IN LISTS ops)
    if(NOT EXISTS ${folder}/${op}/kernels.cpp)
      message(FATAL_ERROR "${folder}/ops.inc has '${op}', whose folder has no kernels.cpp")
    endif()
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/${op}/*.cpp)
    set(of_host ${sources})
    list(FILTER of_host INCLUDE REGEX "_host\\.cpp$")
    list(FILTER sources EXCLUDE REGEX "_host\\.cpp$")
    list(APPEND host ${of_host})
    list(APPEND kernels ${sources})
  endforeach()
  set(ASSAY_HOST_SOURCES ${host} PARENT_SCOPE)
  set(ASSAY_KERNEL_SOURCES ${kernels} PARENT_SCOPE)
  set(ASSAY_OP_SOURCES ${host} ${folder}/kernels.cpp ${kernels} PARENT_SCOPE)
endfunction()
