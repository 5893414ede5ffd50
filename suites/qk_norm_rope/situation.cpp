#include <algorithm>

#include "harness/compare/element.h"
#include "suites/qk_norm_rope/expect.h"

namespace assay {
namespace {

/// For all rotated heads of all tokens, in launch order: whether the head has a wrong element.
std::vector<bool> wrong_heads(const HeadCase& c, const WholePart& right, const HostTensor& tensor) {
  const int64_t rotated = c.q_heads + c.k_heads;
  std::vector<bool> wrong(size_t(c.m * rotated), false);
  for (int64_t token = 0; token < c.m; ++token)
    for (int64_t column = 0; column < rotated * c.n; ++column) {
      const int64_t i = token * right.part.columns() + column;
      const int32_t stored = ordinal(*right.part.format, load_code(right.part, tensor, right.offset_at(i)));
      if (!right.at(i).holds(*right.part.format, stored)) wrong[size_t(token * rotated + column / c.n)] = true;
    }
  return wrong;
}

/// Whether the first of every `count` heads is right and nearly all others are wrong. A few heads may be right by chance.
bool only_firsts_are_right(const std::vector<bool>& wrong, size_t count) {
  size_t others = 0, wrong_others = 0;
  for (size_t head = 0; head < wrong.size(); ++head) {
    if (head % count == 0 && wrong[head]) return false;
    if (head % count == 0) continue;
    ++others;
    wrong_others += wrong[head];
  }
  return others >= 6 && 10 * wrong_others >= 9 * others;
}

}  // namespace

std::string situation_of_heads(const HeadCase& c, const Problem& problem, const std::vector<HostTensor>& outputs) {
  const Expectation right = expect_heads(*c.bound, c, problem, &outputs);
  const WholePart whole = computed(right).front();
  const std::vector<bool> wrong = wrong_heads(c, whole, find(outputs, whole.part.tensor));
  for (const size_t count : {8, 4, 2})  // heads per warp in real kernels
    if (only_firsts_are_right(wrong, count))
      return "heads: of every " + std::to_string(count) +
             " in a row only the first is right, as of a warp that takes several and whose lanes diverge before a shuffle";
  return "";
}

}  // namespace assay
