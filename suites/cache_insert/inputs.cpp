#include "suites/cache_insert/inputs.h"

#include <cstring>

#include "suites/cache_insert/expect.h"

namespace assay {

CacheInputs::CacheInputs(const Contract& contract, const CacheCase& c, const Problem& problem, const CacheReading& reading)
    : case_(c),
      problem_(problem),
      reading_(reading),
      scale_given_(contract.group_quant()->scale_given),
      rotates_(contract.rope() != nullptr) {}

void CacheInputs::read_angles(int64_t row, RowInputs& inputs) const {
  Angles angles = angles_of_token(problem_, reading_.angles, row);
  if (reading_.unturned) angles = {std::vector<double>(angles.cos.size(), 1), std::vector<double>(angles.sin.size(), 0)};
  inputs.cos = std::move(angles.cos), inputs.sin = std::move(angles.sin);
}

std::vector<uint32_t> CacheInputs::codes_of_row(int64_t row) const {
  std::vector<uint32_t> codes;
  for (const HostTensor& tensor : problem_.tensors) {
    if (int64_t(codes.size()) == case_.numbers()) break;
    const int64_t columns = tensor.spec.shape[1];
    for (int64_t column = 0; column < columns; ++column) codes.push_back(tensor.code(row * columns + column));
  }
  return codes;
}

RowInputs CacheInputs::of_row(int64_t row) const {
  RowInputs inputs;
  for (const uint32_t code : codes_of_row(row)) inputs.x.push_back(decode(*case_.x, code));
  inputs.group_size = case_.group_size;
  if (rotates_) read_angles(row, inputs);
  if (scale_given_) {
    const HostTensor& scale = find(problem_.tensors, "scale");
    inputs.scale = {decode(*scale.spec.format, scale.code(0))};
  }
  return inputs;
}

std::vector<double> CacheInputs::stored_scales(const std::vector<HostTensor>& outputs, int64_t row) const {
  std::vector<double> scales;
  const RecordPart* part = case_.record->find(Held::kScales);
  if (!part || scale_given_) return scales;
  const HostTensor& cache = find(outputs, kCache);
  const Format& format = part->format_in(*case_.q, *case_.x);
  const Placing placing(case_);
  for (int64_t e = 0; e < part->elements; ++e) {
    uint32_t code = 0;
    std::memcpy(&code, cache.bytes.data() + placing.byte(*part, case_, size_t(row), e), size_t(format.bytes()));
    scales.push_back(decode(format, code));
  }
  return scales;
}

}  // namespace assay
