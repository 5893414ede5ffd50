#include "harness/cli/probe_casts.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "harness/text/error.h"
#include "harness/text/glob.h"
#include "harness/text/printable.h"
#include "reference/casts/cast_profile.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/table/table.h"
#include "suites/cast/cast_case.h"
#include "suites/cast/words.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

constexpr size_t kMostOthers = 3;  ///< limit on the disobeyed casts that are listed

struct Candidate {
  CastCase cast;
  int64_t differ = 0;
  uint32_t first = 0, expected = 0, given = 0;  ///< the first input that differs: pattern, expected code, returned code
};

/// The cast on inputs around every place where it or one of its mutants changes its code; nothing if it does not convert from
/// that format.
std::optional<CastCase> case_of(const std::string& contract, const std::string& from, int warp) {
  Case one;
  one.op = "cast";
  one.parameters = {{"contract", contract}, {"x", from}, {"fill", "borders"}, {"warp", std::to_string(warp)}};
  try {
    return read_cast_case(one);
  } catch (const TableError&) {
    return std::nullopt;
  }
}

std::vector<Candidate> candidates_for(const Format& to, const std::string& from, int warp) {
  std::vector<Candidate> all;
  for (const ContractRow& row : rulebook().contracts.rows()) {
    if (row.flow != &cast_flow() || row.cells.at("format").text != to.name) continue;
    if (const auto found = case_of(row.id, from, warp)) all.push_back({*found, 0, 0, 0, 0});
  }
  return all;
}

Problem problem_of(const std::vector<Candidate>& candidates, const Format& from, const Format& to, int warp) {
  std::set<uint32_t> inputs;
  for (const Candidate& one : candidates)
    for (const uint32_t input : inputs_of(one.cast)) inputs.insert(input);
  std::vector<uint32_t> all(inputs.begin(), inputs.end());
  const auto columns = size_t(kCastColumns);
  all.resize((all.size() + columns - 1) / columns * columns, all.back());
  const std::vector<int64_t> shape = {int64_t(all.size() / columns), kCastColumns};
  HostTensor x{dense("x", Role::kInput, from, shape), {}};
  x.bytes.resize(x.spec.bytes());
  for (size_t i = 0; i < all.size(); ++i) x.set_code(int64_t(i), all[i]);
  return {{std::move(x), {dense("q", Role::kOutput, to, shape), {}}}, {{"warp", double(warp)}}};
}

void compare(Candidate& candidate, const HostTensor& x, const HostTensor& q) {
  const std::vector<CodeRun>& runs = candidate.cast.truth().runs;
  for (int64_t i = 0; i < x.spec.elements(); ++i) {
    const uint32_t right = code_at(runs, x.code(i)), given = q.code(i);
    if (right == given) continue;
    if (candidate.differ++ == 0) candidate.first = x.code(i), candidate.expected = right, candidate.given = given;
  }
}

int print(const std::string& title, const std::string& claimed, std::vector<Candidate>& candidates, int64_t inputs) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.differ < b.differ; });
  std::string obeyed;
  bool as_claimed = false;
  for (const Candidate& one : candidates)
    if (one.differ == 0) obeyed += (obeyed.empty() ? "" : ", ") + one.cast.row->id, as_claimed |= one.cast.row->id == claimed;
  fmt::print("{}: {} inputs, obeys {}{}\n", title, inputs, obeyed.empty() ? "no cast of the table" : obeyed,
             as_claimed ? "" : ", NOT what it is called by");
  size_t others = 0;
  for (const Candidate& one : candidates) {
    if (one.differ == 0 || others++ == kMostOthers) continue;
    if (others > kMostOthers) break;
    const CastProfile& profile = one.cast.truth().profile;
    fmt::print("  not {}: {} inputs differ, first {}: returned {}, it has {}\n", one.cast.row->id, one.differ,
               input_text(*profile.from, one.first), cast_code_text(*profile.format, one.given),
               cast_code_text(*profile.format, one.expected));
  }
  return as_claimed ? kAllAsExpected : kUnexpected;
}

int probe_cast(const Backend& backend, const KernelOffer& kernel, const std::string& contract, const std::string& from,
               int warp) {
  const std::optional<CastCase> claimed = case_of(contract, from, warp);
  if (!claimed) return kAllAsExpected;  // it does not convert from that format
  const Format &source = *find_format(from), &to = *claimed->truth().profile.format;
  std::vector<Candidate> candidates = candidates_for(to, from, warp);
  const Problem problem = problem_of(candidates, source, to, warp);
  const std::string title =
      fmt::format("{} {}, called by {}: {} -> {}", backend.library.name, kernel.name, contract, from, to.name);
  const CallResult result = backend.call({"cast", contract, kernel.name, &problem, 1});
  if (result.status == CallStatus::kUnsupported)
    return fmt::print("{}: not offered: {}\n", title, printable(result.message)), kAllAsExpected;
  if (result.status != CallStatus::kOk || result.outputs.empty() || !result.untouched.front().empty()) {
    fmt::print("{}: no answer: {}\n", title, printable(result.message));
    return result.status == CallStatus::kDeviceLost ? kDeviceLost : kUnexpected;
  }
  for (Candidate& one : candidates) compare(one, problem.tensors.front(), result.outputs.front());
  return print(title, contract, candidates, problem.tensors.front().spec.elements());
}

}  // namespace

int probe_casts(const Backend& backend, const std::string& kernel_glob, int& probed) {
  int code = kAllAsExpected;
  for (const KernelOffer& kernel : backend.library.kernels) {
    if (kernel.op != "cast" || !glob_match(kernel_glob, kernel.name)) continue;
    const auto warp = kernel.accepts.find("warp"), x = kernel.accepts.find("x");
    const int lanes = warp == kernel.accepts.end() || warp->second.empty() ? 32 : std::stoi(warp->second.front());
    const std::vector<std::string> sources =
        x == kernel.accepts.end() ? std::vector<std::string>{"f32", "bf16", "f16"} : x->second;
    for (const std::string& contract : kernel.contracts)
      for (const std::string& from : sources) {
        code = std::max(code, probe_cast(backend, kernel, contract, from, lanes));
        ++probed;
        if (code == kDeviceLost) return code;
      }
  }
  return code;
}

}  // namespace assay
