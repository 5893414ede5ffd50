#include "kernels/faulty/contiguity_faults.h"

namespace assay_kernels {
namespace {

template <class Rules>
Kernel of_contiguity(const char* name, const char* contract, const char* twin, const char* cites) {
  Kernel row = contiguity_row<Rules>(name, {contract});
  row.fault = name;
  row.cites = cites;
  row.twin = twin;
  return row;
}

}  // namespace

std::vector<Kernel> contiguity_faults() {
  const char *weak = "weak_contiguity.weak", *vllm = "vllm.weak_contiguous";
  return {
      of_contiguity<ContiguityWholeAlone>("contiguity_whole_alone", vllm, weak,
                                          "sglang 7723177a3b refuses what vllm v0.33.0 takes"),
      of_contiguity<ContiguityRoomBehind>("contiguity_room_behind", vllm, weak,
                                          "no regression known; a strided view read as flat memory"),
      of_contiguity<ContiguityElementsForBytes>("contiguity_elements_for_bytes", vllm, weak,
                                                "FasterTransformer 480: elements compared with bytes"),
      of_contiguity<ContiguityStrideOfOne>(
          "contiguity_stride_of_one", "sglang.contiguous", "weak_contiguity.whole",
          "no regression known; strides of sizes of one are whatever made the tensor left there"),
  };
}

}  // namespace assay_kernels
