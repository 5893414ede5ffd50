# What a builder may choose, and the flags that hold for every target.
set(WITH_CUDA AUTO CACHE STRING "Build the CUDA kernels: AUTO (if nvcc is found), ON, OFF")
set(ASSAY_CUDA_ARCHITECTURES 90a-real CACHE STRING "CUDA architectures, e.g. 80-real;90a-real;100a-real;120a-real")
option(ASSAY_CUDA_FAST_COMPILE "nvcc takes half the time and makes slower kernels: for machines that only look whether everything compiles" OFF)
set(WITH_HIP AUTO CACHE STRING "Compile the kernels for AMD GPUs: AUTO (if clang-22 is found), ON, OFF")
set(ASSAY_HIP_ARCHITECTURES "gfx90a;gfx942;gfx950" CACHE STRING "AMD architectures with waves of 64 lanes")
set(ASSAY_HIP_LLVM 22 CACHE STRING "Version of Debian's clang, lld and llvm; 19 does not know gfx950")
set(ASSAY_HIPCC hipcc CACHE STRING "Compiler of ROCm that builds libassay_hip.so, if it is found and knows the architectures")
set(ASSAY_SANITIZE "" CACHE STRING "empty, address (ASan+UBSan) or thread (TSan)")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(assay_flags INTERFACE)
add_library(assay::flags ALIAS assay_flags)
# No contraction: a*b+c must round twice wherever the source says so, in the reference as in the CPU kernels.
target_compile_options(assay_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -ffp-contract=off>)
# g++ 12 warns of copies inside std::string that it inlined itself (GCC bugs 105651 and 105329).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(assay_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict -Wno-array-bounds -Wno-stringop-overflow>)
endif()
target_include_directories(assay_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/kernels/abi)

if(ASSAY_SANITIZE STREQUAL "address")
  target_compile_options(assay_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g>)
  target_link_options(assay_flags INTERFACE -fsanitize=address,undefined)
elseif(ASSAY_SANITIZE STREQUAL "thread")
  target_compile_options(assay_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=thread -g>)
  target_link_options(assay_flags INTERFACE -fsanitize=thread)
elseif(NOT ASSAY_SANITIZE STREQUAL "")
  message(FATAL_ERROR "ASSAY_SANITIZE is '${ASSAY_SANITIZE}'; allowed: empty, address, thread")
endif()

# Code whose time to compile counts for more than its time to run: -O1, which takes half of -O3.
function(assay_seldom_run target)
  target_compile_options(${target} PRIVATE $<$<AND:$<CONFIG:Release>,$<COMPILE_LANGUAGE:CXX>>:-O1>)
endfunction()

# assay_test(<name> SOURCES ... LIBRARIES ... [LABELS ...] [HOT]): one GoogleTest program, one CTest entry. HOT: its own loops run for
# seconds, so they are optimized.
function(assay_test name)
  cmake_parse_arguments(T "HOT" "" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE assay::flags ${T_LIBRARIES} GTest::gtest GTest::gmock GTest::gtest_main)
  if(NOT T_HOT)
    assay_seldom_run(${name})
  endif()
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS "${T_LABELS}" TIMEOUT 600)
endfunction()
