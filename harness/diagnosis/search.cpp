// Finds why a kernel's outputs are wrong: tries the mutants of the contract, alone and in pairs, within a budget of work.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/expectation.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/input_edits.h"

namespace assay {
namespace {

// Zeros of the wrong sign: a mistake that is possible under every contract.

/// Whether -0 and +0 have adjacent ordinals. False for a format with a single zero.
bool has_two_zeros(const Format& format) {
  return format.has_sign() && decode(format, code_from_ordinal(format, ordinal(format, 0) - 1)) == 0;
}

/// Which zeros are accepted where the contract expects a zero.
enum class Zeros {
  kEither,        ///< both signs
  kMinusForPlus,  ///< both signs where +0 is expected
  kPlusForMinus,  ///< both signs where -0 is expected
  kOtherSign      ///< -0 where +0 is expected, and +0 where -0 is expected
};

void accept_zeros(Zeros zeros, const Format& format, AcceptedRows& rows) {
  if (!has_two_zeros(format)) return;
  const int32_t plus = ordinal(format, 0), minus = plus - 1;
  if (rows.high.empty()) rows.high = rows.low;
  for (size_t i = 0; i < rows.low.size(); ++i) {
    int32_t &low = rows.low[i], &high = rows.high[i];
    if (zeros == Zeros::kOtherSign) {
      if (low == high && (low == plus || low == minus)) low = high = low == plus ? minus : plus;
      continue;
    }
    if (low == plus && zeros != Zeros::kPlusForMinus) low = minus;
    if (high == minus && zeros != Zeros::kMinusForPlus) high = plus;
  }
}

/// The contract's answers, with the accepted zeros replaced as `zeros` says.
Expectation with_zeros(Zeros zeros, const Expectation& right) {
  Expectation edited = right;
  for (Answer& answer : edited.any_of) {
    std::vector<const Format*> formats;
    for (const Part& part : answer.parts) formats.push_back(part.format);
    const auto with = [formats, zeros](AcceptedBlock block) {
      for (size_t p = 0; p < block.parts.size(); ++p) accept_zeros(zeros, *formats[p], block.parts[p]);
      return block;
    };
    answer.accepted = [accepted = answer.accepted, with](int64_t first, int64_t end) { return with(accepted(first, end)); };
    answer.glimpse = nullptr;
    answer.enough_for = nullptr;
    if (answer.of_columns)
      answer.of_columns = [of_columns = answer.of_columns, with](int64_t first, int64_t end, int64_t first_column,
                                                                 int64_t end_column) {
        return with(of_columns(first, end, first_column, end_column));
      };
  }
  return edited;
}

// Limits of the search.

constexpr const char* kZerosOfOtherSign = "zeros: of the other sign";
constexpr size_t kWorthNaming = 3, kMostTies = 16;
/// Pairs are tried with at most kMostFirsts first members, and only if all Memberships fit into kMostKept bytes.
constexpr int64_t kMostFirsts = 12, kMostKept = int64_t{1} << 26;
/// A wrong read of an input must explain at least this many failing elements.
constexpr int64_t kFewestMisread = 8;
/// An edit of an input is compared on this number of steps (rows or groups) first, and on all of them if it fits there.
constexpr int64_t kStepsOfGlance = 4;
/// in_some_places() tries at most this number of wrong reads.
constexpr size_t kMostAlmost = 64;
/// If causes were searched in a part of the sample, this number of the best ones are then compared with the whole sample.
constexpr size_t kMostConfirmed = 6;

/// Work of one element of a sample, over all answers: doubled if only some columns are computed, since sums then begin anew.
int64_t work_of_element(const Expectation& right, const Sample& sample) {
  return int64_t(right.any_of.size()) * work_of_element(right.any_of.front()) * (sample.columns.empty() ? 1 : 2);
}

/// `some` of the numbers, evenly spread.
std::vector<int64_t> spread(const std::vector<int64_t>& numbers, int64_t some) {
  std::vector<int64_t> chosen;
  const auto all = int64_t(numbers.size());
  for (int64_t i = 0; i < std::min(some, all); ++i) chosen.push_back(numbers[size_t(i * all / std::min(some, all))]);
  return chosen;
}

/// Indices of the column ranges of a sample in which elements are outside. The answer must have one part.
std::set<size_t> failing_columns(const Sample& sample, const Answer& answer, const Memberships& found) {
  std::set<size_t> failing;
  size_t i = 0;
  for (const SampleBlock& block : blocks_of(sample, answer)) {
    const Part& part = answer.parts.front();
    const auto [first, end] = part.rows_of_steps(block.steps.first, block.steps.end);
    for (int64_t row = first; row < end; ++row)
      for (int64_t column = block.columns.first; column < block.columns.end; ++column)
        if (found.parts.front()[i++] == Membership::kOutside)
          for (size_t range = 0; range < sample.columns.size(); ++range)
            if (sample.columns[range].first <= column && column < sample.columns[range].end) failing.insert(range);
  }
  return failing;
}

/// A part of the sample `wide` with about `room` elements. Half of its steps (and of its column ranges, if any) have failures.
Sample narrowed(const Sample& wide, const Answer& answer, const Memberships& contract, int64_t room) {
  constexpr int64_t kFewestSteps = 2, kFewestColumns = 2;
  std::vector<int64_t> failing, good;
  for (const StepRange& range : wide.steps)
    for (int64_t step = range.first; step < range.end; ++step)
      (contract.outside_steps.contains(step) || contract.violated_steps.contains(step) ? failing : good).push_back(step);
  const auto steps = int64_t(failing.size() + good.size());
  const int64_t of_step = std::max<int64_t>(1, contract.elements() / std::max<int64_t>(1, steps));
  const int64_t wanted = std::clamp(room / of_step, std::min(kFewestSteps, steps), steps);
  const int64_t of_good = std::min(int64_t(good.size()), std::max(wanted / 2, wanted - int64_t(failing.size())));
  Sample few = wide;
  few.steps.clear();
  std::set<int64_t> chosen;
  for (const int64_t step : spread(failing, wanted - of_good)) chosen.insert(step);
  few.failing = int64_t(chosen.size());
  for (const int64_t step : spread(good, of_good)) chosen.insert(step);
  few.good = int64_t(chosen.size()) - few.failing;
  for (const int64_t step : chosen) few.steps.push_back({step, step + 1});
  const auto groups = int64_t(wide.columns.size());
  const int64_t wanted_groups = std::max(kFewestColumns, groups * room / std::max<int64_t>(1, of_step * wanted));
  if (wanted_groups >= groups) return few;
  std::vector<int64_t> failing_groups, good_groups;
  const std::set<size_t> fails = failing_columns(wide, answer, contract);
  for (int64_t i = 0; i < groups; ++i) (fails.contains(size_t(i)) ? failing_groups : good_groups).push_back(i);
  const int64_t of_good_groups =
      std::min(int64_t(good_groups.size()), std::max(wanted_groups / 2, wanted_groups - int64_t(failing_groups.size())));
  std::set<int64_t> columns;
  for (const int64_t i : spread(failing_groups, wanted_groups - of_good_groups)) columns.insert(i);
  for (const int64_t i : spread(good_groups, of_good_groups)) columns.insert(i);
  few.columns.clear();
  for (const int64_t i : columns) few.columns.push_back(wide.columns[size_t(i)]);
  return few;
}

/// A hypothesis and its comparison with the outputs.
struct Tried {
  Hypothesis hypothesis;
  Memberships held;
  MembershipCounts result;
};

/// Half of the budget is for single hypotheses. The rest is for edits of inputs, for pairs and for confirm(), except an eighth,
/// which is kept for the patterns of wrong_part.h.
class Search {
 public:
  Search(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs, const Expectation& right,
         const Sample& wide, WorkBudget& budget)
      : bound_(bound),
        problem_(problem),
        outputs_(outputs),
        right_(right),
        budget_(budget),
        kept_for_others_(budget.left() / 2),
        kept_for_patterns_(budget.left() / 8),
        wide_(wide),
        sample_(wide),
        contract_(memberships(right, outputs, wide)) {
    std::vector<Hypothesis> hypotheses = bound.mutants();
    std::erase_if(hypotheses, [](const Hypothesis& one) { return !one.equivalent.empty(); });
    // Suspects (Hypothesis::suspect) go last: a mutant that explains as much as a suspect does must come before it.
    std::stable_partition(hypotheses.begin(), hypotheses.end(), [](const Hypothesis& one) { return !one.suspect; });
    std::set<std::string> names;
    std::erase_if(hypotheses, [&](const Hypothesis& one) { return !names.insert(one.name).second; });
    narrow(int64_t(hypotheses.size()));
    const bool has_pairs = most_firsts(int64_t(hypotheses.size())) > 0;
    int64_t untried = 0;
    for (Hypothesis& hypothesis : hypotheses) {
      if (!budget_.take(work(contract_), kept_for_others_)) {
        ++untried;
        continue;
      }
      Memberships held = memberships(hypothesis.expect(problem, &outputs), outputs, sample_);
      const MembershipCounts result = tally(contract_, held);
      alone_.push_back({std::move(hypothesis), has_pairs ? std::move(held) : Memberships(), result});
    }
    if (untried > 0)
      budget_.leave_out(std::to_string(untried) + " of " + std::to_string(hypotheses.size()) + " mutants were not tried");
  }

  /// Wrong reads that explain every wrong element, but fewer than kFewestMisread. Other cases must show which of them is right.
  const std::vector<std::string>& few() const { return few_; }

  std::vector<Cause> causes() {
    int64_t least_left = tally(contract_, contract_).failing;
    for (const Tried& tried : alone_) {
      if (!worth_naming(tried.result, tried.hypothesis)) continue;
      const Hypothesis& hypothesis = tried.hypothesis;
      // There are many suspects. If the data repeat, one of them often fits most elements by chance.
      if (hypothesis.suspect && tried.result.left() > 0) continue;
      least_left = std::min(least_left, tried.result.left());
      found_.push_back({cause_of(tried.result, {mistake(hypothesis, tried.result.explained)}), hypothesis.expect, hypothesis.suspect});
    }
    if (least_left > 0) stored_alone();
    wrong_zeros();
    // Suspects name blocks and tiles of one size; a wrong address may explain cases of all sizes.
    const bool only_suspects = std::all_of(found_.begin(), found_.end(), [](const Found& one) { return one.cause.left() > 0 || one.of_suspect; });
    const bool of_sum = std::any_of(found_.begin(), found_.end(), [](const Found& one) {
      return one.cause.left() == 0 && one.cause.mistakes.front().name.find("sum: it starts ") != std::string::npos;
    });
    edited_inputs(least_left == 0, only_suspects, only_suspects && of_sum);
    if (found_.empty() || found_.front().cause.left() > 0) read_beside_behind_sums();
    if (std::none_of(found_.begin(), found_.end(), [](const Found& one) { return one.cause.left() == 0; })) in_some_places();
    for (const Found& found : found_) least_left = std::min(least_left, found.cause.left());
    if (least_left > 0 && !in_a_situation())
      for (const Tried* first : firsts()) pairs_from(*first);
    sort();
    confirm();
    std::vector<Cause> causes;
    for (Found& found : found_) causes.push_back(std::move(found.cause));
    return causes;
  }

 private:
  /// A cause, and the outputs that it predicts. Causes of stored_alone(), in_some_places() and is_read_beside() have no `expect`.
  struct Found {
    Cause cause;
    std::function<Expectation(const Problem&, const std::vector<HostTensor>*)> expect;
    bool of_suspect = false;  ///< the mistake is a Hypothesis::suspect
  };

  /// Work of comparing a hypothesis with the outputs. Raw bytes that the call must not change cost little, and there may be many
  /// of them, such as the slots of a cache that the call does not write.
  int64_t work(const Memberships& compared) const {
    constexpr int64_t kBytesAtOnce = 8;
    const std::vector<Part>& parts = right_.any_of.front().parts;
    int64_t elements = 0;
    for (size_t p = 0; p < parts.size(); ++p) {
      const auto count = int64_t(compared.parts[p].size());
      elements += parts[p].format->specials == Specials::kBits ? count / kBytesAtOnce : count;
    }
    return (1 + elements) * work_of_element(right_, sample_);
  }

  void sort() {
    std::stable_sort(found_.begin(), found_.end(),
                     [](const Found& a, const Found& b) {
                       const auto key = [](const Cause& cause) { return std::tuple(cause.left(), cause.is_symptom(), cause.open); };
                       return key(a.cause) < key(b.cause);
                     });
  }

  /// Reduces the sample to a part of it, if the budget does not suffice to compare all hypotheses with the whole sample.
  void narrow(int64_t hypotheses) {
    const Answer& answer = right_.any_of.front();
    const int64_t room = (budget_.left() - kept_for_others_) / ((hypotheses + 1) * work_of_element(right_, sample_));
    if (answer.ready || contract_.elements() <= room) return;
    Sample few = narrowed(sample_, answer, contract_, room);
    Memberships in_few = memberships(right_, outputs_, few);
    if (tally(in_few, in_few).failing == 0 || in_few.elements() == contract_.elements()) return;
    in_wide_ = std::move(contract_);
    contract_ = std::move(in_few);
    sample_ = std::move(few);
    const std::string columns =
        sample_.columns.size() < wide_.columns.size()
            ? ", in " + std::to_string(sample_.columns.size()) + " of " + std::to_string(wide_.columns.size()) + " runs of columns"
            : "";
    const auto steps = [](const Sample& of) { return std::to_string(of.failing + of.good); };
    narrowed_to_ = "the search for causes covered " + steps(sample_) + " of " + (wide_.is_everything() ? std::to_string(wide_.of) : steps(wide_)) +
                   (wide_.is_everything() ? " rows" : " of these rows") + columns;
  }

  /// After a search in a part of the sample: compares the best causes with the whole sample, and drops causes that it refutes.
  /// Counts then refer to the whole sample. If the budget is spent, they still refer to the part.
  void confirm() {
    if (narrowed_to_.empty()) return;
    std::vector<Found> confirmed;
    for (size_t i = 0; i < std::min(kMostConfirmed, found_.size()); ++i) {
      if (!found_[i].expect) {  // from stored_alone(): rejects right outputs, so it is not compared again
        confirmed.push_back(found_[i]);
        continue;
      }
      if (!budget_.take((1 + in_wide_.elements()) * work_of_element(right_, wide_), kept_for_patterns_)) break;
      const MembershipCounts result = tally(in_wide_, memberships(found_[i].expect(problem_, &outputs_), outputs_, wide_));
      Found found = found_[i];
      found.cause.failing = result.failing, found.cause.explained = result.explained;
      found.cause.contradicted = result.contradicted, found.cause.open = result.open;
      if (found.cause.mistakes.size() == 1) found.cause.mistakes.front().needed = result.explained;
      if (result.counts()) confirmed.push_back(std::move(found));
      else found_[i].cause.explained = 0;
    }
    std::erase_if(found_, [](const Found& one) { return one.cause.explained == 0; });
    if (confirmed.empty()) {
      budget_.leave_out(narrowed_to_);
      return;
    }
    found_ = std::move(confirmed);
    sort();
  }

  /// Finds mutants that explain the stored scales, while the other outputs are right: the kernel used right scales, and spoilt
  /// them when it stored them, for example by another rounding or packing.
  void stored_alone() {
    constexpr int64_t kFewest = 8;
    const std::vector<Part>& parts = right_.any_of.front().parts;
    for (size_t p = 0; p < parts.size(); ++p) {
      const auto& found = contract_.parts[p];
      const bool fails = std::find(found.begin(), found.end(), Membership::kOutside) != found.end();
      if (fails && !parts[p].tensor.starts_with("scale")) return;
    }
    for (const Tried& tried : alone_) {
      MembershipCounts result = tried.result;
      if (result.contradicted == 0 || result.contradicted != result.contradicted_beside) continue;
      result.contradicted = 0;
      if (result.explained < kFewest || result.left() > 0) continue;
      Mistake stored = mistake(tried.hypothesis, result.explained);
      stored.words = "only the stored scale is wrong, the other outputs use the right scale: " + stored.words;
      found_.push_back({cause_of(result, {stored}), nullptr});
    }
  }

  /// Detects causes that are not mutants: wrong reads of an input (input_edits.h), tried from simple to complex. Once an edit
  /// explains every wrong element, later edits of that input alone are skipped. `plain`: tries only reads of the neighbouring
  /// element or row, which may explain the outputs as well as a mutant does. `general`: and wrong addresses. `sums`: and columns
  /// that a sum leaves out.
  void edited_inputs(bool plain, bool general, bool sums) {
    const Answer& answer = right_.any_of.front();
    const Sample few =
        narrowed(sample_, answer, contract_, kStepsOfGlance * contract_.elements() / std::max<int64_t>(1, steps_of(sample_)));
    const Memberships glance = memberships(right_, outputs_, few);
    const bool glances = !answer.ready && few.columns.size() == sample_.columns.size() && tally(glance, glance).failing > 0 &&
                         glance.elements() < contract_.elements();
    std::vector<InputEdit> edits = input_edits(problem_, answer.products);
    if (plain) {
      std::erase_if(edits, [&](const InputEdit& edit) {
        return !edit.plain && !(general && edit.general && !edit.late) && !(sums && edit.leaves_out);
      });
    } else {  // before the other edits, because there are few of them
      std::vector<InputEdit> unset = unset_edits(problem_);
      edits.insert(edits.begin(), std::make_move_iterator(unset.begin()), std::make_move_iterator(unset.end()));
    }
    size_t tried = 0;
    std::set<size_t> explained;  // inputs of which one edit explains every wrong element
    std::set<std::pair<size_t, std::vector<bool>>> left_out;
    for (const InputEdit& edit : edits) {
      const bool of_one = edit.also.empty() && edit.with.empty();
      if (explained.contains(edit.tensor) && of_one && ++tried) continue;
      const int64_t copied = problem_.tensors[edit.tensor].spec.elements() / 4;
      if (!budget_.take(copied + work(glances ? glance : contract_), kept_for_patterns_)) break;
      ++tried;
      try {
        const auto changed = std::make_shared<const Problem>(edit.applied(problem_));
        const auto expect = [this, changed](const Problem&, const std::vector<HostTensor>* outputs) {
          return bound_.expect(*changed, outputs);
        };
        const Expectation expected = expect(problem_, &outputs_);
        if (expected.any_of.empty()) continue;
        if (glances) {
          const MembershipCounts some = judged(edit, glance, memberships(expected, outputs_, few), few);
          const bool in_places = some.explained == some.failing && some.failing >= kFewestMisread;
          if (2 * some.explained < some.failing || some.failing == 0 || (some.contradicted > some.explained && !in_places))
            continue;
          if (!budget_.take(work(contract_), kept_for_patterns_)) break;
        }
        Memberships held = memberships(expected, outputs_, sample_);
        const MembershipCounts result = judged(edit, contract_, held, sample_);
        if (!edit.leaves_out && result.explained > 0 && result.explained < kFewestMisread && result.left() == 0 &&
            result.open == 0)
          few_.push_back(edit.name);
        if (result.explained < (edit.leaves_out ? 1 : kFewestMisread) || by_chance(edit, edits.size())) continue;
        const Hypothesis hypothesis{edit.name, expect};
        if (!edit.leaves_out && !edit.filled && !edit.is_everywhere && result.explained == result.failing &&
            result.contradicted > 0 && almost_.size() < kMostAlmost)
          almost_.push_back({hypothesis, std::move(held), result});
        // Where data repeat, most edits explain some of the wrong elements by chance. So an edit other than the plain ones must
        // explain all of them, or nine tenths if it leaves columns out.
        if (!edit.plain && (edit.leaves_out ? 10 * result.explained < 9 * result.failing : result.left() > 0)) continue;
        if (!result.counts() || result.contradicted > 0 || (!edit.leaves_out && !worth_naming(result, hypothesis))) continue;
        if (!data_tell(edit, problem_, *changed) || misread_where_left_out(edit)) continue;
        if (edit.filled && !shows_fill(expected)) continue;
        // If a sum may lack some columns, other columns may fit as well: then the data cannot tell which columns it lacks.
        if (result.left() == 0 && !edit.general && !edit.leaves_out) explained.insert(edit.tensor);
        if (edit.leaves_out && !is_new(edit, left_out)) continue;
        found_.push_back(
            {cause_of(result, {{edit.name, edit.name, result.explained, of_one ? problem_.tensors[edit.tensor].spec.name : "",
                                bool(edit.code), bool(edit.leaves_out)}}),
             expect});
      } catch (const std::exception&) {  // the op refuses such an input
        continue;
      }
    }
    if (tried < edits.size())
      budget_.leave_out(std::to_string(edits.size() - tried) + " of " + std::to_string(edits.size()) +
                        " wrong reads of inputs were not tried");
  }

  /// Whether the outputs show that an input was never set. `expected`: the outputs that this would give. Wrong zeros and NaN do not
  /// show it, because many mistakes give them; nor do wide intervals, which the huge numbers of the fill may cause.
  bool shows_fill(const Expectation& expected) const {
    constexpr int64_t kMostCodes = 4;
    const Answer &contract = right_.any_of.front(), &other = expected.any_of.front();
    if (contract.parts.size() != other.parts.size() || contract.steps != other.steps) return false;
    for (size_t p = 0; p < contract.parts.size(); ++p)
      if (contract.parts[p].shape != other.parts[p].shape) return false;
    int64_t telling = 0, vague = 0;
    for_each_of_both(contract, other, [&](size_t p, int64_t row, int64_t column, Interval accepted, Interval predicted) {
      const std::optional<double> held = wrong_number(contract.parts[p], row, column, accepted);
      if (!held) return;
      const bool narrow = !predicted.any() && int64_t(predicted.high) - int64_t(predicted.low) < kMostCodes;
      if (!narrow)
        ++vague;
      else if (*held != 0 && !std::isnan(*held))
        ++telling;
    });
    return telling >= kFewestMisread && telling >= 3 * vague;
  }

  /// The number that an element of the sample holds if it is outside `accepted`; else nothing.
  std::optional<double> wrong_number(const Part& part, int64_t row, int64_t column, Interval accepted) const {
    const HostTensor& tensor = tensor_of(outputs_, part);
    const int64_t offset = part.offset(row, column), stored = stored_elements(part, tensor);
    if (offset < 0 || offset >= stored || membership(part, tensor, stored, offset, accepted) != Membership::kOutside) return std::nullopt;
    return decode(*part.format, load_code(part, tensor, offset));
  }

  /// Calls visit(part, row, column, accepted, predicted) for each element of the sample, with its intervals under two answers that
  /// have the same steps. Parts of different shapes are left out.
  template <class Visit>
  void for_each_of_both(const Answer& contract, const Answer& other, Visit visit) const {
    for (const SampleBlock& at : blocks_of(sample_, contract)) {
      const AcceptedBlock of_contract = accepted_in(at, contract), of_other = accepted_in(at, other);
      for (size_t p = 0; p < contract.parts.size(); ++p) {
        const Part& part = contract.parts[p];
        if (part.shape != other.parts[p].shape) continue;
        std::vector<Interval> predicted;
        for_each_element(at, part, of_other.parts[p], [&](int64_t, int64_t, Interval one) { predicted.push_back(one); });
        size_t i = 0;
        for_each_element(at, part, of_contract.parts[p], [&](int64_t row, int64_t column, Interval accepted) {
          visit(p, row, column, accepted, predicted[i++]);
        });
      }
    }
  }

  /// Finds hypotheses that explain every wrong element, but also reject right ones. The mistake then occurs only in some
  /// positions, for example in the tail of a row, or for large inputs. places_apart() or input_range_apart() must describe them.
  void in_some_places() {
    const Answer& answer = right_.any_of.front();
    if (!narrowed_to_.empty() || !sample_.columns.empty() || steps_of(sample_) != answer.steps) return;
    size_t failing_parts = 0, part = 0;
    for (size_t p = 0; p < contract_.parts.size(); ++p)
      if (std::find(contract_.parts[p].begin(), contract_.parts[p].end(), Membership::kOutside) != contract_.parts[p].end())
        ++failing_parts, part = p;
    if (failing_parts > 1 && answer.products == 1) in_some_groups();
    if (failing_parts != 1 || contract_.parts[part].size() != size_t(answer.parts[part].elements())) return;
    for (const Tried& tried : alone_) {
      const MembershipCounts& result = tried.result;
      if (result.explained != result.failing || result.contradicted == 0 || result.contradicted_beside > 0) continue;
      if (!budget_.take(work(contract_), kept_for_patterns_)) return;
      const Memberships held =
          tried.held.parts.empty() ? memberships(tried.hypothesis.expect(problem_, &outputs_), outputs_, sample_) : tried.held;
      add_in_places(tried.hypothesis.name, result, held.parts[part], part);
    }
    // A mutant says more than a wrong read with the same effect: "the rotation is dropped", not "another position is read".
    const bool by_mutant =
        std::any_of(found_.begin(), found_.end(), [](const Found& one) { return !one.expect && one.cause.left() == 0; });
    if (!by_mutant)
      for (const Tried& tried : almost_) add_in_places(tried.hypothesis.name, tried.result, tried.held.parts[part], part);
    // If many wrong reads of one tensor fit, its data repeat, so none of them means anything.
    constexpr int64_t kMostOfATensor = 2;
    const auto tensor_of_name = [](const Found& one) {
      return one.cause.mistakes.front().name.substr(0, one.cause.mistakes.front().name.find(": "));
    };
    std::map<std::string, int64_t> fits;
    const auto is_input = [&](const std::string& name) {
      return std::any_of(problem_.tensors.begin(), problem_.tensors.end(), [&](const HostTensor& one) {
        return one.spec.name == name && access_of(one) != Access::kOut;
      });
    };
    for (const Found& one : found_)
      if (!one.expect && one.cause.left() == 0 && is_input(tensor_of_name(one))) ++fits[tensor_of_name(one)];
    std::erase_if(found_, [&](const Found& one) {
      return !one.expect && one.cause.left() == 0 && fits[tensor_of_name(one)] > kMostOfATensor;
    });
  }

  /// As in_some_places(), for outputs whose groups have one scale each: a wrong scale makes all elements of its group wrong.
  void in_some_groups() {
    for (const Tried& tried : alone_) {
      MembershipCounts result = tried.result;
      if (result.explained != result.failing || result.contradicted == 0 || result.open > 0 || result.explained < kFewestMisread)
        continue;
      if (!budget_.take(2 * work(contract_), kept_for_patterns_)) return;
      const Memberships held =
          tried.held.parts.empty() ? memberships(tried.hypothesis.expect(problem_, &outputs_), outputs_, sample_) : tried.held;
      const std::string where = groups_apart(right_.any_of.front(), contract_, held, problem_);
      if (where.empty()) continue;
      result.contradicted = result.contradicted_beside = 0;
      const std::string& name = tried.hypothesis.name;
      found_.push_back({cause_of(result, {{name, name + where, result.explained}}), nullptr});
    }
  }

  void add_in_places(const std::string& name, MembershipCounts result, const std::vector<Membership>& held, size_t p) {
    const Part& part = right_.any_of.front().parts[p];
    const std::vector<Membership>& contract = contract_.parts[p];
    const int64_t kFewestWrong = part.format->bits > 8 ? 8 : 24;  // half of 8-bit codes may fit by chance
    constexpr int64_t kFewestRight = 4;
    constexpr size_t kFewestCodes = 4;
    if (result.explained < kFewestWrong || result.contradicted < kFewestRight) return;
    std::vector<int64_t> wrong, right;  // elements that need the hypothesis, and elements that it would make wrong
    std::set<uint32_t> codes;
    const HostTensor& tensor = tensor_of(outputs_, part);
    for (int64_t i = 0; i < int64_t(contract.size()); ++i) {
      if (contract[size_t(i)] == Membership::kOutside) {
        wrong.push_back(i);
        if (codes.size() < kFewestCodes)
          codes.insert(load_code(part, tensor, part.offset(i / part.columns(), i % part.columns())));
      } else if (held[size_t(i)] == Membership::kOutside) {
        right.push_back(i);
      }
    }
    if (codes.size() < kFewestCodes) return;
    std::string places = places_apart(wrong, right, part.columns());
    if (places.empty() && right_.any_of.front().products == 1)
      if (const std::string range = input_range_apart(wrong, right, part, problem_); !range.empty())
        places = ", only where " + range;
    if (places.empty()) return;
    result.contradicted = result.contradicted_beside = 0;
    found_.push_back({cause_of(result, {{name, name + places, result.explained}}), nullptr});
  }

  /// Detects a wrong index after a sum or maximum: each output element is computed from its neighbour's input, but with the right
  /// sum. To model this, inputs are swapped in pairs: no sum changes, and every second element gets its neighbour's input.
  void read_beside_behind_sums() {
    const Answer& answer = right_.any_of.front();
    if (answer.products > 1 || right_.any_of.size() != 1 || !narrowed_to_.empty() || !sample_.columns.empty()) return;
    constexpr int64_t kFewestColumns = 16;
    constexpr int64_t kMostElements = int64_t{1} << 22;  // two changed copies of the tensor are held at once
    for (size_t t = 0; t < problem_.tensors.size(); ++t) {
      const TensorSpec& spec = problem_.tensors[t].spec;
      if (access_of(problem_.tensors[t]) == Access::kOut || spec.format->is_integer() || spec.shape.size() < 2 ||
          spec.elements() == 0 || spec.elements() > kMostElements || spec.shape.back() < kFewestColumns)
        continue;
      for (const int64_t by : {1, -1, 2, -2, 4, -4})
        for (const int64_t period : {64, 32, 16, 8, 4}) {
          if (std::abs(by) * 2 > period || spec.shape.back() < 2 * period) continue;
          const int64_t copied = 2 * spec.elements() / 4;
          if (!budget_.take(copied + 3 * work(contract_), kept_for_patterns_)) return;
          if (is_read_beside(t, by, period)) return;
        }
    }
  }

  /// Tries the hypothesis that element [i, j] is computed from the input at [i, j + by], within vectors of `period` columns. If
  /// it explains everything, adds the cause and returns true.
  bool is_read_beside(size_t tensor, int64_t by, int64_t period) {
    const int64_t away = std::abs(by);
    std::array<Expectation, 2> of_pairs;  // pairs that begin at column 0, or `away` columns later
    std::array<std::shared_ptr<const Problem>, 2> changed;
    try {
      for (const size_t odd : {0, 1}) {
        const InputEdit edit = exchanged_in_pairs(problem_, tensor, away, int64_t(odd) * away, period);
        changed[odd] = std::make_shared<const Problem>(edit.applied(problem_));
        of_pairs[odd] = bound_.expect(*changed[odd], &outputs_);
      }
    } catch (const std::exception&) {  // the op refuses such an input
      return false;
    }
    if (of_pairs[0].any_of.size() != 1 || of_pairs[1].any_of.size() != 1) return false;
    const std::array<Memberships, 2> held = {memberships(of_pairs[0], outputs_, sample_),
                                             memberships(of_pairs[1], outputs_, sample_)};
    Memberships of_contract = contract_, both = contract_;
    const TensorSpec& spec = problem_.tensors[tensor].spec;
    const Answer& answer = right_.any_of.front();
    for_each_place(sample_, [&](size_t p, int64_t, int64_t column, size_t at) {
      const Part& part = answer.parts[p];
      if (part.columns() != spec.shape.back() || part.elements() != spec.elements()) return;
      const bool is_first = column / away % 2 == 0;  // the first of its pair, if pairs begin at column 0
      const bool unknown = column % period + by < 0 || column % period + by >= period;
      both.parts[p][at] = unknown ? Membership::kAnything : held[is_first == (by > 0) ? 0 : 1].parts[p][at];
      if (unknown) of_contract.parts[p][at] = Membership::kAnything;
    });
    of_contract.violated_steps.clear(), both.violated_steps.clear();
    const MembershipCounts result = tally(of_contract, both);
    if (result.failing < kFewestMisread || result.explained < result.failing) return false;
    const std::string name =
        fmt::format("{}: when read again after the sum or maximum, [i, j] is read from [i, j {} {}], within vectors of {}", spec.name,
                    by > 0 ? '+' : '-', away, period);
    if (result.left() == 0) {
      found_.push_back({cause_of(result, {{name, name, result.explained, spec.name}}), nullptr});
      return true;
    }
    // In an op without a sum, an edit of the input has the same effect, and was found already.
    const auto of_tensor = [&](const Tried& one) { return one.hypothesis.name.starts_with(spec.name + ": "); };
    if (std::none_of(almost_.begin(), almost_.end(), of_tensor)) almost_.push_back({{name, nullptr}, std::move(both), result});
    return false;
  }

  /// Calls visit(part, row, column, position in the part of a Memberships) for every element of a sample.
  template <class Visit>
  void for_each_place(const Sample& sample, Visit visit) const {
    const Answer& answer = right_.any_of.front();
    std::vector<size_t> at(answer.parts.size());
    for (const SampleBlock& block : blocks_of(sample, answer))
      for (size_t p = 0; p < answer.parts.size(); ++p) {
        const auto [first, end] = answer.parts[p].rows_of_steps(block.steps.first, block.steps.end);
        const StepRange columns = block.has_all_columns() ? StepRange{0, answer.parts[p].columns()} : block.columns;
        for (int64_t row = first; row < end; ++row)
          for (int64_t column = columns.first; column < columns.end; ++column) visit(p, row, column, at[p]++);
      }
  }

  static int64_t steps_of(const Sample& sample) {
    int64_t steps = 0;
    for (const StepRange& range : sample.steps) steps += range.end - range.first;
    return steps;
  }

  /// Like tally(), but ignores elements that is_judged() excludes for the edit.
  MembershipCounts judged(const InputEdit& edit, const Memberships& contract, Memberships hypothesis,
                          const Sample& sample) const {
    if (!edit.leaves_out && !edit.unknown && !edit.unknown_rows) return tally(contract, hypothesis);
    Memberships of_contract = contract;
    const Answer& answer = right_.any_of.front();
    for_each_place(sample, [&](size_t p, int64_t row, int64_t column, size_t at) {
      if (!is_judged(edit, problem_, answer, answer.parts[p], row, column))
        of_contract.parts[p][at] = hypothesis.parts[p][at] = Membership::kAnything;
    });
    return tally(of_contract, hypothesis);
  }

  /// Whether many of the elements that an edit leaves out of a maximum are too small, or have the wrong sign. If they were missing
  /// from the maximum alone, the scale would be too small and their codes too large; so the kernel misreads them everywhere.
  bool misread_where_left_out(const InputEdit& edit) const {
    constexpr int64_t kFewest = 8;
    const Answer& answer = right_.any_of.front();
    const auto has_scale = [](const Part& part) { return part.tensor.starts_with("scale"); };
    if (!edit.leaves_out || answer.products > 1 || std::none_of(answer.parts.begin(), answer.parts.end(), has_scale) ||
        !budget_.take(work(contract_), kept_for_patterns_))
      return false;
    int64_t wrong = 0, misread = 0;
    for (const SampleBlock& at : blocks_of(sample_, answer)) {
      const AcceptedBlock accepted = accepted_in(at, answer);
      for (size_t p = 0; p < answer.parts.size(); ++p) {
        const Part& part = answer.parts[p];
        for_each_element(at, part, accepted.parts[p], [&](int64_t row, int64_t column, Interval one) {
          if (is_judged(edit, problem_, answer, part, row, column)) return;
          const std::optional<double> held = wrong_number(part, row, column, one);
          if (!held) return;
          const double low = decode(*part.format, code_from_ordinal(*part.format, one.low)),
                       high = decode(*part.format, code_from_ordinal(*part.format, one.high));
          const bool other_sign = low * high > 0 && *held * low < 0;
          ++wrong, misread += other_sign || std::abs(*held) < std::min(std::abs(low), std::abs(high));
        });
      }
    }
    return wrong >= kFewest && 4 * misread > wrong;
  }

  /// Whether no edit in `known` leaves out the same columns of the same input. Adds the edit to `known`.
  bool is_new(const InputEdit& edit, std::set<std::pair<size_t, std::vector<bool>>>& known) const {
    std::vector<bool> columns;
    for (int64_t c = 0; c < problem_.tensors[edit.tensor].spec.shape.back(); ++c) columns.push_back(edit.leaves_out(c));
    return known.emplace(edit.tensor, std::move(columns)).second;
  }

  /// Whether many elements are wrong in rows whose scales are all right. A maximum that leaves out columns does not do that.
  bool wrong_beside_right_scales() const {
    if (wrong_beside_right_scales_) return *wrong_beside_right_scales_;
    constexpr int64_t kFewest = 8;
    const Answer& answer = right_.any_of.front();
    const auto is_scale = [&](size_t p) {
      return answer.parts[p].tensor.starts_with("scale") || answer.parts[p].name.starts_with("scale");
    };
    std::set<int64_t> wrong_scales;
    std::map<int64_t, int64_t> wrong_elements;
    for_each_place(sample_, [&](size_t p, int64_t row, int64_t, size_t at) {
      if (contract_.parts[p][at] != Membership::kOutside) return;
      if (is_scale(p))
        wrong_scales.insert(row);
      else
        ++wrong_elements[row];
    });
    int64_t count = 0;
    for (const auto& [row, wrong] : wrong_elements) count += wrong_scales.contains(row) ? 0 : wrong;
    wrong_beside_right_scales_ = count >= kFewest;
    return *wrong_beside_right_scales_;
  }

  /// Whether an edit that leaves columns out of a maximum may fit by chance. A scale is wrong if the largest element of its group
  /// lies in such a column; the probability of that is `share`.
  bool by_chance(const InputEdit& edit, size_t tried) const {
    if (!edit.leaves_out || wrong_beside_right_scales()) return false;
    const Answer& answer = right_.any_of.front();
    double log_chance = std::log(double(tried));
    bool has_scales = false;
    for (size_t p = 0; p < answer.parts.size(); ++p) {
      if (2 * answer.parts[p].columns() >= problem_.tensors[edit.tensor].spec.shape.back()) continue;
      has_scales = true;
      for (const Membership found : contract_.parts[p])
        log_chance += found == Membership::kOutside ? std::log(edit.share) : std::log1p(-edit.share);
    }
    return has_scales && log_chance > std::log(0.01);
  }

  /// Detects a cause that is not a mutant: every wrong element is a zero of the wrong sign. The kernel stores +0 for each -0, or
  /// -0 for each +0, or both. If only some zeros of a sign changed, and some of the other sign too, the mistake is not about
  /// signs. with_zeros() models each case.
  void wrong_zeros() {
    const auto result_of = [&](Zeros zeros) {
      if (!budget_.take(work(contract_), kept_for_patterns_)) return MembershipCounts();
      return tally(contract_, memberships(with_zeros(zeros, right_), outputs_, sample_));
    };
    const MembershipCounts result = result_of(Zeros::kEither);
    if (result.failing == 0 || result.left() > 0) return;
    const std::array<Zeros, 3> ways = {Zeros::kMinusForPlus, Zeros::kPlusForMinus, Zeros::kOtherSign};
    if (std::none_of(ways.begin(), ways.end(), [&](Zeros zeros) {
          const MembershipCounts one = result_of(zeros);
          return one.failing > 0 && one.left() == 0;
        }))
      return;
    found_.push_back({cause_of(result, {{kZerosOfOtherSign, kZerosOfOtherSign, result.explained}}),
                      [this](const Problem&, const std::vector<HostTensor>*) { return with_zeros(Zeros::kEither, right_); }});
  }

  /// Whether some tensor refutes the hypothesis. Only elements count for which contract and hypothesis accept no common code. If
  /// none of them holds a code of the hypothesis, and at least kFewest hold a code of neither, the tensor refutes it.
  bool refuted(const Hypothesis& hypothesis) const {
    constexpr int64_t kFewest = 4;
    if (!budget_.take(2 * work(contract_), kept_for_patterns_)) return false;
    const Expectation edited = hypothesis.expect(problem_, &outputs_);
    if (edited.any_of.size() != 1 || right_.any_of.size() != 1) return false;
    const Answer &contract = right_.any_of.front(), &other = edited.any_of.front();
    if (contract.parts.size() != other.parts.size() || contract.steps != other.steps) return false;
    std::vector<int64_t> found(contract.parts.size()), neither(contract.parts.size());
    for_each_of_both(contract, other, [&](size_t p, int64_t row, int64_t column, Interval accepted, Interval expected) {
      if (expected.meets(accepted)) return;
      const Part& part = contract.parts[p];
      const HostTensor& tensor = tensor_of(outputs_, part);
      const int64_t offset = part.offset(row, column), stored = stored_elements(part, tensor);
      const bool fails = membership(part, tensor, stored, offset, accepted) == Membership::kOutside;
      const bool holds = membership(part, tensor, stored, offset, expected) == Membership::kInside;
      found[p] += holds, neither[p] += fails && !holds;
    });
    for (size_t p = 0; p < found.size(); ++p)
      if (found[p] == 0 && neither[p] >= kFewest) return true;
    return false;
  }
  bool worth_naming(const MembershipCounts& result, const Hypothesis& hypothesis) const {
    return result.counts() && (result.left() == 0 || !refuted(hypothesis));
  }

  Mistake mistake(const Hypothesis& hypothesis, int64_t needed) const {
    return {hypothesis.name, hypothesis.in_words ? hypothesis.in_words(outputs_) : hypothesis.name, needed};
  }

  static Cause cause_of(const MembershipCounts& result, std::vector<Mistake> mistakes) {
    return {std::move(mistakes), result.failing, result.explained, result.contradicted, result.open};
  }

  /// The number of hypotheses that the rest of the budget allows as first members of pairs, each with all others as the second.
  int64_t most_firsts(int64_t hypotheses) const {
    if (contract_.elements() * hypotheses > kMostKept) return 0;
    const int64_t left = std::max<int64_t>(0, budget_.left() - kept_for_patterns_);
    return std::min(kMostFirsts, left / (work(contract_) * (hypotheses + 1)));
  }

  /// First members of pairs: hypotheses with the smallest left(), and those that explain most; as many as the budget allows.
  std::vector<const Tried*> firsts() const {
    const int64_t most = most_firsts(int64_t(alone_.size()));
    std::vector<const Tried*> candidates, chosen;
    for (const Tried& tried : alone_)
      if (tried.hypothesis.with_another && tried.result.explained > 0) candidates.push_back(&tried);
    const auto take = [&](auto before) {
      std::stable_sort(candidates.begin(), candidates.end(), before);
      for (int64_t i = 0; i < std::min(most, int64_t(candidates.size())); ++i)
        if (std::find(chosen.begin(), chosen.end(), candidates[size_t(i)]) == chosen.end())
          chosen.push_back(candidates[size_t(i)]);
    };
    take([](const Tried* a, const Tried* b) { return a->result.left() < b->result.left(); });
    take([](const Tried* a, const Tried* b) { return a->result.explained > b->result.explained; });
    return chosen;
  }

  const Tried* find_alone(const std::string& name) const {
    for (const Tried& tried : alone_)
      if (tried.hypothesis.name == name) return &tried;
    return nullptr;
  }

  void pairs_from(const Tried& first) {
    for (const Hypothesis& pair : first.hypothesis.with_another()) {
      const Tried* second = find_alone(pair.name);
      if (second && first.hypothesis.suspect && second->hypothesis.suspect) continue;  // two suspects fit almost any output
      if (!second || !tried_pairs_.insert(std::minmax(first.hypothesis.name, pair.name)).second) continue;
      if (!budget_.take(work(contract_), kept_for_patterns_)) return;
      const Memberships held = memberships(pair.expect(problem_, &outputs_), outputs_, sample_);
      const MembershipCounts result = tally(contract_, held);
      // A pair that leaves a wrong element unexplained fits the others by chance.
      if (result.left() > 0 || !worth_naming(result, pair)) continue;
      const int64_t need_first = explained_by_one_alone(contract_, held, second->held);
      const int64_t need_second = explained_by_one_alone(contract_, held, first.held);
      if (need_first == 0 || need_second == 0) continue;
      found_.push_back(
          {cause_of(result, {mistake(first.hypothesis, need_first), mistake(pair, need_second)}), pair.expect});
    }
  }

  /// Whether no cause was found, and the op recognizes a known failure (BoundCase::situation). Pairs are not tried then.
  bool in_a_situation() const {
    return found_.empty() && !bound_.situation(problem_, outputs_).empty();
  }

  const BoundCase& bound_;
  const Problem& problem_;
  const std::vector<HostTensor>& outputs_;
  const Expectation& right_;
  WorkBudget& budget_;
  const int64_t kept_for_others_, kept_for_patterns_;
  const Sample& wide_;
  Sample sample_;            ///< the part of the sample that is searched
  Memberships contract_;     ///< the contract compared with the outputs, in that part
  Memberships in_wide_;      ///< the contract compared with the outputs in the whole sample, if the part is smaller
  std::string narrowed_to_;  ///< the part as text; empty if it is the whole sample
  std::vector<Tried> alone_;
  std::vector<Tried> almost_;  ///< reads of inputs that explain every wrong element, but not all right ones
  std::set<std::pair<std::string, std::string>> tried_pairs_;
  std::vector<Found> found_;
  std::vector<std::string> few_;
  mutable std::optional<bool> wrong_beside_right_scales_;
};

std::string in_words(const Cause& cause) {
  if (cause.is_symptom())
    return fmt::format("pattern: {} ({} of {} wrong elements)", kZerosOfOtherSign, cause.explained, cause.failing);
  const std::string only = cause.explained < cause.failing ? "only " : "";
  std::string line =
      "explains " + only + std::to_string(cause.explained) + " of " + std::to_string(cause.failing) + " failing elements";
  constexpr int64_t kTooFew = 2;
  if (cause.failing < kTooFew) line += ", too few to be sure";
  if (cause.open > 0) line += fmt::format(", says nothing about {} more", cause.open);
  if (cause.contradicted > 0) line += " and contradicts " + std::to_string(cause.contradicted) + " right elements";
  for (const Mistake& mistake : cause.mistakes) {
    line += (&mistake == &cause.mistakes.front() ? ": " : "; and ") + mistake.words;
    if (cause.mistakes.size() > 1) line += " (needed for " + std::to_string(mistake.needed) + ")";
  }
  return line;
}

/// "A; and B" of a pair.
std::string names_of(const Cause& cause) {
  std::string names;
  for (const Mistake& mistake : cause.mistakes) names += (names.empty() ? "" : "; and ") + mistake.words;
  return names;
}

}  // namespace

std::string would_fit(const std::vector<std::string>& mistakes) {
  constexpr size_t kMostNamed = kMostTies;  // other cases tell which of them is right, so reports shorten the list later
  if (mistakes.size() == 1) return "of the known mistakes only one would fit: " + mistakes.front();
  constexpr std::string_view kObeys = "obeys ", kInstead = " instead";
  std::vector<std::string> named;
  std::string contracts;  // named all, because other cases tell which of them is right
  for (const std::string& mistake : mistakes) {
    if (!mistake.starts_with(kObeys)) {
      named.push_back(mistake);
      continue;
    }
    const size_t end = mistake.find(kInstead);
    contracts += (contracts.empty() ? "" : ", ") + mistake.substr(kObeys.size(), end - kObeys.size());
  }
  std::string words = "several mistakes would fit: ";
  for (size_t i = 0; i < std::min(kMostNamed, named.size()); ++i) words += (i == 0 ? "" : "; ") + named[i];
  if (!contracts.empty()) words += fmt::format("{}{}{}{}", named.empty() ? "" : "; ", kObeys, contracts, kInstead);
  return named.size() > kMostNamed ? fmt::format("{}; {} more", words, named.size() - kMostNamed) : words;
}

bool Cause::is_symptom() const { return mistakes.size() == 1 && mistakes.front().name == kZerosOfOtherSign; }

std::vector<Cause> diagnose(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs,
                            const Sample* sample, WorkBudget* budget, std::vector<std::string>* few) {
  const Expectation right = bound.expect(problem, &outputs);
  const Sample whole = sample ? *sample : all_steps(right.any_of.front());
  WorkBudget large(WorkBudget::kLong);
  Search search(bound, problem, outputs, right, whole, budget ? *budget : large);
  std::vector<Cause> causes = search.causes();
  if (few) *few = search.few();
  return causes;
}

bool contradict_each_other(const std::vector<Cause>& causes) {
  std::set<std::string> inputs;
  for (const Cause& cause : causes)
    if (cause.complete() && !cause.is_symptom()) inputs.insert(cause.mistakes.front().input);
  return inputs.size() > 1 && !inputs.contains("");
}

/// Whether sums that lack different columns explain the outputs equally well, as if all inputs were 1. A wrong initial value of
/// the sum may then fit, too.
static bool leave_out_different_columns(const std::vector<Cause>& causes) {
  int64_t left_out = 0;
  for (const Cause& cause : causes) {
    if (!cause.complete() || cause.is_symptom()) continue;
    const Mistake& mistake = cause.mistakes.front();
    if (!mistake.leaves_out && mistake.name.find("sum: it starts ") == std::string::npos) return false;
    left_out += mistake.leaves_out;
  }
  return left_out > 1;
}

std::vector<std::string> causes_in_words(const std::vector<Cause>& causes) {
  if (causes.empty()) return {"no known cause"};
  const Cause& best = causes.front();
  std::vector<std::string> words;
  if (contradict_each_other(causes) || leave_out_different_columns(causes)) {
    for (const Cause& cause : causes)
      if (cause.complete() && !cause.is_symptom()) words.push_back(names_of(cause));
    return {would_fit(words)};
  }
  // If every wrong element is a zero of the other sign and not exactly one mutant fits, no mutant is asserted.
  const auto symptom =
      std::find_if(causes.begin(), causes.end(), [](const Cause& cause) { return cause.is_symptom() && cause.complete(); });
  const auto complete = [](const Cause& cause) { return cause.complete() && !cause.is_symptom(); };
  if (symptom != causes.end() && std::count_if(causes.begin(), causes.end(), complete) != 1) {
    words = {in_words(*symptom)};
    std::vector<std::string> fitting;
    for (const Cause& cause : causes)
      if (complete(cause)) fitting.push_back(names_of(cause));
    if (!fitting.empty()) words.push_back(would_fit(fitting));
    return words;
  }
  for (const Cause& cause : causes) {
    // A hypothesis that explains less than half of what the best one explains is noise.
    if (words.size() == (cause.complete() ? kMostTies : kWorthNaming) || 2 * (cause.explained - cause.contradicted) < best.explained - best.contradicted) break;
    if (best.complete() && (!cause.complete() || cause.open > best.open)) break;
    words.push_back(in_words(cause));
  }
  return words;
}
}  // namespace assay
