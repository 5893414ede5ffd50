#include "suites/rms_norm_double_quant/twice.h"

#include <string>
#include <utility>

namespace assay {
namespace {

using Expect = std::function<Expectation(const Problem&, const std::vector<HostTensor>*)>;

constexpr std::pair<const char*, const char*> kConsumers[] = {{"q", "q2"}, {"scale", "scale2"}};

/// What the second consumer stored, under the names of the first.
std::vector<HostTensor> of_second(const std::vector<HostTensor>& outputs) {
  std::vector<HostTensor> second;
  for (const auto& [first, name] : kConsumers) {
    second.push_back(find(outputs, name));
    second.back().spec.name = first;
  }
  return second;
}

void expect_equal(const std::vector<HostTensor>& outputs, Expectation& expectation) {
  for (const auto& [first, second] : kConsumers) {
    const HostTensor &a = find(outputs, first), &b = find(outputs, second);
    for (size_t i = 0; i < a.bytes.size(); ++i) {
      if (a.bytes[i] == b.bytes[i]) continue;
      expectation.joint_violations.push_back(std::string(second) + " differs from " + first + ", first at storage element " +
                                             std::to_string(i / size_t(a.spec.format->bytes())));
      break;
    }
  }
}

Expect both(Expect first, Expect second) {
  return [first = std::move(first), second = std::move(second)](const Problem& problem, const std::vector<HostTensor>* outputs) {
    Expectation expectation = first(problem, outputs);
    const std::vector<HostTensor> stored = outputs ? of_second(*outputs) : std::vector<HostTensor>();
    for (ExpectedTensor& tensor : second(problem, outputs ? &stored : nullptr).tensors) {
      tensor.name += "2";
      expectation.tensors.push_back(std::move(tensor));
    }
    if (outputs) expect_equal(*outputs, expectation);
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

/// Whether the mistake is about a rounding of what the consumers share: one of them may be fused and the other not.
bool is_of_shared_result(const Hypothesis& one) {
  return one.name.starts_with("y: ") && one.name.find("to(x)") != std::string::npos;
}

}  // namespace

Op twice(Op op) {
  op.problem = [once = op.problem](const Case& c) {
    Problem problem = once(c);
    for (const auto& [first, second] : kConsumers) {
      HostTensor another = find(problem.tensors, first);
      another.spec.name = second;
      problem.tensors.push_back(std::move(another));
    }
    return problem;
  };
  op.with_rows = [gather = op.with_rows, make = op.problem](const Case& c, const Problem& made, const std::vector<int64_t>& rows) {
    auto [fewer, problem] = gather(c, made, rows);
    for (const HostTensor& tensor : make(fewer).tensors)
      if (tensor.spec.name.ends_with("2")) problem.tensors.push_back(tensor);
    return std::pair(fewer, problem);
  };
  op.neighbours = [once = op.neighbours, expect = op.expect](const Case& c) {
    const Expect right = [expect, c](const Problem& problem, const std::vector<HostTensor>* outputs) {
      return expect(c, problem, outputs);
    };
    std::vector<Hypothesis> all, of_one;
    for (Hypothesis& one : once(c)) {
      if (is_of_shared_result(one)) {
        of_one.push_back({"of q2 alone: " + one.name, both(right, one.expect), one.equivalent});
        of_one.push_back({"of q alone: " + one.name, both(one.expect, right), one.equivalent});
      }
      all.push_back(of_both(std::move(one)));
    }
    all.insert(all.end(), of_one.begin(), of_one.end());
    return all;
  };
  op.expect = [once = op.expect](const Case& c, const Problem& problem, const std::vector<HostTensor>* outputs) {
    const Expect one = [&](const Problem& p, const std::vector<HostTensor>* stored) { return once(c, p, stored); };
    return both(one, one)(problem, outputs);
  };
  return op;
}

}  // namespace assay
