#include "suites/cast/cast_op.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <set>

#include "reference/casts/cast_profile.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_dump.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

// Text about casts: what they return, and inputs for which two casts differ.

std::string number(double value) {
  return std::isnan(value) ? "NaN" : std::isinf(value) ? (value < 0 ? "-Inf" : "Inf") : fmt::format("{:.9g}", value);
}
std::string pattern(const CastSource& source, uint64_t input) { return fmt::format("{:0{}x}", input, source.bits / 4); }

std::string inputs_in_words(double inputs) { return inputs == 1 ? "1 input" : fmt::format("{:.0f} inputs", inputs); }

}  // namespace

std::string input_text(const CastSource& source, uint64_t input) {
  return pattern(source, input) + " = " + number(value_of(source, input));
}

std::string inputs_text(const CastSource& source, uint64_t first, uint64_t last) {
  if (first == last) return input_text(source, first);
  return fmt::format("{} .. {} = {} .. {}", pattern(source, first), pattern(source, last), number(value_of(source, first)),
                     number(value_of(source, last)));
}

std::string cast_code_text(const Format& format, uint32_t code) {
  return fmt::format("{:0{}x} = {}", code, (format.bits + 3) / 4, number(decode(format, code)));
}

std::vector<std::string> cast_lines(const CastProfile& p) {
  const CastSource& from = *p.from;
  const std::vector<CodeRun> runs = runs_of(p);
  const auto line = [&](const char* what, uint64_t input) {
    return fmt::format("{:<10} {:<28} -> {}", what, input_text(from, input), cast_code_text(*p.format, code_at(runs, input)));
  };
  std::vector<std::string> lines = {
      fmt::format("{} -> {}: {} runs of inputs with one code each, over all 2^{} inputs", from.name, p.format->name, runs.size(), from.bits)};
  for (const auto& [what, input] : {std::pair{"+0", uint64_t{0}},
                                    {"-0", from.sign()},
                                    {"Inf", from.infinity()},
                                    {"-Inf", from.sign() | from.infinity()},
                                    {"NaN", from.sign() - 1},
                                    {"-NaN", from.last()}})
    lines.push_back(line(what, input));
  // the boundary between the largest finite code and overflow
  const uint32_t largest = largest_code(*p.format, false);
  for (const CodeRun& run : runs) {
    if (run.code != largest || run.first >= from.infinity()) continue;
    lines.push_back(line("largest", run.last));
    if (run.last < from.infinity()) lines.push_back(line("beyond", run.last + 1));
    break;
  }
  return lines;
}

std::vector<std::string> difference_lines(const CastProfile& a, const CastProfile& b) {
  if (a.from != b.from)
    return {fmt::format("{} converts from {} and {} from {}: they have no inputs in common", a.id, a.from->name, b.id,
                        b.from->name)};
  const std::vector<RunDifference> found = differences(runs_of(a), runs_of(b));
  if (found.empty()) return {fmt::format("both casts give every one of the 2^{} inputs the same code", a.from->bits)};
  std::vector<std::string> lines = {
      fmt::format("{} of all 2^{} have different codes, in {} runs of consecutive inputs", inputs_in_words(inputs_of(found)), a.from->bits,
                  found.size())};
  for (const RunDifference& d : found)
    lines.push_back(fmt::format("{}: {} against {}, {}", inputs_text(*a.from, d.first, d.last), cast_code_text(*a.format, d.a),
                                cast_code_text(*b.format, d.b), inputs_in_words(double(d.last - d.first) + 1)));
  return lines;
}

namespace {

// Reads and checks a case: a cast, its source format and its inputs.

/// Besides the borders of codes, the fill `borders` takes every kSampleStep-th of all inputs. The step is a prime, so that all low
/// bits vary.
constexpr uint64_t kSampleStep = 65521;
/// In mixed order, consecutive elements of x are this far apart in the (cyclic) list of inputs. It is a prime near 2^16 / 1.618
/// (the golden ratio), so consecutive elements differ much.
constexpr size_t kMixingStep = 40487;

[[noreturn]] void refuse(const Case& c, const std::string& column, const std::string& problem) {
  throw TableError(c.origin.file, c.origin.line, 0, column, problem);
}

const ContractRow& cast_row(const Case& c) {
  const ContractRow* row = nullptr;
  try {
    row = &rulebook().contracts.find(c.text("contract"));
  } catch (const std::out_of_range& error) {
    refuse(c, "contract", error.what());
  }
  if (row->flow != &cast_flow())
    refuse(c, "contract", "'" + row->id + "' is a " + row->flow->name + " contract; expected a cast");
  return *row;
}

/// All casts of the contract table that take this format, directly or after it is widened to f32.
std::vector<CastProfile> all_casts(const CastSource& source) {
  std::vector<CastProfile> all;
  for (const ContractRow& row : rulebook().contracts.rows()) {
    if (row.flow != &cast_flow()) continue;
    const CastProfile profile = read_cast(row);
    const bool fits = profile.from == &source || (profile.from->name == "f32" && source.bits < profile.from->bits);
    if (fits) all.push_back(widened_from(source, profile));
  }
  return all;
}

CastTruth truth_of(const ContractRow& row, const CastSource& source) {
  CastTruth truth{widened_from(source, read_cast(row)), {}, {}};
  truth.runs = runs_of(truth.profile);
  truth.neighbours = cast_neighbours(truth.profile, all_casts(source));
  return truth;
}

}  // namespace

const CastTruth& CastCase::truth() const {
  static std::mutex mutex;
  // the key has all cells that determine the result: when a test opens another registry, no stale entry may be found
  static std::map<std::string, std::unique_ptr<CastTruth>> all;
  std::string key = std::string(from->name);
  for (const auto& [column, cell] : row->cells) key += "\n" + column + "=" + cell.text;
  const std::lock_guard lock(mutex);
  std::unique_ptr<CastTruth>& truth = all[key];
  if (!truth) truth = std::make_unique<CastTruth>(truth_of(*row, *from));
  return *truth;
}

CastCase read_cast_case(const Case& c) {
  const ContractRow& row = cast_row(c);
  const CastProfile profile = read_cast(row);
  const CastSource* source = find_cast_source(c.text("x"));
  if (!source || source->bits > 32) refuse(c, "x", "'" + c.text("x") + "' is not one of: f32, bf16, f16");
  const bool fits = source == profile.from || (profile.from->name == "f32" && source->bits < 32);
  if (!fits)
    refuse(c, "x", "contract " + row.id + " converts from " + std::string(profile.from->name) + ", not from " + c.text("x"));
  const std::string &inputs = c.text("fill"), &warp = c.text("warp");
  if (inputs != "borders" && inputs != "all") refuse(c, "fill", "'" + inputs + "' is not one of: borders, all");
  if (warp != "32" && warp != "64") refuse(c, "warp", "'" + warp + "' is not one of: 32, 64");
  CastCase p{&row, source, inputs == "all" ? CastInputs::kAll : CastInputs::kBorders, std::stoi(warp)};
  const Cells cells(c);
  if (cells.given("m") != cells.given("n")) refuse(c, "m", "expected both m and n, or neither");
  if (cells.given("n")) p.m = cells.from_zero("m"), p.n = cells.positive("n");
  if (p.n > 0 && p.is_sweep()) refuse(c, "m", "expected empty cells m and n: a case with all fp32 inputs has no shape");
  return p;
}

std::vector<uint32_t> inputs_of(const CastCase& c) {
  const CastSource& source = *c.from;
  std::set<uint64_t> chosen;
  if (c.inputs == CastInputs::kAll && !c.is_sweep()) {
    for (uint64_t input = 0; input <= source.last(); ++input) chosen.insert(chosen.end(), input);
  } else {
    for (uint64_t input = 0; input <= source.last(); input += kSampleStep) chosen.insert(chosen.end(), input);
    const auto add = [&](const std::vector<CodeRun>& runs) {
      for (const CodeRun& run : runs) {
        chosen.insert(run.first);
        chosen.insert(run.last);
      }
    };
    add(c.truth().runs);
    for (const CastNeighbour& neighbour : c.truth().neighbours) add(neighbour.runs);
  }
  std::vector<uint32_t> inputs(chosen.begin(), chosen.end());
  if (c.n > 0) {
    std::vector<uint32_t> mixed(size_t(c.m * c.n));
    for (size_t i = 0; i < mixed.size(); ++i) mixed[i] = inputs[(i + 1) * kMixingStep % inputs.size()];
    return mixed;
  }
  const auto columns = size_t(kCastColumns);
  inputs.resize((inputs.size() + columns - 1) / columns * columns, inputs.back());
  return inputs;
}

namespace {

/// Accepts for each element of x exactly the code that `runs` give.
Expectation expect_runs(const CastProfile& profile, const std::vector<CodeRun>& runs, const HostTensor& x) {
  const Part q{
      "q", &with_nans_by_code(*profile.format), {x.spec.shape[0], x.spec.shape[1]}, "a cast accepts one code for each input"};
  const auto accepted = [q, &runs, &x](int64_t first, int64_t end) {
    AcceptedRows rows{first, end, {}, {}};
    for (int64_t i = first * q.columns(); i < end * q.columns(); ++i)
      rows.low.push_back(ordinal(*q.format, code_at(runs, x.code(i))));
    return AcceptedBlock{{std::move(rows)}};
  };
  return {{Answer{"", {q}, q.rows(), accepted}}};
}

class BoundCast : public BoundCase {
 public:
  BoundCast(CastCase c, CaseName name) : c_(c), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  Problem problem() const override {
    const std::vector<uint32_t> inputs = inputs_of(c_);
    const int64_t columns = c_.n > 0 ? c_.n : kCastColumns;
    const std::vector<int64_t> shape = {int64_t(inputs.size()) / columns, columns};
    HostTensor x{dense("x", Role::kInput, *find_format(c_.from->name), shape), {}};
    x.bytes.resize(x.spec.bytes());
    for (size_t i = 0; i < inputs.size(); ++i) x.set_code(int64_t(i), inputs[i]);
    return {{std::move(x), {dense("q", Role::kOutput, *truth().profile.format, shape), {}}}, {{"warp", double(c_.warp)}}};
  }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>*) const override {
    return expect_runs(truth().profile, truth().runs, find(problem.tensors, "x"));
  }
  std::vector<Hypothesis> mutants() const override {
    const CastTruth* known = &truth();
    std::vector<Hypothesis> all;
    for (const CastNeighbour& wrong : known->neighbours)
      all.push_back({wrong.name, [known, &wrong](const Problem& problem, const std::vector<HostTensor>*) {
                       return expect_runs(known->profile, wrong.runs, find(problem.tensors, "x"));
                     }});
    return all;
  }
  std::unique_ptr<const BoundCase> excerpt() const override {
    if (!c_.is_sweep()) return nullptr;
    CastCase borders = c_;
    borders.inputs = CastInputs::kBorders;
    return std::make_unique<const BoundCast>(borders, name_);
  }
  std::vector<std::string> formulas() const override { return cast_lines(truth().profile); }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override {
    const CastProfile& p = truth().profile;
    const HostTensor& x = find(problem.tensors, "x");
    const uint32_t input = x.code(row * x.spec.shape[1] + column);
    return {"x     " + input_text(*p.from, input), "q     " + cast_code_text(*p.format, cast(p, input))};
  }
  /// Wrong elements as runs, where the inputs that this case tests count as consecutive.
  std::vector<std::string> remarks(const Problem& problem, const std::vector<HostTensor>& outputs) const override {
    const HostTensor &x = find(problem.tensors, "x"), &q = find(outputs, "q");
    const CastTruth& known = truth();  // looked up once: each lookup compares all cells of the contract
    std::vector<int64_t> ascending(size_t(x.spec.elements()));
    std::iota(ascending.begin(), ascending.end(), int64_t{0});
    if (c_.n > 0)
      std::stable_sort(ascending.begin(), ascending.end(), [&](int64_t a, int64_t b) { return x.code(a) < x.code(b); });
    std::vector<RunDifference> found;
    bool continues = false;
    for (const int64_t i : ascending) {
      const uint32_t input = x.code(i), right = code_at(known.runs, input), given = q.code(i);
      if (right != given && continues && found.back().a == right && found.back().b == given)
        found.back().last = input;
      else if (right != given)
        found.push_back({input, input, right, given});
      continues = right != given;
    }
    return disagreements_in_words(known.profile, found);
  }
  bool is_sweep() const override { return c_.is_sweep(); }
  bool judges_any_sizes() const override { return true; }
  void judge_sweep(const SweepCalls& calls, Verdict& verdict) const override { sweep_cast(c_, calls, verdict); }

 private:
  const CastTruth& truth() const { return c_.truth(); }

  const CastCase c_;
  const CaseName name_;
};

/// The case of a dump: x may have any shape, and q has one code for each input.
DumpCase case_of_dump(const Op& op, const DumpRequest& request) {
  require_known_parameters(op, request);
  const DumpedTensor& x = dumped_role(request.roles, "x");
  const std::vector<int64_t> shape = as_matrix(x.tensor.spec.shape);
  DumpCase dump;
  dump.one.op = op.name;
  dump.one.origin = {x.file, 0};
  dump.one.why = "your dump, checked against " + request.contract;
  dump.one.parameters = {{"contract", request.contract},
                         {"x", std::string(x.tensor.spec.format->name)},
                         {"fill", "borders"},
                         {"warp", "32"}};
  const CastCase c = read_cast_case(dump.one);
  dump.one.set_name({op.name, request.contract, fmt::format("{}.m{}.n{}", x.tensor.spec.format->name, shape[0], shape[1]), {}});
  dump.bound = std::make_shared<const BoundCast>(c, dump.one.name);
  const Format& q = *c.truth().profile.format;
  dump.problem = {{{dense("x", Role::kInput, *x.tensor.spec.format, shape), {}}, {dense("q", Role::kOutput, q, shape), {}}}, {}};
  return dump;
}

}  // namespace

Op cast_op() {
  return {.name = "cast",
          .roles = {{"x", Access::kIn, "[m, n]; or [rows, 256] with all inputs of the format; a sweep over 2^32 inputs passes one block of rows per call"},
                    {"q", Access::kOut, "the code of each input, in the shape of x"}},
          .parameters = {roles::kWarp},
          .columns = {"contract", "x", "m", "n", "fill", "warp"},
          .optional_columns = {"m", "n"},
          .has_sweeps = true,
          .takes = [](const std::string& contract) { return rulebook().is_row(contract, cast_flow()); },
          .bind =
              [](const Case& c) {
                const CastCase p = read_cast_case(c);
                const std::string shape = p.n > 0 ? fmt::format("{}.m{}.n{}", p.from->name, p.m, p.n) : std::string(p.from->name);
                return std::make_unique<const BoundCast>(p, CaseName{c.op, p.row->id, shape, c.text("fill"), p.warp});
              },
          .case_of_dump = case_of_dump};
}

}  // namespace assay
