#include "harness/check/scale_tensor.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "harness/dump/dump.h"
#include "harness/dump/strided.h"
#include "harness/text/error.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"
#include "suites/rulebook.h"

namespace assay {

ScaleFacts::ScaleFacts(std::map<std::string, std::string> stated, const std::map<std::string, std::string>& metadata,
                       const std::string& layout)
    : values_(std::move(stated)) {
  const std::vector<std::string> known = {"m", "n", "groups", "group_size"};
  for (const auto& [name, value] : values_)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw UsageError("--param " + name + ": unknown here" + did_you_mean(name, known));
  for (const auto& [key, value] : metadata)
    if (key.starts_with("parameter.")) values_.emplace(key.substr(10), value);
  if (!layout.empty()) values_["layout"] = layout;
}

std::string ScaleFacts::text(const std::string& name) const { return values_.contains(name) ? values_.at(name) : ""; }

std::optional<int64_t> ScaleFacts::integer(const std::string& name) const {
  const std::string cell = text(name);
  if (cell.empty()) return std::nullopt;
  int64_t number = 0;
  const auto read = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  if (read.ec != std::errc() || read.ptr != cell.data() + cell.size() || number <= 0 || number > (int64_t{1} << 31))
    throw UsageError(name + " '" + cell + "': expected a positive integer");
  return number;
}

std::optional<int64_t> ScaleFacts::groups() const {
  if (const auto stated = integer("groups")) return stated;
  const auto n = integer("n");
  if (text("group_size") == "row") return 1;
  const auto size = integer("group_size");
  if (n && size) return (*n + *size - 1) / *size;
  return std::nullopt;
}

namespace {

DumpError refused(const DumpedTensor& dumped, const std::string& problem) {
  return DumpError(dumped.file, "tensor '" + dumped.name + "'", problem);
}

/// Bits after conversion to fp32, which is exact for bf16 and f16.
int64_t fp32_bits(const Format& format, uint32_t code) { return code_of(kF32, decode(format, code)); }

ScaleKind kind_of(const DumpedTensor& dumped) {
  const Format& format = *dumped.tensor.spec.format;
  if (format == kInt32) return ScaleKind::kWords;
  if (format == kE8M0 || (dumped.plain_bytes && format.bits == 8)) return ScaleKind::kBytes;
  if (format == kF32 || format == kBf16 || format == kF16) return ScaleKind::kFloats;
  throw refused(dumped, dumped.dtype + " is not a type of scales; expected int32 words or bytes of UE8M0, fp32, bf16 or f16");
}

/// The storage of a known layout, padding included.
ScaleGrid placed_grid(const HostTensor& tensor, const PlacedLayout& placed) {
  ScaleGrid grid;
  grid.rows = placed.rows();
  grid.columns = placed.cols();
  const Format& element = *placed.layout().element;
  HostTensor elements{dense("", Role::kInput, element, {placed.storage_elements()}), tensor.bytes};
  for (int64_t r = 0; r < grid.rows; ++r)
    for (int64_t c = 0; c < grid.columns; ++c) {
      grid.codes.push_back(placed.holds(r, c) ? int64_t(elements.code(placed.offset(r, c))) : -1);
    }
  return grid;
}

/// The tensor as a matrix of rows and groups.
ScaleGrid logical_grid(const HostTensor& tensor, ScaleKind kind) {
  const CodeMatrix matrix = code_matrix(tensor);
  ScaleGrid grid;
  grid.rows = matrix.rows;
  grid.columns = matrix.columns * (kind == ScaleKind::kWords ? 4 : 1);
  for (const uint32_t code : matrix.codes) {
    if (kind == ScaleKind::kFloats)
      grid.codes.push_back(fp32_bits(*tensor.spec.format, code));
    else if (kind == ScaleKind::kBytes)
      grid.codes.push_back(int64_t(code));
    else
      for (int shift = 0; shift < 32; shift += 8) grid.codes.push_back(code >> shift & 0xff);
  }
  return grid;
}

/// Whether the tensor is in storage order: a vector, or a tensor with the layout's strides.
bool in_order_of_storage(const TensorSpec& spec, const PlacedLayout& placed) {
  return spec.shape.size() == 1 || (spec.shape == placed.shape() && spec.strides == placed.strides());
}

void check_layout(const DumpedTensor& dumped, const PlacedLayout& placed) {
  const Layout& layout = placed.layout();
  const TensorSpec& spec = dumped.tensor.spec;
  const bool plain_bytes = dumped.plain_bytes && layout.type->bits == spec.format->bits;
  if (!(*layout.type == *spec.format) && !plain_bytes)
    throw refused(dumped, "is " + dumped.dtype + ", layout " + layout.id + " is made of " + std::string(layout.type->name) +
                              "; leave --layout out to look at it as it is");
  if (placed.storage() != spec.storage)
    throw refused(dumped, "holds " + std::to_string(spec.storage) + " elements, layout " + layout.id + " has " +
                              std::to_string(placed.storage()));
}

/// Sets what the padding must hold. A recording's contract states it; otherwise packed scales need zero padding, since their
/// consumers read it.
void state_padding(const ScaleFacts& facts, ScaleGrid& grid) {
  grid.zero_rows = grid.zero_columns = grid.kind == ScaleKind::kWords;
  if (facts.text("contract").empty()) return;
  const std::string last = chain_of(rulebook().contracts.find(facts.text("contract"))).back();
  const std::string& pad = rulebook().contracts.find(last).text("pad");
  grid.zero_rows = pad.find("rows:00") != std::string::npos;
  grid.zero_columns = pad.find("k:00") != std::string::npos;
}

}  // namespace

ScaleGrid scale_grid(const DumpedTensor& dumped, const ScaleFacts& facts) {
  const HostTensor& tensor = dumped.tensor;
  const ScaleKind kind = kind_of(dumped);
  const std::optional<int64_t> m = facts.integer("m"), groups = facts.groups();
  ScaleGrid grid;
  std::optional<PlacedLayout> placed;
  if (const std::string layout = facts.text("layout"); !layout.empty() && m && groups)
    placed.emplace(rulebook().layout(layout), *m, *groups);
  if (placed && in_order_of_storage(tensor.spec, *placed)) {
    check_layout(dumped, *placed);
    grid = placed_grid(tensor, *placed);
  } else {
    grid = logical_grid(tensor, kind);
  }
  grid.kind = kind;
  grid.name = dumped.name == "array" ? "scale" : dumped.name;
  grid.present_rows = m.value_or(grid.rows);
  grid.present_columns = groups.value_or(grid.columns);
  grid.extent_known = groups.has_value();
  if (grid.present_rows > grid.rows || grid.present_columns > grid.columns)
    throw refused(dumped,
                  "holds " + std::to_string(grid.rows) + " rows of " + std::to_string(grid.columns) + " scales, " +
                      std::to_string(grid.present_rows) + " of " + std::to_string(grid.present_columns) + " were stated" +
                      (grid.present_rows == grid.columns && grid.present_columns == grid.rows ? ": it is transposed" : ""));
  if (grid.present_rows == 0 || grid.present_columns == 0) throw refused(dumped, "is empty");
  state_padding(facts, grid);
  return grid;
}

}  // namespace assay
