#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "harness/compare/verdict.h"
#include "harness/core/expectation.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/visibility.h"
#include "harness/run/run_case.h"
#include "harness/witness/witness.h"

namespace assay {
namespace {

// Check of recorded outputs: the contract must accept all of them, and no mutant of it may.

/// Number of elements outside their intervals, plus the steps (rows) that have only a violation as a whole.
int64_t outside_of(const Memberships& found) {
  int64_t count = 0;
  for (const std::vector<Membership>& part : found.parts) count += std::count(part.begin(), part.end(), Membership::kOutside);
  for (const int64_t step : found.violated_steps) count += !found.outside_steps.contains(step);
  return count;
}

/// Number of output elements that the mutant rejects. Evaluates the mutant with the recorded outputs and, if it rejects none,
/// again without them: a mutant that infers an extent from the given outputs would accept them.
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

namespace {

// Check of another release of an implementation: whether it still obeys its contract, on the recorded inputs.

/// Whether the calls that both files contain returned the same bits, padding excluded.
bool same_outputs(const Op& op, const Witness& release, const Witness& committed) {
  for (const WitnessCall& call : release.calls) {
    const auto same =
        std::find_if(committed.calls.begin(), committed.calls.end(), [&](const WitnessCall& c) { return c.from == call.from; });
    if (same == committed.calls.end()) continue;
    const Expectation expectation = op.bind(call.one)->expect(call.problem, nullptr);
    for (const Part& part : expectation.parts()) {
      const HostTensor &a = tensor_of(call.result.outputs, part), &b = tensor_of(same->result.outputs, part);
      for (int64_t row = 0; row < part.rows(); ++row)
        for (int64_t column = 0; column < part.columns(); ++column)
          if (load_code(part, a, part.offset(row, column)) != load_code(part, b, part.offset(row, column))) return false;
    }
  }
  return true;
}

std::string joined(const std::vector<std::string>& names, size_t most) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), most); ++i) text += (i == 0 ? "" : " or ") + names[i];
  return text;
}

std::string quoted(std::string cell) {
  for (size_t at = 0; (at = cell.find('|', at)) != std::string::npos; at += 2) cell.replace(at, 1, "\\|");
  return cell;
}

/// "0.33.0" of "vllm 0.33.0"; the whole name if there is no version.
std::string version_of(const std::string& package) {
  const size_t space = package.find(' ');
  return space == std::string::npos ? package : package.substr(space + 1);
}

/// The table of one package: contracts by release. Below it, for each contract that a release does not obey, the first input
/// whose outputs are wrong.
std::string table_of(const std::vector<const Drift*>& drifts) {
  std::vector<std::string> releases;
  std::map<std::string, std::map<std::string, const Drift*>> rows;
  for (const Drift* drift : drifts) {
    if (std::find(releases.begin(), releases.end(), drift->release) == releases.end()) releases.push_back(drift->release);
    rows[drift->contract][drift->release] = drift;
  }
  std::string table = "| row |", rule = "|---|", shown;
  for (const std::string& release : releases) table += " " + version_of(release) + " |", rule += "---|";
  table += "\n" + rule + "\n";
  for (const auto& [contract, by_release] : rows) {
    table += "| " + contract + " |";
    const Drift* first = nullptr;
    for (const std::string& release : releases) {
      const auto found = by_release.find(release);
      table += " " + (found == by_release.end() ? std::string("-") : quoted(found->second->text())) + " |";
      if (first == nullptr && found != by_release.end() && found->second->outside > 0) first = found->second;
    }
    table += "\n";
    if (first != nullptr) shown += fmt::format("- {} in {}: {}\n", contract, first->release, first->against);
  }
  return table + (shown.empty() ? "" : "\nThe first element that differs:\n\n" + shown);
}

}  // namespace

std::string Drift::text() const {
  if (outside == 0) return same_bits ? "same bits" : is_new ? "obeys" : "obeys, other bits";
  const std::string now = !rows.empty() ? joined(rows, 2) : !edits.empty() ? "`" + joined(edits, 2) + "`" : "no row or edit";
  return fmt::format("{} of {} differ: {}", outside, elements, now);
}

Drift drift_of(const Op& op, const Witness& release, const Witness* committed, const std::vector<std::string>& contracts) {
  Drift drift{release.contract, release.origin.package, 0, 0, {}, false, committed == nullptr, {}, {}};
  const WitnessFinding finding = judge_witness(op, release, false);
  drift.elements = finding.elements;
  drift.outside = finding.outside;
  if (finding.agrees()) {
    drift.same_bits = committed != nullptr && same_outputs(op, release, *committed);
    return drift;
  }
  drift.against = finding.against.front();
  for (const std::string& contract : contracts)
    if (contract != release.contract && obeys(op, release, contract)) drift.rows.push_back(contract);
  if (drift.rows.empty()) drift.edits = edits_that_hold(op, release);
  return drift;
}

std::string drift_table(const std::vector<Drift>& drifts) {
  std::map<std::string, std::vector<const Drift*>> packages;
  for (const Drift& drift : drifts) packages[drift.release.substr(0, drift.release.find(' '))].push_back(&drift);
  std::string tables;
  for (const auto& [package, of_package] : packages)
    tables += fmt::format("{}### {}\n\n{}", tables.empty() ? "" : "\n", package, table_of(of_package));
  return tables;
}

}  // namespace assay
