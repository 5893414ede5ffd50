#include "suites/qk_norm_rope/expect.h"

#include <memory>

#include "reference/formats/round.h"
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

/// Whether a head is normalized and rotated.
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
void pad_heads(Part& q_out, const HeadCase& c) {
  const int64_t pitch = c.padded_heads * c.n;
  q_out.places = Places::of_rows([pitch](int64_t token) { return token * pitch; });
  q_out.padding = [tokens = c.m, columns = c.columns(), pitch](const std::function<void(const Padding&)>& visit) {
    for (int64_t token = 0; token < tokens; ++token)
      for (int64_t column = columns; column < pitch; ++column)
        visit({token * pitch + column, {token, column}, PaddingRule::kZero});
  };
}

/// Everything that the tokens of an answer are computed from.
struct Tokens {
  const Contract contract;
  const HeadCase c;
  const Problem& problem;
  const std::vector<HostTensor>* outputs;
  const HeadReading reading;

  const char* tensor() const { return c.in_place() ? "qkv" : "q_out"; }

  Spans head(int64_t token, int64_t head, const Part& part, AcceptedBlock& block) const {
    const RowInputs inputs = inputs_of_head(c, problem, reading, token, head);
    if (!is_rotated(c, reading, head)) return Spans(inputs.x);
    const int64_t pitch = c.in_place() ? c.columns() : c.padded_heads * c.n;
    StoredRow stored;
    if (outputs) stored.y = numbers(find(*outputs, tensor()), token * pitch + head * c.n, c.n);
    RowOutputs answer = evaluate_row(contract, inputs, outputs ? &stored : nullptr, *c.x);
    for (const std::string& violation : answer.joint_violations)
      block.violations.push_back({"one r for a head",
                                  "token " + std::to_string(token) + ", head " + std::to_string(head) + ": " + violation, token,
                                  {{part.label(), token, head * c.n}}});
    return std::move(answer.y);
  }

  AcceptedBlock accepted(const Part& part, int64_t first, int64_t end) const {
    AcceptedBlock block;
    Accepted rows(part, first, end);
    for (int64_t token = first; token < end; ++token) {
      Spans row;
      for (int64_t h = 0; h < c.heads(); ++h) append(row, head(token, h, part, block));
      rows.put(token, std::move(row));
    }
    block.parts.push_back(std::move(rows).finish());
    return block;
  }
};

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
  const auto tokens = std::make_shared<const Tokens>(Tokens{contract, c, problem, outputs, reading});
  Part part{tokens->tensor(), c.x, {c.m, c.columns()}, reason_of(contract, inputs_of_head(c, problem, reading, 0, 0), *c.x)};
  if (!c.in_place()) pad_heads(part, c);
  return {{Answer{"", {part}, c.m, [tokens, part](int64_t first, int64_t end) { return tokens->accepted(part, first, end); }}}};
}

}  // namespace assay
