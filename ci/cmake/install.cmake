# Install locations. The program finds its tables and kernel libraries relative to itself, so a prefix may be moved.
include(GNUInstallDirs)
set(ASSAY_INSTALL_DATADIR ${CMAKE_INSTALL_DATADIR}/assay)
set(ASSAY_INSTALL_KERNELSDIR ${CMAKE_INSTALL_LIBDIR}/assay)
set(ASSAY_INSTALL_CMAKEDIR ${CMAKE_INSTALL_LIBDIR}/cmake/assay)
file(RELATIVE_PATH ASSAY_DATA_FROM_PROGRAM /${CMAKE_INSTALL_BINDIR} /${ASSAY_INSTALL_DATADIR})
file(RELATIVE_PATH ASSAY_KERNELS_FROM_PROGRAM /${CMAKE_INSTALL_BINDIR} /${ASSAY_INSTALL_KERNELSDIR})

# assay_install_kernels(<target>): installs a kernel library for `assay run --backend NAME`. Libraries that were not built are
# left out.
function(assay_install_kernels target)
  install(TARGETS ${target} LIBRARY DESTINATION ${ASSAY_INSTALL_KERNELSDIR} COMPONENT assay OPTIONAL)
endfunction()

# Installs the program, its tables, the golden files and the package for find_package(assay). Call it last, when all targets are
# known.
function(assay_install_package)
  target_compile_definitions(assay PRIVATE ASSAY_INSTALLED_DATA="${ASSAY_DATA_FROM_PROGRAM}"
    ASSAY_INSTALLED_KERNELS="${ASSAY_KERNELS_FROM_PROGRAM}")
  add_executable(assay::assay ALIAS assay)
  install(TARGETS assay EXPORT assay RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT assay)
  install(DIRECTORY suites DESTINATION ${ASSAY_INSTALL_DATADIR} COMPONENT assay FILES_MATCHING PATTERN "*.csv"
    PATTERN catches EXCLUDE PATTERN rows EXCLUDE)
  install(DIRECTORY reference/contracts DESTINATION ${ASSAY_INSTALL_DATADIR}/reference COMPONENT assay FILES_MATCHING PATTERN "*.csv")
  install(DIRECTORY golden/predicted golden/power golden/observed golden/casts golden/witness DESTINATION ${ASSAY_INSTALL_DATADIR}/golden COMPONENT assay)
  install(DIRECTORY kernels/example_plugin DESTINATION ${ASSAY_INSTALL_DATADIR} COMPONENT assay)
  install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT assay)

  include(CMakePackageConfigHelpers)
  configure_package_config_file(ci/cmake/assayConfig.cmake.in ${CMAKE_BINARY_DIR}/assayConfig.cmake
    INSTALL_DESTINATION ${ASSAY_INSTALL_CMAKEDIR} NO_SET_AND_CHECK_MACRO)
  write_basic_package_version_file(${CMAKE_BINARY_DIR}/assayConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_BINARY_DIR}/assayConfig.cmake ${CMAKE_BINARY_DIR}/assayConfigVersion.cmake ci/cmake/assay_add_conformance_test.cmake
    DESTINATION ${ASSAY_INSTALL_CMAKEDIR} COMPONENT assay)
  install(EXPORT assay NAMESPACE assay:: FILE assayTargets.cmake DESTINATION ${ASSAY_INSTALL_CMAKEDIR} COMPONENT assay)
endfunction()
