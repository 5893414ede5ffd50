#include "suites/rows/row_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <limits>
#include <mutex>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include "harness/core/expectation.h"
#include "harness/fill/fill.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

// Tensors of calls: views of bytes by row, rows with gaps between them, and integer inputs that the case determines.

template <class View, class Bytes>
View view_of(const TensorSpec& spec, Bytes* bytes) {
  const int64_t columns = spec.shape.back(), rows = spec.shape.size() > 1 ? spec.elements() / columns : 1,
                pitch = rows > 1 ? spec.row(1) - spec.row(0) : columns;
  return View(bytes + spec.byte_of(spec.offset), rows, Eigen::Index(spec.byte_of(columns)),
              Eigen::OuterStride<>(Eigen::Index(spec.byte_of(pitch))));
}

template <class View, class Bytes>
View view_of(size_t size, Bytes* bytes, int64_t rows) {
  const auto width = Eigen::Index(size) / rows;
  return View(bytes, rows, width, Eigen::OuterStride<>(width));
}

uint8_t* bytes_of(HostTensor& tensor) { return reinterpret_cast<uint8_t*>(tensor.bytes.data()); }
const uint8_t* bytes_of(const HostTensor& tensor) { return reinterpret_cast<const uint8_t*>(tensor.bytes.data()); }

}  // namespace

ByteRows byte_rows(HostTensor& tensor) { return view_of<ByteRows>(tensor.spec, bytes_of(tensor)); }
ConstByteRows byte_rows(const HostTensor& tensor) { return view_of<ConstByteRows>(tensor.spec, bytes_of(tensor)); }
ByteRows byte_rows(HostTensor& tensor, int64_t rows) { return view_of<ByteRows>(tensor.bytes.size(), bytes_of(tensor), rows); }
ConstByteRows byte_rows(const HostTensor& tensor, int64_t rows) {
  return view_of<ConstByteRows>(tensor.bytes.size(), bytes_of(tensor), rows);
}

bool lie_far(const Format& format, int64_t rows, int64_t stride) {
  constexpr int64_t kMost = int64_t{1} << 28;  // bytes
  return rows > 1 && stride > kMost / format.bytes() / (rows - 1);
}

HostTensor rows_apart(const HostTensor& rows, int64_t stride, int64_t offset) {
  HostTensor x = rows;
  if (offset == 0 && lie_far(*x.spec.format, x.spec.shape[0], stride)) {
    x.spec.far = stride;
    return x;
  }
  const int64_t m = x.spec.shape[0], pitch = stride > 0 ? stride : x.spec.shape[1];
  x.spec.strides.front() = pitch;
  x.spec.offset = offset;
  x.spec.storage = offset + m * pitch;
  x.bytes.assign(x.spec.bytes(), std::byte{0xff});
  byte_rows(x) = byte_rows(rows);
  return x;
}

HostTensor shifted(HostTensor tensor, int64_t shift) {
  if (shift == 0) return tensor;
  HostTensor moved{tensor.spec, {}};
  moved.spec.storage += shift;
  moved.spec.offset = shift;
  if (tensor.spec.role == Role::kOutput && tensor.bytes.empty()) return moved;  // an empty input still has the NaNs before it
  moved.bytes.resize(moved.spec.bytes());
  const uint32_t nan = code_of(*tensor.spec.format, std::numeric_limits<double>::quiet_NaN());
  for (int64_t i = 0; i < moved.spec.storage; ++i) moved.set_code(i, i < shift ? nan : tensor.code(i - shift));
  return moved;
}

HostTensor input_integers(const std::string& name, const std::vector<int64_t>& values) {
  return input_integers(name, {int64_t(values.size())}, values);
}

HostTensor input_integers(const std::string& name, const std::vector<int64_t>& shape, const std::vector<int64_t>& values) {
  HostTensor tensor{dense(name, Role::kInput, kInt32, shape), {}};
  tensor.bytes.resize(tensor.spec.bytes());
  for (size_t i = 0; i < values.size(); ++i) tensor.set_code(int64_t(i), uint32_t(values[i]));
  return tensor;
}

std::vector<int64_t> integers_of(const std::vector<HostTensor>& tensors, std::string_view name) {
  std::vector<int64_t> values;
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const HostTensor& tensor) { return tensor.spec.name == name; });
  for (int64_t i = 0; found != tensors.end() && i < found->spec.elements(); ++i) values.push_back(int32_t(found->code(i)));
  return values;
}

HostTensor input_int64(const std::string& name, const std::vector<int64_t>& values) {
  HostTensor tensor{dense(name, Role::kInput, kInt64, {int64_t(values.size())}), {}};
  tensor.bytes.resize(tensor.spec.bytes());
  std::ranges::copy(std::as_bytes(std::span(values)), tensor.bytes.begin());
  return tensor;
}

// The reference's inputs for each row of a case.

std::vector<double> decoded_part(const HostTensor& tensor, int64_t row, int64_t first, int64_t count) {
  std::vector<double> values(size_t(count), 0.0);
  const Format& format = *tensor.spec.format;
  const int64_t from = tensor.spec.row(row) + first;
  if (!tensor.spec.packed) decode_all(format, tensor.bytes.data() + tensor.spec.byte_of(from), values);
  for (int64_t i = 0; i < count && tensor.spec.packed; ++i) values[size_t(i)] = decode(format, tensor.code(from + i));
  return values;
}

std::vector<double> decoded_row(const HostTensor& tensor, int64_t row, int64_t columns) {
  return decoded_part(tensor, row, 0, columns);
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

CaseInputs::CaseInputs(const Contract& contract, const RowCase& c, const Problem& problem, const RowReading& reading)
    : contract_(contract), case_(c), problem_(problem), reading_(reading) {
  const GroupQuant* quant = contract.group_quant();
  if (!quant || !std::holds_alternative<AmaxScales>(quant->scales) || c.group_rows() == 1) return;
  for (int64_t i = 0; i < c.rows_of_scales(); ++i) maxima_.push_back(std::make_unique<Maxima>());
}

std::vector<double> CaseInputs::without_tail(std::vector<double> row) const {
  for (size_t half = 0; half < row.size() && reading_.end < case_.n; half += size_t(case_.n))
    std::fill(row.begin() + std::ptrdiff_t(half) + reading_.end, row.begin() + std::ptrdiff_t(half) + case_.n, 0.0);
  return row;
}

std::vector<double> CaseInputs::row_of_x(int64_t row, int64_t columns) const {
  const HostTensor& x = find(problem_.tensors, "x");
  if (reading_.pitch == 0) return without_tail(decoded_row(x, row, columns));
  std::vector<double> values(size_t(columns), 0.0);
  const int64_t first = x.spec.offset + row * reading_.pitch;
  decode_all(*x.spec.format, x.bytes.data() + first * x.spec.format->bytes(), values);
  return without_tail(std::move(values));
}

Spans CaseInputs::maxima_of_row(int64_t row) const {
  const GroupQuant& quant = *contract_.group_quant();
  std::vector<double> values = row_of_x(row, case_.n);
  if (std::get<AmaxScales>(quant.scales).amax.over == Over::kNextRowToo && row + 1 < case_.m) {
    const std::vector<double> next = row_of_x(row + 1, case_.n);
    const int64_t missing = case_.scales_of_row() * case_.group_size() - case_.n;
    values.insert(values.end(), next.begin(), next.begin() + std::ptrdiff_t(std::min(missing, case_.n)));
  }
  return group_maxima(quant, Spans(std::move(values)), case_.group_size());
}

const Spans& CaseInputs::maxima_of_rows(int64_t row_of_groups) const {
  Maxima& maxima = *maxima_[size_t(row_of_groups)];
  std::call_once(maxima.once, [&] {
    const GroupQuant& quant = *contract_.group_quant();
    const int64_t first = row_of_groups * case_.group_rows();
    const int64_t end = std::get<AmaxScales>(quant.scales).amax.over == Over::kFirstRow
                            ? first + 1
                            : std::min(case_.m, first + case_.group_rows());
    // one group may be the whole tensor, so stretches of rows are searched in parallel
    constexpr int64_t kRowsOfStretch = 128;
    std::vector<Spans> stretches(size_t((end - first + kRowsOfStretch - 1) / kRowsOfStretch));
    for_each_in_parallel(int64_t(stretches.size()), [&](int64_t i) {
      const int64_t begin = first + i * kRowsOfStretch;
      Spans joined = maxima_of_row(begin);
      for (int64_t row = begin + 1; row < std::min(end, begin + kRowsOfStretch); ++row)
        join_maxima(quant, joined, maxima_of_row(row));
      stretches[size_t(i)] = std::move(joined);
    });
    for (size_t i = 1; i < stretches.size(); ++i) join_maxima(quant, stretches.front(), stretches[i]);
    maxima.of_groups = std::move(stretches.front());
  });
  return maxima.of_groups;
}

double CaseInputs::outer_scale_of(int64_t row) const {
  if (!case_.scales.outer() || reading_.outer == OuterReading::kOne) return 1;
  const HostTensor& outer = find(problem_.tensors, "global_scale");
  int64_t at = case_.groups.any() ? case_.groups.group_of(row) : case_.scales.outer()->grid(case_.m, case_.n).of(row, 0);
  if (reading_.outer == OuterReading::kFirst) at = 0;
  if (reading_.outer == OuterReading::kNext) at = (at + 1) % outer.spec.elements();
  const double scale = decode(*outer.spec.format, outer.code(at));
  return reading_.outer == OuterReading::kReciprocal ? double(float(1 / scale)) : scale;
}

RowInputs CaseInputs::first_of_row0(int64_t columns) const {
  const HostTensor& x = find(problem_.tensors, "x");
  const int64_t row = case_.stored_row(0), groups = (columns + case_.group_size() - 1) / std::max<int64_t>(1, case_.group_size());
  RowInputs inputs{decoded_part(x, row, 0, columns), {}, case_.eps, case_.group_size(), case_.scale_ub};
  if (case_.gated) {
    const std::vector<double> up = decoded_part(x, row, case_.n, columns);
    inputs.x.insert(inputs.x.end(), up.begin(), up.end());
  }
  inputs.outer_scale = outer_scale_of(0);
  const GroupQuant* quant = contract_.group_quant();
  const auto first = [&](const std::vector<double>& ends) {
    return std::vector<double>(ends.begin(), ends.begin() + std::min(std::ptrdiff_t(groups), std::ptrdiff_t(ends.size())));
  };
  if (!maxima_.empty()) {
    const Spans& all = maxima_of_rows(0);
    inputs.maxima.low = first(all.low), inputs.maxima.high = first(all.high);
  }
  if (quant && quant->takes_scales())
    inputs.scale = decoded_scales(find(problem_.tensors, "scale"), ScalePlaces(case_), 0, groups);
  return inputs;
}

RowInputs CaseInputs::of_row(int64_t row) const {
  RowInputs inputs{row_of_x(case_.stored_row(row), case_.x_columns()), {}, case_.eps, case_.group_size(), case_.scale_ub};
  inputs.outer_scale = outer_scale_of(row);
  const GroupQuant* quant = contract_.group_quant();
  if (contract_.row_norm()) inputs.gamma = decoded_row(find(problem_.tensors, "gamma"), 0, case_.n);
  if (contract_.row_norm() && contract_.row_norm()->centers())
    inputs.beta = decoded_row(find(problem_.tensors, "beta"), 0, case_.n);
  if (contract_.row_norm() && contract_.row_norm()->gates())
    inputs.gate = without_tail(decoded_row(find(problem_.tensors, "gate"), row, case_.n));
  if (contract_.row_norm() && contract_.row_norm()->adds())
    inputs.residual = without_tail(decoded_row(find(problem_.tensors, "residual"), row, case_.n));
  if (!maxima_.empty()) inputs.maxima = maxima_of_rows(row / case_.group_rows());
  if (quant && quant->takes_scales()) {
    inputs.scale =
        decoded_scales(find(problem_.tensors, "scale"), ScalePlaces(case_), row / case_.group_rows(), case_.scales_of_row());
    if (quant->has_zero())
      inputs.zero = decoded_row(find(problem_.tensors, "azp"), row / case_.group_rows(), case_.scales_of_row());
  }
  return inputs;
}

// For ops with a rotary embedding: the cosine and sine cache, correct and wrong ways to read it, and lines that explain it.

namespace {

HostTensor made_unit_circle_cache(const Format& format, int64_t positions, int64_t rotary, uint64_t seed, uint32_t stream) {
  HostTensor cache{dense("cos_sin_cache", Role::kInput, format, {positions, rotary}), {}};
  cache.bytes.resize(cache.spec.bytes());
  const Random random(seed, stream);
  const int64_t pairs = rotary / 2;
  for (int64_t position = 0; position < positions; ++position) {
    for (int64_t i = 0; i < pairs; ++i) {
      const double t = position == 0 ? 0 : 5 * random.uniform(position * pairs + i) - 2.5;
      const int64_t at = position * rotary + i;
      cache.set_code(at, nearest_code(format, (1 - t * t) / (1 + t * t)));
      cache.set_code(at + pairs, nearest_code(format, 2 * t / (1 + t * t)));
    }
  }
  return cache;
}

}  // namespace

/// Cases of an op share few caches, and making one takes longer than a kernel call; the eight most recent ones are kept.
HostTensor unit_circle_cache(const Format& format, int64_t positions, int64_t rotary, uint64_t seed, uint32_t stream) {
  constexpr size_t kKept = 8;
  using Key = std::tuple<std::string_view, int64_t, int64_t, uint64_t, uint32_t>;
  static std::mutex mutex;
  static std::deque<std::pair<Key, HostTensor>> made;
  const Key key{format.name, positions, rotary, seed, stream};
  const std::lock_guard lock(mutex);
  const auto known = std::find_if(made.begin(), made.end(), [&](const auto& one) { return one.first == key; });
  if (known != made.end()) return known->second;
  made.emplace_front(key, made_unit_circle_cache(format, positions, rotary, seed, stream));
  if (made.size() > kKept) made.pop_back();
  return made.front().second;
}

const std::vector<WrongAngles>& wrong_angles() {
  static const std::vector<WrongAngles> all = {{"positions: one earlier", {.later = -1}},
                                               {"positions: one later", {.later = 1}},
                                               {"positions: the tokens' numbers in the batch", {.own_numbers = true}},
                                               {"cos_sin_cache: the sine of a pair beside its cosine", {.alternating = true}}};
  return all;
}

int64_t position_of_token(const Problem& problem, int64_t token) {
  int64_t position = 0;
  const std::vector<std::byte>& positions = find(problem.tensors, "positions").bytes;
  std::memcpy(&position, positions.data() + size_t(token) * sizeof position, sizeof position);
  return position;
}

Angles angles_of_token(const Problem& problem, const AngleReading& reading, int64_t token) {
  const HostTensor& cache = find(problem.tensors, "cos_sin_cache");
  const int64_t count = cache.spec.shape[0];
  const int64_t position = reading.own_numbers
                               ? std::min(token, count - 1)
                               : std::clamp<int64_t>(position_of_token(problem, token) + reading.later, 0, count - 1);
  const std::vector<double> row = decoded_row(cache, position, cache.spec.shape[1]);
  const size_t pairs = row.size() / 2;
  Angles angles;
  for (size_t i = 0; i < pairs; ++i) {
    angles.cos.push_back(row[reading.alternating ? 2 * i : i]);
    angles.sin.push_back(row[reading.alternating ? 2 * i + 1 : pairs + i]);
  }
  return angles;
}

void append_pair(std::vector<std::string>& lines, const Rope& rope, const RowInputs& inputs, size_t column) {
  const auto pairs = rope_pairs(rope, inputs.x.size(), inputs.cos.size());
  for (size_t i = 0; i < pairs.size(); ++i)
    if (column == pairs[i].first || column == pairs[i].second)
      lines.push_back(fmt::format("  pair {}: elements {} and {} of the head", i, pairs[i].first, pairs[i].second));
}

}  // namespace assay
