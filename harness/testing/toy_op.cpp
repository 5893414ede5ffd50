#include "harness/testing/toy_op.h"

#include "harness/backend/library.h"
#include "harness/backend/runner.h"
#include "harness/compare/ordinals.h"
#include "harness/fill/fill.h"
#include "harness/testing/toy_library.h"
#include "reference/formats/catalogue.h"
#include "reference/table/table.h"

namespace assay::testing {
namespace {

Case validate(Case one) {
  if (one.text("n") == "0") throw TableError(one.origin.file, one.origin.line, 0, "n", "must be positive");
  const std::string data = one.text("format") + ".m" + one.text("m") + ".n" + one.text("n") + "." + one.text("fill") + ".s" + one.text("seed");
  one.set_name({one.op, "", data, "", std::stoi(one.text("warp"))});
  return one;
}

Problem problem(const Case& one) {
  const Format& format = *find_format(one.text("format"));
  HostTensor x{dense("x", Role::kInput, format, {one.integer("m"), one.integer("n")}), {}};
  fill(x, {.name = one.text("fill"), .seed = uint64_t(one.integer("seed"))});
  return {{x, {dense("y", Role::kOutput, format, x.spec.shape), {}}}, {{"warp", double(one.integer("warp"))}}};
}

Expectation expect(const Case&, const Problem& problem, const std::vector<HostTensor>*) {
  const HostTensor& x = problem.tensors[0];
  WholePart y{{"y", x.spec.format, {x.spec.shape[0], x.spec.shape[1]}, "pinned: one code"}, {}, {}};
  y.low.resize(size_t(y.part.elements()));
  ordinals_of_codes(*x.spec.format, x.bytes.data(), y.low);
  return expectation_of({y});
}

}  // namespace

Op toy_op() {
  Op op;
  op.name = "toy";
  op.columns = {"contract", "format", "m", "n", "fill", "seed", "warp"};
  op.validate = validate;
  op.problem = problem;
  op.expect = expect;
  const auto with_rows = [](Case one, const Problem& from, const std::vector<int64_t>& rows) {
    one.parameters["m"] = std::to_string(rows.size());
    Problem made = problem(one);
    HostTensor& to = made.tensors[0];
    const int64_t n = one.integer("n");
    for (size_t i = 0; i < rows.size(); ++i)
      for (int64_t j = 0; j < n; ++j) to.set_code(int64_t(i) * n + j, from.tensors[0].code(rows[i] * n + j));
    return std::pair(one, made);
  };
  op.batch = BatchAxis{[](const Case& one) { return one.integer("m"); }, with_rows};
  return op;
}

Case toy_case(const std::string& format, const std::string& shape) {
  const size_t x = shape.find('x');
  Case one;
  one.op = "toy";
  one.tier = "quick";
  one.parameters = {{"contract", "toy.copy"},
                    {"format", format},
                    {"m", shape.substr(0, x)},
                    {"n", shape.substr(x + 1)},
                    {"fill", "ramp"},
                    {"seed", "1"},
                    {"warp", "32"}};
  one.why = "a copy is the simplest kernel";
  one.origin = {"suites/toy/cases/quick.csv", 2};
  return validate(one);
}

Backend toy_backend() {
  const std::shared_ptr<const assay_library> functions(toy_library(), [](const assay_library*) {});
  const auto runner = std::make_shared<Runner>(functions);
  return {"toy", parse_description(functions->describe(), "toy.so"),
          [runner](const CallRequest& request) { return runner->call(request); }};
}

Problem toy_problem(const Format& format, int64_t m, int64_t n) {
  HostTensor x{dense("x", Role::kInput, format, {m, n}), {}};
  x.bytes.resize(x.spec.bytes());
  for (int64_t i = 0; i < m * n; ++i) x.set_code(i, uint32_t(i + 1));
  return {{x, {dense("y", Role::kOutput, format, {m, n}), {}}}, {}};
}

}  // namespace assay::testing
