#include "harness/run/run.h"

#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>
#include <optional>

#include "harness/text/messages.h"
#include "reference/table/near.h"
#include "reference/table/parallel_loop.h"

namespace assay {
namespace {

// Which kernels can run a case.

std::optional<double> number(const std::string& text) {
  double value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// True for the same text, and for two notations of one number, such as 1e-6 and 0.000001.
bool same_cell(const std::string& a, const std::string& b) {
  if (a == b) return true;
  const std::optional<double> x = number(a), y = number(b);
  return x && y && *x == *y;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

}  // namespace

std::string why_not_offered(const KernelOffer& offer, const Case& one) {
  if (offer.op != one.op) return "no kernel for op " + one.op;
  const auto contract = one.parameters.find("contract");
  if (contract != one.parameters.end() &&
      std::find(offer.contracts.begin(), offer.contracts.end(), contract->second) == offer.contracts.end()) {
    return "no kernel for contract " + contract->second;
  }
  for (const auto& [parameter, values] : offer.accepts) {
    const auto cell = one.parameters.find(parameter);
    if (cell == one.parameters.end()) continue;
    const bool accepted =
        std::any_of(values.begin(), values.end(), [&](const std::string& v) { return same_cell(v, cell->second); });
    if (!accepted) return parameter + " " + cell->second + " is not offered; offered: " + joined(values);
  }
  for (const auto& [parameter, divisor] : offer.multiple_of) {
    const auto cell = one.parameters.find(parameter);
    if (cell == one.parameters.end()) continue;
    const std::optional<double> value = number(cell->second);
    if (!value || int64_t(*value) % divisor != 0) {
      return parameter + " " + cell->second + " is not offered; it must be a multiple of " + std::to_string(divisor);
    }
  }
  return "";
}

namespace {

// A run of many cases on one back end: match with kernels, call, check, count.

/// A case and a kernel that can run it, or the reason why no kernel can.
struct Pair {
  const Op* op;
  const Case* one;
  const KernelOffer* kernel;
  std::string why_skipped;
};

const Op& op_of(std::span<const Op> ops, const Case& one) {
  const auto found = std::find_if(ops.begin(), ops.end(), [&](const Op& op) { return op.name == one.op; });
  if (found == ops.end()) throw std::logic_error("case " + one.id + " belongs to no op");
  return *found;
}

std::vector<Pair> pairs_of(std::span<const Op> ops, const std::vector<Case>& cases, const std::vector<KernelOffer>& kernels) {
  std::vector<Pair> pairs;
  for (const Case& one : cases) {
    const Op& op = op_of(ops, one);
    const size_t before = pairs.size();
    // If no kernel can run the case, the reason is that of the closest kernel: one for this contract, else one for this op.
    std::string reason = "no kernel for op " + one.op;
    for (const KernelOffer& kernel : kernels) {
      const std::string why_not = why_not_offered(kernel, one);
      if (why_not.empty()) {
        pairs.push_back({&op, &one, &kernel, ""});
      } else if (kernel.op == one.op && (reason.starts_with("no kernel") || !why_not.starts_with("no kernel"))) {
        reason = why_not;
      }
    }
    if (pairs.size() == before) pairs.push_back({&op, &one, nullptr, reason});
  }
  return pairs;
}

std::vector<KernelOffer> chosen_kernels(const LibraryInfo& library, const std::string& glob) {
  std::vector<KernelOffer> chosen;
  std::vector<std::string> names;
  for (const KernelOffer& kernel : library.kernels) {
    names.push_back(kernel.name);
    if (glob_match(glob, kernel.name)) chosen.push_back(kernel);
  }
  if (chosen.empty() && glob != "*") throw UsageError("no kernel '" + glob + "' in " + library.name + did_you_mean(glob, names));
  return chosen;
}

/// The cases for calls_in_a_row() of one kernel, as indices of pairs. The verdict of the first pair gets the result.
using Row = std::vector<size_t>;

/// One Row for each kernel that has at least two suitable cases.
std::vector<Row> rows_of(const std::vector<Pair>& pairs) {
  std::map<const KernelOffer*, std::vector<size_t>> of_kernel;
  for (size_t i = 0; i < pairs.size(); ++i)
    if (pairs[i].kernel != nullptr) of_kernel[pairs[i].kernel].push_back(i);
  std::vector<Row> rows;
  for (const auto& [kernel, mine] : of_kernel) {
    std::vector<const Case*> cases;
    for (const size_t i : mine) cases.push_back(pairs[i].one);
    Row row;
    for (const size_t at : cases_in_a_row(*pairs[mine.front()].op, cases)) row.push_back(mine[at]);
    if (row.size() > 1) rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

/// Distributes pairs to threads and collects verdicts in order. Consecutive pairs with the same data go to one thread, which
/// caches their problem and findings (DataMemory).
class Progress {
 public:
  /// The first pair of each Row is late (is_late()): run_all() leaves it out of the shares of next(), and run_rows() runs it.
  Progress(const std::vector<Pair>& pairs, const std::vector<Row>& rows, const RunOptions& options)
      : slots_(pairs.size()), is_late_(pairs.size()), judged_(pairs.size()), options_(options) {
    for (size_t i = 0; i < pairs.size(); ++i)
      if (i == 0 || pairs[i].one->data_id() != pairs[i - 1].one->data_id()) begins_.push_back(i);
    begins_.push_back(pairs.size());
    for (const Row& row : rows) is_late_[row.front()] = true;
  }

  bool is_late(size_t i) const { return is_late_[i]; }
  bool has_passed(size_t i) const { return slots_[i] && slots_[i]->outcome == Outcome::kPass; }

  /// Pairs [first, end).
  struct Share {
    size_t first, end;
  };
  std::optional<Share> next() {
    const std::lock_guard lock(mutex_);
    if (has_ended() || next_ + 1 == begins_.size()) return std::nullopt;
    ++next_;
    return Share{begins_[next_ - 1], begins_[next_]};
  }

  bool stopped() {
    const std::lock_guard lock(mutex_);
    return has_ended();
  }

  /// Ends the run. Later calls do not replace the reason.
  void fail(const std::string& why) {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    if (harness_error_.empty()) harness_error_ = why;
  }

  /// Call it when the verdict of pair `i` is known, before the search for its cause.
  void judged(size_t i, Verdict verdict) {
    const std::lock_guard lock(mutex_);
    if (has_ended() && !ended_by_.empty()) return;
    judged_[i] = 1;
    if (options_.ledger != nullptr) options_.ledger->expect(verdict);
    if (options_.on_judged) options_.on_judged(verdict);
  }

  void deliver(size_t i, Verdict verdict) {
    const std::lock_guard lock(mutex_);
    // the signal that ended the run may also have ended this call
    if (has_ended() && !ended_by_.empty() && judged_[i] == 0) return;
    if (options_.ledger != nullptr) options_.ledger->expect(verdict);
    losses_in_a_row_ = verdict.device_lost ? losses_in_a_row_ + 1 : 0;
    constexpr int kMostLosses = 3;
    if (losses_in_a_row_ >= kMostLosses) stopped_ = true;
    slots_[i] = std::move(verdict);
    if (is_late_[i] && i < shown_ && options_.on_verdict) options_.on_verdict(*slots_[i]);
    for (; shown_ < slots_.size() && (slots_[shown_] || is_late_[shown_]); ++shown_) {
      if (slots_[shown_] && options_.on_verdict) options_.on_verdict(*slots_[shown_]);
    }
  }

  RunResult result() && {
    RunResult result;
    result.harness_error = harness_error_;
    for (std::optional<Verdict>& slot : slots_) {
      if (!slot) {
        result.ended_by = ended_by_;
        continue;
      }
      // before the end, on_verdict was called only for verdicts before the first pair that has none
      if (size_t(&slot - slots_.data()) >= shown_ && options_.on_verdict) options_.on_verdict(*slot);
      result.device_lost |= slot->device_lost;
      result.verdicts.push_back(std::move(*slot));
    }
    return result;
  }

 private:
  /// The caller must hold the lock.
  bool has_ended() {
    const char* const by = ended_by_.empty() && options_.ended ? options_.ended() : nullptr;
    if (by != nullptr) ended_by_ = by, stopped_ = true;
    return stopped_;
  }

  std::mutex mutex_;
  std::vector<std::optional<Verdict>> slots_;
  std::vector<bool> is_late_;
  std::vector<char> judged_;  ///< 1 if the pair's verdict was passed to judged() before the run ended
  std::vector<size_t> begins_;  ///< first pair of each share, and the end of the last share
  const RunOptions& options_;
  size_t next_ = 0, shown_ = 0;
  int losses_in_a_row_ = 0;
  bool stopped_ = false;
  std::string harness_error_;
  std::string ended_by_;
};

Verdict verdict_of(const Pair& pair, const Backend& backend, const CaseOptions& options, DataMemory& memory) {
  if (pair.kernel != nullptr) return run_case(*pair.op, *pair.one, *pair.kernel, backend, options, &memory);
  Verdict skip = blank_verdict(*pair.one, "", backend.name);
  skip.outcome = Outcome::kSkip;
  skip.offered = false;
  skip.message = pair.why_skipped;
  return skip;
}

/// The options for pair `i`, which report its verdict before the search for its cause.
CaseOptions options_of(size_t i, const RunOptions& options, Progress& progress) {
  CaseOptions each = options.each;
  each.judged = [&progress, i](const Verdict& verdict) { progress.judged(i, verdict); };
  return each;
}

/// Runs the first case of each Row. Then makes calls that alternate between this case and those other cases of the Row that
/// passed.
void run_rows(const std::vector<Pair>& pairs, const std::vector<Row>& rows, const Backend& backend, const RunOptions& options,
              Progress& progress) {
  struct Memory {
    DataMemory data, answers;
  };
  std::map<std::string, Memory> memories;  // kernels of an op share these, since they mostly have the same cases
  constexpr int kLeastShare = 25;          // 5 * 5 calls: each of five cases directly follows each of the five once
  int calls = options.calls_in_a_row;
  if (const int share = options.calls_in_rows / std::max(1, int(rows.size())); options.calls_in_rows > 0)
    calls = std::min(calls, std::max(kLeastShare, share));
  for (const Row& row : rows) {
    if (progress.stopped()) return;
    const Pair& first = pairs[row.front()];
    std::vector<CaseInRow> cases;
    for (const size_t i : row) {
      if (i != row.front() && !progress.has_passed(i)) continue;
      if ((cases.size() + 1) * (cases.size() + 1) > size_t(calls)) break;  // too few calls for each case to follow each other case
      Memory& memory = memories[pairs[i].one->data_id()];
      cases.push_back({pairs[i].one, &memory.data, &memory.answers});
    }
    CaseOptions each = options_of(row.front(), options, progress);
    if (cases.size() > 1)
      each.in_a_row = [&] { return calls_in_a_row(*first.op, *first.kernel, backend, cases, calls, each.schedule_seed); };
    progress.deliver(row.front(), verdict_of(first, backend, each, *cases.front().data));
  }
}

}  // namespace

RunResult run_all(std::span<const Op> ops, const std::vector<Case>& cases, const Backend& backend, const RunOptions& options) {
  const std::vector<KernelOffer> kernels = chosen_kernels(backend.library, options.kernel_glob);
  const std::vector<Pair> pairs = pairs_of(ops, cases, kernels);

  std::mutex call_mutex;  // calls take turns, so that the measured time of a call contains no other call
  Backend one_at_a_time = backend;
  one_at_a_time.call = [&](const CallRequest& request) {
    const std::lock_guard lock(call_mutex);
    return backend.call(request);
  };
  if (backend.watched_call)
    one_at_a_time.watched_call = [&](const CallRequest& request, uint32_t first, const std::vector<CodeStep>& steps) {
      const std::lock_guard lock(call_mutex);
      return backend.watched_call(request, first, steps);
    };

  const std::vector<Row> rows = options.calls_in_a_row > 0 ? rows_of(pairs) : std::vector<Row>();
  Progress progress(pairs, rows, options);
  const auto reported = [&](auto part) {
    try {
      part();
    } catch (const HarnessError& error) {
      progress.fail(error.what());
    }
  };
  const auto work = [&] {
    reported([&] {
      while (const std::optional<Progress::Share> share = progress.next()) {
        DataMemory memory;
        for (size_t i = share->first; i < share->end && !progress.stopped(); ++i)
          if (!progress.is_late(i))
            progress.deliver(i, verdict_of(pairs[i], one_at_a_time, options_of(i, options, progress), memory));
      }
    });
  };
  const auto work_last = [&] { reported([&] { run_rows(pairs, rows, one_at_a_time, options, progress); }); };
  // Cases are checked in blocks on the same thread pool, so there are never more threads than cores.
  const int threads = std::min(options.threads, oneapi::tbb::info::default_concurrency());
#ifdef __SANITIZE_THREAD__
  parallel_loop(threads, [&](int64_t) { work(); });
  work_last();
#else
  oneapi::tbb::task_arena arena(threads);
  arena.execute([&] { oneapi::tbb::parallel_for(0, threads, [&](int) { work(); }, oneapi::tbb::simple_partitioner()); });
  arena.execute(work_last);
#endif
  return std::move(progress).result();
}

int64_t RunResult::count(Outcome outcome) const {
  return std::count_if(verdicts.begin(), verdicts.end(), [&](const Verdict& v) { return v.outcome == outcome; });
}

int64_t RunResult::unexpected() const {
  return std::count_if(verdicts.begin(), verdicts.end(), [](const Verdict& v) { return !as_expected(v); });
}

int64_t RunResult::judged() const {
  return std::count_if(verdicts.begin(), verdicts.end(), [](const Verdict& v) { return v.outcome != Outcome::kSkip; });
}

ExitCode RunResult::exit_code() const {
  if (!harness_error.empty()) return kHarnessFailed;
  if (device_lost) return kDeviceLost;
  if (judged() == 0 && !(gate && unexpected() > 0)) return kUsageOrNothingRan;
  if (rejects_stale_rows && !stale_rows.empty()) return kUnexpected;
  return unexpected() == 0 && !(gate && !gate->gaps.empty()) ? kAllAsExpected : kUnexpected;
}

}  // namespace assay
