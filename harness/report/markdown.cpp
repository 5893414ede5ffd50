#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/report/failure_groups.h"
#include "harness/report/report.h"
#include "harness/report/verdict_text.h"
#include "harness/text/messages.h"

namespace assay {
namespace {

constexpr size_t kMostBytes = 60000, kMostText = 300, kMostCauses = 20, kMostListed = 20;

std::string cut(const std::string& text, size_t most) { return text.size() <= most ? text : text.substr(0, most - 4) + " ..."; }

/// Text of a library or table as a Markdown code span for a table cell. Markup in it has no effect; an @name notifies nobody.
std::string code(const std::string& text, size_t most = kMostText) {
  std::string safe;
  for (const char c : printable(cut(text, most))) {
    if (c == '|') safe += '\\';
    safe += c == '`' ? '\'' : c;
  }
  return safe.empty() ? "" : "`" + safe + "`";
}

/// A page of limited size: text beyond the limit is left out, and the last line says so.
class Page {
 public:
  /// Returns false if there is no room for the text.
  bool add(const std::string& text) {
    constexpr size_t kLastLine = 100;
    full_ |= text_.size() + text.size() + kLastLine > kMostBytes;
    if (!full_) text_ += text;
    return !full_;
  }
  std::string text() const { return full_ ? text_ + "\n\nThe page is full; `--report html:FILE` has the rest.\n" : text_; }

 private:
  std::string text_;
  bool full_ = false;
};

void add_head(Page& page, const RunResult& result, const LibraryInfo& library, const Provenance& provenance) {
  page.add(fmt::format("## Assay: {}\n\n", ending_text(result)));
  if (!result.ended_by.empty() || !result.harness_error.empty())
    page.add("**The run ended early: the other cases have no verdict.** " + code(result.harness_error) + "\n\n");
  const std::string counts = counts_text(result);
  page.add((result.gate ? states_text(result)
                        : fmt::format("{} of {} verdicts are not as expected ({})", result.unexpected(), result.verdicts.size(),
                                      counts)) +
           ".\n\n");
  std::string facts = code(library.name);
  const auto add = [&](const std::string& what) { facts += facts.empty() ? what : " · " + what; };
  if (!library.arch.empty()) add(code(library.arch));
  if (!library.device.empty() && library.device != library.arch) add(code(library.device));
  if (!provenance.begun.empty()) add(provenance.begun);
  if (!provenance.version.empty())
    add("Assay " + provenance.version + (provenance.commit.empty() ? "" : " " + code(provenance.commit.substr(0, 12))));
  if (!provenance.share.empty()) add("share " + provenance.share);
  if (result.gate) add("baseline " + code(result.gate->baseline + (result.gate->run.empty() ? "" : ", " + result.gate->run)));
  if (!facts.empty()) page.add(facts + "\n\n");
}

void add_states(Page& page, const RunResult& result) {
  page.add("| state | verdicts | gate |\n|---|---:|---|\n");
  for (const auto& [state, count] : counts_by_state(result))
    if (count > 0 || state != GateState::kNotInBaseline)
      page.add(fmt::format("| {} | {} | {} |\n", name(state), count, gate_effect(state, *result.gate)));
  page.add("\n");
  for (const std::string& gap : result.gate->gaps) page.add("- incomplete: " + code(gap) + "\n");
  for (const std::string& note : result.gate->notes) page.add("- " + code(note) + "\n");
}

std::string kernels_text(const std::set<std::string>& kernels) {
  constexpr size_t kMostKernels = 3;
  std::string text;
  size_t named = 0;
  for (const std::string& kernel : kernels)
    if (named++ < kMostKernels) text += (text.empty() ? "" : ", ") + code(kernel, 60);
  return kernels.size() > kMostKernels ? text + fmt::format(" and {} more", kernels.size() - kMostKernels) : text;
}

/// The first unexpected verdict of a group, and the number of unexpected verdicts.
std::pair<const Verdict*, size_t> unexpected_of(const RunResult& result, const FailureGroup& group) {
  const Verdict* first = nullptr;
  size_t count = 0;
  for (const Twins& twins : group.failures)
    for (const size_t place : twins.places)
      if (const Verdict& v = result.verdicts[place]; !as_expected(v)) {
        if (first == nullptr) first = &v;
        ++count;
      }
  return {first, count};
}

std::string details(const Verdict& v) {
  std::string text;
  const auto line = [&](const char* label, const std::string& content) {
    if (!content.empty()) text += fmt::format("  - {}: {}\n", label, code(content));
  };
  line("case", v.case_id);
  if (v.gate) line("gate", name(v.gate->state) + (gate_note(*v.gate).empty() ? "" : ": " + gate_note(*v.gate)));
  line("found", headline(v));
  if (!v.causes.empty()) line("cause", v.causes.front());
  line("row", v.origin);
  line("repro", v.repro);
  return text;
}

/// A row for each cause of unexpected failures, and the first case of each, folded.
void add_causes(Page& page, const RunResult& result) {
  std::string rows, cards;
  size_t shown = 0, left = 0;
  for (const FailureGroup& group : failures_by_cause(result)) {
    const auto [first, count] = unexpected_of(result, group);
    if (first == nullptr) continue;
    if (shown++ >= kMostCauses) {
      ++left;
      continue;
    }
    const std::string cause = group.cause.empty() ? headline(*first) : group.cause;
    rows += fmt::format("| {} | {} | {} | {} | {} |\n", count, name(first->outcome), code(cause), kernels_text(group.kernels),
                        code(first->case_id));
    cards += fmt::format("- {} {}\n{}", name(first->outcome), code(first->kernel, 60), details(*first));
  }
  if (shown == 0) return;
  page.add("### Failed, by cause\n\n| verdicts | outcome | cause | kernel | first case |\n|---:|---|---|---|---|\n");
  page.add(rows + "\n");
  if (left > 0) page.add(fmt::format("{} more causes.\n\n", left));
  if (page.add("<details><summary>The first case of each cause</summary>\n\n" + cards)) page.add("\n</details>\n\n");
}

/// A folded list of verdicts.
void add_list(Page& page, const std::string& title, const std::vector<const Verdict*>& verdicts) {
  if (verdicts.empty()) return;
  std::string lines;
  for (size_t i = 0; i < std::min(verdicts.size(), kMostListed); ++i) {
    const Verdict& v = *verdicts[i];
    const std::string note = v.gate ? gate_note(*v.gate) : v.deviation;
    lines += fmt::format("- {} {}{}{}\n", code(v.case_id), code(v.kernel, 60), note.empty() ? "" : ": ", code(note));
  }
  if (verdicts.size() > kMostListed) lines += fmt::format("- and {} more\n", verdicts.size() - kMostListed);
  if (page.add(fmt::format("<details><summary>{}: {}</summary>\n\n{}", title, verdicts.size(), lines)))
    page.add("\n</details>\n\n");
}

void add_lists(Page& page, const RunResult& result) {
  std::vector<const Verdict*> listed;
  std::map<GateState, std::vector<const Verdict*>> by_state;
  for (const Verdict& v : result.verdicts) {
    if (v.gate) by_state[v.gate->state].push_back(&v);
    else if (!v.deviation.empty()) listed.push_back(&v);
  }
  for (const auto& [state, verdicts] : by_state)
    if (state != GateState::kNew && state != GateState::kSameBits) add_list(page, name(state), verdicts);
  add_list(page, "on the known-failures list", listed);
}

}  // namespace

std::string markdown_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance) {
  Page page;
  add_head(page, result, library, provenance);
  if (result.gate) add_states(page, result);
  add_causes(page, result);
  add_lists(page, result);
  if (!provenance.command.empty()) page.add("Command: " + code(provenance.command, 1000) + "\n");
  return page.text();
}

// Workflow commands of GitHub Actions.

namespace {

/// Escapes the characters that end a command's message or, for a property, also those that end a property.
std::string escaped(const std::string& text, bool property) {
  std::string safe;
  for (const char c : text) {
    const bool special = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
    if (special) safe += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else safe += c;
  }
  return safe;
}

std::string annotation(const char* level, const Verdict& v, const std::string& title, const std::string& message,
                       const std::string& workspace) {
  const CaseRow row = row_of(v, workspace);
  std::string properties = "title=" + escaped(printable(title), true);
  if (row.in_workspace) properties = fmt::format("file={},line={},", escaped(printable(row.file), true), row.line) + properties;
  return fmt::format("::{} {}::{}\n", level, properties, escaped(printable_lines(message), false));
}

std::string more_text(size_t count) { return count > 1 ? fmt::format(" ({} verdicts)", count) : ""; }

}  // namespace

std::string github_annotations(const RunResult& result, const std::string& workspace) {
  std::string text;
  if (!result.harness_error.empty() || !result.ended_by.empty())
    text += fmt::format("::error title=Assay::{}: the other cases have no verdict\n", escaped(ending_text(result), false));
  for (const FailureGroup& group : failures_by_cause(result)) {
    const auto [first, count] = unexpected_of(result, group);
    if (first == nullptr) continue;
    const std::string state = first->gate ? fmt::format("{}, ", name(first->gate->state)) : "";
    text += annotation("error", *first, fmt::format("Assay: {}{}{}", state, name(first->outcome), more_text(count)),
                       fmt::format("{} {}\n{}\n{}", first->case_id, first->kernel, headline_with_cause(*first), first->repro),
                       workspace);
  }
  // Notable verdicts that are no failures: a skip or pass that is not as expected, and a failure that is fixed.
  std::map<std::pair<bool, std::string>, std::vector<const Verdict*>> others;
  for (const Verdict& v : result.verdicts) {
    if (is_bad(v.outcome)) continue;
    const bool fixed = v.gate && v.gate->state == GateState::kFixed;
    if (!as_expected(v) || fixed)
      others[{as_expected(v), v.gate ? name(v.gate->state) : std::string("unexpected ") + name(v.outcome)}].push_back(&v);
  }
  for (const auto& [key, verdicts] : others) {
    const Verdict& first = *verdicts.front();
    const std::string why = first.gate ? gate_note(*first.gate) : first.deviation;
    text += annotation(key.first ? "notice" : "error", first, "Assay: " + key.second + more_text(verdicts.size()),
                       fmt::format("{} {}\n{}", first.case_id, first.kernel, why), workspace);
  }
  for (const std::string& gap : result.gate ? result.gate->gaps : std::vector<std::string>())
    text += "::error title=Assay::incomplete: " + escaped(printable(gap), false) + "\n";
  return text;
}

}  // namespace assay
