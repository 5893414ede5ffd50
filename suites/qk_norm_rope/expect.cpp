#include "suites/qk_norm_rope/expect.h"

#include <algorithm>

#include "reference/formats/codes.h"
#include "suites/rows/accepted.h"
#include "suites/rows/expect.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

const HostTensor& heads_in(const HeadCase& c, const Problem& problem) {
  return find(problem.tensors, c.in_place() ? "qkv" : "q");
}

std::vector<double> numbers(const HostTensor& tensor, int64_t first, int64_t count) {
  std::vector<double> values(size_t(count), 0.0);
  const Format& format = *tensor.spec.format;
  decode_all(format, tensor.bytes.data() + first * format.bytes(), values);
  return values;
}

/// Whether a head is one that is normalized and rotated.
bool is_rotated(const HeadCase& c, const HeadReading& reading, int64_t head) {
  return head < c.q_heads + c.k_heads || reading.v_as_k;
}

void append(Spans& row, const Spans& head) {
  if (!head.pinned()) row.widen();
  row.low.insert(row.low.end(), head.low.begin(), head.low.end());
  const std::vector<double>& high = head.pinned() ? head.low : head.high;
  if (!row.pinned() || !head.pinned()) row.high.insert(row.high.end(), high.begin(), high.end());
}

/// Heads of the result beyond those of q: zeros.
void pad_heads(ExpectedTensor& q_out, const HeadCase& c) {
  const int64_t pitch = c.padded_heads * c.n;
  for (int64_t token = 0; token < c.m; ++token) {
    for (int64_t column = 0; column < c.columns(); ++column) q_out.offset.push_back(token * pitch + column);
    for (int64_t column = c.columns(); column < pitch; ++column)
      q_out.padding.push_back({token * pitch + column, {token, column}, PaddingRule::kZero});
  }
}

}  // namespace

RowInputs inputs_of_head(const HeadCase& c, const Problem& problem, const HeadReading& reading, int64_t token, int64_t head) {
  RowInputs inputs{numbers(heads_in(c, problem), token * c.columns() + head * c.n, c.n), {}, c.eps};
  const bool of_q = (head < c.q_heads || reading.q_weight_alone) && !reading.k_weight_alone;
  if (c.in_place()) inputs.gamma = numbers(find(problem.tensors, of_q ? "q_weight" : "k_weight"), 0, c.n);
  Angles angles = angles_of_token(problem, reading.angles, token);
  inputs.cos = std::move(angles.cos), inputs.sin = std::move(angles.sin);
  return inputs;
}

Expectation expect_heads(const Contract& contract, const HeadCase& c, const Problem& problem,
                         const std::vector<HostTensor>* outputs, const HeadReading& reading) {
  const char* name = c.in_place() ? "qkv" : "q_out";
  const int64_t pitch = c.in_place() ? c.columns() : c.padded_heads * c.n;
  Accepted accepted(name, *c.x, c.m, c.columns());
  Expectation expectation;
  std::mutex mutex;
  for_each_row(c.m, c.columns(), [&](int64_t token) {
    Spans row;
    for (int64_t head = 0; head < c.heads(); ++head) {
      const RowInputs inputs = inputs_of_head(c, problem, reading, token, head);
      if (!is_rotated(c, reading, head)) {
        append(row, Spans(inputs.x));
        continue;
      }
      StoredRow stored;
      if (outputs) stored.y = numbers(find(*outputs, name), token * pitch + head * c.n, c.n);
      const RowOutputs answer = evaluate_row(contract, inputs, outputs ? &stored : nullptr, *c.x);
      append(row, answer.y);
      const std::lock_guard lock(mutex);
      for (const std::string& violation : answer.joint_violations)
        expectation.joint_violations.push_back("token " + std::to_string(token) + ", head " + std::to_string(head) + ": " +
                                               violation);
    }
    accepted.put(token, std::move(row));
  });
  std::sort(expectation.joint_violations.begin(), expectation.joint_violations.end());
  expectation.tensors.push_back(std::move(accepted).finish(reason_of(contract, inputs_of_head(c, problem, reading, 0, 0), *c.x)));
  if (!c.in_place()) pad_heads(expectation.tensors.back(), c);
  return expectation;
}

}  // namespace assay
