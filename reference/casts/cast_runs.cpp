// All inputs of a cast as runs of one code, and casts with one mistake.
#include "reference/casts/cast_runs.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "reference/casts/cast_profile.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

/// Cuts the inputs into ranges in which the cast is monotone. Returns the first pattern of each range.
std::vector<uint64_t> stretches(const CastProfile& p) {
  const CastSource& source = *p.from;
  std::set<uint64_t> starts = {0, 1, source.infinity(), source.infinity() + 1};
  for (const Anomaly& anomaly : p.anomalies) {
    starts.insert(anomaly.first);
    starts.insert(anomaly.last + 1);
  }
  std::vector<uint64_t> all;
  for (const uint64_t sign : {uint64_t{0}, source.sign()})
    for (const uint64_t start : starts)
      if (start < source.sign()) all.push_back(sign | start);
  return all;
}

void append(std::vector<CodeRun>& runs, const CodeRun& run) {
  if (!runs.empty() && runs.back().code == run.code)
    runs.back().last = run.last;
  else
    runs.push_back(run);
}

}  // namespace

std::vector<CodeRun> runs_of(const CastProfile& p) {
  const std::vector<uint64_t> starts = stretches(p);
  std::vector<CodeRun> runs;
  for (size_t i = 0; i < starts.size(); ++i) {
    const uint64_t end = i + 1 < starts.size() ? starts[i + 1] - 1 : p.from->last();
    for (uint64_t first = starts[i];;) {
      const uint32_t code = cast(p, first);
      uint64_t same = first, other = end;  // the last input with this code lies in [same, other]
      while (same < other) {
        const uint64_t middle = other - (other - same) / 2;
        if (cast(p, middle) == code)
          same = middle;
        else
          other = middle - 1;
      }
      append(runs, {first, same, code});
      if (same == end) break;
      first = same + 1;
    }
  }
  return runs;
}

std::vector<RunDifference> differences(const std::vector<CodeRun>& a, const std::vector<CodeRun>& b) {
  std::vector<RunDifference> all;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const uint64_t first = std::max(a[i].first, b[j].first), last = std::min(a[i].last, b[j].last);
    if (a[i].code != b[j].code) {
      if (!all.empty() && all.back().last + 1 == first && all.back().a == a[i].code && all.back().b == b[j].code)
        all.back().last = last;
      else
        all.push_back({first, last, a[i].code, b[j].code});
    }
    const bool a_ends = a[i].last == last, b_ends = b[j].last == last;
    i += a_ends ? 1 : 0;
    j += b_ends ? 1 : 0;
  }
  return all;
}

double inputs_of(const std::vector<RunDifference>& differences) {
  double sum = 0;
  for (const RunDifference& d : differences) sum += double(d.last - d.first) + 1;
  return sum;
}

uint32_t code_at(const std::vector<CodeRun>& runs, uint64_t input) {
  return std::partition_point(runs.begin(), runs.end(), [&](const CodeRun& run) { return run.last < input; })->code;
}

std::string flaw_of(const std::vector<CodeRun>& runs, const CastSource& source) {
  uint64_t next = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    const std::string place = "run " + std::to_string(i + 1);
    if (runs[i].first != next || runs[i].last < runs[i].first)
      return place + " does not begin right after the previous run";
    if (i > 0 && runs[i].code == runs[i - 1].code) return place + " has the same code as the previous run";
    next = runs[i].last + 1;
  }
  return runs.empty() || runs.back().last != source.last() ? "no run covers the last inputs" : "";
}

namespace {

std::string edit(Rounding from, Rounding to) {
  return std::string(word_of(kRoundingWords, from)) + " -> " + word_of(kRoundingWords, to);
}

std::string edit(Beyond from, Beyond to) { return std::string(word_of(kBeyondWords, from)) + " -> " + word_of(kBeyondWords, to); }

std::string hexadecimal(uint64_t value, int digits) {
  char text[24];
  std::snprintf(text, sizeof text, "%0*llx", digits, static_cast<unsigned long long>(value));
  return text;
}

std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

/// The format with the same numbers of bits but another exponent bias: the fnuz format of an OCP format, and the reverse.
const Format* sibling(const Format& f) {
  for (const Format& other : all_formats())
    if (other != f && other.bits == f.bits && other.exponent_bits == f.exponent_bits && other.mantissa_bits == f.mantissa_bits &&
        other.bias != f.bias)
      return &other;
  return nullptr;
}

class Edits {
 public:
  explicit Edits(const CastProfile& right) : right_(right), runs_(runs_of(right)) {}

  /// Adds a mutant, unless an earlier mutant returns the same codes for all inputs.
  template <class Change>
  void add(const std::string& name, Change change) {
    CastNeighbour wrong{name, right_, {}};
    change(wrong.profile);
    wrong.runs = runs_of(wrong.profile);
    const bool seen = std::any_of(all.begin(), all.end(), [&](const CastNeighbour& one) { return one.runs == wrong.runs; });
    if (wrong.runs != runs_ && !seen) all.push_back(std::move(wrong));
  }

  std::vector<CastNeighbour> all;

 private:
  const CastProfile& right_;
  std::vector<CodeRun> runs_;
};

void rules(const CastProfile& p, Edits& edits) {
  for (const Rounding other :
       {Rounding::kTowardZero, Rounding::kNearestEven, Rounding::kNearestAway, Rounding::kDown, Rounding::kUp})
    edits.add("rounding: " + edit(p.rounding, other), [&](CastProfile& q) { q.rounding = other; });
  for (const Beyond other : {Beyond::kLargest, Beyond::kSpecial, Beyond::kSpecialAboveLargest})
    edits.add("overflow: " + edit(p.overflow, other), [&](CastProfile& q) { q.overflow = other; });
  edits.add("saturation: missing", [&](CastProfile& q) { q.overflow = q.infinity = Beyond::kSpecial; });
  for (const Beyond other : {Beyond::kLargest, Beyond::kSpecial})
    edits.add("infinity: " + edit(p.infinity, other), [&](CastProfile& q) { q.infinity = other; });
}

void specials(const CastProfile& p, Edits& edits) {
  const int digits = (p.format->bits + 3) / 4;
  const auto nan = [&](const char* what, uint32_t plus, uint32_t minus) {
    edits.add("nan: " + hexadecimal(p.nan, digits) + "/" + hexadecimal(p.minus_nan, digits) + " -> " + hexadecimal(plus, digits) +
                  "/" + hexadecimal(minus, digits) + " (" + what + ")",
              [&](CastProfile& q) {
                q.nan = plus;
                q.minus_nan = minus;
              });
  };
  const uint32_t sign = p.format->has_sign() ? 1u << (p.format->bits - 1) : 0u;
  nan("loses its sign", p.nan, p.nan);
  if (std::isnan(decode(*p.format, p.nan | sign))) nan("keeps its sign", p.nan, p.nan | sign);
  nan("becomes the largest number", largest_code(*p.format, false), largest_code(*p.format, false));
  nan("becomes the largest number with its sign", largest_code(*p.format, false), largest_code(*p.format, true));
  nan("becomes zero", encode(*p.format, 0, p.rounding, Overflow::kSaturate),
      encode(*p.format, 0, p.rounding, Overflow::kSaturate));
  if (p.zero) edits.add("zero: " + hexadecimal(*p.zero, digits) + " -> as a number", [](CastProfile& q) { q.zero.reset(); });
  if (p.negative == Negative::kSign)
    edits.add("negative: sign -> magnitude", [](CastProfile& q) { q.negative = Negative::kMagnitude; });
  edits.add("zero: loses its sign", [](CastProfile& q) { q.after = {{CastStep::kAddZero}}; });
}

void numbers(const CastProfile& p, Edits& edits) {
  if (!p.format->is_integer() && p.format->specials != Specials::kScale)
    edits.add("subnormals: become zero", [&](CastProfile& q) { q.after = {{CastStep::kFlush, p.format}}; });
  for (const Format* via : {&kBf16, &kF16})
    edits.add("rounded twice: to " + std::string(via->name) + " first", [&](CastProfile& q) {
      q.before = {{CastStep::kRound, via}};
    });
  const Format* other = sibling(*p.format);
  if (!other) return;
  edits.add("format: " + std::string(p.format->name) + " -> " + std::string(other->name),
            [&](CastProfile& q) { q.format = other; });
  if (max_finite(*other) < max_finite(*p.format))
    edits.add("largest: " + decimal(max_finite(*p.format)) + " -> " + decimal(max_finite(*other)), [&](CastProfile& q) {
      q.before = {{CastStep::kClamp, other}};
    });
}

}  // namespace

std::vector<CastNeighbour> cast_neighbours(const CastProfile& p, const std::vector<CastProfile>& known) {
  Edits edits(p);
  rules(p, edits);
  specials(p, edits);
  numbers(p, edits);
  if (!p.anomalies.empty()) edits.add("anomaly: none", [](CastProfile& q) { q.anomalies.clear(); });
  for (const CastProfile& other : known) {
    if (*other.format != *p.format || other.from != p.from || other.anomalies.empty()) continue;
    edits.add("anomaly: as in " + other.id, [&](CastProfile& q) { q.anomalies = other.anomalies; });
  }
  return std::move(edits.all);
}

}  // namespace assay
