// Verdicts for the tests of reports.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/run/run.h"

namespace assay::testing {

Verdict verdict(Outcome outcome, const std::string& id = "quant_group/e4m3fn.m2.n256.g128.ties.s17");

/// An e4m3fn element.
Element element(std::array<int64_t, 2> at, uint32_t code, uint32_t low, uint32_t high, int64_t ulps);

/// A hand-written failure with one wrong and one right tensor; it has no picture and no mutation score.
Verdict truncating_kernel();

/// Every outcome once.
RunResult one_of_each();

/// A run of the gate with one verdict in each state, in the order of kGateStates.
RunResult gate_of_each_state();

/// A failure as compare() produces it: row 3 of 5 is wrong. It has a picture, a cause, a mutation score, and an id that needs
/// escaping.
Verdict one_wrong_row();

// Helpers for tests of HTML pages: nesting of tags, number of occurrences of a text, and a run with every outcome.

/// The first nesting error of tags; empty if there is none. Works for pages that are well-formed XML.
inline std::string nesting_error(const std::string& html) {
  std::vector<std::string> open;
  for (size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const size_t end = html.find('>', at);
    if (end == std::string::npos) return "a tag without end";
    const std::string inside = html.substr(at + 1, end - at - 1);
    if (inside.starts_with("!DOCTYPE") || inside.ends_with("/")) continue;
    const bool closes = inside.starts_with("/");
    const std::string name = inside.substr(closes, inside.find_first_of(" \n", closes) - closes);
    if (!closes) {
      open.push_back(name);
    } else if (open.empty() || open.back() != name) {
      return "</" + name + "> closes " + (open.empty() ? "nothing" : open.back());
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back() + " stays open";
}

/// Number of occurrences of `part` in `text`.
inline size_t times(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// Every outcome once, including a failure with a picture.
inline RunResult everything() {
  RunResult result = one_of_each();
  result.verdicts.push_back(one_wrong_row());
  return result;
}

}  // namespace assay::testing
