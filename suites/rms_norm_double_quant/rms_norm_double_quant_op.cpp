// The op rms_norm_double_quant: one RMS norm whose result two consumers quantize, each in a fused call of its own.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/op.h"
#include "suites/registry.h"
#include "suites/rows/row_op.h"

namespace assay {
namespace {

/// The output tensors of the second consumer, q2 and scale2.
std::vector<RoleSpec> roles_of_second();

/// Adds the outputs q2 and scale2, which are checked like q and scale. Bytes in which q2 differs from q, or scale2 from scale,
/// are violations. Mutants: the contract's mutants in both consumers, and roundings of the norm's result in only one consumer.
class BoundDoubleQuant : public ForwardedCase {
 public:
  /// If `view`, x and q have three dimensions: two sequences, each with half of the rows.
  BoundDoubleQuant(std::shared_ptr<const BoundCase> once, bool view) : ForwardedCase(std::move(once)), view_(view) {}

  CaseName name() const override;
  Problem problem() const override;
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override;
  std::vector<Hypothesis> mutants() const override;
  std::unique_ptr<const BoundCase> excerpt() const override;
  /// A selection of rows is a matrix, not a view, since it may have an odd number of rows.
  CaseOfRows with_rows(const Problem& problem, const std::vector<int64_t>& rows) const override;

 private:
  const bool view_;
};

using Expect = std::function<Expectation(const Problem&, const std::vector<HostTensor>*)>;

constexpr std::pair<const char*, const char*> kConsumers[] = {{"q", "q2"}, {"scale", "scale2"}};

/// The outputs of the second consumer under the names of the first one's outputs.
std::vector<HostTensor> of_second(const std::vector<HostTensor>& outputs) {
  std::vector<HostTensor> second;
  for (const auto& [first, name] : kConsumers) {
    second.push_back(find(outputs, name));
    second.back().spec.name = first;
  }
  return second;
}

std::vector<Violation> differences(const std::vector<HostTensor>& outputs) {
  std::vector<Violation> found;
  for (const auto& [first, second] : kConsumers) {
    const HostTensor &a = find(outputs, first), &b = find(outputs, second);
    const auto [at, other] = std::mismatch(a.bytes.begin(), a.bytes.end(), b.bytes.begin());
    if (at == a.bytes.end()) continue;
    found.push_back({"both consumers get the same bits", std::string(second) + " differs from " + first +
                                                             ", first at storage element " +
                                                             std::to_string((at - a.bytes.begin()) / a.spec.format->bytes())});
  }
  return found;
}

/// Views a matrix as two sequences, each with half of its rows.
void as_sequences(TensorSpec& spec) {
  const int64_t rows = spec.shape[0] / 2;
  spec.shape.insert(spec.shape.begin(), 2), spec.shape[1] = rows;
  spec.strides.insert(spec.strides.begin(), rows * spec.strides[0]);
}

Problem doubled(Problem once) {
  for (const auto& [first, second] : kConsumers) {
    HostTensor another = find(once.tensors, first);
    another.spec.name = second;
    once.tensors.push_back(std::move(another));
  }
  return once;
}

Expect both(Expect first, Expect second) {
  return [first = std::move(first), second = std::move(second)](const Problem& problem, const std::vector<HostTensor>* outputs) {
    // the second expectation refers to the outputs of its consumer, so it keeps them alive
    const auto stored =
        std::make_shared<const std::vector<HostTensor>>(outputs ? of_second(*outputs) : std::vector<HostTensor>());
    Answer of_first = first(problem, outputs).any_of.front();
    Answer of_other = second(problem, outputs ? stored.get() : nullptr).any_of.front();
    of_other.accepted = [stored, accepted = of_other.accepted](int64_t begin, int64_t end) { return accepted(begin, end); };
    for (Part& part : of_other.parts) part.tensor += "2";
    Expectation expectation{{side_by_side(std::move(of_first), std::move(of_other))}};
    if (outputs) expectation.together = differences;
    return expectation;
  };
}

Hypothesis of_both(Hypothesis one) {
  one.expect = both(one.expect, one.expect);
  if (one.with_another)
    one.with_another = [more = one.with_another] {
      std::vector<Hypothesis> pairs = more();
      for (Hypothesis& pair : pairs) pair = of_both(std::move(pair));
      return pairs;
    };
  return one;
}

std::vector<RoleSpec> roles_of_second() {
  std::vector<RoleSpec> all;
  for (const auto& [first, second] : kConsumers)
    all.push_back({second, Access::kOut, std::string("output for the second consumer: the same bytes as ") + first});
  return all;
}

CaseName BoundDoubleQuant::name() const {
  CaseName name = other().name();
  if (view_) name.fills += ".view";
  return name;
}

Problem BoundDoubleQuant::problem() const {
  Problem made = doubled(other().problem());
  if (view_) as_sequences(find(made.tensors, "x").spec), as_sequences(find(made.tensors, "q").spec);
  return made;
}

Expectation BoundDoubleQuant::expect(const Problem& problem, const std::vector<HostTensor>* outputs) const {
  const Expect one = [this](const Problem& p, const std::vector<HostTensor>* stored) { return other().expect(p, stored); };
  return both(one, one)(problem, outputs);
}

std::vector<Hypothesis> BoundDoubleQuant::mutants() const {
  const Expect right = [once = shared()](const Problem& problem, const std::vector<HostTensor>* outputs) {
    return once->expect(problem, outputs);
  };
  std::vector<Hypothesis> all, of_one;
  for (Hypothesis& one : other().mutants()) {
    if (one.rounds_result) {  // a compiler may fuse one consumer with the norm and not the other
      of_one.push_back({"of q2 alone: " + one.name, both(right, one.expect), one.equivalent});
      of_one.back().suspect = one.suspect;
      of_one.push_back({"of q alone: " + one.name, both(one.expect, right), one.equivalent});
      of_one.back().suspect = one.suspect;
    }
    all.push_back(of_both(std::move(one)));
  }
  all.insert(all.end(), of_one.begin(), of_one.end());
  return all;
}

std::unique_ptr<const BoundCase> BoundDoubleQuant::excerpt() const {
  std::unique_ptr<const BoundCase> few = other().excerpt();
  return few ? std::make_unique<const BoundDoubleQuant>(std::move(few), view_) : nullptr;
}

CaseOfRows BoundDoubleQuant::with_rows(const Problem& problem, const std::vector<int64_t>& rows) const {
  CaseOfRows some = other().with_rows(problem, rows);
  return {std::make_unique<const BoundDoubleQuant>(std::move(some.bound), false), doubled(std::move(some.problem)),
          std::move(some.cells)};
}

/// Whether x and q have three dimensions: two sequences, each with half of the rows.
bool read_view(const Cells& cells, int64_t rows) {
  const std::string& view = cells.text("view");
  if (view != "no" && view != "yes") cells.refuse("view", "'" + view + "' is not one of: no, yes");
  if (view == "yes" && rows % 2 != 0) cells.refuse("m", "view=yes needs an even number of rows: x is viewed as two sequences of equal length");
  return view == "yes";
}

}  // namespace

Op rms_norm_double_quant_op() {
  const auto parts = std::make_shared<const RowOpParts>(
      RowOpParts{.name = "rms_norm_double_quant",
                 .chain = RowChain({norm_stage(), quant_stage({})}),
                 .columns = {"contract", "x", "m", "n", "group_size", "layout", "view", "eps", "fill", "gamma", "seed", "warp"}});
  Op op = row_op(*parts);
  for (RoleSpec& role : roles_of_second()) op.roles.push_back(std::move(role));
  op.bind = [parts](const Case& c) {
    std::unique_ptr<const BoundRows> once = bind_rows(parts, c);
    const bool view = read_view(Cells(c), once->row_case().m);
    return std::make_unique<const BoundDoubleQuant>(std::move(once), view);
  };
  return op;
}

}  // namespace assay
