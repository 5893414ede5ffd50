#include "suites/judges/recipes.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sstream>

#include "harness/fill/nearest.h"
#include "harness/run/match.h"
#include "reference/formats/round.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rows/places.h"
#include "suites/rows/row_case.h"

namespace assay::judges {
namespace {

constexpr const char* kRecipeColumns[] = {"recipe", "x",      "fill",  "factor", "offset", "over_n", "gamma",
                                    "eps",    "shapes", "ranks", "before", "source", "status", "why"};

using Shape = std::array<int64_t, 3>;

Shape shape_of(const std::string& text) {
  Shape shape{};
  int end = 0;
  std::sscanf(text.c_str(), "%5ldx%5ld%n", &shape[0], &shape[1], &end);
  const auto two = size_t(end);
  if (two < text.size()) std::sscanf(text.c_str() + two, "x%5ld%n", &shape[2], &end);
  const bool whole = two == text.size() || (shape[2] > 0 && two + size_t(end) == text.size());
  return whole && shape[0] > 0 && shape[1] > 0 ? shape : Shape{};
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, '|');) parts.push_back(part);
  return parts;
}

/// Parses "", "3" or "3 same".
void read_before(const Table& table, const TableRow& row, Recipe& recipe) {
  const std::string text = table.text(row, "before");
  char* end = nullptr;
  recipe.before = std::strtol(text.c_str(), &end, 10);
  recipe.again = std::string(end) == " same";
  if ((*end != '\0' && !recipe.again) || recipe.before < 0) throw table.error(row, "before", "is no number of calls, nor that and 'same'");
}

Recipe read_recipe(const Table& table, const TableRow& row) {
  Recipe recipe{table.text(row, "recipe"),          split(table.text(row, "x")), table.text(row, "fill"), 1, 0,
                table.text(row, "over_n") == "yes", table.text(row, "gamma"),    table.text(row, "eps"),  {}};
  char* end = nullptr;
  recipe.factor = std::strtod(table.text(row, "factor").c_str(), &end);
  if (*end != '\0' || !(recipe.factor > 0)) throw table.error(row, "factor", "is no number above 0");
  recipe.offset = std::strtod(table.text(row, "offset").c_str(), &end);
  if (*end != '\0') throw table.error(row, "offset", "is no number");
  if (!recipe.over_n && !table.text(row, "over_n").empty()) throw table.error(row, "over_n", "is 'yes' or empty");
  recipe.ranks = split(table.text(row, "ranks"));
  read_before(table, row, recipe);
  for (const std::string& text : split(table.text(row, "shapes"))) {
    recipe.shapes.push_back(shape_of(text));
    if (recipe.shapes.back()[0] == 0) throw table.error(row, "shapes", "'" + text + "' is not rows, 'x' and columns");
    if ((recipe.shapes.back()[2] > 0) != (recipe.shapes.front()[2] > 0)) throw table.error(row, "shapes", "are of matrix products all, or none is");
  }
  return recipe;
}

/// A case of the kernel's contract that the kernel takes; if it has groups, preferably of 128.
std::optional<Case> model_for(const KernelOffer& kernel, const std::vector<Case>& models) {
  std::optional<Case> chosen;
  for (const Case& one : models) {
    if (one.parameters.at("warp") != "64" || !why_not_offered(kernel, one).empty()) continue;
    const auto group = one.parameters.find("group_size");
    const bool preferred = group == one.parameters.end() || group->second == "128";
    if (!chosen || preferred) chosen = one;
    if (preferred) break;
  }
  return chosen;
}

std::string cell(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", number);
  return text;
}

/// Ingredients of a trial besides the recipe.
struct Choice {
  std::string x, ranks;
  Shape shape;
};

/// The model case with the recipe's cells; nothing if the op or the kernel does not take it.
std::optional<Case> case_of(const Recipe& recipe, double factor, const Choice& choice, const KernelOffer& kernel, Case one) {
  const auto set = [&](const char* column, const std::string& text) {
    const auto found = one.parameters.find(column);
    if (found != one.parameters.end() && !found->second.empty()) found->second = text;
  };
  set("x", choice.x), set("fill", recipe.fill), set("up", recipe.fill), set("gamma", recipe.gamma), set("eps", recipe.eps),
      set("seed", "1");
  set("m", std::to_string(choice.shape[0])), set("n", std::to_string(choice.shape[1])), set("scale_ub", cell(factor / 2)), set("scale", "ones");
  if (choice.shape[2] > 0) set("k", std::to_string(choice.shape[2])), set("b", recipe.fill), set("scale", recipe.gamma), set("y", choice.x);
  if (!choice.ranks.empty()) {
    one.parameters["ranks"] = choice.ranks;
    one.parameters["before"] = std::to_string(recipe.again ? 0 : recipe.before);
    if (one.parameters.contains("shift")) one.parameters["shift"] = "";
  }
  try {
    const Op& op = shipped_ops().find(one.op);  // before `one` is moved from
    one = checked_case(op, std::move(one));
  } catch (const TableError&) {
    return std::nullopt;
  }
  return why_not_offered(kernel, one).empty() ? std::optional(one) : std::nullopt;
}

/// Multiplies x by a factor, adds an offset and rounds again; returns the magnitudes.
std::vector<double> multiply(HostTensor& x, double factor, double offset) {
  const Format& format = *x.spec.format;
  std::vector<double> values(size_t(x.spec.storage));
  decode_all(format, x.bytes.data(), values);
  for (size_t i = 0; i < values.size(); ++i) {
    x.set_code(int64_t(i), nearest_code(format, values[i] * factor + offset));
    values[i] = std::fabs(values[i] * factor + offset);
  }
  return values;
}

/// The scale of each group: amax / largest code, or the amax of all if the groups are not those of x.
void fit_scales(HostTensor& scale, const RowCase& c, const std::vector<double>& x, double largest_code) {
  std::vector<double> amax(size_t(c.rows_of_scales() * c.scales_of_row()), 0.0);
  const bool groups_of_x = int64_t(x.size()) == c.m * c.n;
  if (!groups_of_x) std::fill(amax.begin(), amax.end(), *std::max_element(x.begin(), x.end()));
  for (int64_t i = 0; groups_of_x && i < int64_t(x.size()); ++i) {
    double& group = amax[size_t(i / c.n / c.group_rows() * c.scales_of_row() + i % c.n / c.group_size())];
    group = std::max(group, x[size_t(i)]);
  }
  const ScalePlaces places(c);
  for (int64_t row = 0; row < c.rows_of_scales(); ++row)
    for (int64_t group = 0; group < c.scales_of_row(); ++group)
      scale.set_code(places.offset(row, group),
                     nearest_code(*scale.spec.format, amax[size_t(row * c.scales_of_row() + group)] / largest_code));
}

HostTensor* find_or_null(Problem& problem, std::string_view name) {
  for (HostTensor& tensor : problem.tensors)
    if (tensor.spec.name == name) return &tensor;
  return nullptr;
}

/// Tensors of each rank, and the warm-up calls.
void scale_ranks(const Recipe& recipe, Problem& problem, double factor, double offset) {
  for (HostTensor& tensor : problem.tensors)
    if (tensor.spec.name == "x" || tensor.spec.name == "k") multiply(tensor, factor, offset);
  if (recipe.again) problem.before.assign(size_t(recipe.before), Problem(problem));
}

/// Multiplies the result by a factor: fp32 scales of a, and added terms.
void scale_product(Problem& problem, double factor) {
  for (HostTensor& tensor : problem.tensors)
    if (tensor.spec.name == "bias" || tensor.spec.name == "c" || (tensor.spec.name == "scale_a" && tensor.spec.format->name == "f32"))
      multiply(tensor, factor, 0);
}

void scale_inputs(const Case& one, Problem& problem, double factor, double offset) {
  HostTensor *x = find_or_null(problem, "x"), *scale = find_or_null(problem, "scale"), *q = find_or_null(problem, "q");
  const std::vector<double> magnitudes = multiply(*x, factor, offset);
  for (auto& [name, value] : problem.parameters)
    if (name == "scale_ub") value = read_row_case(one).scale_ub;
  if (scale && scale->spec.role == Role::kInput) fit_scales(*scale, read_row_case(one), magnitudes, max_finite(*q->spec.format));
}

}  // namespace

std::vector<Recipe> load_recipes(const std::string& file) {
  const Table table = read_table(file);
  const std::vector<std::string> columns(std::begin(kRecipeColumns), std::end(kRecipeColumns));
  table.require_columns(columns);
  table.allow_columns(columns);
  std::vector<Recipe> recipes;
  for (const TableRow& row : table.rows) recipes.push_back(read_recipe(table, row));
  return recipes;
}

std::vector<Trial> trials(const Recipe& recipe, const KernelOffer& kernel, const std::vector<Case>& models) {
  const std::optional<Case> model = model_for(kernel, models);
  std::vector<Trial> made;
  const bool of_ranks = model && model->parameters.contains("ranks");
  if (!model || of_ranks == recipe.ranks.empty()) return made;
  const bool of_products = recipe.shapes.front()[2] > 0;
  if (of_products != model->parameters.contains("k")) return made;
  for (const Shape& shape : recipe.shapes)
    for (const std::string& ranks : of_ranks ? recipe.ranks : std::vector<std::string>{""})
      for (const std::string& x : recipe.x) {
        const size_t so_far = made.size();
        std::optional<Problem> plain;  // the generator's output is the same at every scale
        for (size_t scale = 0; scale < kScales.size(); ++scale) {
          const double factor = recipe.factor * kScales[scale] / (recipe.over_n ? double(shape[1]) : 1.0);
          const std::optional<Case> one = case_of(recipe, factor, {x, ranks, shape}, kernel, *model);
          if (!one) break;
          if (!plain) plain = shipped_ops().find(one->op).bind(*one)->problem();
          made.push_back({*one, *plain, scale});
          if (of_products)
            scale_product(made.back().problem, factor);
          else if (of_ranks)
            scale_ranks(recipe, made.back().problem, factor, recipe.offset * kScales[scale]);
          else
            scale_inputs(*one, made.back().problem, factor, recipe.offset * kScales[scale]);
        }
        if (made.size() > so_far) break;  // the first format that is accepted
      }
  return made;
}

}  // namespace assay::judges
