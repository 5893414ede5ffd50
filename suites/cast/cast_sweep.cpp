// A cast of every fp32 input, called block by block. The codes are compared with the contract and its mutants as runs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "harness/compare/verdict.h"
#include "reference/formats/catalogue.h"
#include "suites/cast/cast_op.h"

namespace assay {
namespace {

// Compares a kernel's codes with the contract and its mutants, as runs of inputs.

constexpr size_t kMostLines = 12;

}  // namespace

std::vector<std::string> disagreements_in_words(const CastProfile& p, const std::vector<RunDifference>& found) {
  std::vector<std::string> lines;
  for (const RunDifference& d : found) {
    if (lines.size() == kMostLines) {
      lines.push_back(fmt::format("and {} more runs of inputs", found.size() - kMostLines));
      break;
    }
    lines.push_back(fmt::format("{}: {}, must be {}", inputs_text(*p.from, d.first, d.last), cast_code_text(*p.format, d.b),
                                cast_code_text(*p.format, d.a)));
  }
  return lines;
}

std::vector<Cause> causes_of(const CastTruth& truth, const std::vector<CodeRun>& given) {
  const auto failing = int64_t(inputs_of(differences(truth.runs, given)));
  std::vector<Cause> causes;
  for (size_t i = 0; i < truth.neighbours.size(); ++i) {
    // left: wrong inputs that the mutant does not explain; contradicted: right inputs that it would make wrong
    int64_t left = 0, contradicted = 0;
    for (const RunDifference& d : differences(truth.neighbours[i].runs, given)) {
      int64_t wrong = 0;
      for (const CodeRun& right : truth.runs)
        if (right.first <= d.last && right.last >= d.first && right.code != d.b)
          wrong += int64_t(std::min(right.last, d.last) - std::max(right.first, d.first)) + 1;
      left += wrong;
      contradicted += int64_t(d.last - d.first) + 1 - wrong;
    }
    const int64_t explained = failing - left;
    const std::string& name = truth.neighbours[i].name;
    if (explained > contradicted && 2 * explained >= failing)
      causes.push_back({{{name, name, explained}}, failing, explained, contradicted});
  }
  std::stable_sort(causes.begin(), causes.end(), [](const Cause& a, const Cause& b) { return a.left() < b.left(); });
  return causes;
}

namespace {

/// Inputs per call: so few that x, q and their copies fit into a second-level cache.
constexpr uint64_t kBlock = uint64_t{1} << 16;
constexpr uint64_t kRange = uint64_t{1} << 28;  ///< inputs per call with the on-device checker
constexpr size_t kMostGiven = size_t{1} << 20;  ///< limit of the runs of codes that are stored; with more, the sweep stops

/// The runs of a kernel's codes, built from consecutive blocks of inputs.
class Given {
 public:
  explicit Given(const std::vector<CodeRun>& expected) : expected_(expected) {}

  void add(uint64_t first, const uint8_t* codes, uint64_t count) {
    for (uint64_t i = 0; i < count;) {
      while (expected_[at_].last < first + i) ++at_;
      const uint64_t end = std::min(count, expected_[at_].last + 1 - first);
      if (all_are(codes + i, end - i, expected_[at_].code)) {
        append(first + i, first + end - 1, expected_[at_].code);
      } else {
        for (uint64_t k = i; k < end; ++k) append(first + k, first + k, codes[k]);
        all_right = false;
      }
      i = end;
    }
  }

  /// Records that the codes of inputs [first, last] are correct.
  void add_as_expected(uint64_t first, uint64_t last) {
    while (expected_[at_].last < first) ++at_;
    for (size_t i = at_; i < expected_.size() && expected_[i].first <= last; ++i)
      append(std::max(expected_[i].first, first), std::min(expected_[i].last, last), expected_[i].code);
  }

  std::vector<CodeRun> runs;
  bool all_right = true;  ///< no wrong code so far

 private:
  static bool all_are(const uint8_t* codes, uint64_t count, uint32_t code) {
    return codes[0] == code && std::memcmp(codes, codes + 1, count - 1) == 0;
  }
  void append(uint64_t first, uint64_t last, uint32_t code) {
    if (!runs.empty() && runs.back().code == code)
      runs.back().last = last;
    else
      runs.push_back({first, last, code});
  }

  const std::vector<CodeRun>& expected_;
  size_t at_ = 0;
};

/// An element of a report: its row is the upper half of the input's bits, its column the lower half.
Element element_of(const CastProfile& p, uint64_t input, uint32_t right, uint32_t given) {
  const Format& format = with_nans_by_code(*p.format);
  const int32_t only = ordinal(format, right);
  Element e = element_at(Part{"q", &format, {1, 1}}, 0, 0, {only, only}, given);
  e.at = {int64_t(input >> 16), int64_t(input & 0xffff)};
  return e;
}

TensorFinding finding_of(const CastProfile& p, const std::vector<RunDifference>& wrong) {
  TensorFinding q;
  q.name = "q";
  q.format = p.format->name;
  q.shape = {65536, 65536};
  q.elements = int64_t(p.from->last()) + 1;
  q.single_code = q.elements;
  q.reason = "a cast accepts one code for each input";
  for (const RunDifference& d : wrong) {
    const Element e = element_of(p, d.first, d.a, d.b);
    const auto count = int64_t(d.last - d.first + 1);
    if (q.outside == 0) q.first = e;
    if (q.outside == 0 || std::abs(e.ulps) > q.worst_ulps) {
      q.worst = e;
      q.worst_ulps = std::abs(e.ulps);
    }
    q.outside += count;
    if (std::fabs(e.value) < std::fabs(e.low)) q.toward_zero += count;
    if (std::fabs(e.value) > std::fabs(e.low)) q.away_from_zero += count;
  }
  q.single_code -= q.outside;
  q.notes = disagreements_in_words(p, wrong);
  return q;
}

Problem problem_of(const CastCase& c, uint64_t inputs) {
  const CastProfile& profile = c.truth().profile;
  const std::vector<int64_t> shape = {int64_t(inputs) / kCastColumns, kCastColumns};
  return {{{dense("x", Role::kInput, *find_format(profile.from->name), shape), {}},
           {dense("q", Role::kOutput, *profile.format, shape), {}}},
          {{"warp", double(c.warp)}}};
}

/// Passes all inputs in ascending order. With an on-device checker, each call gets a range of kRange inputs. The host then checks
/// the first block of the range, and each block with reported errors: every error in a report is thus verified on the host.
class SweepRun {
 public:
  SweepRun(const CastCase& c, const SweepCalls& calls)
      : last_(c.truth().profile.from->last()),
        calls_(calls),
        block_(problem_of(c, kBlock)),
        range_(problem_of(c, kRange)),
        given_(c.truth().runs) {
    block_.tensors.front().bytes.resize(block_.tensors.front().spec.bytes());
    for (const CodeRun& run : c.truth().runs) steps_.push_back({uint32_t(run.last), run.code});
  }

  /// Returns false if a call produced no outputs.
  bool run(Verdict& verdict) {
    for (uint64_t first = 0; first <= last_ && !told_enough_; first += kRange)
      if (!look_at_range(first, verdict)) return false;
    return true;
  }

  const std::vector<CodeRun>& given() const { return given_.runs; }

 private:
  bool look_at_range(uint64_t first, Verdict& verdict) {
    std::vector<int32_t> wrong;
    if (watched_) wrong = calls_.wrong(range_, uint32_t(first), steps_);
    watched_ = !wrong.empty();
    for (uint64_t block = first; block < first + kRange; block += kBlock) {
      const int64_t told = wrong_of(wrong, block - first);
      if (watched_ && told == 0 && block != first) {
        given_.add_as_expected(block, block + kBlock - 1);
        continue;
      }
      given_.all_right = true;
      if (!look_at_block(block)) return false;
      if (given_.runs.size() > kMostGiven) {
        give_up(block + kBlock, verdict);
        return true;
      }
      if (told > 0 && given_.all_right && verdict.message.empty()) {
        verdict.outcome = Outcome::kFail;
        verdict.message = fmt::format(
            "{} of the 2^16 inputs from 0x{:08x} on got wrong codes or were changed in a call with 2^28 inputs, but not in a "
            "call with only these 2^16 inputs",
            told, block);
      }
    }
    return true;
  }

  bool look_at_block(uint64_t first) {
    auto* patterns = reinterpret_cast<uint32_t*>(block_.tensors.front().bytes.data());
    for (uint32_t i = 0; i < kBlock; ++i) patterns[i] = uint32_t(first) + i;
    const std::vector<HostTensor>* outputs = calls_.outputs(block_);
    if (outputs) given_.add(first, reinterpret_cast<const uint8_t*>(outputs->front().bytes.data()), kBlock);
    return outputs != nullptr;
  }

  static int64_t wrong_of(const std::vector<int32_t>& wrong, uint64_t from) {
    int64_t sum = 0;
    for (uint64_t i = from / SweepCalls::kWatchedInputs; !wrong.empty() && i < (from + kBlock) / SweepCalls::kWatchedInputs; ++i)
      sum += wrong[i];
    return sum;
  }

  void give_up(uint64_t next, Verdict& verdict) {
    verdict.message =
        fmt::format("inputs from 0x{:08x} on were not checked: the codes of earlier inputs change more than 2^20 times", next);
    if (next <= last_) given_.add_as_expected(next, last_);
    told_enough_ = true;
  }

  const uint64_t last_;
  const SweepCalls& calls_;
  Problem block_, range_;
  std::vector<CodeStep> steps_;
  Given given_;
  bool watched_ = bool(calls_.wrong), told_enough_ = false;
};

}  // namespace

void sweep_cast(const CastCase& p, const SweepCalls& calls, Verdict& verdict) {
  SweepRun sweep(p, calls);
  if (!sweep.run(verdict)) return;
  const std::vector<RunDifference> wrong = differences(p.truth().runs, sweep.given());
  verdict.tensors = {finding_of(p.truth().profile, wrong)};
  if (!wrong.empty()) verdict.causes = causes_in_words(causes_of(p.truth(), sweep.given()));
}

}  // namespace assay
