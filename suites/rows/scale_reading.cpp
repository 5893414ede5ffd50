#include "suites/rows/scale_reading.h"

#include <algorithm>

#include "harness/text/error.h"
#include "reference/contracts/scale_spec.h"
#include "reference/formats/catalogue.h"
#include "suites/rows/cells.h"
#include "suites/rows/row_dump.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

struct Candidate {
  std::string group;
  const Layout* layout;
  ScalePlacing placing;
};

std::string wanted_text(const ScalePlaces& places, const std::string& group) {
  return places.layout().id + " with groups of " + group + ": " + ScaleStorage(places).text();
}

class ScaleReader {
 public:
  ScaleReader(const ContractRow& row, const DumpedTensor& scale, const RowCase& matrix)
      : row_(row), scale_(scale), matrix_(matrix), m_(matrix.m), n_(matrix.n) {}

  Candidate best(const std::string& group, const std::string& layout) {
    for (const std::string& one : layout.empty() ? alternatives_of(row_.text("layouts")) : std::vector<std::string>{layout})
      for (const std::string& size : group.empty() ? alternatives_of(row_.text("group")) : std::vector<std::string>{group})
        consider(rulebook().layout(one), size);
    if (found_.empty()) refuse();
    const ScalePlacing best = std::min_element(found_.begin(), found_.end(), [](const Candidate& a, const Candidate& b) {
                                return a.placing < b.placing;
                              })->placing;
    std::erase_if(found_, [&](const Candidate& one) { return one.placing != best; });
    for (const Candidate& other : found_) {
      if (other.group != found_.front().group)
        throw UsageError(scale_.place() + ": groups of " + found_.front().group + " and of " + other.group +
                         " both make its shape; say --param group_size=N");
      if (other.layout != found_.front().layout && best != ScalePlacing::kLogical)
        throw UsageError(scale_.place() + ": is the storage of layout " + found_.front().layout->id + " as well as of " +
                         other.layout->id + "; say --layout NAME");
    }
    return found_.front();
  }

 private:
  void consider(const Layout& layout, const std::string& group) {
    if (group == "any") return;  // any number of columns: only the user can tell
    RowCase one = matrix_;
    one.scales = spec_of(group);
    if (!pads_x(row_) && (m_ % one.group_rows() != 0 || n_ % one.group_size() != 0)) return;
    const ScalePlaces places(layout, one);
    if (const auto placing = placing_of(scale_, ScaleStorage(places))) found_.push_back({group, &layout, *placing});
    wanted_.push_back(wanted_text(places, group));
  }

  static ScaleSpec spec_of(const std::string& group) {
    try {
      return parse_scale_spec(group);
    } catch (const ParseError& error) {
      throw UsageError("--param group_size=" + group + ": " + error.what());
    }
  }

  [[noreturn]] void refuse() const {
    std::string text = scale_.place() + ": is " + scale_.dtype + " " + shape_text(scale_.tensor.spec.shape) + "; contract " +
                       row_.id + " with x [" + std::to_string(m_) + ", " + std::to_string(n_) + "] wants";
    constexpr size_t kMost = 8;
    for (size_t i = 0; i < std::min(kMost, wanted_.size()); ++i) text += "\n  " + wanted_[i];
    if (wanted_.size() > kMost) text += "\n  ... (" + std::to_string(wanted_.size()) + " in all; --param group_size=N and --layout NAME leave fewer)";
    if (wanted_.empty())
      text += " a group size, --param group_size=N, that divides " + std::to_string(n_) + ": " + row_.text("group");
    const bool fp32_for_words = *scale_.tensor.spec.format == kF32 && row_.text("layouts").find("ue8m0x4") != std::string::npos;
    if (fp32_for_words)
      text +=
          "\nThese are fp32 scales where packed UE8M0 words are read: a consumer that takes their bits for exponents computes "
          "NaN or garbage."
          "\nLook at them with: assay judge '" +
          scale_.file + (scale_.file.ends_with(".npy") ? "" : ":" + scale_.name) + "' --as ue8m0_scale";
    throw UsageError(text);
  }

  const ContractRow& row_;
  const DumpedTensor& scale_;
  const RowCase& matrix_;
  const int64_t m_, n_;
  std::vector<Candidate> found_;
  std::vector<std::string> wanted_;
};

}  // namespace

ScaleStorage::ScaleStorage(const PlacedLayout& placed)
    : type(placed.layout().type), shape(placed.shape()), strides(placed.strides()), storage(placed.storage()) {}

ScaleStorage::ScaleStorage(const ScalePlaces& places)
    : type(places.layout().type), shape(places.shape()), strides(places.strides()), storage(places.storage()) {}

std::string ScaleStorage::text() const { return std::string(type->name) + " " + shape_text(shape); }

std::optional<ScalePlacing> placing_of(const DumpedTensor& scale, const ScaleStorage& stored) {
  const TensorSpec& spec = scale.tensor.spec;
  const std::vector<int64_t>& shape = stored.shape;
  if (!(*spec.format == *stored.type) && !(scale.plain_bytes && spec.format->bits == stored.type->bits)) return std::nullopt;
  if (spec.shape == shape && spec.strides == stored.strides && spec.storage >= stored.storage) return ScalePlacing::kMemory;
  const std::vector<int64_t> matrix = as_matrix(shape);
  const bool one_group = spec.shape.size() == 1 && matrix[1] == 1 && spec.shape[0] == matrix[0];
  const bool one_scale = spec.elements() == 1 && matrix[0] * matrix[1] == 1;
  if (as_matrix(spec.shape) == matrix || one_group || one_scale) return ScalePlacing::kLogical;
  const bool contiguous = spec.storage == spec.elements();
  if (spec.shape.size() == 1 && contiguous && spec.storage == stored.storage) return ScalePlacing::kFlat;
  // column-major, with or without padding of the last column
  const bool columns_first = spec.shape.size() == 2 && shape.size() == 2 && stored.strides[0] == 1 && spec.shape[0] == shape[1] &&
                             spec.shape[1] == stored.strides[1];
  if (columns_first && contiguous && spec.storage >= stored.storage) return ScalePlacing::kFlat;
  return std::nullopt;
}

ScaleReading read_dumped_scales(const ContractRow& row, const DumpedTensor& scale, const RowCase& matrix, const std::string& group,
                                const std::string& layout) {
  const Candidate best = ScaleReader(row, scale, matrix).best(group, layout);
  return {best.group, best.layout, best.placing};
}

}  // namespace assay
