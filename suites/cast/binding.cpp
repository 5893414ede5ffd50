#include <fmt/format.h>

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

Case validate(Case c) {
  const CastCase p = read_cast_case(c);
  c.set_name({c.op, c.text("contract"), std::string(p.from->name), c.text("fill"), p.warp});
  return c;
}

Problem problem(const Case& c) {
  const CastCase p = read_cast_case(c);
  const std::vector<uint32_t> inputs = inputs_of(p);
  const std::vector<int64_t> shape = {int64_t(inputs.size()) / kCastColumns, kCastColumns};
  HostTensor x{dense("x", Role::kInput, *find_format(p.from->name), shape), {}};
  x.bytes.resize(x.spec.bytes());
  for (size_t i = 0; i < inputs.size(); ++i) x.set_code(int64_t(i), inputs[i]);
  return {{std::move(x), {dense("q", Role::kOutput, *p.truth().profile.format, shape), {}}}, {{"warp", double(p.warp)}}};
}

/// Each element has the one code that these runs give it.
Expectation expect_runs(const CastProfile& profile, const std::vector<CodeRun>& runs, const HostTensor& x) {
  const Part q{"q", &with_nans_by_code(*profile.format), {x.spec.shape[0], x.spec.shape[1]}, "a cast has one code for each input"};
  const auto accepted = [q, &runs, &x](int64_t first, int64_t end) {
    AcceptedRows rows{first, end, {}, {}};
    for (int64_t i = first * q.columns(); i < end * q.columns(); ++i) rows.low.push_back(ordinal(*q.format, code_at(runs, x.code(i))));
    return AcceptedBlock{{std::move(rows)}};
  };
  return {{Answer{"", {q}, q.rows(), accepted}}};
}

std::vector<Hypothesis> neighbours(const Case& c) {
  const CastTruth* truth = &read_cast_case(c).truth();
  std::vector<Hypothesis> all;
  for (size_t i = 0; i < truth->neighbours.size(); ++i)
    all.push_back({truth->neighbours[i].name, [truth, i](const Problem& made, const std::vector<HostTensor>*) {
                     return expect_runs(truth->profile, truth->neighbours[i].runs, find(made.tensors, "x"));
                   }});
  return all;
}

/// Wrong elements as runs of inputs that were tried.
std::vector<std::string> remarks(const Case& c, const Problem& made, const std::vector<HostTensor>& outputs) {
  const CastTruth& truth = read_cast_case(c).truth();
  const HostTensor &x = find(made.tensors, "x"), &q = find(outputs, "q");
  std::vector<RunDifference> found;
  bool continues = false;
  for (int64_t i = 0; i < x.spec.elements(); ++i) {
    const uint32_t input = x.code(i), right = code_at(truth.runs, input), given = q.code(i);
    if (right != given && continues && found.back().a == right && found.back().b == given)
      found.back().last = input;
    else if (right != given)
      found.push_back({input, input, right, given});
    continues = right != given;
  }
  return disagreements_in_words(truth.profile, found);
}

std::vector<std::string> trace(const Case& c, const Problem& made, int64_t row, int64_t column) {
  const CastProfile& p = read_cast_case(c).truth().profile;
  const uint32_t input = find(made.tensors, "x").code(row * kCastColumns + column);
  return {"x     " + input_text(*p.from, input), "q     " + cast_code_text(*p.format, cast(p, input))};
}

/// Inputs of any shape, each beside its code.
DumpCase case_of_dump(const Op& op, const DumpRequest& request) {
  require_known_parameters(op, request);
  const DumpedTensor& x = dumped_role(request.roles, "x");
  const std::vector<int64_t> shape = as_matrix(x.tensor.spec.shape);
  DumpCase dump;
  dump.one.op = op.name;
  dump.one.origin = {x.file, 0};
  dump.one.why = "a dump of yours, judged under " + request.contract;
  dump.one.parameters = {{"contract", request.contract},
                         {"x", std::string(x.tensor.spec.format->name)},
                         {"fill", "borders"},
                         {"warp", "32"}};
  dump.one = op.validate(std::move(dump.one));
  dump.one.set_name({op.name, request.contract, fmt::format("{}.m{}.n{}", x.tensor.spec.format->name, shape[0], shape[1]), {}});
  const Format& q = *read_cast_case(dump.one).truth().profile.format;
  dump.problem = {{{dense("x", Role::kInput, *x.tensor.spec.format, shape), {}}, {dense("q", Role::kOutput, q, shape), {}}}, {}};
  return dump;
}

}  // namespace

Op cast_op() {
  Op op;
  op.name = "cast";
  op.roles = {{"x", Access::kIn, "[rows, 256]: every input that is tried; of a sweep, blocks of them in calls of their own"},
              {"q", Access::kOut, "[rows, 256]: the code of each input"}};
  op.parameters = {roles::kWarp};
  op.columns = {"contract", "x", "fill", "warp"};
  op.takes = [](const std::string& contract) { return rulebook().is_row(contract, FlowKind::kCast); };
  op.validate = validate;
  op.problem = problem;
  op.expect = [](const Case& c, const Problem& made, const std::vector<HostTensor>*) {
    const CastTruth& truth = read_cast_case(c).truth();
    return expect_runs(truth.profile, truth.runs, find(made.tensors, "x"));
  };
  op.neighbours = neighbours;
  op.excerpt = [](Case c) {
    if (read_cast_case(c).is_sweep()) c.parameters["fill"] = "borders";
    return c;
  };
  op.formulas = [](const Case& c) { return cast_lines(read_cast_case(c).truth().profile); };
  op.trace = trace;
  op.remarks = remarks;
  op.case_of_dump = case_of_dump;
  op.sweep = Sweep{[](const Case& c) { return read_cast_case(c).is_sweep(); }, sweep_cast};
  return op;
}

}  // namespace assay
