#include "suites/cast/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "harness/core/element.h"
#include "reference/formats/catalogue.h"
#include "suites/cast/cast_case.h"
#include "suites/cast/found.h"

namespace assay {
namespace {

/// Inputs of one call: all copies of x and q together stay in a second-level cache.
constexpr uint64_t kBlock = uint64_t{1} << 16;
constexpr size_t kMostGiven = size_t{1} << 20;  ///< runs that are kept; a kernel that gives more has lost all order

/// Runs of what a kernel gives, built from blocks in their order.
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
      }
      i = end;
    }
  }

  /// As if all inputs from here on had got their codes.
  void continue_as_expected(uint64_t next) {
    for (const CodeRun& run : expected_)
      if (run.last >= next) append(std::max(run.first, next), run.last, run.code);
  }

  std::vector<CodeRun> runs;

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

/// The element of an input: row and column are the halves of its pattern.
Element element_of(const CastProfile& p, uint64_t input, uint32_t right, uint32_t given) {
  const Format& format = with_nans_by_code(*p.format);
  const ExpectedTensor one{"q", &format, {1, 1}, {ordinal(format, right)}, {}, {}, {}, ""};
  Element e = element_at(one, 0, given);
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
  q.reason = "a cast has one code for each input";
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

}  // namespace

bool sweep_cast(const Case& c, const Caller& call, Verdict& verdict) {
  const CastCase p = read_cast_case(c);
  if (!p.is_sweep()) return false;
  const CastProfile& profile = p.truth().profile;
  const std::vector<int64_t> shape = {int64_t(kBlock) / kCastColumns, kCastColumns};
  Problem problem{{{dense("x", Role::kInput, *find_format(profile.from->name), shape), {}},
                   {dense("q", Role::kOutput, *profile.format, shape), {}}},
                  {{"warp", double(p.warp)}}};
  HostTensor& x = problem.tensors.front();
  x.bytes.resize(x.spec.bytes());

  Given given(p.truth().runs);
  for (uint64_t first = 0; first <= profile.from->last(); first += kBlock) {
    auto* patterns = reinterpret_cast<uint32_t*>(x.bytes.data());
    for (uint32_t i = 0; i < kBlock; ++i) patterns[i] = uint32_t(first) + i;
    const std::vector<HostTensor>* outputs = call(problem);
    if (!outputs) return true;
    given.add(first, reinterpret_cast<const uint8_t*>(outputs->front().bytes.data()), kBlock);
    if (given.runs.size() > kMostGiven) {
      verdict.message =
          fmt::format("inputs from {:08x} on were not tried: those before it have more than 2^20 runs", first + kBlock);
      given.continue_as_expected(first + kBlock);
      break;
    }
  }
  const std::vector<RunDifference> wrong = differences(p.truth().runs, given.runs);
  verdict.tensors = {finding_of(profile, wrong)};
  if (!wrong.empty()) verdict.causes = causes_in_words(causes_of(p.truth(), given.runs));
  return true;
}

}  // namespace assay
