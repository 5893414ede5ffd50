#include <fmt/format.h>

#include "reference/casts/cast_profile.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "suites/cast/cast_case.h"
#include "suites/cast/found.h"
#include "suites/cast/sweep.h"
#include "suites/cast/words.h"
#include "suites/ops.h"
#include "suites/rows/roles.h"
#include "suites/rows/row_dump.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Each element accepts exactly the code that these runs state.
Expectation expect_runs(const CastProfile& profile, const std::vector<CodeRun>& runs, const HostTensor& x) {
  const Part q{"q", &with_nans_by_code(*profile.format), {x.spec.shape[0], x.spec.shape[1]}, "a cast has one code for each input"};
  const auto accepted = [q, &runs, &x](int64_t first, int64_t end) {
    AcceptedRows rows{first, end, {}, {}};
    for (int64_t i = first * q.columns(); i < end * q.columns(); ++i) rows.low.push_back(ordinal(*q.format, code_at(runs, x.code(i))));
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
    const std::vector<int64_t> shape = {int64_t(inputs.size()) / kCastColumns, kCastColumns};
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
    const uint32_t input = find(problem.tensors, "x").code(row * kCastColumns + column);
    return {"x     " + input_text(*p.from, input), "q     " + cast_code_text(*p.format, cast(p, input))};
  }
  /// Wrong elements as runs of tested inputs.
  std::vector<std::string> remarks(const Problem& problem, const std::vector<HostTensor>& outputs) const override {
    const HostTensor &x = find(problem.tensors, "x"), &q = find(outputs, "q");
    std::vector<RunDifference> found;
    bool continues = false;
    for (int64_t i = 0; i < x.spec.elements(); ++i) {
      const uint32_t input = x.code(i), right = code_at(truth().runs, input), given = q.code(i);
      if (right != given && continues && found.back().a == right && found.back().b == given)
        found.back().last = input;
      else if (right != given)
        found.push_back({input, input, right, given});
      continues = right != given;
    }
    return disagreements_in_words(truth().profile, found);
  }
  bool is_sweep() const override { return c_.is_sweep(); }
  void judge_sweep(const SweepCalls& calls, Verdict& verdict) const override { sweep_cast(c_, calls, verdict); }

 private:
  const CastTruth& truth() const { return c_.truth(); }

  const CastCase c_;
  const CaseName name_;
};

/// Inputs of any shape, with one code each.
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
          .roles = {{"x", Access::kIn, "[rows, 256]: all inputs; a sweep passes them block by block"},
                    {"q", Access::kOut, "[rows, 256]: the code of each input"}},
          .parameters = {roles::kWarp},
          .columns = {"contract", "x", "fill", "warp"},
          .has_sweeps = true,
          .takes = [](const std::string& contract) { return rulebook().is_row(contract, cast_flow()); },
          .bind =
              [](const Case& c) {
                const CastCase p = read_cast_case(c);
                return std::make_unique<const BoundCast>(
                    p, CaseName{c.op, p.row->id, std::string(p.from->name), c.text("fill"), p.warp});
              },
          .case_of_dump = case_of_dump};
}

}  // namespace assay
