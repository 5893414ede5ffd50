// Type codes of the C ABI for our formats.
#pragma once

#include "assay/abi.h"
#include "reference/formats/format.h"

namespace assay {

/// The width in bits is format.bits. Throws std::logic_error if the ABI has no type for the format.
assay_type_code type_code_of(const Format& format);

}  // namespace assay
