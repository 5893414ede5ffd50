// Where the libraries are that tests load by path.
#pragma once

#include <string>

namespace assay::testing {

/// A library of harness/testing, by the name of its source.
inline std::string path_of_library(const std::string& name) { return ASSAY_TESTING_FOLDER "/libassay_testing_" + name + ".so"; }

}  // namespace assay::testing
