// The chip of a tensor core, by which `--arch` selects cases.
#pragma once

#include <string>

namespace assay {

/// The first word of a unit's id: "sm_90" of "sm_90.wgmma.e4m3.f32".
inline std::string chip_of_unit(const std::string& id) { return id.substr(0, id.find('.')); }

}  // namespace assay
