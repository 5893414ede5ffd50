// The architecture of a tensor core instruction, for `--arch`.
#pragma once

#include <string>

namespace assay {

/// The first part of an instruction's id: "sm_90" of "sm_90.wgmma.e4m3.f32".
inline std::string chip_of_unit(const std::string& id) { return id.substr(0, id.find('.')); }

}  // namespace assay
