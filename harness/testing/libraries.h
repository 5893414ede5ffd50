// Paths of the libraries that tests load.
#pragma once

#include <string>

namespace assay::testing {

/// A library of harness/testing, named after its source file.
inline std::string path_of_library(const std::string& name) { return ASSAY_TESTING_FOLDER "/libassay_testing_" + name + ".so"; }

}  // namespace assay::testing
