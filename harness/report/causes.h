// Parses the text of causes, so that reports can count, compare and merge causes that differ only in numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "harness/compare/verdict.h"
#include "harness/run/run.h"

namespace assay {

/// "explains only 12 of 13 failing elements and contradicts 1 right elements: scale: ceil -> floor", as diagnosis writes it.
struct ToldCause {
  int64_t explained = 0, failing = 0, contradicted = 0;
  std::string mistake;  ///< "scale: ceil -> floor"; the two mutants of a pair are joined by "; and "

  bool complete() const { return explained == failing && contradicted == 0; }
};

/// Reads a text that names a mutant. Empty for other texts: "no known cause", a race, padding.
std::optional<ToldCause> parse_cause(const std::string& words);

/// Replaces numbers and positions by "#", so that one mutant has the same name in all cases. Digits in a word stay: "e4m3fn".
/// List items that become equal are merged: "byte 0 in 1 word, byte 1 in 2 words" becomes "byte # in # words".
std::string with_numbers_masked(const std::string& text);

/// A text that is equal for failures with the same cause: the mutant named by the verdict's first cause, else its message.
std::string first_mistake(const Verdict& verdict);

/// The case id without its warp size. Cases that differ only in warp size share their data.
std::string data_of(const Verdict& verdict);

/// True for texts that name no mutant, such as "no known cause". Two kernels with the same text may then have different faults.
bool is_unknown(const std::string& mistake);
/// True for a text of harness/diagnosis/wrong_part.h, which describes the outputs and names no mutant.
bool is_pattern(const std::string& words);
/// True for "probably MUTANT (1 element fits; too few to assert)".
bool is_probable(const std::string& words);

// Compares the causes of a kernel's failures with each other, after all cases have run.

/// Whether the data of a passed case distinguish a mutant from the contract. `mistake`: the mutant's name, ToldCause::mistake.
using Exposes = std::function<bool(const Verdict& passed, const std::string& mistake)>;

/// The diagnosis sees one case at a time. This step compares the failing cases of one kernel and contract, then sorts and
/// annotates the texts of Verdict::causes. Causes that explain every wrong element are sorted by the number of the kernel's
/// cases that they explain. Refuted causes are dropped if a cause remains that nothing refutes, and marked as refuted otherwise.
///
///  - If the mutants A and B both explain one case, but A also explains another case and B explains no case that A does not
///    explain, B is refuted.
///  - A mutant that explains only a few elements in a single case is called probable, not asserted: among a hundred mutants,
///    one matches a single element by chance. Other failing cases of the kernel refute it, if another mutant or none explains
///    them.
///
/// A case whose list of causes may be truncated refutes nothing. A mutant that explains many elements stays, even if the list of
/// another case lacks it: that case may have a layout or size for which the mutant was not tried.
///
/// Passed cases refute, too: a kernel with the mistake would have failed each case whose inputs expose the mistake. A mutant is
/// refuted if more passed cases with the same formats and layout expose it than failed cases have it as their cause. A majority
/// is needed, because a fault of one code path, such as the tail of a row, may let as many cases pass as fail.
void reconcile(RunResult& result, const Exposes& exposes = nullptr);

/// The words of a case id that give formats, sizes and layout: "bf16", "m1", "n1024", "row" (unwritten_cases.cpp).
std::vector<std::string> words_of_shape(const Verdict& verdict);

/// For cases in which nothing was written: adds the parameters that all of them have and that no case of the kernel with written
/// outputs has, such as "only the case with m1 writes nothing". reconcile() calls it.
void compare_unwritten_cases(RunResult& result);

/// For failing cases without a known mistake: adds what their sizes have in common and those of no passed case have, such as
/// "fails only where k is at most 1 (the others have at least 17)". reconcile() calls it.
void compare_failing_cases(RunResult& result);

/// A mutant that explains fewer failing elements than this, and in only one case, is called probable (see reconcile()).
inline constexpr int64_t kEnoughElements = 8;

}  // namespace assay
