# Runs the HIP plug-in of kernels/example_plugin on the executor. The original must pass. Versions with a mistake, made by editing the text, must
# fail, and the report must name the mistake.
set(example ${CMAKE_SOURCE_DIR}/kernels/example_plugin/my_rms_norm.hip)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${example})
file(READ ${example} text)

# planted(<name> <text> <by> <regular expression of the report>): <text> is replaced by <by>; with an empty <text> nothing is replaced.
function(planted name what by report)
  set(edited "${text}")
  if(NOT what STREQUAL "")
    string(FIND "${text}" "${what}" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "${example}: expected '${what}', which ${name} replaces")
    endif()
    string(REPLACE "${what}" "${by}" edited "${text}")
  endif()
  set(stem ${CMAKE_CURRENT_BINARY_DIR}/planted/${name})
  file(CONFIGURE OUTPUT ${stem}.hip CONTENT "${edited}" @ONLY)
  set(compile ${clang__} -x hip -std=c++17 -O3 -ffp-contract=off -Wall -nogpuinc -nogpulib -I${runtime} -I${CMAKE_SOURCE_DIR}/kernels/abi --offload-arch=gfx942)
  add_custom_command(OUTPUT ${stem}.o
    COMMAND ${compile} --offload-device-only --no-gpu-bundle-output -c ${stem}.hip -o ${stem}.elf
    COMMAND ${compile} --offload-host-only -fPIC -Xclang -fcuda-include-gpubinary -Xclang ${stem}.elf -c ${stem}.hip -o ${stem}.o
    DEPENDS ${stem}.hip ${runtime}/hip/hip_runtime.h ${runtime}/hip/hip_runtime_api.h ${CMAKE_SOURCE_DIR}/kernels/abi/assay/hip_plugin.hpp
    COMMENT "HIP ${name}" VERBATIM)
  set_source_files_properties(${stem}.o PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  add_library(assay_${name} MODULE ${stem}.o)
  set_target_properties(assay_${name} PROPERTIES LINKER_LANGUAGE CXX LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/planted PREFIX "" OUTPUT_NAME ${name})
  target_link_libraries(assay_${name} PRIVATE assay_hip_runtime)
  add_test(NAME ${name} COMMAND assay run --backend $<TARGET_FILE:assay_${name}> --execute gfx942,races --suite rms_norm/quick --warp 64
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES PASS_REGULAR_EXPRESSION "${report}" TIMEOUT 300)
endfunction()

planted(planted_nothing "" "" "ALL AS EXPECTED: 37 pass")
planted(planted_lanes "int lanes = 32" "int lanes = 16" "fail sum: over half the row")
planted(planted_race "  __syncthreads();\n" "" "race in [A-Za-z0-9_]*my_rms_norm[A-Za-z0-9_]* at LDS offset")
