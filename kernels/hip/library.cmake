# libassay_hip.so by the compiler of ROCm (hipcc or amdclang++), where there is one that knows all architectures. Sets
# ASSAY_HIP_LIBRARY to the library or to nothing.
set(ASSAY_HIP_LIBRARY "" CACHE INTERNAL "libassay_hip.so, if it is built")
find_program(ASSAY_HIPCC_PATH ${ASSAY_HIPCC} HINTS /opt/rocm/bin $ENV{ROCM_PATH}/bin)
if(NOT ASSAY_HIPCC_PATH)
  message(STATUS "HIP: libassay_hip.so is not built: no ${ASSAY_HIPCC}")
  return()
endif()

set(offload ${ASSAY_HIP_ARCHITECTURES})
list(TRANSFORM offload PREPEND --offload-arch=)
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/probe.cpp "#include <hip/hip_runtime.h>\n__global__ void k() {}\nint main() { k<<<1, 1>>>(); }\n")
execute_process(COMMAND ${ASSAY_HIPCC_PATH} -x hip ${offload} probe.cpp -o probe WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}
  RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
if(failed)
  message(STATUS "HIP: libassay_hip.so is not built: ${ASSAY_HIPCC_PATH} does not compile for ${ASSAY_HIP_ARCHITECTURES}")
  return()
endif()

# hip_module(<target> <file> <source>...): one shared object of the build folder.
function(hip_module target file)
  set(objects "")
  foreach(source ${CMAKE_CURRENT_SOURCE_DIR}/library.cpp ${ARGN})
    file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR}/kernels ${source})
    string(REPLACE "/" "." name ${name})
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${target}/${name}.o)
    add_custom_command(OUTPUT ${object}
      COMMAND ${ASSAY_HIPCC_PATH} ${flags} ${offload} -DASSAY_HIP_RUNTIME -fPIC -fvisibility=hidden -MD -MF ${object}.d -MT ${object}
              -c ${source} -o ${object}
      DEPENDS ${source} DEPFILE ${object}.d COMMENT "${file} ${name}" VERBATIM)
    list(APPEND objects ${object})
  endforeach()
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/${target})
  add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/${file}
    COMMAND ${ASSAY_HIPCC_PATH} -shared -Wl,-z,defs -Wl,--version-script=${CMAKE_SOURCE_DIR}/kernels/exports.map ${objects} -o ${CMAKE_BINARY_DIR}/${file}
    DEPENDS ${objects} ${CMAKE_SOURCE_DIR}/kernels/exports.map COMMENT "${file}" VERBATIM)
  add_custom_target(${target} ALL DEPENDS ${CMAKE_BINARY_DIR}/${file})
  install(PROGRAMS ${CMAKE_BINARY_DIR}/${file} DESTINATION ${ASSAY_INSTALL_KERNELSDIR} COMPONENT assay OPTIONAL)
endfunction()

set(ASSAY_HIP_LIBRARY ${CMAKE_BINARY_DIR}/libassay_hip.so CACHE INTERNAL "libassay_hip.so, if it is built")
hip_module(assay_kernels_hip libassay_hip.so ${ASSAY_OP_SOURCES})
hip_module(assay_watch_hip assay_watch_hip.so ${ASSAY_WATCH_SOURCES})
message(STATUS "HIP: libassay_hip.so for ${ASSAY_HIP_ARCHITECTURES} by ${ASSAY_HIPCC_PATH}")
