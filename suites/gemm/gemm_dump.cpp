#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "harness/text/messages.h"
#include "suites/gemm/gemm_op.h"
#include "suites/rows/row_dump.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

using Shape = std::vector<int64_t>;

constexpr std::array<const char*, 3> kPlainLayouts = {"row", "col", "tma"};

/// One way to interpret both scale tensors: granularity and layout of block scales, and how the dump stores them.
struct ScalesInDump {
  GemmScales scales;
  const Layout *a = nullptr, *b = nullptr;
  ScalePlacing placing_a = ScalePlacing::kLogical, placing_b = ScalePlacing::kLogical;

  std::pair<ScalePlacing, ScalePlacing> placings() const { return {placing_a, placing_b}; }
};

/// Whether the shape is a vector of that many scales, stored as a row or as a column.
bool is_vector_of(const Shape& shape, int64_t scales) {
  const auto longer = std::count_if(shape.begin(), shape.end(), [](int64_t extent) { return extent != 1; });
  return scales == 1 ? longer == 0 : longer == 1 && std::count(shape.begin(), shape.end(), scales) == 1;
}

bool read_alike(const LevelGrid& grid, const Layout& one, const Layout& other) {
  return !GemmScale(grid, &one).reads_others(other) && !GemmScale(grid, &other).reads_others(one);
}

/// Infers which scales of the contract the two scale tensors of a dump hold, from their shapes, strides and storage.
class GemmScaleReader {
 public:
  GemmScaleReader(const DotContract& contract, const DumpRequest& request, int64_t m, int64_t n, int64_t k)
      : contract_(contract), request_(request), a_(dumped_role(request.roles, "scale_a")), b_(dumped_role(request.roles, "scale_b")),
        m_(m), n_(n), k_(k) {}

  ScalesInDump best() {
    for (const GemmScales& scales : contract_.scales) contract_.of_blocks() ? consider_blocks(scales) : consider_vectors(scales);
    if (found_.empty()) refuse();
    const ScalesInDump best = *std::min_element(found_.begin(), found_.end(), [](const ScalesInDump& one, const ScalesInDump& other) {
      return one.placings() < other.placings();
    });
    for (const ScalesInDump& other : found_)
      if (other.scales == best.scales && other.placings() == best.placings()) require_same_reading(best, other);
    return best;
  }

 private:
  void consider_vectors(const GemmScales& scales) {
    const LevelGrid a = scales.of_a(m_, k_), b = scales.of_b(n_, k_);
    wanted_.push_back(fmt::format("f32 [{}] and f32 [{}] ({})", a.rows, b.rows, scales.name));
    if (is_vector_of(a_.tensor.spec.shape, a.count()) && is_vector_of(b_.tensor.spec.shape, b.count())) found_.push_back({scales});
  }

  void consider_blocks(const GemmScales& scales) {
    const LevelGrid a = scales.of_a(m_, k_), b = scales.of_b(n_, k_);
    for (const Layout* of_a : layouts_of_a())
      for (const Layout* of_b : layouts_of_b(*of_a)) {
        const ScaleStorage stored_a(PlacedLayout(*of_a, a.rows, a.columns)), stored_b(PlacedLayout(*of_b, b.rows, b.columns));
        const std::string wanted = fmt::format("{} and {} ({})", stored_a.text(), stored_b.text(), scales.name);
        if (std::find(wanted_.begin(), wanted_.end(), wanted) == wanted_.end()) wanted_.push_back(wanted);
        const auto placing_a = placing_of(a_, stored_a), placing_b = placing_of(b_, stored_b);
        if (placing_a && placing_b) found_.push_back({scales, of_a, of_b, *placing_a, *placing_b});
      }
  }

  /// Candidate layouts, first those of kPlainLayouts. If strides describe the tensor, it does not matter which layout the case
  /// names.
  std::vector<const Layout*> layouts_of_a() const {
    if (!request_.layout.empty()) return {&rulebook().layout(request_.layout)};
    std::vector<const Layout*> all;
    for (const char* id : kPlainLayouts)
      if (std::find(contract_.layouts.begin(), contract_.layouts.end(), id) != contract_.layouts.end()) all.push_back(&rulebook().layout(id));
    for (const std::string& id : contract_.layouts)
      if (std::find(kPlainLayouts.begin(), kPlainLayouts.end(), id) == kPlainLayouts.end()) all.push_back(&rulebook().layout(id));
    return all;
  }

  static std::vector<const Layout*> layouts_of_b(const Layout& of_a) {
    if (of_a.element->bytes() == 1) return {&of_a};
    std::vector<const Layout*> all;
    for (const char* id : kPlainLayouts) all.push_back(&rulebook().layout(id));
    return all;
  }

  void require_same_reading(const ScalesInDump& best, const ScalesInDump& other) const {
    if (!best.a) return;
    const LevelGrid a = best.scales.of_a(m_, k_), b = best.scales.of_b(n_, k_);
    const auto refuse_both = [](const DumpedTensor& tensor, const Layout& one, const Layout& two, const char* instead) {
      throw UsageError(fmt::format("{}: expected storage that fits one layout, but it fits {} as well as {}; {}", tensor.place(), one.id,
                                   two.id, instead));
    };
    if (best.placing_a != ScalePlacing::kLogical && !read_alike(a, *best.a, *other.a))
      refuse_both(a_, *best.a, *other.a, "try --layout NAME");
    if (best.placing_b != ScalePlacing::kLogical && !read_alike(b, *best.b, *other.b))
      refuse_both(b_, *best.b, *other.b, "try a tensor of two dimensions, or its shape and strides in the metadata");
  }

  [[noreturn]] void refuse() const {
    throw UsageError(fmt::format("{}: is {} {} and scale_b is {} {}; contract {} with a [{}, {}] and b [{}, {}] expects one of\n  {}", a_.place(),
                                 a_.dtype, shape_text(a_.tensor.spec.shape), b_.dtype, shape_text(b_.tensor.spec.shape), contract_.row->id,
                                 m_, k_, n_, k_, fmt::join(wanted_, "\n  ")));
  }

  const DotContract& contract_;
  const DumpRequest& request_;
  const DumpedTensor &a_, &b_;
  int64_t m_, n_, k_;
  std::vector<ScalesInDump> found_;
  std::vector<std::string> wanted_;
};

/// Rows and k of factor a or b. Throws UsageError if it is empty.
Shape factor(const DumpedTensor& tensor) {
  const Shape shape = as_matrix(tensor.tensor.spec.shape);
  if (shape[0] > 0 && shape[1] > 0) return shape;
  throw UsageError(tensor.place() + ": is " + shape_text(tensor.tensor.spec.shape) + ", which is empty");
}

}  // namespace

DumpCase gemm_case_of_dump(const Op& op, const DumpRequest& request) {
  require_known_parameters(op, request);
  const DotContract contract = read_dot(rulebook().contracts.find(request.contract), rulebook().contracts, rulebook().units);
  const DumpedTensor &a = dumped_role(request.roles, "a"), &b = dumped_role(request.roles, "b"), &d = dumped_role(request.roles, "d");
  const Shape of_a = factor(a), of_b = factor(b);
  if (of_a[1] != of_b[1])
    throw UsageError(b.place() + ": is " + shape_text(of_b) + " and a is " + shape_text(of_a) +
                     "; expected equal k: b has one row of k elements for each column of d");
  const int64_t m = of_a[0], n = of_b[0], k = of_a[1];
  const ScalesInDump scales = GemmScaleReader(contract, request, m, n, k).best();
  const bool has_bias = request.roles.contains("bias");
  if (has_bias && contract.bias.empty())
    throw UsageError(fmt::format("{}: contract {} takes no bias", request.roles.at("bias").place(), request.contract));
  std::map<std::string, std::string> cells = {{"contract", request.contract}, {"m", std::to_string(m)}, {"n", std::to_string(n)},
                                              {"k", std::to_string(k)}, {"scales", scales.scales.name},
                                              {"y", std::string(d.tensor.spec.format->name)}};
  if (!has_bias) cells["bias"] = "";
  if (scales.a) cells["layout_a"] = scales.a->id, cells["layout_b"] = scales.b->id;
  Case one;
  one.op = op.name;
  one.origin = {a.file, 0};
  one.why = "your dump, checked against " + request.contract;
  one.of_given_data = true;
  for (const auto& [name, value] : request.parameters) cells[name] = value;
  for (const std::string& column : op.columns)
    if (const auto cell = cells.find(column); cell != cells.end()) one.parameters.insert(*cell);
  DumpCase dump;
  dump.bound = op.bind(one);
  dump.one = checked_case(op, std::move(one));
  dump.problem = dump.bound->problem();
  if (scales.a) dump.placings = {{"scale_a", scales.placing_a}, {"scale_b", scales.placing_b}};
  return dump;
}

}  // namespace assay
