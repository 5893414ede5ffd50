#include "suites/rows/scale_reading.h"

#include <algorithm>

#include "harness/text/error.h"
#include "reference/contracts/group_shape.h"
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

std::string wanted_text(const PlacedLayout& placed, const std::string& group) {
  return placed.layout().id + " with groups of " + group + ": " + stored_text(placed);
}

class ScaleReader {
 public:
  ScaleReader(const ContractRow& row, const DumpedTensor& scale, int64_t m, int64_t n) : row_(row), scale_(scale), m_(m), n_(n) {}

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
    if (group == "any") return;  // every number of columns: only the user can say which
    const GroupShape shape = group_shape(group);
    const int64_t rows = shape.rows_of(m_), columns = shape.columns_of(n_);
    if (!pads_x(row_) && (m_ % rows != 0 || n_ % columns != 0)) return;
    const PlacedLayout placed(layout, (m_ + rows - 1) / rows, (n_ + columns - 1) / columns);
    if (const auto placing = placing_of(scale_, placed)) found_.push_back({group, &layout, *placing});
    if (wanted_.size() < 8) wanted_.push_back(wanted_text(placed, group));
  }

  static GroupShape group_shape(const std::string& group) {
    try {
      return parse_group_shape(group);
    } catch (const ParseError& error) {
      throw UsageError("--param group_size=" + group + ": " + error.what());
    }
  }

  [[noreturn]] void refuse() const {
    std::string text = scale_.place() + ": is " + scale_.dtype + " " + shape_text(scale_.tensor.spec.shape) + "; contract " +
                       row_.id + " with x [" + std::to_string(m_) + ", " + std::to_string(n_) + "] wants";
    for (const std::string& wanted : wanted_) text += "\n  " + wanted;
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
  int64_t m_, n_;
  std::vector<Candidate> found_;
  std::vector<std::string> wanted_;
};

}  // namespace

std::optional<ScalePlacing> placing_of(const DumpedTensor& scale, const PlacedLayout& placed) {
  const TensorSpec& spec = scale.tensor.spec;
  const bool type =
      *spec.format == *placed.layout().type || (scale.plain_bytes && spec.format->bits == placed.layout().type->bits);
  if (!type) return std::nullopt;
  const std::vector<int64_t> shape = placed.shape(), strides = placed.strides();
  if (spec.shape == shape && spec.strides == strides && spec.storage == placed.storage()) return ScalePlacing::kMemory;
  const bool one_group = spec.shape.size() == 1 && shape[1] == 1 && spec.shape[0] == shape[0];
  const bool one_scale = spec.elements() == 1 && shape[0] * shape[1] == 1;
  if (as_matrix(spec.shape) == shape || one_group || one_scale) return ScalePlacing::kLogical;
  const bool contiguous = spec.storage == spec.elements();
  if (spec.shape.size() == 1 && contiguous && spec.storage == placed.storage()) return ScalePlacing::kFlat;
  // Columns one after the other, the last one padded too or not.
  const bool columns_first =
      spec.shape.size() == 2 && strides[0] == 1 && spec.shape[0] == shape[1] && spec.shape[1] == strides[1];
  if (columns_first && contiguous && spec.storage >= placed.storage()) return ScalePlacing::kFlat;
  return std::nullopt;
}

std::string stored_text(const PlacedLayout& placed) {
  return std::string(placed.layout().type->name) + " " + shape_text(placed.shape());
}

ScaleReading read_dumped_scales(const ContractRow& row, const DumpedTensor& scale, int64_t m, int64_t n, const std::string& group,
                                const std::string& layout) {
  const Candidate best = ScaleReader(row, scale, m, n).best(group, layout);
  return {best.group, best.layout, best.placing};
}

}  // namespace assay
