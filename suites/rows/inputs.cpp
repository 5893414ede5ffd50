#include "suites/rows/inputs.h"

#include <algorithm>
#include <cstring>

#include "reference/flow/group_quant.h"
#include "reference/formats/codes.h"

namespace assay {

std::vector<double> decoded_row(const HostTensor& tensor, int64_t row, int64_t columns) {
  std::vector<double> values(size_t(columns), 0.0);
  const Format& format = *tensor.spec.format;
  decode_all(format, tensor.bytes.data() + tensor.spec.row(row) * format.bytes(), values);
  return values;
}

std::vector<double> decoded_scales(const HostTensor& tensor, const ScalePlaces& places, int64_t row, int64_t groups) {
  const Format& element = *places.layout().element;
  std::vector<double> values(size_t(groups), 0.0);
  for (int64_t g = 0; g < groups; ++g) {
    uint32_t code = 0;
    std::memcpy(&code, tensor.bytes.data() + places.offset(row, g) * element.bytes(), size_t(element.bytes()));
    values[size_t(g)] = decode(element, code);
  }
  return values;
}

CaseInputs::CaseInputs(const Contract& contract, const RowCase& c, const Problem& problem)
    : contract_(contract), case_(c), problem_(problem) {
  const GroupQuant* quant = contract.group_quant();
  if (!quant || quant->scale_given || c.group_rows == 1) return;
  const HostTensor& x = find(problem.tensors, "x");
  const auto maxima_of = [&](int64_t row) {
    std::vector<double> values = decoded_row(x, row, c.n);
    if (quant->past_the_edge && row + 1 < c.m) {
      const std::vector<double> next = decoded_row(x, row + 1, c.n);
      const int64_t missing = c.groups() * c.group_size - c.n;
      values.insert(values.end(), next.begin(), next.begin() + std::ptrdiff_t(std::min(missing, c.n)));
    }
    return group_maxima(*quant, Spans(std::move(values)), c.group_size);
  };
  for (int64_t first = 0; first < c.m; first += c.group_rows) {
    const int64_t end = quant->first_row_alone ? first + 1 : std::min(c.m, first + c.group_rows);
    maxima_.push_back(maxima_of(first));
    for (int64_t row = first + 1; row < end; ++row) join_maxima(*quant, maxima_.back(), maxima_of(row));
  }
}

RowInputs CaseInputs::of_row(int64_t row) const {
  RowInputs inputs{decoded_row(find(problem_.tensors, "x"), case_.stored_row(row), case_.x_columns()),
                   {},
                   case_.eps,
                   case_.group_size,
                   case_.scale_ub};
  const GroupQuant* quant = contract_.group_quant();
  if (contract_.row_norm()) inputs.gamma = decoded_row(find(problem_.tensors, "gamma"), 0, case_.n);
  if (contract_.row_norm() && contract_.row_norm()->centers())
    inputs.beta = decoded_row(find(problem_.tensors, "beta"), 0, case_.n);
  if (contract_.row_norm() && contract_.row_norm()->adds())
    inputs.residual = decoded_row(find(problem_.tensors, "residual"), row, case_.n);
  if (!maxima_.empty()) inputs.maxima = maxima_[size_t(row / case_.group_rows)];
  if (quant && quant->scale_given) {
    inputs.scale = decoded_scales(find(problem_.tensors, "scale"), ScalePlaces(case_), row / case_.group_rows, case_.groups());
    if (quant->has_zero) inputs.zero = decoded_row(find(problem_.tensors, "azp"), row / case_.group_rows, case_.groups());
  }
  return inputs;
}

}  // namespace assay
