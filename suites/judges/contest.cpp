#include "suites/judges/contest.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "harness/backend/worker.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/fill/fill.h"
#include "harness/run/run.h"
#include "harness/run/run_case.h"
#include "reference/formats/round.h"
#include "reference/table/near.h"
#include "reference/table/table.h"
#include "suites/catches/diagnosis_scores.h"
#include "suites/registry.h"
#include "suites/rows/row_case.h"

namespace assay::judges {
namespace {

// Recipes (recipes.csv): the inputs of other projects' tests, generated with Assay's random numbers.

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

/// Parses the cell `before`: "", "3" (warm-up calls) or "3 same" (with the inputs of the case).
void read_before(const Table& table, const TableRow& row, Recipe& recipe) {
  const std::string text = table.text(row, "before");
  char* end = nullptr;
  recipe.before = std::strtol(text.c_str(), &end, 10);
  recipe.again = std::string(end) == " same";
  if ((*end != '\0' && !recipe.again) || recipe.before < 0)
    throw table.error(row, "before", "expected a number of calls, or a number and 'same', such as '3 same'");
}

Recipe read_recipe(const Table& table, const TableRow& row) {
  Recipe recipe{table.text(row, "recipe"),          split(table.text(row, "x")), table.text(row, "fill"), 1, 0,
                table.text(row, "over_n") == "yes", table.text(row, "gamma"),    table.text(row, "eps"),  {}};
  char* end = nullptr;
  recipe.factor = std::strtod(table.text(row, "factor").c_str(), &end);
  if (*end != '\0' || !(recipe.factor > 0)) throw table.error(row, "factor", "expected a number > 0");
  recipe.offset = std::strtod(table.text(row, "offset").c_str(), &end);
  if (*end != '\0') throw table.error(row, "offset", "is not a number");
  if (!recipe.over_n && !table.text(row, "over_n").empty()) throw table.error(row, "over_n", "expected yes or an empty cell");
  recipe.ranks = split(table.text(row, "ranks"));
  read_before(table, row, recipe);
  for (const std::string& text : split(table.text(row, "shapes"))) {
    recipe.shapes.push_back(shape_of(text));
    if (recipe.shapes.back()[0] == 0)
      throw table.error(row, "shapes", "'" + text + "': expected rows x columns, such as 16x1024");
    if ((recipe.shapes.back()[2] > 0) != (recipe.shapes.front()[2] > 0))
      throw table.error(row, "shapes", "expected rows x columns x k in all shapes, or rows x columns in all");
  }
  return recipe;
}

/// A case that the kernel accepts, at 64 lanes; if it has groups, preferably groups of 128.
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

/// The format of x, the number of ranks and the shape of a trial, chosen from those that its recipe lists.
struct Choice {
  std::string x, ranks;
  Shape shape;
};

/// Case `one` with the cells of the recipe; nullopt if the op or the kernel rejects the changed case.
std::optional<Case> case_of(const Recipe& recipe, double factor, const Choice& choice, const KernelOffer& kernel, Case one) {
  const auto set = [&](const char* column, const std::string& text) {
    const auto found = one.parameters.find(column);
    if (found != one.parameters.end() && !found->second.empty()) found->second = text;
  };
  set("x", choice.x), set("fill", recipe.fill), set("up", recipe.fill), set("gamma", recipe.gamma), set("eps", recipe.eps),
      set("seed", "1");
  set("m", std::to_string(choice.shape[0])), set("n", std::to_string(choice.shape[1])), set("scale_ub", cell(factor / 2)),
      set("scale", "ones");
  if (choice.shape[2] > 0)
    set("k", std::to_string(choice.shape[2])), set("b", recipe.fill), set("scale", recipe.gamma), set("y", choice.x);
  if (!choice.ranks.empty()) {
    one.parameters["ranks"] = choice.ranks;
    one.parameters["before"] = std::to_string(recipe.again ? 0 : recipe.before);
    if (one.parameters.contains("shift")) one.parameters["shift"] = "";
  }
  try {
    const Op& op = shipped_ops().find(one.op);  // before `one` is moved
    one = checked_case(op, std::move(one));
  } catch (const TableError&) {
    return std::nullopt;
  }
  return why_not_offered(kernel, one).empty() ? std::optional(one) : std::nullopt;
}

/// Multiplies x by a factor, adds an offset and rounds again. Returns the magnitudes before rounding.
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

/// Sets each scale to (amax of its group) / (largest code). If the groups are not groups of x, uses the amax of all x.
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

/// Changes the inputs of each rank, and sets the warm-up calls.
void scale_ranks(const Recipe& recipe, Problem& problem, double factor, double offset) {
  for (HostTensor& tensor : problem.tensors)
    if (tensor.spec.name == "x" || tensor.spec.name == "k") multiply(tensor, factor, offset);
  if (recipe.again) problem.before.assign(size_t(recipe.before), Problem(problem));
}

/// Multiplies the result of a GEMM by a factor: multiplies the fp32 scales of `a` and the added terms.
void scale_product(Problem& problem, double factor) {
  for (HostTensor& tensor : problem.tensors)
    if (tensor.spec.name == "bias" || tensor.spec.name == "c" ||
        (tensor.spec.name == "scale_a" && tensor.spec.format->name == "f32"))
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
        std::optional<Problem> plain;  // generated once for all factors
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
        if (made.size() > so_far) break;  // use only the first format that the kernel accepts
      }
  return made;
}

namespace {

// Applies the acceptance rules of other projects, and Assay, to faulty and healthy kernels.

/// Largest quick case, in elements: large enough for a case in which a 16-bit offset wraps.
constexpr int64_t kMostElements = 1 << 17;

std::string kind_of(const Problem& problem) {
  bool quantizes = false, normalises = false;
  for (const HostTensor& tensor : problem.tensors) {
    quantizes = quantizes || tensor.spec.name == "q";
    normalises = normalises || tensor.spec.name == "gamma";
  }
  if (std::any_of(problem.tensors.begin(), problem.tensors.end(), [](const HostTensor& t) { return t.spec.name == "scale_a"; }))
    return "gemm";
  if (problem.ranks > 1) return normalises ? "reduce_norm" : "reduce";
  return !quantizes ? "norm" : normalises ? "norm_quant" : "quant";
}

/// Outputs of kernel and reference, and Assay's verdict. Without outputs every rule rejects, since any test would notice missing
/// outputs.
struct Heard {
  std::optional<Answer> kernel, reference;
  bool assay_refuses = false;
};

/// The key in HealthyOutputs. Empty for calls with ranks or warm-up calls, because these leave state behind.
std::string key_of(const CallRequest& request, const Case& one) {
  if (request.problem->ranks > 1 || !request.problem->before.empty()) return "";
  std::string key = request.kernel + " " + request.contract + " " + one.id;
  for (const HostTensor& tensor : request.problem->tensors) {
    const std::string_view bytes(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
    key += " " + std::to_string(bytes.size()) + ":" + std::to_string(std::hash<std::string_view>{}(bytes));
  }
  return key;
}

std::vector<HostTensor> outputs_of_healthy(const Field& field, const CallRequest& request, const Case& one) {
  const std::string key = key_of(request, one);
  if (const std::vector<HostTensor>* known = key.empty() ? nullptr : field.before->find(key)) return *known;
  CallResult result = field.healthy->call(request);
  if (result.status != CallStatus::kOk) throw std::runtime_error(one.id + ": the correct kernel failed: " + result.message);
  if (!key.empty()) field.before->keep(key, result.outputs);
  return std::move(result.outputs);
}

/// The outputs of a healthy kernel for the same inputs.
std::vector<HostTensor> reference_of(const Field& field, const Contestant& contestant, const Trial& trial) {
  Case one = trial.one;
  if (!contestant.reference_contract.empty()) one.parameters["contract"] = contestant.reference_contract;
  for (const KernelOffer& offer : field.healthy->library.kernels) {
    if (!why_not_offered(offer, one).empty() || (!contestant.twin.empty() && contestant.twin != offer.name)) continue;
    return outputs_of_healthy(field, {one.op, one.text("contract"), offer.name, &trial.problem, 1}, one);
  }
  throw std::runtime_error("no correct kernel accepts " + one.id);
}

Heard hear(const Field& field, const Contestant& contestant, const Trial& trial) {
  const std::vector<HostTensor> healthy = reference_of(field, contestant, trial);
  const CallResult result =
      contestant.backend->call({trial.one.op, trial.one.text("contract"), contestant.kernel.name, &trial.problem, 1});
  Heard heard;
  heard.assay_refuses = result.status != CallStatus::kOk;
  if (heard.assay_refuses) return heard;
  Verdict verdict = blank_verdict(trial.one, contestant.kernel.name, contestant.backend->name);
  verdict.outcome = Outcome::kPass;
  judge_outputs(*shipped_ops().find(trial.one.op).bind(trial.one), trial.problem, result, verdict);
  heard.assay_refuses = verdict.outcome != Outcome::kPass;
  heard.kernel = answer_of(trial.one, trial.problem, result.outputs);
  heard.reference = answer_of(trial.one, trial.problem, healthy);
  return heard;
}

Tally tally(const Rule& rule, const Heard& heard) {
  if (!heard.kernel) return {.cases = 1, .refused = 1};
  const Judgement own = judge(rule, *heard.reference, *heard.reference);
  if (own == Judgement::kCannot) return {.cannot = 1};
  if (own == Judgement::kRefuses) return {.cases = 1, .own_refused = 1};
  return {.cases = 1, .refused = judge(rule, *heard.kernel, *heard.reference) == Judgement::kRefuses};
}

Judgement judgement_of(const Tally& tally) {
  return tally.cannot > 0 ? Judgement::kCannot : tally.refused > 0 ? Judgement::kRefuses : Judgement::kAccepts;
}

bool is_small(const Case& one) { return one.integer("m") * one.integer("n") <= kMostElements; }

class Contest {
 public:
  Contest(const Field& field, const Contestant& contestant, const Listener& listener)
      : field_(field), contestant_(contestant), listener_(listener) {}

  Marks run() {
    for (const Case& one : field_.quick) {
      if (one.parameters.contains("warp") && one.text("warp") == "64" && why_not_offered(contestant_.kernel, one).empty() &&
          is_small(one))
        quick({one, shipped_ops().find(one.op).bind(one)->problem()});
    }
    if (!comparable_) return {};
    if (marks_.kind.empty()) throw std::runtime_error(contestant_.name + " has no quick case");
    for (const Recipe& recipe : field_.recipes) own(recipe);
    return marks_;
  }

 private:
  void quick(const Trial& trial) {
    comparable_ = is_comparable(trial.problem);
    if (!comparable_) return;
    marks_.kind = kind_of(trial.problem);
    const Heard heard = hear(field_, contestant_, trial);
    for (const Rule& rule : field_.rules)
      if (judges(rule)) book(marks_.on_quick[rule.id], tally(rule, heard), rule.id, "quick", trial);
    book(marks_.assay, {.cases = 1, .refused = heard.assay_refuses}, "assay", "quick", trial);
  }

  void own(const Recipe& recipe) {
    const auto uses = [&](const Rule& rule) { return rule.recipe == recipe.id && judges(rule); };
    if (std::none_of(field_.rules.begin(), field_.rules.end(), uses)) return;
    for (const Trial& trial : trials(recipe, contestant_.kernel, field_.quick)) {
      const Heard heard = hear(field_, contestant_, trial);
      const std::string data = recipe.id + " " + std::to_string(trial.scale);
      for (const Rule& rule : field_.rules)
        if (uses(rule)) book(marks_.on_recipe[rule.id][trial.scale], tally(rule, heard), rule.id, data, trial);
      book(marks_.assay_on_recipe[recipe.id][trial.scale], {.cases = 1, .refused = heard.assay_refuses}, "assay", data, trial);
    }
  }

  bool judges(const Rule& rule) const {
    const std::string& reference = contestant_.reference_contract;
    return rule.is_for(marks_.kind) && (reference.empty() || rule.compares(contestant_.kernel.contracts.at(0), reference));
  }

  void book(Tally& sum, const Tally& one, const std::string& judge, const std::string& data, const Trial& trial) {
    sum.add(one);
    if (listener_.said) listener_.said(judge, data, trial.one.id, judgement_of(one));
  }

  const Field& field_;
  const Contestant& contestant_;
  const Listener& listener_;
  Marks marks_;
  bool comparable_ = true;
};

}  // namespace

const std::vector<HostTensor>* HealthyOutputs::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = all_.find(key);
  return found == all_.end() ? nullptr : &found->second;
}

void HealthyOutputs::keep(const std::string& key, const std::vector<HostTensor>& outputs) {
  size_t bytes = key.size();
  for (const HostTensor& tensor : outputs) bytes += tensor.bytes.size();
  const std::lock_guard lock(mutex_);
  if (bytes_ + bytes <= kMostBytes && all_.emplace(key, outputs).second) bytes_ += bytes;
}

void Tally::add(const Tally& other) {
  cases += other.cases;
  refused += other.refused;
  cannot += other.cannot;
  own_refused += other.own_refused;
}

const Recipe& Field::recipe(const std::string& id) const {
  std::vector<std::string> known;
  for (const Recipe& recipe : recipes) {
    if (recipe.id == id) return recipe;
    known.push_back(recipe.id);
  }
  throw std::runtime_error("suites/judges/rules.csv: unknown recipe '" + id + "'" + did_you_mean(id, known));
}

Marks contest(const Field& field, const Contestant& contestant, const Listener& listener) {
  return Contest(field, contestant, listener).run();
}

Backend all_zero(Backend backend) {
  backend.call = [call = backend.call](const CallRequest& request) {
    CallResult result = call(request);
    for (HostTensor& tensor : result.outputs)
      if (tensor.spec.name == "q" || tensor.spec.name == "d" || tensor.spec.name.starts_with("y"))
        std::fill(tensor.bytes.begin(), tensor.bytes.end(), std::byte{0});
    return result;
  };
  return backend;
}

namespace {

// The kernels to test, from the libraries of one folder.

Backend open(const std::string& path) { return open_in_process(path, path); }

constexpr std::array kShape = {"m", "n"};

/// Whether every case of the kernel's op must have this cell.
bool has_column(const KernelOffer& kernel, const char* name) {
  const Op& op = shipped_ops().find(kernel.op);
  return std::find(op.columns.begin(), op.columns.end(), name) != op.columns.end() && !op.optional_columns.contains(name);
}

/// Whether the rules can read a kernel's outputs as rows. False for casts, for caches (they hold records), and for moe_combine,
/// which has no recipe.
bool has_rows(const KernelOffer& kernel) {
  return kernel.op != "moe_combine" &&
         std::all_of(kShape.begin(), kShape.end(), [&](const char* name) { return has_column(kernel, name); });
}

/// Adds healthy kernels of one contract whose reference is a kernel of another contract, as in tests of the projects.
void add_pairs(const Libraries& libraries, const std::vector<Rule>& rules, std::vector<Contestant>& all) {
  std::set<std::array<std::string, 2>> pairs;
  for (const Rule& rule : rules) pairs.insert(rule.pairs.begin(), rule.pairs.end());
  for (const auto& [contract, reference] : pairs) {
    const auto does = [&, c = contract](const KernelOffer& k) {
      return std::count(k.contracts.begin(), k.contracts.end(), c) > 0;
    };
    const auto found = std::find_if(libraries.cpu.library.kernels.begin(), libraries.cpu.library.kernels.end(), does);
    if (found == libraries.cpu.library.kernels.end()) throw std::runtime_error("rules.csv: libassay_cpu.so has no kernel for contract " + contract);
    KernelOffer kernel = *found;
    kernel.contracts = {contract};
    all.push_back({contract + " with " + reference, true, &libraries.cpu, kernel, "", reference});
  }
}

}  // namespace

Libraries::Libraries(const std::string& folder)
    : faulty_path(folder + "/libassay_faulty.so"),
      cpu(open(healthy_library(folder))),
      faulty(open(faulty_path)),
      varied(open(folder + "/libassay_varied.so")),
      zero(all_zero(cpu)) {}

const Backend* Libraries::with_groups_of_its_own() { return &of_ranks.emplace_back(open(faulty_path)); }

std::string healthy_library(const std::string& folder) { return folder + "/libassay_cpu.so"; }

/// Kernels of FP4 are left out: the rules compare bytes and 8-bit codes, and no rule comes from a test of FP4.
bool is_of_fp4(const KernelOffer& kernel) {
  return std::any_of(kernel.contracts.begin(), kernel.contracts.end(),
                     [](const std::string& id) { return id.find("fp4") != std::string::npos; });
}

std::vector<Contestant> contestants(Libraries& libraries, const std::string& root, const std::vector<Rule>& rules) {
  std::map<std::string, Subject> known;
  for (Subject& subject : subjects(root)) known.emplace(subject.kernel, subject);
  std::vector<Contestant> all;
  for (const KernelOffer& kernel : libraries.faulty.library.kernels) {
    const auto subject = known.find(kernel.name);
    const bool race = subject != known.end() && subject->second.causes == std::vector<std::string>{"race"};
    const Backend* from = has_column(kernel, "ranks") ? libraries.with_groups_of_its_own() : &libraries.faulty;
    if (has_rows(kernel) && !race && !is_of_fp4(kernel)) all.push_back({kernel.name, false, from, kernel, kernel.twin});
  }
  for (const KernelOffer& kernel : libraries.varied.library.kernels) {
    const std::string& kind = known.at(kernel.name).kind;
    if (kind == "outside" || kind == "healthy")
      all.push_back({kernel.name, kind == "healthy", &libraries.varied, kernel, kernel.twin});
  }
  std::set<std::string> ops;
  for (KernelOffer kernel : libraries.cpu.library.kernels) {
    if (!has_rows(kernel) || !ops.insert(kernel.op).second) continue;
    kernel.contracts.resize(1);
    all.push_back({"all zero (" + kernel.op + ")", false, &libraries.zero, kernel, kernel.name});
  }
  add_pairs(libraries, rules, all);
  return all;
}

}  // namespace assay::judges
