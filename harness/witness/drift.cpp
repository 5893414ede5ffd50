#include "harness/witness/drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/compare/element.h"
#include "harness/core/tensor_of_part.h"

namespace assay {
namespace {

/// Whether all calls that both have gave the same bits, padding excluded.
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

/// The table of one package: contracts by release, then the first deviating input for each contract that a release does not obey.
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
