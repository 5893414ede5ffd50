// What a library offers: rows of assay/plugin/table.hpp, from which describe() and run() come.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "assay/plugin/table.hpp"
#include "kernels/ops/call.h"

namespace assay_kernels {

using assay::plugin::Accepts;
using assay::plugin::Values;
using Kernel = assay::plugin::KernelOf<Call>;

/// Types of x that most kernels take.
inline const Values kHalf{"bf16", "f16"};
inline const Values kAny{"bf16", "f16", "f32"};

/// Every kernel of every op.
std::vector<Kernel> all_kernels();

/// Those that a chip can run: instructions of a tensor core belong to one. `arch` as in describe(), "sm_90" or "gfx942:sramecc+"; empty where
/// no chip is known: all of them.
std::vector<Kernel> kernels_of(const std::string& arch);

}  // namespace assay_kernels
