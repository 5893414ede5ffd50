#include "suites/rows/tensors.h"

#include <cstring>

#include "reference/formats/catalogue.h"

namespace assay {

namespace {

template <class View, class Bytes>
View view_of(const TensorSpec& spec, Bytes* bytes) {
  const int64_t columns = spec.shape.back(), rows = spec.shape.size() > 1 ? spec.elements() / columns : 1,
                pitch = rows > 1 ? spec.row(1) - spec.row(0) : columns;
  return View(bytes + spec.byte_of(spec.offset), rows, Eigen::Index(spec.byte_of(columns)), Eigen::OuterStride<>(Eigen::Index(spec.byte_of(pitch))));
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
ConstByteRows byte_rows(const HostTensor& tensor, int64_t rows) { return view_of<ConstByteRows>(tensor.bytes.size(), bytes_of(tensor), rows); }

HostTensor rows_apart(const HostTensor& rows, int64_t stride, int64_t offset) {
  HostTensor x = rows;
  const int64_t m = x.spec.shape[0], pitch = stride > 0 ? stride : x.spec.shape[1];
  x.spec.strides.front() = pitch;
  x.spec.offset = offset;
  x.spec.storage = offset + m * pitch;
  x.bytes.assign(x.spec.bytes(), std::byte{0xff});
  byte_rows(x) = byte_rows(rows);
  return x;
}

HostTensor input_integers(const std::string& name, const std::vector<int64_t>& values) {
  HostTensor tensor{dense(name, Role::kInput, kInt32, {int64_t(values.size())}), {}};
  tensor.bytes.resize(tensor.spec.bytes());
  for (size_t i = 0; i < values.size(); ++i) tensor.set_code(int64_t(i), uint32_t(values[i]));
  return tensor;
}

HostTensor input_int64(const std::string& name, const std::vector<int64_t>& values) {
  HostTensor tensor{dense(name, Role::kInput, kInt64, {int64_t(values.size())}), {}};
  tensor.bytes.resize(tensor.spec.bytes());
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

}  // namespace assay
