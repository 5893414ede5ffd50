// The kernels of libassay_faulty.so, a list for each family; each list has its own file, NAME_faults.cpp.
#pragma once

#include <vector>

#include "kernels/ops/catalogue.h"

namespace assay_kernels {

std::vector<Kernel> group_faults();
std::vector<Kernel> scale_faults();
std::vector<Kernel> tile_faults();
std::vector<Kernel> mx_faults();
std::vector<Kernel> int8_faults();
std::vector<Kernel> cache_faults();
std::vector<Kernel> dsv4_faults();
std::vector<Kernel> dsv4_norm_faults();
std::vector<Kernel> indexer_faults();
std::vector<Kernel> norm_faults();
std::vector<Kernel> layer_faults();
std::vector<Kernel> norm_quant_faults();
std::vector<Kernel> silu_faults();
std::vector<Kernel> cast_faults();
std::vector<Kernel> rope_faults();

}  // namespace assay_kernels
