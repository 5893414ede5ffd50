#include "harness/witness/judge.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "harness/diagnosis/membership.h"
#include "harness/diagnosis/separation.h"
#include "harness/run/judge_outputs.h"
#include "harness/run/run_case.h"

namespace assay {
namespace {

/// Number of elements outside, plus rows that break a rule without such an element.
int64_t outside_of(const Memberships& found) {
  int64_t count = 0;
  for (const std::vector<Membership>& part : found.parts) count += std::count(part.begin(), part.end(), Membership::kOutside);
  for (const int64_t step : found.violated_steps) count += !found.outside_steps.contains(step);
  return count;
}

/// Evaluates the mutant given the stored outputs; if it rejects none, evaluates it from the inputs alone. (A mutant that infers
/// an extent from outputs finds nothing wrong in correct ones.)
int64_t outside_of(const Hypothesis& edit, const WitnessCall& call) {
  for (const std::vector<HostTensor>* given : {&call.result.outputs, static_cast<const std::vector<HostTensor>*>(nullptr)}) {
    const Expectation edited = edit.expect(call.problem, given);
    if (const int64_t outside = outside_of(memberships(edited, call.result.outputs, all_steps(edited.any_of.front())));
        outside > 0)
      return outside;
  }
  return 0;
}

Verdict verdict_on(const BoundCase& bound, const WitnessCall& call) {
  Verdict verdict = blank_verdict(call.one, "", "");
  judge_outputs(bound, call.problem, call.result, verdict);
  return verdict;
}

int64_t outside_of(const Verdict& verdict) {
  int64_t count = int64_t(verdict.violations.size());
  for (const TensorFinding& finding : verdict.tensors) count += finding.outside + finding.padding_wrong;
  return verdict.outcome == Outcome::kPass ? 0 : std::max<int64_t>(1, count);
}

/// Whether two problems have the same tensors, so that one call can be checked under both.
bool same_tensors(const Problem& a, const Problem& b) {
  return std::equal(a.tensors.begin(), a.tensors.end(), b.tensors.begin(), b.tensors.end(),
                    [](const HostTensor& x, const HostTensor& y) {
                      const TensorSpec &s = x.spec, &t = y.spec;
                      return s.name == t.name && s.rank == t.rank && s.role == t.role && *s.format == *t.format &&
                             s.shape == t.shape && s.strides == t.strides && s.storage == t.storage;
                    });
}

std::string first_of(const Verdict& verdict) {
  for (const TensorFinding& finding : verdict.tensors) {
    if (finding.outside > 0) {
      const Element& e = finding.first;
      char codes[64];
      std::snprintf(codes, sizeof codes, "got 0x%02x, accepted 0x%02x..0x%02x", e.code, e.low_code, e.high_code);
      return finding.name + "[" + std::to_string(e.at[0]) + ", " + std::to_string(e.at[1]) + "] " + codes + "; " +
             std::to_string(finding.outside) + " of " + std::to_string(finding.elements) + " elements";
    }
    if (finding.padding_wrong > 0) return finding.name + ": " + finding.padding_first;
  }
  return verdict.violations.empty() ? verdict.message : verdict.violations.front().words;
}

}  // namespace

int64_t WitnessFinding::refuted() const {
  return std::count_if(edits.begin(), edits.end(), [](const EditOnWitness& edit) { return edit.refuted(); });
}

std::vector<std::string> WitnessFinding::survivors() const {
  std::vector<std::string> names;
  for (const EditOnWitness& edit : edits)
    if (edit.survives()) names.push_back(edit.name);
  return names;
}

WitnessFinding judge_witness(const Op& op, const Witness& witness, bool edits) {
  WitnessFinding finding;
  finding.elements = witness.output_elements();
  std::map<std::string, EditOnWitness> all;
  for (const WitnessCall& call : witness.calls) {
    const std::unique_ptr<const BoundCase> bound = op.bind(call.one);
    const Verdict verdict = verdict_on(*bound, call);
    if (const int64_t outside = outside_of(verdict); outside > 0) {
      finding.outside += outside;
      finding.against.push_back(call.from + ": " + first_of(verdict));
    }
    if (!edits) continue;
    for (const Hypothesis& edit : bound->mutants()) {
      if (edit.suspect) continue;
      EditOnWitness& known = all.try_emplace(edit.name, EditOnWitness{edit.name, edit.equivalent}).first->second;
      if (!edit.equivalent.empty()) continue;
      known.equivalent.clear();
      ++known.calls;
      if (!known.refuted()) known.outside += outside_of(edit, call);
    }
  }
  for (auto& [name, edit] : all) finding.edits.push_back(std::move(edit));
  return finding;
}

bool obeys(const Op& op, const Witness& witness, const std::string& contract) {
  return std::all_of(witness.calls.begin(), witness.calls.end(), [&](const WitnessCall& call) {
    const std::unique_ptr<const BoundCase> other = under_contract(op, call.one, contract);
    return other && same_tensors(other->problem(), call.problem) && outside_of(verdict_on(*other, call)) == 0;
  });
}

std::vector<std::string> edits_that_hold(const Op& op, const Witness& witness) {
  std::map<std::string, size_t> holds;
  for (const WitnessCall& call : witness.calls)
    for (const Hypothesis& edit : op.bind(call.one)->mutants())
      if (!edit.suspect && outside_of(edit, call) == 0) ++holds[edit.name];
  std::vector<std::string> names;
  for (const auto& [name, calls] : holds)
    if (calls == witness.calls.size()) names.push_back(name);
  return names;
}

}  // namespace assay
