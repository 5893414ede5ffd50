#include "harness/report/causes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace assay {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Removes `prefix` from the front of `text`, if it is there.
bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_number(std::string_view& text, int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return false;
  text.remove_prefix(size_t(end - text.data()));
  return true;
}

/// Length of the number at `at`, including sign, fraction and exponent; 0 if there is none or if it is part of a word.
size_t number_length(std::string_view text, size_t at) {
  if (at > 0 && (is_word(text[at - 1]) || text[at - 1] == '.')) return 0;
  size_t end = at;
  if (end < text.size() && (text[end] == '-' || text[end] == '+')) ++end;
  if (end >= text.size() || !is_digit(text[end])) return 0;
  if (text.substr(end).starts_with("0x")) {
    end += 2;
    while (end < text.size() && std::isxdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
  } else {
    while (end < text.size() && (is_digit(text[end]) || (text[end] == '.' && end + 1 < text.size() && is_digit(text[end + 1]))))
      ++end;
    if (end < text.size() && text[end] == 'e') {
      size_t exponent = end + 1;
      if (exponent < text.size() && (text[exponent] == '-' || text[exponent] == '+')) ++exponent;
      if (exponent < text.size() && is_digit(text[exponent])) {
        while (exponent < text.size() && is_digit(text[exponent])) ++exponent;
        end = exponent;
      }
    }
  }
  return end < text.size() && is_word(text[end]) ? 0 : end - at;
}

/// Removes adjacent duplicates from a comma-separated list.
std::string without_repetition(const std::string& list) {
  std::string text, last;
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find(", ", begin), list.size());
    const std::string part = list.substr(begin, end - begin);
    if (begin == 0 || part != last) text.append(begin == 0 ? "" : ", ").append(part);
    last = part;
    begin = end + 2;
  }
  return text;
}

/// Begins the list of mistakes that have the same effect in a case (join_ties() below).
constexpr std::string_view kSameEffect = " (same effect here: ";

/// Removes the parts of a cause that differ between cases: elements, counts, conditions.
std::string without_details(std::string text) {
  if (text.starts_with("race: ") || text.starts_with("unsteady: ") || text.starts_with("unset: "))
    text = text.substr(0, text.find(" ("));  // drops the first element that changed
  if (is_pattern(text) || is_probable(text)) text = text.substr(0, text.rfind(" ("));  // drops the count
  text = text.substr(0, text.find(kSameEffect));
  const std::string needed = " (needed for ";
  for (size_t at = text.find(needed); at != std::string::npos; at = text.find(needed))
    text.erase(at, text.find(')', at) + 1 - at);
  return text;
}

}  // namespace

std::optional<ToldCause> parse_cause(const std::string& words) {
  std::string_view rest = words;
  ToldCause cause;
  if (!take(rest, "explains ")) return std::nullopt;
  (void)take(rest, "only ");
  if (!take_number(rest, cause.explained) || !take(rest, " of ") || !take_number(rest, cause.failing)) return std::nullopt;
  const size_t colon = rest.find(": ");
  if (colon == rest.npos) return std::nullopt;
  std::string_view counted = rest.substr(0, colon);
  if (const size_t good = counted.find("contradicts "); good != counted.npos) {
    counted.remove_prefix(good + std::string_view("contradicts ").size());
    if (!take_number(counted, cause.contradicted)) return std::nullopt;
  }
  cause.mistake = without_details(std::string(rest.substr(colon + 2)));
  return cause;
}

std::string with_numbers_masked(const std::string& text) {
  std::string masked;
  for (size_t at = 0; at < text.size();) {
    const size_t length = number_length(text, at);
    if (length == 0) {
      masked += text[at++];
    } else {
      masked += '#';
      at += length;
    }
  }
  return without_repetition(masked);
}

std::string first_mistake(const Verdict& verdict) {
  if (verdict.causes.empty()) return verdict.message;
  const std::string& words = verdict.causes.front();
  const std::optional<ToldCause> cause = parse_cause(words);
  return cause ? cause->mistake : without_details(words);
}

std::string data_of(const Verdict& verdict) {
  const std::string suffix = "/w" + verdict.warp, &id = verdict.case_id;
  return !verdict.warp.empty() && id.ends_with(suffix) ? id.substr(0, id.size() - suffix.size()) : id;
}

bool is_unknown(const std::string& mistake) {
  return mistake.empty() || mistake.starts_with("no known cause") || mistake.starts_with("cause not sought") ||
         is_probable(mistake);
}
bool is_probable(const std::string& words) { return words.starts_with("probably "); }
bool is_pattern(const std::string& words) { return words.starts_with("pattern: "); }

namespace {

/// A list of causes with kLongestList entries may be truncated; if all of them explain everything, one with kLongestListOfTies
/// entries (causes_in_words() in diagnosis/diagnose.h).
constexpr size_t kLongestList = 3, kLongestListOfTies = 16;

// would_fit() in diagnosis/diagnose.h
constexpr std::string_view kWouldFit = "several mistakes would fit: ", kOneWouldFit = "of the known mistakes only one would fit: ";

bool is_no_cause(std::string_view words) { return words.starts_with("no known cause"); }
bool is_fitting(std::string_view words) { return words.starts_with(kWouldFit) || words.starts_with(kOneWouldFit); }

constexpr std::string_view kMinusZeros = " holds -0 in every element", kOtherSign = "zeros: of the other sign";

constexpr std::string_view kObeys = "obeys ", kInstead = " instead";  // obeyed_instead() in diagnosis/diagnose.h

/// A failing case and the causes that the diagnosis found.
struct Diagnosed {
  Verdict* verdict;
  std::vector<ToldCause> causes;
  std::set<std::string> mistakes;  ///< key_of() of each cause
  /// Mistakes that explain every wrong element of an output that many mistakes could give, such as zeros ("would fit: ...").
  std::vector<ToldCause> fitting = {};
  std::set<std::string> fitting_mistakes = {};  ///< key_of() of each
  bool fitting_is_cut = false;                  ///< the text names only some of them: "; 2 more"

  bool fits(const std::string& mistake) const { return mistakes.contains(mistake) || fitting_mistakes.contains(mistake); }
  bool may_be_cut() const {
    return fitting_is_cut || causes.size() >= (!causes.empty() && causes.front().complete() ? kLongestListOfTies : kLongestList);
  }
};

/// The mistake without numbers and without text that depends on shapes: the index "i, " of a row, ", within vectors of 8",
/// ", j counted over all rows", and the rows, columns or elements in which it was seen.
std::string key_of(const ToldCause& cause) {
  std::string mistake = cause.mistake;
  if (mistake.starts_with(kObeys)) return mistake.substr(0, mistake.find(kInstead));  // the numbers of a release count
  for (size_t at = 0; (at = mistake.find("[i, ", at)) != std::string::npos;) mistake.erase(at + 1, 3);
  for (const char* const words : {", within vectors of ", ", j counted over all rows", ", only in ", ", only where "})
    if (const size_t at = mistake.find(words); at != std::string::npos) mistake.erase(at, mistake.find("; and ", at) - at);
  // A kernel that rounds to its 16-bit type has this type in some cases and the other one in others.
  for (const char* const words : {"rounded to bf16", "rounded to f16", "to(bf16)", "to(f16)"})
    if (const size_t at = mistake.find(words); at != std::string::npos) mistake.replace(at, std::string(words).size(), "to 16 bits");
  return with_numbers_masked(mistake);
}

/// The ids in "obeys A, B instead".
std::vector<std::string> contracts_of(std::string_view words) {
  std::vector<std::string> ids;
  std::string_view list = words.substr(kObeys.size());
  list = list.substr(0, list.find(kInstead));
  while (!list.empty()) {
    const size_t end = list.find(", ");
    ids.emplace_back(list.substr(0, end));
    list.remove_prefix(end == list.npos ? list.size() : end + 2);
  }
  return ids;
}

/// Reads "several mistakes would fit: A; B; 2 more" into `result`.
void read_fitting(std::string_view words, Diagnosed& result) {
  if (!take(words, kWouldFit) && !take(words, kOneWouldFit)) return;
  const int64_t outside = elements_outside(*result.verdict);
  while (!words.empty()) {
    size_t end = words.find("; ");
    while (end != words.npos && words.substr(end).starts_with("; and ")) end = words.find("; ", end + 1);  // within a pair
    const std::string_view item = words.substr(0, end);
    if (item.ends_with(" more") && is_digit(item.front())) {
      result.fitting_is_cut = true;
    } else if (item.starts_with(kObeys)) {
      for (std::string& contract : contracts_of(item))
        result.fitting.push_back({outside, outside, 0, fmt::format("{}{}{}", kObeys, contract, kInstead)});
    } else {
      result.fitting.push_back({outside, outside, 0, std::string(item)});
    }
    words.remove_prefix(end == words.npos ? words.size() : end + 2);
  }
  for (const ToldCause& cause : result.fitting) result.fitting_mistakes.insert(key_of(cause));
}

/// Fills `result`. Returns false if the diagnosis did not search for mutants, for example after a crash or a race.
bool diagnosed(Verdict& verdict, Diagnosed& result) {
  if (verdict.outcome != Outcome::kFail || verdict.causes.empty()) return false;
  result = {&verdict, {}, {}};
  for (const std::string& words : verdict.causes) {
    const std::optional<ToldCause> cause = parse_cause(words);
    if (!cause) read_fitting(words, result);
    if (!cause) continue;
    result.mistakes.insert(key_of(*cause));
    result.causes.push_back(*cause);
  }
  return !result.causes.empty() || !result.fitting.empty() || is_unknown(verdict.causes.front()) ||
         is_pattern(verdict.causes.front());
}

/// Whether a word of a case id is only about sizes: "m4", "n1024", or the shape, strides, offset and storage of a view, as in
/// "2x3.by3x1.at0.of27".
bool is_size(std::string_view word) {
  const bool of_matrix = word.size() > 1 && (word[0] == 'm' || word[0] == 'n');
  if (of_matrix && std::all_of(word.begin() + 1, word.end(), is_digit)) return true;
  for (const char* const prefix : {"by", "at", "of"})
    if (take(word, prefix)) break;
  return !word.empty() && is_digit(word.front()) &&
         std::all_of(word.begin(), word.end(), [](char c) { return is_digit(c) || c == 'x'; });
}

/// Formats and layout of a case, without sizes: "bf16.g128.row" of ".../bf16.m4.n1024.g128.row/...".
std::string formats_of(const Verdict& verdict) {
  std::string text;
  for (const std::string& word : words_of_shape(verdict))
    if (!is_size(word)) text.append(word).append(".");
  return text;
}

/// Whether a failing case can refute no cause: an output is 0 or NaN everywhere, or holds expected values at wrong places. Many
/// different mistakes give such outputs.
bool tells_nothing(const Verdict& verdict) {
  return std::any_of(verdict.causes.begin(), verdict.causes.end(), [](const std::string& words) {
    const bool moved =
        words.find(" holds the expected values ") != std::string::npos && words.find(" times a factor ") == std::string::npos;
    return moved || words.find(" holds 0 in every element") != std::string::npos ||
           words.find(kMinusZeros) != std::string::npos || words.find(" holds NaN in every element") != std::string::npos ||
           words.find(", which NaN becomes, in every element") != std::string::npos ||
           words.find("zeros: of the other sign") != std::string::npos;
  });
}

/// All failing and passed cases of one kernel and contract.
class Kernel {
 public:
  void add(Diagnosed one) { cases_.push_back(std::move(one)); }
  void add_passed(const Verdict& one) { passed_.push_back(&one); }
  void asks(const Exposes& exposes) { exposes_ = exposes; }

  void mark() {
    for (Diagnosed& one : cases_)
      if (!one.causes.empty()) mark(one);
    for (Diagnosed& one : cases_)
      if (!one.fitting.empty()) assert_fitting(one);
    for (Diagnosed& one : cases_) drop_refuted_fitting(one);
    note_zeros_everywhere();
    note_minus_zeros();
    assert_contracts();
    for (Diagnosed& one : cases_) join_ties(one.verdict->causes);
  }

 private:
  /// Ids of data sets. Cases are counted by data set, so that one data set at two warp sizes counts once.
  using Data = std::set<std::string>;

  Data fitting(const std::string& mistake) const {
    Data data;
    for (const Diagnosed& one : cases_)
      for (const ToldCause& cause : one.causes)
        if (cause.complete() && key_of(cause) == mistake) data.insert(data_of(*one.verdict));
    if (data.empty()) return data;  // outputs that many mistakes could give support a mistake, but do not suffice
    for (const Diagnosed& one : cases_)
      if (one.fitting_mistakes.contains(mistake)) data.insert(data_of(*one.verdict));
    return data;
  }

  bool is_well_founded(const std::string& mistake) const {
    if (fitting(mistake).size() > 1) return true;
    return std::any_of(cases_.begin(), cases_.end(), [&](const Diagnosed& one) {
      // an explained violation counts as one explained element, although it involves many elements
      const bool violated = !one.verdict->violations.empty();
      return std::any_of(one.causes.begin(), one.causes.end(), [&](const ToldCause& cause) {
        return (violated || cause.explained >= kEnoughElements) && key_of(cause) == mistake;
      });
    });
  }

  /// Cases that `another` explains and `mistake` does not. If `another` is "": all cases that `mistake` does not explain.
  Data refuting(const std::string& mistake, const std::string& another) const {
    if (another.starts_with(kObeys)) return {};  // the other contract may differ by this very mistake
    Data data;
    for (const Diagnosed& one : cases_) {
      // A pattern does not refute a mistake that the search may not have tried.
      const bool unfinished = is_pattern(one.verdict->causes.front()) && one.causes.empty() &&
                              one.verdict->looked_at.find(" were not tried") != std::string::npos;
      const bool searched = one.verdict->looked_at.find(" not tried") == std::string::npos;
      const bool explained_otherwise = another.empty() ? !tells_nothing(*one.verdict) && !unfinished
                                                       : one.mistakes.contains(another) || (searched && one.fits(another));
      if (!one.may_be_cut() && !one.fits(mistake) && explained_otherwise) data.insert(data_of(*one.verdict));
    }
    return data;
  }

  /// Cases that another mutant of `one` explains and `mistake` does not. That mutant must explain all cases of `mistake`.
  Data refuted_beside_others(const Diagnosed& one, const std::string& mistake) const {
    for (const std::string& other : one.mistakes) {
      if (other == mistake || !refuting(other, mistake).empty()) continue;
      if (Data data = refuting(mistake, other); !data.empty()) return data;
    }
    return {};
  }

  /// Whether no case has both causes.
  bool explain_nothing_together(const std::string& a, const std::string& b) const {
    return std::none_of(cases_.begin(), cases_.end(),
                        [&](const Diagnosed& one) { return one.mistakes.contains(a) && one.mistakes.contains(b); });
  }

  /// Cases that `mistake` does not even partly explain; empty if there are fewer of them than cases that it explains. Leaves out
  /// cases with few wrong elements or an unfinished search. Always empty for a mistake of a layout: other layouts cannot show it.
  Data unexplained(const std::string& mistake) const {
    const bool of_layout = mistake.find("layout") != std::string::npos;
    const bool of_input =
        mistake.find(" read ") != std::string::npos || mistake.find(" left out of the sum ") != std::string::npos;
    Data data;
    for (const Diagnosed& one : cases_) {
      const auto left_out = [&](const char* what) { return one.verdict->looked_at.find(what) != std::string::npos; };
      const bool searched = !one.may_be_cut() && !left_out(" mutants were not tried") &&
                            !(of_input && left_out(" wrong reads of inputs were not tried"));
      // If a mutant that explains none of the cases of `mistake` explains this one, both may name one fault whose text depends on
      // the size, such as "the last column" and "what is behind whole vectors". refuted_beside_others() covers all other mutants.
      const bool otherwise = std::any_of(one.causes.begin(), one.causes.end(), [&](const ToldCause& cause) {
        return cause.complete() && explain_nothing_together(key_of(cause), mistake);
      });
      if (otherwise) continue;
      const bool unknown =
          one.causes.empty() && is_unknown(one.verdict->causes.front());  // counts even if the search was not finished
      if ((searched || unknown) && elements_outside(*one.verdict) >= kEnoughElements && !of_layout &&
          !tells_nothing(*one.verdict) && !one.fits(mistake))
        data.insert(data_of(*one.verdict));
    }
    return data.size() >= fitting(mistake).size() ? data : Data();
  }

  /// Passed cases that expose `cause`, in formats and layouts in which it was found; empty unless they outnumber its failing
  /// cases.
  Data passed_against(const ToldCause& cause) const {
    if (!exposes_ || cause.mistake.find("; and ") != std::string::npos) return {};
    const std::string mistake = key_of(cause);
    std::set<std::string> formats;
    Data fits, against;
    for (const Diagnosed& one : cases_)
      if (one.mistakes.contains(mistake)) formats.insert(formats_of(*one.verdict)), fits.insert(data_of(*one.verdict));
    for (const Verdict* one : passed_)
      if (formats.contains(formats_of(*one)) && exposes_(*one, cause.mistake)) against.insert(data_of(*one));
    return against.size() > fits.size() ? against : Data();
  }

  /// The number of data sets that a cause explains; 0 if it does not explain every wrong element of its own case.
  size_t complete_in(const std::string& words) const {
    const std::optional<ToldCause> cause = parse_cause(words);
    return cause && cause->complete() ? fitting(key_of(*cause)).size() : 0;
  }

  /// Joins lines of "obeys X instead" into one. Drops them if a mutant explains as many cases: it names the mistake itself.
  void merge_contracts(std::vector<std::string>& asserted) const {
    std::vector<std::string> contracts;
    size_t most = 0, of_others = 0;
    for (const std::string& words : asserted) {
      size_t& cases = is_contract(words) ? most : of_others;
      cases = std::max(cases, complete_in(words));
    }
    if (most == 0) return;
    std::string single;
    for (const std::string& words : asserted) {
      if (!is_contract(words) || complete_in(words) < most) continue;
      single = words;
      contracts.push_back(contracts_of(parse_cause(words)->mistake).front());
    }
    std::erase_if(asserted, is_contract);
    if (most <= of_others) return;
    if (contracts.size() > 1) single = single.substr(0, single.find(kObeys)) + obeys_text(contracts);
    asserted.push_back(single);  // a mutant that explains this case, too, says more than the name of a contract
  }
  static std::string obeys_text(const std::vector<std::string>& contracts) {
    constexpr size_t kMostNamed = 3;
    std::string names;
    for (size_t i = 0; i < std::min(kMostNamed, contracts.size()); ++i) names += (i == 0 ? "" : ", ") + contracts[i];
    if (contracts.size() > kMostNamed) names += fmt::format(" and {} more", contracts.size() - kMostNamed);
    return fmt::format("{}{}{}", kObeys, names, kInstead);
  }
  static bool is_contract(const std::string& words) {
    const std::optional<ToldCause> cause = parse_cause(words);
    return cause && cause->mistake.starts_with(kObeys);
  }

  static std::string cases_text(const Data& data) {
    return data.size() == 1 ? *data.begin() : fmt::format("{} and {} more", *data.begin(), data.size() - 1);
  }

  void mark(const Diagnosed& one) const {
    std::vector<std::string> asserted, doubted, others;
    std::string fits, probable;
    size_t probable_at = 0;  // index in `doubted` of the text about the probable cause, which is erased if `probable` is used
    size_t at = 0;
    for (const std::string& words : one.verdict->causes) {
      if (!parse_cause(words)) {
        others.push_back(words);
        continue;
      }
      const ToldCause& cause = one.causes[at++];
      const std::string mistake = key_of(cause);
      const Data beside = refuted_beside_others(one, mistake), refuted = refuting(mistake, ""), passed = passed_against(cause);
      if (!passed.empty()) {
        doubted.push_back(
            fmt::format("refuted by {}, which {}: {}", cases_text(passed), passed.size() == 1 ? "passes" : "pass", words));
      } else if (!beside.empty()) {
        doubted.push_back(fmt::format("refuted by {}: {}", cases_text(beside), words));
      } else if (const Data left = unexplained(mistake); left.empty() && is_well_founded(mistake)) {
        asserted.push_back(words);
      } else if (!left.empty() || !refuted.empty()) {
        if (fits.empty() && probable.empty())
          fits = fmt::format("; '{}' explains {} case{}, and {} refute{} it", cause.mistake, fitting(mistake).size(),
                             fitting(mistake).size() == 1 ? "" : "s", std::max(left.size(), refuted.size()),
                             std::max(left.size(), refuted.size()) == 1 ? "s" : "");
        doubted.push_back(fmt::format("refuted by {}: {}", cases_text(left.empty() ? refuted : left), words));
      } else {
        if (fits.empty() && probable.empty()) {
          probable = fmt::format("probably {} ({}; too few to assert)", cause.mistake,
                                 cause.explained == 1 ? "1 element fits" : fmt::format("{} elements fit", cause.explained));
          probable_at = doubted.size();
        }
        doubted.push_back(fmt::format("not asserted, too few elements: {}", words));
      }
    }
    if (asserted.empty() && (others.empty() || !(is_pattern(others.front()) || others.front().starts_with("outside: ")))) {
      asserted.push_back(probable.empty() ? "no known cause" + fits : probable);
      if (!probable.empty()) doubted.erase(doubted.begin() + std::ptrdiff_t(probable_at));
    }
    const bool is_named = !asserted.empty() && !is_unknown(asserted.front());
    // Causes that explain every wrong element are sorted: those that explain most cases of the kernel come first.
    std::stable_sort(asserted.begin(), asserted.end(), [&](const std::string& a, const std::string& b) {
      return complete_in(a) > complete_in(b);
    });
    merge_contracts(asserted);
    asserted.insert(asserted.end(), others.begin(), others.end());
    if (is_named)
      std::erase_if(doubted, [](const std::string& words) { return words.starts_with("refuted by "); });
    asserted.insert(asserted.end(), doubted.begin(), doubted.end());
    // A read outside of memory comes first, as the diagnosis put it: it names the line of code.
    if (const std::string& first = one.verdict->causes.front(); first.starts_with("outside: ")) {
      const auto at = std::find(asserted.begin(), asserted.end(), first);
      std::rotate(asserted.begin(), at, at + 1);
    }
    one.verdict->causes = std::move(asserted);
  }

  /// Whether a case has exactly this mistake, with its numbers, as a cause of every wrong element.
  bool is_named(const ToldCause& mistake) const {
    return std::any_of(cases_.begin(), cases_.end(), [&](const Diagnosed& one) {
      return std::any_of(one.causes.begin(), one.causes.end(),
                         [&](const ToldCause& cause) { return cause.complete() && cause.mistake == mistake.mistake; });
    });
  }

  /// Another case may show which of the mistakes that would fit this case is the right one. Then it becomes the case's cause.
  void assert_fitting(const Diagnosed& one) const {
    std::vector<std::string> shown;
    const bool has_named =
        std::any_of(one.fitting.begin(), one.fitting.end(), [&](const ToldCause& cause) { return is_named(cause); });
    for (const ToldCause& cause : one.fitting) {
      if (has_named && !is_named(cause)) continue;  // "j >= 448", if another case says so, and not "j >= 8"
      const std::string mistake = key_of(cause);
      if (fitting(mistake).empty() || !refuting(mistake, "").empty() || !unexplained(mistake).empty() || !is_well_founded(mistake) ||
          !passed_against(cause).empty())
        continue;
      shown.push_back(fmt::format("explains {0} of {0} failing elements: {1}", cause.explained, cause.mistake));
    }
    if (shown.empty()) return;
    std::erase_if(one.verdict->causes, [](const std::string& words) {
      return is_fitting(words) || is_no_cause(words) ||
             words.find(" holds what the tensor held before the call") != std::string::npos;
    });
    one.verdict->causes.insert(one.verdict->causes.begin(), shown.begin(), shown.end());
  }

  /// Whether `other`, whose outputs hold one value, shows that `mistake` is not the reason: its search tried all mistakes, and
  /// this one does not fit.
  static bool refutes_fitting(const Diagnosed& other, const std::string& mistake) {
    const std::string& looked_at = other.verdict->looked_at;
    return holds_one_value(*other.verdict) && !other.fitting_is_cut && looked_at.find(" not tried") == std::string::npos &&
           looked_at.find("the search for causes covered") == std::string::npos && !other.fits(mistake);
  }
  static bool holds_one_value(const Verdict& verdict) {
    return std::any_of(verdict.causes.begin(), verdict.causes.end(), [](const std::string& words) {
      return is_pattern(words) && (words.find(" holds 0 in every element (") != std::string::npos ||
                                   words.find(" holds NaN in every element (") != std::string::npos);
    });
  }

  /// Drops mistakes from "several mistakes would fit: ..." that do not fit another failing case whose outputs hold one value,
  /// too.
  void drop_refuted_fitting(Diagnosed& one) const {
    const auto line = std::find_if(one.verdict->causes.begin(), one.verdict->causes.end(), is_fitting);
    if (line == one.verdict->causes.end() || one.fitting_is_cut || !holds_one_value(*one.verdict)) return;
    std::vector<std::string> left;
    for (const ToldCause& cause : one.fitting) {
      if (cause.mistake.starts_with(kObeys)) return;
      const std::string key = key_of(cause);
      const bool refuted = std::any_of(cases_.begin(), cases_.end(), [&](const Diagnosed& other) {
        return data_of(*other.verdict) != data_of(*one.verdict) && refutes_fitting(other, key);
      });
      if (!refuted) left.push_back(cause.mistake);
    }
    if (left.size() == one.fitting.size()) return;
    if (left.empty()) {
      one.verdict->causes.erase(line);
      return;
    }
    *line = left.size() == 1 ? std::string(kOneWouldFit) + left.front() : std::string(kWouldFit) + left.front();
    for (size_t i = 1; i < left.size(); ++i) *line += "; " + left[i];
  }

  /// If all failing cases, of two or more data sets, hold only 0, and no known mistake fits, the value is lost late.
  void note_zeros_everywhere() const {
    Data data;
    for (const Diagnosed& one : cases_) {
      const std::vector<std::string>& causes = one.verdict->causes;
      if (causes.size() != 1 || !is_pattern(causes[0]) || causes[0].find(" holds 0 in every element (") == std::string::npos ||
          causes[0].find("expected sign") != std::string::npos)
        return;
      data.insert(data_of(*one.verdict));
    }
    if (data.size() < 2) return;
    for (const Diagnosed& one : cases_) {
      std::string& words = one.verdict->causes[0];
      const bool of_sums = words.find("; nothing is added to the sums, ") != std::string::npos;
      words.insert(words.size() - 1,
                   of_sums ? "; so does every failing case"
                           : "; so does every failing case: the store, or the last conversion before it, may write 0");
    }
  }

  /// If a case holds -0 in every element, another case whose zeros have the wrong sign has the same reason.
  void note_minus_zeros() const {
    const auto first_has = [](const Diagnosed& one, std::string_view words) {
      return !one.verdict->causes.empty() && one.verdict->causes.front().find(words) != std::string::npos;
    };
    const auto minus =
        std::find_if(cases_.begin(), cases_.end(), [&](const Diagnosed& one) { return first_has(one, kMinusZeros); });
    if (minus == cases_.end()) return;
    for (const Diagnosed& one : cases_)
      if (first_has(one, kOtherSign) && one.verdict->causes.front().ends_with(")"))
        one.verdict->causes.front().insert(one.verdict->causes.front().size() - 1,
                                           fmt::format("; {}{}", data_of(*minus->verdict), kMinusZeros));
  }

  /// Joins causes of one cell if there are many of them: "rival: never taken (same effect here: drop div(M), ...)". Also joins
  /// the two mistakes with which a kernel multiplies by the scale instead of dividing by it.
  static void join_ties(std::vector<std::string>& causes) {
    constexpr size_t kMany = 4;
    constexpr const char* kNever = "never taken";
    std::map<std::string, std::vector<std::string>> of_cell;
    std::string by_quotient, by_multiplier;
    for (const std::string& words : causes) {
      const std::optional<ToldCause> cause = parse_cause(words);
      if (!cause || !cause->complete() || cause->mistake.find("; and ") != std::string::npos) continue;
      const size_t colon = cause->mistake.find(": ");
      const size_t step = cause->mistake.find_first_of(" (", colon == std::string::npos ? 0 : colon + 2);
      if (colon == std::string::npos || step == std::string::npos) continue;
      of_cell[cause->mistake.substr(0, colon)].push_back(cause->mistake.substr(colon + 2));
      if (cause->mistake.starts_with("code: mul(m) -> div(m)")) by_quotient = words;
      if (cause->mistake.starts_with("mult: drop rcp")) by_multiplier = words;
    }
    if (!by_quotient.empty() && !by_multiplier.empty()) {
      const std::string dropped = parse_cause(by_multiplier)->mistake;
      std::erase(causes, by_multiplier);
      *std::find(causes.begin(), causes.end(), by_quotient) =
          fmt::format("{}, or {}: multiplies by the scale instead of dividing", by_quotient, dropped);
    }
    for (auto& [cell, mistakes] : of_cell) {
      if (mistakes.size() < kMany) continue;
      const auto never = std::find(mistakes.begin(), mistakes.end(), kNever);
      if (never != mistakes.end()) mistakes.erase(never), mistakes.insert(mistakes.begin(), kNever);
      std::string text = mistakes.front() + std::string(kSameEffect);
      for (size_t i = 1; i < mistakes.size(); ++i) text += (i == 1 ? "" : ", ") + mistakes[i];
      text += ")";
      const auto is_of_cell = [prefix = cell + ": "](const std::string& words) {
        const std::optional<ToldCause> cause = parse_cause(words);
        return cause && cause->complete() && cause->mistake.starts_with(prefix) &&
               cause->mistake.find("; and ") == std::string::npos;
      };
      const auto first = std::find_if(causes.begin(), causes.end(), is_of_cell);
      causes.erase(std::remove_if(first + 1, causes.end(), is_of_cell), causes.end());
      constexpr std::string_view kElements = " failing elements: ";
      *first = first->substr(0, first->find(kElements) + kElements.size()) + cell + ": " + text;
    }
  }

  /// If the outputs of all failing cases, of two or more data sets, obey another contract, and no mutant fits all of them, the
  /// kernel chose that contract. Single cases may have outputs that many mistakes could give.
  void assert_contracts() const {
    std::map<std::string, Data> support;        // by key
    std::map<std::string, std::string> mistakes;  // key -> mistake of a contract
    Data all;
    for (const Diagnosed& one : cases_) {
      const std::string data = data_of(*one.verdict);
      all.insert(data);
      for (const std::vector<ToldCause>* const causes : {&one.causes, &one.fitting})
        for (const ToldCause& cause : *causes) {
          if (!cause.complete()) continue;
          support[key_of(cause)].insert(data);
          if (cause.mistake.starts_with(kObeys)) mistakes[key_of(cause)] = cause.mistake;
        }
    }
    std::vector<std::string> contracts;
    for (const auto& [key, data] : support)
      if (const auto mistake = mistakes.find(key); mistake != mistakes.end() && data.size() == all.size())
        contracts.push_back(contracts_of(mistake->second).front());
      else if (mistake == mistakes.end() && data.size() == all.size())
        return;
    if (all.size() < 2 || contracts.empty()) return;
    for (const Diagnosed& one : cases_) {
      if (one.fitting.empty()) continue;
      const int64_t outside = elements_outside(*one.verdict);
      std::vector<std::string>& causes = one.verdict->causes;
      std::erase_if(causes,
                    [](const std::string& words) { return is_fitting(words) || is_no_cause(words) || is_contract(words); });
      causes.insert(causes.begin(), fmt::format("explains {0} of {0} failing elements: {1}", outside, obeys_text(contracts)));
    }
  }

  std::vector<Diagnosed> cases_;
  std::vector<const Verdict*> passed_;
  Exposes exposes_;
};

/// Shortens "several mistakes would fit: ..." to three mistakes.
void shorten_fitting(Verdict& verdict) {
  constexpr int64_t kMostNamed = 3;
  for (std::string& words : verdict.causes) {
    if (!words.starts_with(kWouldFit)) continue;
    std::vector<std::string> others;
    int64_t more = 0;
    std::string contracts;
    for (size_t begin = kWouldFit.size(), end = 0; begin < words.size(); begin = end + 2) {
      end = words.find("; ", begin);
      while (end != words.npos && words.compare(end, 6, "; and ") == 0) end = words.find("; ", end + 1);
      if (end == words.npos) end = words.size();
      const std::string item = words.substr(begin, end - begin);
      if (item.starts_with(kObeys))
        contracts = item;
      else if (item.ends_with(" more") && is_digit(item.front()))
        more += std::stoll(item);
      else
        others.push_back(item);
    }
    std::string text(kWouldFit);
    for (size_t i = 0; i < others.size(); ++i)
      if (int64_t(i) < kMostNamed)
        text.append(i == 0 ? "" : "; ").append(others[i]);
      else
        ++more;
    if (!contracts.empty()) text.append(others.empty() ? "" : "; ").append(contracts);
    words = more > 0 ? fmt::format("{}; {} more", text, more) : text;
  }
}

}  // namespace

void reconcile(RunResult& result, const Exposes& exposes) {
  using Key = std::tuple<std::string, std::string, std::string>;
  const auto key = [](const Verdict& verdict) { return Key(verdict.kernel, verdict.op, verdict.contract); };
  std::map<Key, Kernel> kernels;
  for (Verdict& verdict : result.verdicts)
    if (Diagnosed one; diagnosed(verdict, one)) kernels[key(verdict)].add(std::move(one));
  for (const Verdict& verdict : result.verdicts)
    if (const auto kernel = kernels.find(key(verdict)); kernel != kernels.end() && verdict.outcome == Outcome::kPass)
      kernel->second.add_passed(verdict);
  for (auto& [name, kernel] : kernels) kernel.asks(exposes), kernel.mark();
  for (Verdict& verdict : result.verdicts) shorten_fitting(verdict);
  compare_unwritten_cases(result);
  compare_failing_cases(result);
}

}  // namespace assay
