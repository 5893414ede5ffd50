#include "harness/diagnosis/held.h"

#include "harness/core/element.h"

namespace assay {

HeldTensors hold(const Expectation& answer, const std::vector<HostTensor>& outputs) {
  HeldTensors all;
  for (const ExpectedTensor& expected : answer.tensors) {
    const HostTensor& tensor = find(outputs, expected.name);
    std::vector<Held>& held = all.emplace_back(size_t(expected.elements()));
    for (int64_t i = 0; i < expected.elements(); ++i) {
      const int32_t low = expected.low[size_t(i)];
      const int32_t o = ordinal(*expected.format, load_code(expected, tensor, expected.offset_at(i)));
      held[size_t(i)] = low == kAnyLow ? Held::kAny : low <= o && o <= expected.high_at(i) ? Held::kYes : Held::kNo;
    }
  }
  return all;
}

Tally tally(const HeldTensors& contract, const HeldTensors& hypothesis) {
  Tally sum;
  for (size_t t = 0; t < contract.size(); ++t) {
    int64_t failing = 0, explained = 0;
    for (size_t i = 0; i < contract[t].size(); ++i) {
      const bool fails = contract[t][i] == Held::kNo;
      failing += fails;
      explained += fails && hypothesis[t][i] == Held::kYes;
      sum.contradicted += !fails && hypothesis[t][i] == Held::kNo;
    }
    sum.failing += failing;
    sum.explained += explained;
    sum.most_of_a_tensor = sum.most_of_a_tensor || (failing > 0 && 4 * explained >= 3 * failing);
  }
  return sum;
}

int64_t explained_by_one_alone(const HeldTensors& contract, const HeldTensors& one, const HeldTensors& other) {
  int64_t count = 0;
  for (size_t t = 0; t < contract.size(); ++t)
    for (size_t i = 0; i < contract[t].size(); ++i)
      count += contract[t][i] == Held::kNo && one[t][i] == Held::kYes && other[t][i] != Held::kYes;
  return count;
}

}  // namespace assay
