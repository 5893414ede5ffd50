#include "harness/testing/toy_op.h"

#include "harness/backend/library.h"
#include "harness/backend/runner.h"
#include "harness/compare/verdict.h"
#include "harness/fill/fill.h"
#include "harness/testing/toy_library.h"
#include "reference/formats/catalogue.h"
#include "reference/table/table.h"

namespace assay::testing {

ToyCase::ToyCase(const Case& one) : one_(one) {
  if (one.text("n") == "0") throw TableError(one.origin.file, one.origin.line, 0, "n", "must be positive");
}

CaseName ToyCase::name() const {
  return {
      one_.op, "",
      one_.text("format") + ".m" + one_.text("m") + ".n" + one_.text("n") + "." + one_.text("fill") + ".s" + one_.text("seed"),
      "", std::stoi(one_.text("warp"))};
}

Problem ToyCase::problem() const {
  const Format& format = *find_format(one_.text("format"));
  HostTensor x{dense("x", Role::kInput, format, {one_.integer("m"), one_.integer("n")}), {}};
  fill(x, {.name = one_.text("fill"), .seed = uint64_t(one_.integer("seed"))});
  return {{x, {dense("y", Role::kOutput, format, x.spec.shape), {}}}, {{"warp", double(one_.integer("warp"))}}};
}

Expectation ToyCase::expect(const Problem& problem, const std::vector<HostTensor>*) const {
  const HostTensor& x = problem.tensors[0];
  WholePart y{{"y", x.spec.format, {x.spec.shape[0], x.spec.shape[1]}, "pinned: one code"}, {}, {}};
  y.low.resize(size_t(y.part.elements()));
  ordinals_of_codes(*x.spec.format, x.bytes.data(), y.low);
  return expectation_of({y});
}

CaseOfRows ToyCase::with_rows(const Problem& from, const std::vector<int64_t>& rows) const {
  CellChanges cells = {{"m", std::to_string(rows.size())}};
  auto some = std::make_unique<const ToyCase>(with_cells(one_, cells));
  Problem made = some->problem();
  HostTensor& to = made.tensors[0];
  const int64_t n = one_.integer("n");
  for (size_t i = 0; i < rows.size(); ++i)
    for (int64_t j = 0; j < n; ++j) to.set_code(int64_t(i) * n + j, from.tensors[0].code(rows[i] * n + j));
  return {std::move(some), std::move(made), std::move(cells)};
}

Op toy_op() {
  return {.name = "toy",
          .columns = {"contract", "format", "m", "n", "fill", "seed", "warp"},
          .bind = [](const Case& one) { return std::make_unique<const ToyCase>(one); }};
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
  return checked_case(toy_op(), one);
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
