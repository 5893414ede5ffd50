#include "harness/diagnosis/diagnose.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "harness/compare/compare.h"
#include "harness/compare/verdict.h"
#include "harness/core/call.h"
#include "harness/core/expectation.h"
#include "harness/diagnosis/input_edits.h"
#include "harness/diagnosis/visibility.h"
#include "harness/diagnosis/wrong_part.h"
#include "harness/run/run_case.h"

namespace assay {

// Collects positions in a matrix and prints them as ranges of rows and columns.

std::string runs_text(const std::set<int64_t>& numbers) { return numbers_text(numbers, std::numeric_limits<int64_t>::max()); }

std::string PlacesFound::text() const {
  return std::string(rows.size() == 1 ? "row " : "rows ") + runs_text(rows) + "; " +
         (columns.size() == 1 ? "group " : "groups ") + runs_text(columns);
}

// Compares outputs with an answer, element by element, on the steps of a sample.

Membership membership(const Part& part, const HostTensor& tensor, int64_t stored, int64_t offset, Interval accepted) {
  if (accepted.any()) return Membership::kAnything;
  const bool there = 0 <= offset && offset < stored;
  const bool holds = there && accepted.holds(*part.format, ordinal(*part.format, load_code(part, tensor, offset)));
  return holds ? Membership::kInside : Membership::kOutside;
}

namespace {

Memberships with_answer(const Answer& answer, const std::vector<HostTensor>& outputs, const Sample& sample) {
  const std::vector<SampleBlock> blocks = blocks_of(sample, answer);
  Memberships all;
  std::vector<std::vector<size_t>> begins;  // per part: the index of the first element of each block
  for (const Part& part : answer.parts) {
    size_t at = 0;
    std::vector<size_t>& begin = begins.emplace_back();
    for (const SampleBlock& block : blocks) {
      begin.push_back(at);
      const auto [first, end] = part.rows_of_steps(block.steps.first, block.steps.end);
      at += size_t((end - first) * (block.has_all_columns() ? part.columns() : block.columns.end - block.columns.first));
    }
    all.parts.emplace_back(at);
  }
  std::mutex mutex;
  for_each_in_parallel(int64_t(blocks.size()), [&](int64_t i) {
    const SampleBlock& at = blocks[size_t(i)];
    const AcceptedBlock block = accepted_in(at, answer);
    std::set<int64_t> outside;
    for (size_t p = 0; p < answer.parts.size(); ++p) {
      const Part& part = answer.parts[p];
      const AcceptedRows& rows = block.parts[p];
      const HostTensor& tensor = tensor_of(outputs, part);
      Membership* found = all.parts[p].data() + begins[p][size_t(i)];
      const int64_t stored = stored_elements(part, tensor);
      if (part.format->specials == Specials::kBits &&
          part.format->bits == 8) {  // there may be many raw bytes, so this loop is fast
        for_each_element(at, part, rows, [&](int64_t row, int64_t column, Interval accepted) {
          const int64_t offset = part.offset(row, column);
          const bool holds = 0 <= offset && offset < stored && accepted.low <= int32_t(tensor.bytes[size_t(offset)]) &&
                             int32_t(tensor.bytes[size_t(offset)]) <= accepted.high;
          *found = accepted.any() ? Membership::kAnything : holds ? Membership::kInside : Membership::kOutside;
          if (*found++ == Membership::kOutside) outside.insert(row * part.steps_per_row);
        });
        continue;
      }
      for_each_element(at, part, rows, [&](int64_t row, int64_t column, Interval accepted) {
        *found = membership(part, tensor, stored, part.offset(row, column), accepted);
        if (*found++ == Membership::kOutside) outside.insert(row * part.steps_per_row);
      });
    }
    const std::lock_guard lock(mutex);
    all.outside_steps.merge(outside);
    for (const Violation& violation : block.violations) all.violated_steps.insert(violation.step);
  });
  return all;
}

int64_t outside(const Memberships& found) {
  int64_t count = 0;
  for (const std::vector<Membership>& part : found.parts) count += std::count(part.begin(), part.end(), Membership::kOutside);
  return count;
}

}  // namespace

int64_t Memberships::elements() const {
  int64_t sum = 0;
  for (const std::vector<Membership>& part : parts) sum += int64_t(part.size());
  return sum;
}

Memberships memberships(const Expectation& expectation, const std::vector<HostTensor>& outputs, const Sample& sample) {
  Memberships best = with_answer(expectation.any_of.front(), outputs, sample);
  for (size_t i = 1; i < expectation.any_of.size(); ++i) {
    Memberships other = with_answer(expectation.any_of[i], outputs, sample);
    if (outside(other) < outside(best)) best = std::move(other);
  }
  return best;
}

MembershipCounts tally(const Memberships& contract, const Memberships& hypothesis) {
  MembershipCounts sum;
  const auto count = [&](int64_t failing, int64_t explained, int64_t open) {
    constexpr int64_t kEnough = 8;
    if (explained >= kEnough && 4 * explained >= failing) failing -= open, sum.open += open;
    sum.failing += failing;
    sum.explained += explained;
    sum.most_of_a_part = sum.most_of_a_part || (failing > 0 && 4 * explained >= 3 * failing);
  };
  for (size_t p = 0; p < contract.parts.size(); ++p) {
    int64_t failing = 0, explained = 0, open = 0;
    const int64_t contradicted_before = sum.contradicted;
    for (size_t i = 0; i < contract.parts[p].size(); ++i) {
      const bool fails = contract.parts[p][i] == Membership::kOutside;
      failing += fails;
      explained += fails && hypothesis.parts[p][i] == Membership::kInside;
      open += fails && hypothesis.parts[p][i] == Membership::kAnything;
      sum.contradicted += !fails && hypothesis.parts[p][i] == Membership::kOutside;
    }
    if (failing == 0) sum.contradicted_beside += sum.contradicted - contradicted_before;
    count(failing, explained, open);
  }
  int64_t violated = 0, explained = 0;
  for (const int64_t step : contract.violated_steps) {
    if (contract.outside_steps.contains(step)) continue;
    ++violated;
    explained += !hypothesis.violated_steps.contains(step) && !hypothesis.outside_steps.contains(step);
  }
  count(violated, explained, 0);
  for (const int64_t step : hypothesis.violated_steps)
    sum.contradicted += !contract.violated_steps.contains(step) && !contract.outside_steps.contains(step) &&
                        !hypothesis.outside_steps.contains(step);
  return sum;
}

int64_t explained_by_one_alone(const Memberships& contract, const Memberships& one, const Memberships& other) {
  int64_t count = 0;
  for (size_t p = 0; p < contract.parts.size(); ++p)
    for (size_t i = 0; i < contract.parts[p].size(); ++i)
      count += contract.parts[p][i] == Membership::kOutside && one.parts[p][i] == Membership::kInside &&
               other.parts[p][i] != Membership::kInside;
  return count;
}


// Functions that a run calls for each verdict.

std::function<Power(const Evidence&)> power_of_data(std::function<const Power*(const Case&)> recorded) {
  struct Known {
    std::once_flag once;
    Power power;
  };
  struct Store {
    std::mutex mutex;
    std::map<std::string, Known> by_data;
  };
  return [recorded = std::move(recorded), store = std::make_shared<Store>()](const Evidence& evidence) {
    if (const Power* const power = recorded(evidence.one)) return *power;
    Known* known = nullptr;
    {
      const std::lock_guard lock(store->mutex);
      known = &store->by_data[evidence.one.data_id()];
    }
    std::call_once(known->once, [&] { known->power = power_of(evidence.bound, evidence.one.blind_to, &evidence.problem); });
    return known->power;
  };
}

std::function<bool(const Verdict&, const std::string&)> exposed_by_data(std::span<const Op> ops, const std::vector<Case>& cases) {
  struct Store {
    std::map<std::string, const Case*> by_id;
    std::map<std::string, std::set<std::string>> mutants;  ///< by id of a case; filled on demand
  };
  const auto store = std::make_shared<Store>();
  for (const Case& one : cases) store->by_id.emplace(one.id, &one);
  return [ops, store](const Verdict& passed, const std::string& mistake) {
    const std::vector<std::string>& blind = passed.power.blind_to;
    if (passed.power.faults == 0 || std::find(blind.begin(), blind.end(), mistake) != blind.end()) return false;
    const auto found = store->by_id.find(passed.case_id);
    if (found == store->by_id.end()) return false;
    const auto [mutants, is_new] = store->mutants.try_emplace(passed.case_id);
    const auto op = std::find_if(ops.begin(), ops.end(), [&](const Op& one) { return one.name == passed.op; });
    if (is_new && op != ops.end())
      for (const Hypothesis& mutant : op->bind(*found->second)->mutants())
        if (!mutant.suspect && mutant.equivalent.empty()) mutants->second.insert(mutant.name);
    return mutants->second.contains(mistake);
  };
}

/// Text for wrong padding, with or without wrong elements.
constexpr const char* kPadding = "padding: left unwritten, or overwritten where it must not change";

static bool padding_is_wrong(const Verdict& verdict) {
  return std::any_of(verdict.tensors.begin(), verdict.tensors.end(),
                     [](const TensorFinding& finding) { return finding.padding_wrong > 0; });
}

/// The text for wrong padding: all of it should be unchanged, all should be zero, or there is padding of both kinds.
static std::string padding_in_words(const Verdict& verdict) {
  bool untouched = true, zero = true;
  for (const TensorFinding& finding : verdict.tensors) {
    if (finding.padding_wrong == 0) continue;
    untouched = untouched && finding.padding_first.ends_with("must be left untouched");
    zero = zero && finding.padding_first.ends_with("must be zero");
  }
  if (untouched) return "padding: overwritten where it must not change: a store is not skipped, or runs too far";
  return zero ? "padding: not zero where it must be zero: it is not written, or other values are written" : kPadding;
}

static bool only_padding(const Verdict& verdict) {
  return padding_is_wrong(verdict) && verdict.violations.empty() &&
         std::all_of(verdict.tensors.begin(), verdict.tensors.end(),
                     [](const TensorFinding& finding) { return finding.outside == 0; });
}

/// True for a broken call that left outputs partly unwritten. What it wrote may lie at the offsets of another layout.
static bool never_written(const Evidence& evidence, const Verdict& verdict) {
  return verdict.outcome == Outcome::kBroken && evidence.outputs && verdict.tensors.empty();
}

/// The smallest power of two of which `count` is the largest multiple that is not above `all`; more than `all` if there is none.
static int64_t multiple_below(int64_t all, int64_t count) {
  int64_t multiple = 1;
  while (multiple <= all && all / multiple * multiple != count) multiple *= 2;
  return multiple;
}

/// Returns a text if exactly the first elements of the tail (behind the last whole vector) are not written, and the rest of the
/// tail is. The tail is that of each row, or that of all rows taken as one sequence. Otherwise returns "".
static std::string gap_in_tail(const std::vector<bool>& written, int64_t columns) {
  const auto text_of = [&](int64_t length, const char* where) -> std::string {
    int64_t begin = -1, end = -1;
    const auto all = int64_t(written.size());
    for (int64_t row = 0; row < all; row += length) {
      const auto from = written.begin() + row, to = from + length;
      const auto first = std::find(from, to, false), behind = std::find(first, to, true);
      if (first == to || behind == to || std::find(behind, to, false) != to) return "";
      if (row > 0 && (begin != first - from || end != behind - from)) return "";
      begin = first - from, end = behind - from;
    }
    constexpr int64_t kLeastVector = 4;
    const int64_t whole = begin & -begin;
    if (begin == 0 || whole < kLeastVector || length - begin >= whole) return "";
    return fmt::format(
        "; {}only element{} behind the last whole vector, {} missing, and the next ones are written: the loop over "
        "the tail begins too late",
        where, end - begin == 1 ? fmt::format(" {}, the first", begin) : fmt::format("s {}..{}, the first", begin, end - 1),
        end - begin == 1 ? "is" : "are");
  };
  const std::string in_rows = int64_t(written.size()) > columns ? text_of(columns, "in each row, ") : "";
  return in_rows.empty() ? text_of(int64_t(written.size()), int64_t(written.size()) > columns ? "counted over all rows, " : "")
                         : in_rows;
}

std::string progress_of_writes(const std::vector<bool>& written, int64_t columns, int64_t vector) {
  constexpr int64_t kLeastBlock = 32;  // threads of the smallest block
  const auto all = int64_t(written.size()), count = int64_t(std::count(written.begin(), written.end(), true));
  if (count == 0 || count == all) return "";
  const auto first = int64_t(std::find(written.begin(), written.end(), true) - written.begin());
  int64_t run = first;
  while (run < all && written[size_t(run)]) ++run;
  run -= first;
  if (run == count && first == 0 && count == columns)
    return "; only row 0 is written: addresses use the row index wrongly (a divisor or a sign), or the grid or a loop ends too "
           "early";
  if (run == count && first == 0 && vector > 1 && count == vector)
    return fmt::format(
        "; only the first {} elements are written, the 16 bytes that one thread stores: addresses use the thread index wrongly "
        "(a sign or a divisor), or all other threads end early",
        count);
  if (run == count && first == 0 && vector > 1 && count % (kLeastBlock * vector) == vector)
    return fmt::format(
        "; only the first {} elements, counted over all rows, are written, 16 bytes more than {}: stores end too early, as if "
        "addresses subtracted the thread index instead of adding it",
        count, count - vector);
  constexpr int64_t kMostOfBlock = int64_t{1} << 14;
  // A power of two so large that the missing elements are fewer: the whole vectors or blocks are stored, and the rest is not.
  const int64_t whole = count & -count, left = all - count;
  constexpr int64_t kLeastVector = 4;
  if (run == count && first == 0 && left == 1)
    return fmt::format("; only the last element is missing{}: a loop, a tail or the grid ends one element too early",
                       whole >= kLeastVector ? fmt::format(", and {} is a multiple of {}", count, whole) : "");
  if (run == count && first == 0 && columns > 1 && count % columns == 0 && 2 * count > all) {
    const int64_t rows = all / columns, stored = count / columns, multiple = multiple_below(rows, stored);
    return fmt::format(
        "; only the first {} of {} rows are written{}: the grid or a loop over rows ends too early", stored, rows,
        multiple > 1 && rows - stored < multiple ? fmt::format(", {} rounded down to a multiple of {}", rows, multiple) : "");
  }
  if (run == count && first == 0 && whole >= kLeastVector && left < whole)
    return fmt::format(
        "; only the first {0} elements, counted over all rows, are written, {1} rounded down to a multiple of {2}: the number of "
        "blocks or vectors is rounded down, or the tail behind whole vectors is not stored",
        count, all, multiple_below(all, count));
  if (run == count && first == 0 && count >= kLeastBlock && count <= kMostOfBlock && (count & (count - 1)) == 0 && count < all / 2)
    return fmt::format(
        "; only the first {} elements, counted over all rows, are written, as many as one block or one thread may store: "
        "addresses do "
        "not use the index of the block or of the thread, or the grid or a loop ends too early, or addresses advance too slowly",
        count);
  if (run == count && first == 0)
    return fmt::format("; only the first {} elements, counted over all rows, are written: the grid, a loop or a tail ends too early, or "
                       "addresses advance too slowly",
                       count);
  if (run == count && first + run == all)
    return fmt::format("; only the first {} elements, counted over all rows, are missing: addresses begin too late", first);
  if (run == count && first % columns == 0 && run == columns)
    return fmt::format("; only row {} is written: addresses of the other rows use an index wrongly, or their loops end at once",
                       first / columns);
  int64_t next = first + run;
  while (next < all && !written[size_t(next)]) ++next;
  if (next == all) return "";  // one run has no period
  if (const std::string gap = gap_in_tail(written, columns); !gap.empty()) return gap;
  const int64_t period = next - first;
  for (int64_t i = first; i < all; ++i)
    if (written[size_t(i)] != ((i - first) % period < run)) return "";
  if (first >= period || first + period + run >= all) return "";  // one gap shows no period
  if (period == columns && first == 0 && 2 * run > columns)
    return fmt::format(
        "; the end of each row is missing, {} of {} columns: a bound on columns is too small, or the number of vectors "
        "in a row is rounded down",
        columns - run, columns);
  const std::string some = fmt::format("; {} of each {} elements are written, counted over all rows", run, period);
  if (period % run != 0) return some;
  return some + fmt::format(": addresses advance {0} times too far, or each store writes 1/{0} of its elements", period / run);
}

std::string why_outside(const std::string& message) {
  // Writes farther away have many possible reasons. Only writes next to the tensor suggest a mistake.
  for (const auto& [touches, why] :
       {std::pair("nearest 1 byte before it", "writes begin before the start of the tensor: a loop or an index begins too early"),
        std::pair("first 0 bytes behind it",
                  "writes continue past the end of the tensor: a loop, an index or a vector store runs too far")})
    if (message.find(touches) != std::string::npos) return why;
  return "";
}

/// "row 0 holds what row 7 should hold, ...": wrong rows that hold the expected values of rows that were never written. Empty
/// unless every wrong row does.
static std::string rows_in_place_of_others(const WholePart& whole, const HostTensor& tensor, const std::vector<bool>& written) {
  constexpr int64_t kFewestColumns = 8, kMostPairs = int64_t(1) << 16;
  constexpr size_t kFewestCodes = 4;
  const Part& part = whole.part;
  const int64_t columns = part.columns(), stored = stored_elements(part, tensor);
  std::vector<int64_t> missing, wrong;
  const auto holds = [&](int64_t row, int64_t due) {
    for (int64_t c = 0; c < columns; ++c) {
      const int64_t offset = whole.offset_at(row * columns + c);
      if (offset < 0 || offset >= stored ||
          membership(part, tensor, stored, offset, whole.at(due * columns + c)) != Membership::kInside)
        return false;
    }
    return true;
  };
  for (int64_t row = 0; row < part.rows(); ++row) {
    const auto begin = written.begin() + row * columns;
    const int64_t count = std::count(begin, begin + columns, true);
    if (count != 0 && count != columns) return "";
    if (count == 0)
      missing.push_back(row);
    else if (!holds(row, row))
      wrong.push_back(row);
  }
  if (columns < kFewestColumns || missing.empty() || wrong.empty() || int64_t(missing.size() * wrong.size()) > kMostPairs)
    return "";
  std::string first;
  for (const int64_t row : wrong) {
    std::set<uint32_t> codes;
    for (int64_t c = 0; c < columns; ++c) codes.insert(load_code(part, tensor, whole.offset_at(row * columns + c)));
    const auto from = std::find_if(missing.begin(), missing.end(), [&](int64_t due) { return holds(row, due); });
    if (codes.size() < kFewestCodes || from == missing.end()) return "";
    if (first.empty())
      first = fmt::format("row {} of {} holds what row {} should hold", part.number_of(row), part.label(), part.number_of(*from));
  }
  return first +
         ", which is never written: several rows are stored to the same address, because it uses the row index wrongly (a "
         "divisor, or a missing factor)";
}

/// Text if the missing elements are exactly one tile at the end of the last rows and columns. Otherwise empty.
static std::string last_tile_missing(const std::vector<bool>& written, int64_t rows, int64_t columns) {
  constexpr int64_t kFewestColumns = 8;
  int64_t first_row = rows, first_column = columns, missing = 0;
  for (int64_t i = 0; i < rows * columns; ++i)
    if (!written[size_t(i)])
      ++missing, first_row = std::min(first_row, i / columns), first_column = std::min(first_column, i % columns);
  if (missing == 0 || first_column == 0 || first_row == 0 || first_column % kFewestColumns != 0 ||
      missing != (rows - first_row) * (columns - first_column))
    return "";
  return "; only the last tile is missing: the grid is one tile too small, or a tile index is divided by the wrong number of "
         "tiles per row";
}

static bool only_row_0(const std::vector<bool>& written, int64_t columns) {
  return std::count(written.begin(), written.end(), true) == columns &&
         std::all_of(written.begin(), written.begin() + columns, [](bool one) { return one; });
}

/// Text on the outputs of a broken call: which elements were never written, and whether the others are right; if not, patterns.
static std::vector<std::string> of_broken_call(const Evidence& evidence, const CallResult& result, WorkBudget& budget) {
  constexpr int64_t kMostElements = int64_t(1) << 22;
  const Expectation right = evidence.bound.expect(evidence.problem, &result.outputs);
  const Answer& answer = right.any_of.front();
  if (answer.elements() > kMostElements || !budget.take(answer.elements() * work_of_element(answer))) return {};
  int64_t written = 0, wrong = 0;
  std::string first, unwritten;
  std::vector<std::string> of_rows, never;
  const auto progress = [&](const std::vector<bool>& is_written, const Part& part) {
    const std::string tile = answer.products > 1 ? last_tile_missing(is_written, part.rows(), part.columns()) : "";
    return tile.empty() ? progress_of_writes(is_written, part.columns(), part.format->bits < 8 ? 0 : 128 / part.format->bits)
                        : tile;
  };
  for (const WholePart& whole : computed(answer)) {
    const Part& part = whole.part;
    const HostTensor& tensor = tensor_of(result.outputs, part);
    const auto index = size_t(&tensor - result.outputs.data());
    const std::vector<ByteRange> untouched = result.in_place[index] ? std::vector<ByteRange>() : result.untouched[index];
    const int64_t stored = stored_elements(part, tensor);
    std::vector<bool> is_written(size_t(part.elements()));
    const int64_t wrong_before = wrong;
    const auto written_at = [&](int64_t offset) {
      const ByteRange bytes = bytes_of_element(part, tensor.spec, offset);
      const auto next = std::upper_bound(untouched.begin(), untouched.end(), bytes.begin,
                                         [](int64_t at, const ByteRange& range) { return at < range.end; });
      return next == untouched.end() || next->begin >= bytes.end;
    };
    for (int64_t i = 0; i < part.elements(); ++i) {
      const int64_t offset = whole.offset_at(i);
      if (offset < 0 || offset >= stored || !written_at(offset)) continue;
      ++written;
      is_written[size_t(i)] = true;
      if (membership(part, tensor, stored, offset, whole.at(i)) != Membership::kOutside) continue;
      if (wrong++ == 0)
        first = part.label() + "[" + std::to_string(part.number_of(i / part.columns())) + ", " +
                std::to_string(i % part.columns()) + "]";
    }
    const bool wrote_behind = result.message.find("wrote outside '" + part.tensor + "': ") != std::string::npos &&
                              result.message.find(" behind its end") != std::string::npos;
    if (const Unwritten left = unwritten_elements(part, tensor.spec, untouched); left.elements > 0) {
      std::set<int64_t> rows, others;  // rows without a written element, and rows with one
      for (int64_t i = 0; i < part.elements(); ++i)
        (is_written[size_t(i)] ? others : rows).insert(part.number_of(i / part.columns()));
      const std::string by_index = rows_of_index(rows, others, evidence.problem);
      const int64_t wrong_here = wrong - wrong_before;
      if (left.elements == part.elements()) never.push_back(part.label());
      unwritten += (unwritten.empty() ? "" : "; ") + std::to_string(left.elements) + " of " + std::to_string(part.elements()) +
                   " elements of " + part.label() + left.places(part) +
                   (!by_index.empty() ? "; these are the " + by_index
                    : wrong > 0       ? ""
                                      : progress(is_written, part));
      if (const std::string address = wrong > 0 ? wrong_address_of_stores(whole, tensor, written_at, wrote_behind) : "";
          !address.empty())
        of_rows.push_back(address);
      else if (const std::string away = stored_at_distance(whole, tensor, written_at); !away.empty())
        of_rows.push_back(away);
      else if (const std::string pitches =
                   wrong_here > 0 && only_row_0(is_written, part.columns())
                       ? zero_pitches(evidence.bound, evidence.problem, whole, result.outputs, budget) : ""; !pitches.empty())
        of_rows.push_back(pitches);
      else if (const std::string moved = wrong > 0 ? rows_in_place_of_others(whole, tensor, is_written) : ""; !moved.empty())
        of_rows.push_back(moved);
    }
  }
  Verdict patterns;
  if (wrong > 0) add_patterns(evidence.bound, evidence.problem, result.outputs, patterns, budget);
  std::erase_if(patterns.causes,
                [](const std::string& words) {  // unwritten memory holds one code, or repeats codes, so these are no causes
                  return words.find(" holds one code in every ") != std::string::npos ||
                         words.find(" that is never filled") != std::string::npos;
                });
  if (never.size() == 1)
    for (std::string& words : patterns.causes)
      if (const size_t why = words.find(": results saturate, because"); why != std::string::npos && words.find('(', why) != std::string::npos)
        words.replace(why, words.find('(', why) - why,
                      fmt::format(": results saturate, and {0} is never written: the results are computed with what {0} held before "
                                  "the call; a maximum or sum is accumulated on it without initialisation, or {0} is not stored ",
                                  never.front()));
  patterns.causes.insert(patterns.causes.begin(), of_rows.begin(), of_rows.end());
  if (!unwritten.empty()) patterns.causes.push_back("never written: " + unwritten);
  if (written > 0)
    patterns.causes.push_back(wrong == 0 ? "every element that was written is right"
                                         : std::to_string(wrong) + " of " + std::to_string(written) +
                                               " elements that were written are wrong, the first is " + first);
  return patterns.causes;
}

void add_limits(const WorkBudget& budget, Verdict& verdict) {
  if (const std::string limits = budget.words(); !limits.empty())
    verdict.looked_at += (verdict.looked_at.empty() ? "" : "; ") + limits;
}

void add_patterns(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs, Verdict& verdict,
                  WorkBudget& budget) {
  std::vector<std::string> of_input, complete, partial, facts;
  std::vector<Regularity> all = regularities(bound, problem, outputs, budget);
  if (std::optional<Regularity> maxima = left_out_of_maxima(bound, problem, outputs, budget)) all.push_back(std::move(*maxima));
  for (const Regularity& found : all) {
    if (found.decides) {
      verdict.causes = {in_words(found)};
      return;
    }
    (!found.input.empty() ? of_input : found.is_fact ? facts : found.complete() ? complete : partial).push_back(in_words(found));
  }
  if (verdict.causes == causes_in_words({}) && of_input.size() + complete.size() + partial.size() > 0) verdict.causes.clear();
  // Patterns explain every wrong output: then drop pairs of mutants, and mutants that explain only some elements.
  if (!complete.empty() && partial.empty())
    std::erase_if(verdict.causes, [](const std::string& words) {
      return words.find("; and ") != std::string::npos || words.starts_with("explains only ");
    });
  verdict.causes.insert(verdict.causes.begin(), complete.begin(), complete.end());
  // A mutant that explains only some elements says more than the fact that the inputs of wrong elements are NaN.
  const bool by_mutant = std::any_of(verdict.causes.begin(), verdict.causes.end(),
                                     [](const std::string& words) { return words.starts_with("explains "); });
  verdict.causes.insert(by_mutant ? verdict.causes.end() : verdict.causes.begin(), of_input.begin(), of_input.end());
  verdict.causes.insert(verdict.causes.end(), partial.begin(), partial.end());
  verdict.causes.insert(verdict.causes.end(), facts.begin(), facts.end());
}

/// Whether all elements of a row are zero, and whether all are NaN, or the code that NaN becomes in a format without NaN.
struct OneValue {
  bool zero = true, nan = true;
};
static bool is_nan_code(const Format& format, uint32_t code) {
  if (format.specials == Specials::kFinite) return code == max_finite_code(format);
  return std::isnan(decode(format, code));
}
static OneValue one_value(const Part& part, const HostTensor& tensor, int64_t row) {
  const int64_t stored = stored_elements(part, tensor);
  OneValue all;
  for (int64_t column = 0; column < part.columns() && (all.zero || all.nan); ++column) {
    const int64_t offset = part.offset(row, column);
    if (offset < 0 || offset >= stored) return {false, false};
    const uint32_t code = load_code(part, tensor, offset);
    all.zero = all.zero && decode(*part.format, code) == 0, all.nan = all.nan && is_nan_code(*part.format, code);
  }
  return all;
}

static bool has_row_of_one_value(const Part& part, const HostTensor& tensor) {
  for (int64_t row = 0; row < part.rows(); ++row)
    if (const OneValue all = one_value(part, tensor, row); all.zero || all.nan) return true;
  return false;
}

/// What may have happened to sums that are all 0.
constexpr const char* kNothingIsAdded =
    "; nothing is added to the sums, or they are cleared after the last step, or a factor or the store gives 0";

/// If every wrong row of all wrong outputs holds only zeros or only NaN, many mistakes fit. Then the verdict states that fact
/// instead of causes, and lists the mutants that fit in a note.
static void of_one_value(const Evidence& evidence, Verdict& verdict, WorkBudget& budget) {
  constexpr int64_t kFewestElements = 8, kMostElements = int64_t(1) << 20;
  const Expectation right = evidence.bound.expect(evidence.problem, evidence.outputs);
  const Answer& answer = right.any_of.front();
  if (!verdict.violations.empty() || answer.elements() > kMostElements ||
      std::none_of(answer.parts.begin(), answer.parts.end(),
                   [&](const Part& part) { return has_row_of_one_value(part, tensor_of(*evidence.outputs, part)); }) ||
      !budget.take(answer.elements() * work_of_element(answer)))
    return;
  constexpr int64_t kFewestOfASign = 4;
  std::vector<std::string> facts, is_zero_everywhere;
  bool all = true, has_signs = false;
  for (const WholePart& whole : computed(answer)) {
    const Part& part = whole.part;
    const HostTensor& tensor = tensor_of(*evidence.outputs, part);
    const int64_t stored = stored_elements(part, tensor), columns = part.columns();
    int64_t failing = 0, rows = 0, zero_rows = 0, plus = 0, minus = 0, other_sign = 0, for_nan = 0;
    bool zero = true, nan = true;
    for (int64_t row = 0; row < part.rows(); ++row) {
      int64_t wrong = 0, other_nan = 0;
      for (int64_t i = row * columns; i < (row + 1) * columns; ++i) {
        const int64_t offset = whole.offset_at(i);
        if (offset < 0 || offset >= stored) return;
        const Interval due = whole.at(i);
        const bool outside = membership(part, tensor, stored, offset, due) == Membership::kOutside;
        if (outside && part.format->has_sign()) {
          const int32_t first_positive = ordinal(*part.format, 0);  // also of a zero
          const bool is_plus = ordinal(*part.format, load_code(part, tensor, offset)) >= first_positive;
          (is_plus ? plus : minus) += 1;
          other_sign += is_plus ? due.high < first_positive : due.low >= first_positive;
        }
        wrong += outside, other_nan += outside && !part.format->is_integer() && is_nan_ordinal(whole.at(i).low);
      }
      OneValue held = one_value(part, tensor, row);
      zero_rows += held.zero;
      if (wrong == 0) continue;
      held.nan = held.nan && other_nan == 0;  // where NaN is expected, NaN with another code is a mistake of its own
      failing += wrong, for_nan += other_nan, ++rows, zero = zero && held.zero, nan = nan && held.nan;
    }
    if (failing == 0) continue;
    all = all && (zero || nan) && failing >= kFewestElements;
    // Right elements are those whose expected value is 0. Their positions say nothing.
    if (zero && (rows == part.rows() || zero_rows == part.rows()))
      is_zero_everywhere.push_back("pattern: " + part.label() + " holds " + kEveryElement);
    const bool signs_vary = zero && std::min(plus, minus) >= kFewestOfASign;
    const bool all_minus = zero && plus == 0 && std::min(other_sign, minus - other_sign) >= kFewestOfASign;
    has_signs = has_signs || signs_vary;
    facts.push_back(
        fmt::format("pattern: {} holds {} in every element{} ({} of {} wrong elements{})", part.label(),
                    all_minus ? "-0"
                    : zero    ? "0"
                    : part.format->specials == Specials::kFinite
                        ? value_text(*part.format, max_finite_code(*part.format)) + ", which NaN becomes,"
                        : "NaN",
                    (rows == part.rows() || zero_rows == part.rows() ? std::string() : fmt::format(" of {} of {} rows", rows, part.rows())) +
                        (!zero && part.format->specials == Specials::kScale
                             ? ": the test for a maximum that is NaN holds for all of them, or all these maxima are NaN"
                             : ""),
                    failing, failing,
                    signs_vary && other_sign == 0 ? "; each zero has the expected sign, so a factor such as a scale is 0"
                    : zero && for_nan == failing  ? "; NaN is expected there, so NaN is not passed on"
                    : !all_minus && answer.products > 1 && zero_rows == part.rows() ? kNothingIsAdded
                    : !all_minus                                                    ? ""
                    : evidence.problem.ranks > 1
                        ? "; -0 is also held where numbers above 0 are expected: it marks packets that have not arrived, so the kernel "
                          "does not wait for packets, or reads a buffer that holds none"
                        : "; -0 is also held where numbers above 0 are expected: a sum starts from -0 and nothing is added, or a 0 is "
                          "negated"));
  }
  const bool of_zeros = std::any_of(verdict.causes.begin(), verdict.causes.end(), [](const std::string& words) {
    return words.find("zeros: of the other sign") != std::string::npos;  // zeros were expected
  });
  if (!all || facts.empty() || of_zeros) return;
  std::vector<std::string> fitting;
  for (const std::string& words : verdict.causes) {
    const size_t at = words.find(" failing elements: ");
    if (words.starts_with("explains ") && at != std::string::npos)
      fitting.push_back(words.substr(at + std::string(" failing elements: ").size()));
  }
  // A mistake that gives the sign of every zero does not fit by chance.
  has_signs = has_signs && std::any_of(verdict.causes.begin(), verdict.causes.end(), [](const std::string& words) {
                return words.starts_with("explains ") && !words.starts_with("explains only ");
              });
  std::erase_if(verdict.causes, [&](const std::string& words) {
    const auto is_begin = [&](const std::string& begin) { return words.starts_with(begin); };
    return std::any_of(is_zero_everywhere.begin(), is_zero_everywhere.end(), is_begin) ||
           (words.starts_with("explains ") && !has_signs) || words.find(" holds one code in every ") != std::string::npos ||
           words == causes_in_words({}).front();
  });
  verdict.causes.insert(has_signs ? verdict.causes.end() : verdict.causes.begin(), facts.begin(), facts.end());
  if (!has_signs && !fitting.empty()) verdict.causes.push_back(would_fit(fitting));
}

static bool is_crash_beside_a_tensor(const std::string& message) {
  return message.find("crashed: SIG") != std::string::npos && place_outside(message).has_value();
}

/// What the outputs show if a call that crashes beside a tensor finds memory there, and so comes to its end.
static std::vector<std::string> of_crash_beside(const Backend& backend, CallRequest request, const Evidence& evidence,
                                                const std::string& crash, WorkBudget& budget) {
  constexpr int64_t kFewestElements = 8;
  constexpr size_t kMostNamed = 2;
  if (!backend.contains_crashes) return {};
  request.beside = Beside::kWideZones;
  const CallResult result = backend.call(request);
  const bool has_ended = result.message.empty() || result.message.find("wrote outside '") != std::string::npos;
  if (result.outputs.empty() || !has_ended) return {};
  std::vector<std::string> words;
  for (const Cause& cause : diagnose(evidence.bound, evidence.problem, result.outputs, evidence.sample, &budget))
    if (cause.complete() && cause.mistakes.size() == 1 && !cause.is_symptom() && cause.failing >= kFewestElements &&
        words.size() < kMostNamed)
      words.push_back("with memory beside the tensors the call ends, and this " + causes_in_words({cause}).front());
  const bool is_explained = !words.empty(), reads = crash.find(": wrote ") == std::string::npos;
  for (std::string& other : of_broken_call(evidence, result, budget)) {
    // What a kernel reads beside a tensor is arbitrary, so only the positions of wrong elements tell something.
    const bool is_pattern = other.starts_with("pattern: ");
    if (is_pattern && (is_explained || (reads && other.find(kEveryElement) == std::string::npos))) continue;
    words.push_back(std::move(other));
  }
  return words;
}

/// Whether a call ended with SIGABRT, or with an access far from every tensor. The first wrong access may then be another one,
/// next to a tensor.
static bool stops_without_a_place(const std::string& message) {
  constexpr int64_t kFarBytes = 4096;
  if (message.find("crashed: SIGABRT") != std::string::npos) return true;
  if (message.find("crashed: SIGSEGV") == std::string::npos) return false;
  if (message.find(" far from every tensor") != std::string::npos ||
      message.find(" that no memory can have") != std::string::npos)
    return true;
  const std::optional<PlaceOutside> outside = place_outside(message);
  return outside && outside->bytes >= kFarBytes;
}

/// Whether wrong elements of some output hold the bytes with which compilers fill variables. A mutant then fits only by chance.
static bool holds_fill(const Evidence& evidence, WorkBudget& budget) {
  constexpr int64_t kMostElements = int64_t(1) << 20;
  const Expectation right = evidence.bound.expect(evidence.problem, evidence.outputs);
  const Answer& answer = right.any_of.front();
  if (answer.elements() > kMostElements || !budget.take(answer.elements() * work_of_element(answer))) return false;
  for (const WholePart& whole : computed(answer)) {
    const WrongPart wrong(whole, tensor_of(*evidence.outputs, whole.part));
    if (!wrong.complete() || wrong.failing().empty()) continue;
    if (stored_fill(wrong)) return true;
  }
  return false;
}

/// For outputs that only wrong reads of inputs explain: if the expected code, or a scale code, also decides which elements are
/// wrong, the verdict names the codes, because the wrong position then fits by chance. If the read misreads numbers, either may be
/// the cause, and neither is asserted. Returns whether it changed the verdict.
static bool named_by_codes(const Evidence& evidence, const std::vector<Cause>& causes, Verdict& verdict, WorkBudget& budget) {
  bool of_values = false;
  for (const Cause& cause : causes) {
    if (!cause.complete()) continue;
    if (cause.is_symptom() || cause.mistakes.size() != 1 || cause.mistakes.front().input.empty()) return false;
    of_values = of_values || cause.mistakes.front().of_values;
  }
  if (causes.empty() || !causes.front().complete() || !verdict.violations.empty()) return false;
  const std::vector<Regularity> found = told_by_codes(evidence.bound, evidence.problem, *evidence.outputs, budget);
  if (found.empty()) return false;
  std::vector<std::string> words;
  for (const Regularity& one : found) words.push_back(of_values ? one.part + " holds " + one.words : in_words(one));
  if (of_values) {
    for (const Cause& cause : causes)
      if (cause.complete()) words.insert(words.begin(), cause.mistakes.front().words);
    words = {would_fit(words)};
  }
  verdict.causes = words;
  return true;
}

/// Whether a cause says only which elements were written.
static bool is_never_written(const std::string& words) { return words.starts_with("never written: "); }

static int64_t outside_of(const Verdict& verdict) {
  int64_t sum = 0;
  for (const TensorFinding& finding : verdict.tensors) sum += finding.outside;
  return sum;
}
constexpr int64_t kFewestUnchanged = 8;  ///< fewer wrong elements may also be old ones that a kernel skips

/// Whether the text names a size or stride beside those of a tensor, on which the outputs of the call depend.
static bool is_of_extents_that_matter(const Backend& backend, const CallRequest& request, const std::string& outside) {
  return is_about_extents(outside) && depends_on_extents(backend, request);
}

/// Adds an access beside a tensor as the first cause, because it names the line of code. `nothing_written`: the text that the
/// verdict has if the call writes nothing.
static void add_access_beside(const Backend& backend, const CallRequest& request, const std::string& nothing_written,
                              Verdict& verdict) {
  std::string outside = access_beside(backend, request);
  const bool is_known = std::any_of(verdict.causes.begin(), verdict.causes.end(), [](const std::string& words) {
    return words.starts_with("pattern: ") && words.find(kEveryElement) == std::string::npos;
  });
  if (outside.empty() && verdict.outcome == Outcome::kFail && !is_known) outside = access_beside(backend, request, true);
  if (outside.empty()) return;
  if (is_of_extents_that_matter(backend, request, outside)) {  // with a wrong size or stride, mistakes fit by chance
    std::erase_if(verdict.causes, [&](const std::string& words) { return !is_never_written(words) || words == nothing_written; });
  } else if (is_about_extents(outside) && !verdict.causes.empty() && verdict.causes.front().starts_with("pattern: ")) {
    verdict.causes.push_back(outside);  // nothing shows that this read has an effect
    return;
  }
  verdict.causes.insert(verdict.causes.begin(), outside);
}

std::function<void(const Evidence&, Verdict&)> look_for_causes(const Backend& backend, int64_t budget_of_case,
                                                               OtherContracts others) {
  const auto find = [&backend, budget_of_case, others = std::move(others)](const Evidence& evidence, Verdict& verdict) {
    WorkBudget budget(budget_of_case);
    const auto contract = evidence.one.parameters.find("contract");
    const CallRequest request{evidence.one.op, contract == evidence.one.parameters.end() ? "" : contract->second, verdict.kernel,
                              &evidence.problem, 1};
    if (never_written(evidence, verdict)) {
      if (writes_nothing(evidence.problem, *evidence.result)) {
        verdict.causes = of_broken_call(evidence, *evidence.result, budget);
        std::erase_if(verdict.causes, [](const std::string& words) { return !is_never_written(words); });
        const std::string nothing_written = nothing_written_in_words(backend, request);
        verdict.causes.insert(verdict.causes.begin(), nothing_written);
        add_access_beside(backend, request, nothing_written, verdict);  // a size that the host reads outside of a shape may leave out the launch
        return;
      }
      const std::vector<Cause> causes = diagnose(evidence.bound, evidence.problem, *evidence.outputs, evidence.sample, &budget);
      // A mutant of the layout explains why elements were never written; a wrong read of an input does not.
      const bool by_layout = !causes.empty() && causes.front().complete() && causes.front().mistakes.front().input.empty();
      verdict.causes = by_layout ? causes_in_words(causes) : of_broken_call(evidence, *evidence.result, budget);
      if (const std::string outside = by_layout ? "" : access_beside(backend, request);
          is_of_extents_that_matter(backend, request, outside))
        verdict.causes.insert(verdict.causes.begin(), outside);
      return;
    }
    if (verdict.outcome == Outcome::kBroken && !evidence.outputs &&
        verdict.message.find("wrote outside '") != std::string::npos) {
      if (const CallResult again = backend.call(request); !again.outputs.empty())
        verdict.causes = of_broken_call(evidence, again, budget);
      std::string why = row_behind(verdict.message, evidence.problem);
      if (why.empty()) why = why_outside(verdict.message);
      const bool first_row = std::any_of(verdict.causes.begin(), verdict.causes.end(), [](const std::string& words) {
        return words.find("only row 0 is written") != std::string::npos;
      });
      if (first_row && why.find("before the start") != std::string::npos)
        why =
            "only row 0 is written to its address, and other rows before the start of the tensor: an address uses the row index "
            "with the wrong sign";
      const bool has_address = std::any_of(verdict.causes.begin(), verdict.causes.end(),
                                           [](const std::string& words) { return words.starts_with("address: "); });
      if (!why.empty() && !has_address) verdict.causes.insert(verdict.causes.begin(), why);
      add_access_beside(backend, request, "", verdict);
      return;
    }
    if (verdict.outcome == Outcome::kBroken && is_crash_beside_a_tensor(verdict.message))
      verdict.causes = of_crash_beside(backend, request, evidence, verdict.message, budget);
    if (verdict.outcome == Outcome::kBroken && stops_without_a_place(verdict.message)) add_access_beside(backend, request, "", verdict);
    if (const std::string words = misaligned_address(verdict.message, evidence.problem); !words.empty())
      verdict.causes.push_back(words);
    if (const std::string words = null_pointer_in_words(backend, request, verdict.message); !words.empty())
      verdict.causes.push_back(words);
    if (const std::string words = impossible_hang(verdict.message, evidence.problem.ranks);
        verdict.outcome == Outcome::kBroken && !words.empty()) {
      verdict.causes = {words};
      return;
    }
    if (verdict.outcome != Outcome::kFail || !evidence.outputs || verdict.tensors.empty()) return;
    if (only_padding(verdict)) {
      verdict.causes = {padding_in_words(verdict) + "; every element is right"};
      return;
    }
    if (evidence.result && changes_nothing(evidence.problem, *evidence.result) && outside_of(verdict) >= kFewestUnchanged) {
      verdict.causes = {kNothingChanged};
      return;
    }
    const Unset unset = unset_locals(backend, request, evidence.bound.expect(evidence.problem, evidence.outputs));
    std::vector<std::string> few;
    std::vector<Cause> causes = diagnose(evidence.bound, evidence.problem, *evidence.outputs, evidence.sample, &budget, &few);
    if (causes.empty() || !causes.front().complete() || causes.front().mistakes.size() > 1)
      if (std::optional<Cause> overwritten = overwritten_input(evidence.bound, evidence.problem, *evidence.outputs, budget))
        causes = {std::move(*overwritten)};
    if (std::any_of(causes.begin(), causes.end(), [](const Cause& cause) { return cause.is_symptom(); }))
      std::erase_if(causes, [](const Cause& cause) {  // zeros read as 0 lose their signs, too
        return cause.mistakes.size() == 1 && cause.mistakes.front().words.find(" read as zero") != std::string::npos;
      });
    const bool most_is_unset = !unset.words.empty() && 4 * unset.changed >= unset.elements;
    const bool has_fill = unset.words.empty() && holds_fill(evidence, budget);
    const bool is_random = most_is_unset || has_fill;  // the values came from unset memory, so a mutant explains them only by chance
    if (is_random) causes.clear();
    constexpr int64_t kShareOfOthers = 8;
    WorkBudget of_others(budget_of_case / kShareOfOthers);
    std::vector<Cause> obeyed = is_random ? std::vector<Cause>() : obeyed_instead(evidence, others, of_others);
    constexpr int64_t kFewestForContract = 8;  // if few elements are wrong, another contract may fit by chance
    const bool obeys = !obeyed.empty() && obeyed.front().failing >= kFewestForContract;
    if (obeys) {
      if (!causes.empty() && (!causes.front().complete() || causes.front().mistakes.size() > 1)) causes.clear();
      std::move(obeyed.begin(), obeyed.end(), std::back_inserter(causes));
      std::stable_sort(causes.begin(), causes.end(), [](const Cause& a, const Cause& b) { return a.left() < b.left(); });
    } else if (causes.empty()) {
      for (const Cause& cause : obeyed) few.push_back(cause.mistakes.front().name);  // another case may show that it is right
    }
    verdict.causes = causes_in_words(causes);
    const bool by_codes = !obeys && named_by_codes(evidence, causes, verdict, budget);
    if (causes.empty()) {
      const std::string situation = evidence.bound.situation(evidence.problem, *evidence.outputs);
      if (!situation.empty()) verdict.causes = {situation};
    }
    const bool of_pairs =
        !causes.empty() && causes.front().mistakes.size() > 1;  // two mistakes at once are less likely than a pattern
    if (!by_codes && (causes.empty() || !causes.front().complete() || causes.front().is_symptom() || of_pairs ||
                      contradict_each_other(causes))) {
      const std::string race = unset.words.empty() ? race_in_words(backend, request) : "";
      if (!race.empty()) verdict.causes.clear();
      add_patterns(evidence.bound, evidence.problem, *evidence.outputs, verdict, budget);
      if (!race.empty() || most_is_unset) {  // the values are then random: only facts about positions are kept
        std::erase_if(verdict.causes, [](const std::string& words) { return words.find(kEveryElement) == std::string::npos; });
        if (!race.empty()) verdict.causes.insert(verdict.causes.begin(), race);
      }
    }
    if (has_fill) {  // other outputs are computed from the same variable, so what they hold says less
      std::erase_if(verdict.causes, [](const std::string& words) {
        return words.starts_with("pattern: ") && words.find(" before it is set") == std::string::npos &&
               words.find(kEveryElement) == std::string::npos;
      });
    } else {
      of_one_value(evidence, verdict, budget);
    }
    if (!unset.words.empty()) {
      std::erase(verdict.causes, causes_in_words({}).front());
      verdict.causes.insert(verdict.causes.begin(), unset.words);
    }
    constexpr int64_t kFewestForMistake = 8;  // if few elements are wrong, a mistake may fit by chance
    if (causes.empty() || !causes.front().complete() || of_pairs || contradict_each_other(causes) ||
        causes.front().failing < kFewestForMistake) {
      add_access_beside(backend, request, "", verdict);
      if (verdict.causes.size() > 1 && verdict.causes.front().starts_with("outside: "))
        std::erase(verdict.causes, causes_in_words({}).front());
    }
    constexpr size_t kMostOfFew = 16;  // more of them fit by chance
    const bool of_extents = !verdict.causes.empty() && is_about_extents(verdict.causes.front());
    if (!few.empty() && few.size() <= kMostOfFew && causes.empty() && !is_random && !of_extents)
      verdict.causes.push_back(would_fit(few));
    add_limits(budget, verdict);
    if (padding_is_wrong(verdict)) verdict.causes.push_back(padding_in_words(verdict));
  };
  return [find, budget_of_case](const Evidence& evidence, Verdict& verdict) {
    if (budget_of_case == 0) return;
    find(evidence, verdict);
    put_failed_checks_first(evidence.result, verdict);
    for (std::string& words : verdict.causes)
      if (words.starts_with("outside: ")) words = with_row_outside(words, evidence.problem);
    join_ranks(verdict.causes, evidence.problem.ranks);
  };
}

}  // namespace assay
