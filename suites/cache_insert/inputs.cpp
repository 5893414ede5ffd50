#include "suites/cache_insert/inputs.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "suites/cache_insert/expect.h"
#include "suites/cache_insert/tensors.h"

namespace assay {

CacheInputs::CacheInputs(const Contract& contract, const CacheCase& c, const Problem& problem, const Misreading& misreading)
    : case_(c),
      problem_(problem),
      misreading_(misreading),
      scale_given_(contract.group_quant()->takes_scales()),
      rotates_(contract.rope() != nullptr),
      normalizes_(contract.row_norm() != nullptr) {
  if (!normalizes_ || c.gamma.empty()) return;
  const HostTensor& gamma = find(problem.tensors, kNormWeight);
  for (int64_t i = 0; i < c.numbers(); ++i) gamma_.push_back(decode(*gamma.spec.format, gamma.code(i)));
}

void CacheInputs::read_angles(int64_t row, RowInputs& inputs) const {
  Angles angles = angles_of_token(problem_, misreading_.angles, row);
  if (misreading_.unrotated) angles = {};  // no rotation
  inputs.cos = std::move(angles.cos), inputs.sin = std::move(angles.sin);
}

std::vector<uint32_t> CacheInputs::codes_of_row(int64_t row) const {
  std::vector<uint32_t> codes;
  for (size_t t = case_.first_input; int64_t(codes.size()) < case_.numbers(); ++t) {
    const HostTensor& tensor = problem_.tensors.at(t);
    for (int64_t column = 0; column < tensor.spec.shape[1]; ++column) codes.push_back(tensor.code(tensor.spec.row(row) + column));
  }
  return codes;
}

Spans CacheInputs::maxima_of_codes(const std::vector<uint32_t>& codes) const {
  const size_t coded = case_.coded > 0 ? size_t(case_.coded) : codes.size();
  std::vector<double> maxima;
  for (size_t c = 0; c < coded; ++c) {
    if (c % size_t(case_.group_size) == 0) maxima.push_back(0);
    maxima.back() = std::max(maxima.back(), double(codes[c]));
  }
  return Spans(maxima);
}

RowInputs CacheInputs::of_row(int64_t row) const {
  RowInputs inputs;
  const std::vector<uint32_t> codes = codes_of_row(row);
  for (const uint32_t code : codes) inputs.x.push_back(decode(*case_.x, code));
  inputs.group_size = case_.group_size;
  inputs.coded = case_.coded;
  if (misreading_.amax_of_codes) inputs.maxima = maxima_of_codes(codes);
  inputs.gamma = gamma_;
  inputs.eps = case_.eps;
  if (rotates_) read_angles(row, inputs);
  if (scale_given_) read_scales(inputs);
  return inputs;
}

void CacheInputs::read_scales(RowInputs& inputs) const {
  std::vector<std::string> names = cache_scale_names(case_);
  if (misreading_.scales == WhichScale::kOfTheOther) std::reverse(names.begin(), names.end());
  for (const std::string& name : names) {
    const HostTensor& scale = find(problem_.tensors, name);
    for (int64_t i = 0; i < scale.spec.elements(); ++i)
      inputs.scale.push_back(decode(*scale.spec.format, scale.code(misreading_.scales == WhichScale::kFirst ? 0 : i)));
  }
}

StoredRow CacheInputs::stored(const std::vector<HostTensor>& outputs, int64_t row) const {
  const HostTensor& cache = find(outputs, kCache);
  const Placing placing(case_);
  const auto numbers_of = [&](const RecordPart& part) {
    const Format& format = part.format_in(*case_.q, *case_.x);
    std::vector<double> numbers;
    for (int64_t e = 0; e < part.elements; ++e) {
      uint32_t code = 0;
      std::memcpy(&code, cache.bytes.data() + placing.byte(part, case_, size_t(row), e), size_t(format.bytes()));
      numbers.push_back(decode(format, code));
    }
    return numbers;
  };
  StoredRow stored;
  if (const RecordPart* scales = case_.record->find(PartKind::kScales); scales && !scale_given_)
    stored.scale = numbers_of(*scales);
  if (!normalizes_) return stored;  // nothing but the scales narrows the other intervals
  stored.q = numbers_of(*case_.record->find(PartKind::kCodes));
  stored.y.assign(size_t(case_.numbers()), std::nan(""));
  if (const RecordPart* values = case_.record->find(PartKind::kValues)) {
    const std::vector<double> numbers = numbers_of(*values);
    std::copy(numbers.begin(), numbers.end(), stored.y.begin() + values->from);
  }
  return stored;
}

}  // namespace assay
