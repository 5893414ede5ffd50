#include "suites/gemm/scale_tensors.h"

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

template <class Visit>
void for_each_scale(const LevelGrid& shape, Visit visit) {
  for (int64_t row = 0; row < shape.rows; ++row)
    for (int64_t block = 0; block < shape.columns; ++block) visit(row, block);
}

/// The code at a layout offset; for packed words, a byte.
uint32_t code_at(const HostTensor& tensor, const Layout& layout, int64_t offset) {
  return layout.packs_words() ? uint32_t(tensor.bytes[size_t(offset)]) : tensor.code(offset);
}
void set_code_at(HostTensor& tensor, const Layout& layout, int64_t offset, uint32_t code) {
  if (layout.packs_words())
    tensor.bytes[size_t(offset)] = std::byte(code);
  else
    tensor.set_code(offset, code);
}

/// Fills the storage with all-ones bits, and with zeros for blocks that a row's last word or tile lacks.
void clear(HostTensor& tensor, const LevelGrid& shape, const Layout* layout) {
  tensor.bytes.assign(tensor.spec.bytes(), std::byte{0xff});
  if (!layout || layout->element->bytes() > 1) return;
  const PlacedLayout placed(*layout, shape.rows, shape.columns);
  for (int64_t row = 0; row < shape.rows; ++row)
    for (int64_t block = shape.columns; block < placed.cols(); ++block) set_code_at(tensor, *layout, placed.offset(row, block), 0);
}

}  // namespace

HostTensor byte_scales(const HostTensor& codes, const std::string& role, const LevelGrid& shape, const Layout& layout) {
  HostTensor tensor = scale_tensor(role, shape, &layout);
  clear(tensor, shape, &layout);
  const PlacedLayout placed(layout, shape.rows, shape.columns);
  for_each_scale(shape, [&](int64_t row, int64_t block) {
    set_code_at(tensor, layout, placed.offset(row, block), codes.code(row * shape.columns + block));
  });
  return tensor;
}

HostTensor scale_tensor(const std::string& role, const LevelGrid& shape, const Layout* layout) {
  if (!layout) return {dense(role, Role::kInput, kF32, {shape.rows}), {}};
  const PlacedLayout placed(*layout, shape.rows, shape.columns);
  return {{role, Role::kInput, layout->type, placed.shape(), placed.strides(), placed.storage()}, {}};
}

ScaleValues scale_values(const HostTensor& tensor, const LevelGrid& shape, const Layout* layout) {
  ScaleValues scales{shape, {}};
  scales.values.reserve(size_t(shape.count()));
  if (!layout) {
    for (int64_t i = 0; i < shape.count(); ++i) scales.values.push_back(decode(kF32, tensor.code(i)));
    return scales;
  }
  const PlacedLayout placed(*layout, shape.rows, shape.columns);
  for_each_scale(shape, [&](int64_t row, int64_t block) {
    scales.values.push_back(decode(*layout->element, code_at(tensor, *layout, placed.offset(row, block))));
  });
  return scales;
}

void set_scale(HostTensor& tensor, const LevelGrid& shape, const Layout* layout, int64_t row, int64_t block, double value) {
  if (!layout) return tensor.set_code(row, code_of(kF32, value));
  const PlacedLayout placed(*layout, shape.rows, shape.columns);
  set_code_at(tensor, *layout, placed.offset(row, block), code_of(*layout->element, value));
}

HostTensor scales_of_rows(const HostTensor& tensor, const LevelGrid& shape, const Layout* layout, const std::vector<int64_t>& rows) {
  LevelGrid fewer = shape;
  fewer.rows = int64_t(rows.size());
  HostTensor some = scale_tensor(tensor.spec.name, fewer, layout);
  clear(some, fewer, layout);
  if (!layout) {
    for (int64_t row = 0; row < fewer.rows; ++row) some.set_code(row, tensor.code(rows[size_t(row)]));
    return some;
  }
  const PlacedLayout from(*layout, shape.rows, shape.columns), to(*layout, fewer.rows, fewer.columns);
  for_each_scale(fewer, [&](int64_t row, int64_t block) {
    set_code_at(some, *layout, to.offset(row, block), code_at(tensor, *layout, from.offset(rows[size_t(row)], block)));
  });
  return some;
}

bool reads_others(const LevelGrid& shape, const Layout& layout, const Layout& other) {
  const PlacedLayout right(layout, shape.rows, shape.columns), wrong(other, shape.rows, shape.columns);
  bool differs = false, inside = true;
  for_each_scale(shape, [&](int64_t row, int64_t block) {
    differs |= right.offset(row, block) != wrong.offset(row, block);
    inside &= wrong.offset(row, block) < right.storage_elements();
  });
  return differs && inside;
}

}  // namespace assay
