#include "suites/judges/answer.h"

#include <algorithm>

#include "reference/formats/round.h"
#include "suites/rows/inputs.h"
#include "suites/rows/places.h"
#include "suites/rows/row_case.h"

namespace assay::judges {
namespace {

const HostTensor* find_or_null(const std::vector<HostTensor>& tensors, std::string_view name) {
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const HostTensor& t) { return t.spec.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

Numbers dense_numbers(const HostTensor& tensor) {
  const auto count = size_t(tensor.spec.elements());
  Numbers made{tensor.spec.format, std::vector<uint32_t>(count), std::vector<double>(count)};
  for (size_t i = 0; i < count; ++i) made.codes[i] = tensor.code(tensor.spec.offset + int64_t(i));
  decode_all(*made.format, tensor.bytes.data() + tensor.spec.byte_of(tensor.spec.offset), made.values);
  return made;
}

/// Tests of other projects compare on each rank, so the numbers of all ranks are concatenated.
void append(Numbers& all, const Numbers& more) {
  all.format = more.format;
  all.codes.insert(all.codes.end(), more.codes.begin(), more.codes.end());
  all.values.insert(all.values.end(), more.values.begin(), more.values.end());
}

Answer answer_of_ranks(const std::vector<HostTensor>& outputs) {
  Answer answer;
  for (const HostTensor& tensor : outputs) append(tensor.spec.name == "residual" ? answer.residual : answer.result, dense_numbers(tensor));
  return answer;
}

/// Scales of all groups, in row-major order.
Numbers scale_numbers(const HostTensor& tensor, const RowCase& c) {
  const ScalePlaces places(c);
  Numbers scale;
  scale.format = c.layout()->element;
  for (int64_t row = 0; row < c.rows_of_scales(); ++row)
    for (const double value : decoded_scales(tensor, places, row, c.scales_of_row())) {
      scale.values.push_back(value);
      scale.codes.push_back(code_of(*scale.format, value));
    }
  return scale;
}

std::vector<double> dequantized(const Answer& answer, int64_t columns, const Numbers& scale, const RowCase& c) {
  const Numbers& q = answer.result;
  std::vector<double> values(q.values.size());
  for (int64_t i = 0; i < int64_t(values.size()); ++i) {
    const int64_t group = i / columns / c.group_rows() * c.scales_of_row() + i % columns / c.group_size();
    const double zero = answer.zero.values.empty() ? 0.0 : answer.zero.values.at(size_t(group));
    values[size_t(i)] = double(float(q.values[size_t(i)] - zero) * float(scale.values.at(size_t(group))));
  }
  return values;
}

}  // namespace

Numbers numbers(const Format& format, std::vector<uint32_t> codes) {
  Numbers made{&format, std::move(codes), {}};
  made.values.reserve(made.codes.size());
  for (const uint32_t code : made.codes) made.values.push_back(decode(format, code));
  return made;
}

bool is_comparable(const Problem& problem) {
  const HostTensor* x = find_or_null(problem.tensors, "x");
  return std::any_of(problem.tensors.begin(), problem.tensors.end(), [&](const HostTensor& tensor) {
    if (tensor.spec.role != Role::kOutput) return false;
    const bool of_two_halves = x && x->spec.shape.back() == 2 * tensor.spec.shape.back();
    return tensor.spec.name == "q" || (tensor.spec.name == "d" && find_or_null(problem.tensors, "scale_a")) || (tensor.spec.name == "y" && !of_two_halves);
  });
}

Answer answer_of(const Case& one, const Problem& problem, const std::vector<HostTensor>& outputs) {
  if (problem.ranks > 1) return answer_of_ranks(outputs);
  Answer answer;
  if (const HostTensor* d = find_or_null(outputs, "d")) {
    answer.result = dense_numbers(*d);
    return answer;
  }
  const RowCase c = read_row_case(one);
  const HostTensor* q = find_or_null(outputs, "q");
  answer.result = dense_numbers(q ? *q : find(outputs, "y"));
  const HostTensor& x = find(problem.tensors, "x");
  for (int64_t row = 0; row < c.stored_rows(); ++row) {
    const std::vector<double> numbers = decoded_row(x, row, c.x_columns());
    answer.input.insert(answer.input.end(), numbers.begin(), numbers.end());
  }
  if (!q || !c.layout()) return answer;
  if (const HostTensor* zero = find_or_null(outputs, "azp")) answer.zero = dense_numbers(*zero);
  const HostTensor* stored = find_or_null(outputs, "scale");
  const Numbers scale = scale_numbers(stored ? *stored : find(problem.tensors, "scale"), c);
  answer.dequantized = dequantized(answer, q->spec.shape.back(), scale, c);
  if (!stored) return answer;
  answer.scale = scale;
  answer.scale_storage = stored->bytes;
  return answer;
}

}  // namespace assay::judges
