// Formats as the C ABI names them.
#pragma once

#include "assay/abi.h"
#include "reference/formats/format.h"

namespace assay {

/// Type code of a format; its bits are format.bits. Throws std::logic_error for a format that the ABI cannot name.
assay_type_code type_code_of(const Format& format);

}  // namespace assay
