// A kernel library on disk: open it, check that it speaks our ABI, read what it offers.
#pragma once

#include <memory>
#include <string>

#include "assay/abi.h"
#include "harness/core/call.h"
#include "reference/table/near.h"

namespace assay {

/// A library that cannot be used. One line that starts with its path; what the library said stands in it printable and short.
struct LibraryError : std::runtime_error {
  explicit LibraryError(const std::string& problem) : std::runtime_error(message_text(problem)) {}
};

/// An open library. Stays loaded as long as one copy of the pointer lives.
struct Library {
  LibraryInfo info;
  std::string description;  ///< the JSON of describe()
  std::shared_ptr<const assay_library> functions;
};

/// Opens a shared object with its symbols kept to itself.
/// Throws LibraryError: no such file, no loadable object, no assay_get_library, another ABI version, a description that is not as
/// abi.h says. Throws NoDeviceError if assay_get_library() returns NULL, or if the library has device memory and cannot allocate
/// any.
Library open_library(const std::string& path);

/// Reads the JSON of describe(). Throws LibraryError with the path and the place in the JSON that is wrong.
LibraryInfo parse_description(const std::string& json, const std::string& path);

/// Checks version, size (of what the library has of the struct), mandatory functions, and that functions which need each other
/// come together. Throws LibraryError.
void check_functions(const assay_library& functions, const std::string& path);

/// The functions in a struct of this program's size: what an older library lacks is NULL. `keep_alive` lives as long as they do.
std::shared_ptr<const assay_library> of_this_size(const assay_library& functions, std::shared_ptr<void> keep_alive);

}  // namespace assay
