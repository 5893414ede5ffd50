// Repeats the call of a failed case under other conditions, to see whether its outputs depend on the order of lanes, on the old
// contents of stacks, or on memory next to the tensors.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/call.h"
#include "harness/core/expectation.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/wrong_part.h"
#include "harness/run/run_case.h"

namespace assay {

namespace {

/// Larger calls are not repeated with other memory contents: they take long, and several copies of their outputs would be held.
bool is_small(const Problem& problem) {
  constexpr int64_t kMostBytes = int64_t(1) << 28;
  int64_t bytes = 0;
  for (const HostTensor& tensor : problem.tensors) bytes += int64_t(tensor.spec.bytes());
  return bytes <= kMostBytes;
}

}  // namespace

std::string race_in_words(const Backend& backend, const CallRequest& request) {
  constexpr int kSchedules = 8;
  CallRequest next = request;
  const CallResult first = backend.call(next);
  if (first.status != CallStatus::kOk) return {};
  for (int call = 2; call <= kSchedules; ++call) {
    ++next.schedule_seed;
    const CallResult again = backend.call(next);
    if (again.status != CallStatus::kOk) return {};
    const std::string difference = call_difference(first, again, call);
    if (difference.empty()) continue;
    next.schedule_seed = request.schedule_seed;
    const bool follows_order = backend.library.honours_schedule_seed && call_difference(first, backend.call(next), call).empty();
    if (follows_order)
      return "race: the outputs change with the order in which the lanes run: a barrier is missing, two lanes write to "
             "the same address, a value is not set in every lane, or a lane reads memory that was never written (" +
             difference + ")";
    return "unsteady: the outputs change from call to call; the kernel keeps state between calls, reads unwritten "
           "memory, or has a race (" +
           difference + ")";
  }
  return {};
}

Unset unset_locals(const Backend& backend, CallRequest request, const Expectation& right) {
  constexpr uint8_t kFills[] = {0x3c, 0xbd};  // as numbers of any format: about 0.01 and -0.1
  constexpr const char* kWhat = "a local or shared variable or array is read before it is set, or outside its bounds";
  Unset found;
  if (!backend.contains_crashes || !is_small(*request.problem)) return found;
  std::array<CallResult, 2> results;
  for (size_t i = 0; i < results.size(); ++i) {
    request.stack_fill = kFills[i];
    results[i] = backend.call(request);
    if (results[i].status == CallStatus::kBroken && !results[i].message.empty() && results[i].outputs.empty()) {
      found.words = fmt::format("unset: with other bytes on the stack, the call {}: {}", results[i].message, kWhat);
      return found;
    }
    if (results[i].status != CallStatus::kOk) return found;
  }
  if (call_difference(results[0], results[1], 2).empty()) return found;
  request.stack_fill = kFills[0];
  const CallResult again = backend.call(request);
  if (again.status != CallStatus::kOk || !call_difference(results[0], again, 3).empty())
    return found;  // the outputs change even with the same bytes on the stacks
  std::string places;
  for (const Part& part : right.any_of.front().parts) {
    const HostTensor &one = tensor_of(results[0].outputs, part), &other = tensor_of(results[1].outputs, part);
    const int64_t stored = stored_elements(part, one), columns = part.columns();
    std::vector<int64_t> changed, same;
    std::set<int64_t> rows, of_columns;
    for (int64_t i = 0; i < part.elements(); ++i) {
      const int64_t offset = part.offset(i / columns, i % columns);
      if (offset < 0 || offset >= stored) continue;
      const bool differs = load_code(part, one, offset) != load_code(part, other, offset);
      (differs ? changed : same).push_back(i);
      if (differs) rows.insert(i / columns), of_columns.insert(i % columns);
    }
    if (changed.empty()) continue;
    found.changed += int64_t(changed.size()), found.elements += part.elements();
    std::string where = same.empty() ? "" : places_apart(changed, same, columns);
    if (const size_t only = where.find("only "); only != std::string::npos) where.erase(only, 5);
    if (where.empty() && !same.empty() && rows.size() * of_columns.size() == changed.size())
      where = ", in " + places_text(rows, part.rows(), of_columns, columns);
    places += fmt::format("{}{} of {} elements of {}{}", places.empty() ? "" : "; ", changed.size(), part.elements(),
                          part.label(), where);
  }
  if (!places.empty()) found.words = fmt::format("unset: {} (results that change with the bytes on the stack: {})", kWhat, places);
  return found;
}

/// "reads strides[2] of 'x', which has 2 dimensions" for "read 0 bytes behind the end of 'strides of x'". Other words stay as
/// they are.
static std::string with_index_of_dimension(std::string words, const Problem& problem) {
  const std::optional<PlaceOutside> outside = place_outside(words);
  if (!outside) return words;
  for (const std::string& list : {kShapeOf, kStridesOf}) {
    if (!outside->name.starts_with(list)) continue;
    const std::string name = outside->name.substr(list.size());
    const HostTensor* const tensor = tensor_named(problem, name);
    if (tensor == nullptr) continue;
    const auto dimensions = int64_t(tensor->spec.shape.size()), entries = outside->bytes / int64_t(sizeof(int64_t));
    return fmt::format("{}{}[{}] of '{}', which has {} dimension{}{}", words.substr(0, outside->begin),
                       list.substr(0, list.find(' ')), outside->before ? -entries : dimensions + entries, name, dimensions,
                       dimensions == 1 ? "" : "s", words.substr(outside->end));
  }
  return words;
}

std::string access_beside(const Backend& backend, CallRequest request, bool exactly) {
  if (!backend.contains_crashes || !is_small(*request.problem)) return "";
  const std::vector<Beside> all =
      exactly ? std::vector{Beside::kNothingExactlyBehind} : std::vector{Beside::kNothingBehind, Beside::kNothingBefore};
  for (const Beside beside : all) {
    request.beside = beside;
    const CallResult result = backend.call(request);
    if (result.status != CallStatus::kBroken) continue;
    const std::string& message = result.message;
    const bool of_tensor =
        message.find(" before the start of '") != message.npos || message.find(" behind the end of '") != message.npos;
    const size_t address = message.find(" at address 0x"), kind = message.find(": ", address == message.npos ? 0 : address);
    if (!of_tensor || address == message.npos || kind == message.npos) continue;
    // "read 2 bytes before the start of 'x', in libmine.so+0x11a9 (at mine.h:12; function f())"
    std::string words = message.substr(kind + 2);
    words = words.substr(0, words.find("; --in-process"));
    const size_t place = words.find(", in "), lines = words.find(" (at ");
    if (place != words.npos && lines != words.npos) words.erase(place, lines - place);
    return "outside: " + with_index_of_dimension(std::move(words), *request.problem);
  }
  return "";
}

bool is_about_extents(const std::string& words) {
  return words.starts_with("outside: ") && words.find("] of '") != std::string::npos &&
         words.find("', which has ") != std::string::npos;
}

bool depends_on_extents(const Backend& backend, CallRequest request) {
  const CallResult zeros = backend.call(request);
  for (const uint8_t beside : {1, 4}) {
    request.stack_fill = beside;
    const CallResult other = backend.call(request);
    if (other.status != zeros.status || other.message != zeros.message || other.untouched != zeros.untouched ||
        !call_difference(zeros, other, 2).empty())
      return true;
  }
  return false;
}

// What checks reported that the compiler put into the library under test: an index outside a local array, a division by 0.

namespace {

/// The text between kBeforeCrash and the hint at the end of a message such as "crashed: SIGSEGV at ...; before that, outside:
/// index 8 of an array of type 'float [8]' (at mine.h:12); --in-process under a debugger shows where".
std::string reported_before_crash(const std::string& message) {
  const size_t at = message.find(kBeforeCrash);
  if (at == std::string::npos) return "";
  const std::string words = message.substr(at + std::string(kBeforeCrash).size());
  return words.substr(0, words.find("; --in-process"));
}

/// The causes that stay true if the values of the wrong elements mean nothing.
bool is_about_places(const std::string& words) {
  return words.starts_with("outside: ") || words.starts_with("never written: ") ||
         words.find(kEveryElement) != std::string::npos ||
         (words.starts_with("explains ") && !words.starts_with("explains only "));
}

}  // namespace

void put_failed_checks_first(const CallResult* result, Verdict& verdict) {
  if (verdict.outcome != Outcome::kFail && verdict.outcome != Outcome::kBroken) return;
  std::string reported = reported_before_crash(verdict.message);
  if (reported.empty() && result != nullptr) reported = result->undefined;
  if (reported.empty()) return;
  std::erase_if(verdict.causes, [](const std::string& words) { return !is_about_places(words); });
  verdict.causes.insert(verdict.causes.begin(), reported);
}

}  // namespace assay
