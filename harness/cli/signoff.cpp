// assay signoff: tests a chip in steps, each a process of this program, and writes the page that a person signs.
#include "harness/cli/signoff.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <system_error>

#include "harness/cli/places.h"
#include "harness/cli/run_reports.h"
#include "harness/cli/verbs.h"
#include "harness/probe/instruction.h"
#include "harness/text/guarded_json.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"
#include "reference/table/table.h"
#include "suites/rulebook.h"

namespace assay::signoff {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

constexpr int kVersion = 1;  ///< version of the manifest's layout
constexpr int kInputsChanged =
    4;  ///< --verify: the folder is unchanged since it was signed, but files outside of it that the sign-off read have changed
constexpr int kIncomplete = kHarnessFailed;  ///< as for other commands that ended early through no fault of a kernel

/// Reads a JSON file that this program wrote, and keeps the order of its keys. The limits allow a few thousand verdicts with some
/// hundred values each.
Json read_report(const std::string& file) {
  const std::string text = read_text(file);
  (void)guarded_json(text, file, {.members = size_t{1} << 22, .values = size_t{1} << 23});
  return Json::parse(text);
}

std::string digest_of_file(const std::string& file) { return stamp_of(file).digest; }

/// Files below a folder, relative to it, sorted.
Strings files_below(const fs::path& folder) {
  Strings files;
  std::error_code missing;
  for (const auto& entry : fs::recursive_directory_iterator(folder, missing))
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), folder).string());
  std::sort(files.begin(), files.end());
  return files;
}

/// The tables and golden files that decide verdicts, relative to the data folder.
Strings data_files(const fs::path& root) {
  Strings files;
  for (const char* folder : {"suites", "reference/contracts", "golden/predicted", "golden/observed", "golden/power"})
    for (const std::string& file : files_below(root / folder))
      if (file.ends_with(".csv") || file.ends_with(".json")) files.push_back(std::string(folder) + "/" + file);
  return files;
}

/// Locks the folder for this process until the object is destroyed.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder) : file_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (file_ < 0) throw std::system_error(errno, std::generic_category(), folder);
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0)
      throw UsageError(folder + ": in use by another assay signoff, or by its last step, which is ending; try again later");
  }
  ~FolderLock() { ::close(file_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_;
};

/// Turns the name of a library beside this program into its path. A library given by path opens in a worker process, which ends,
/// and frees the device, before the steps need it.
std::string by_path(const std::string& backend) {
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path();
  for (const fs::path& folder : {program, program / ASSAY_INSTALLED_KERNELS})
    if (const fs::path file = folder / ("libassay_" + backend + ".so"); fs::exists(file)) return file.string();
  return backend;
}

/// Starts this program with its output in a file; with `shows_progress`, errors and progress stay on a terminal.
pid_t start_program(const Strings& arguments, const std::string& output, bool shows_progress) {
  std::fflush(nullptr);
  const pid_t parent = ::getpid(), child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "cannot start a step");
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // so that a step whose sign-off was killed does not write while another sign-off continues
    ::signal(SIGPIPE, SIG_DFL);
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    if (::getppid() != parent || file < 0 || ::dup2(file, STDOUT_FILENO) < 0) ::_exit(kHarnessFailed);
    if (!shows_progress || ::isatty(STDERR_FILENO) == 0) ::dup2(file, STDERR_FILENO);
    std::vector<char*> words = {const_cast<char*>("assay")};
    for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::execv("/proc/self/exe", words.data());
    ::_exit(kHarnessFailed);
  }
  return child;
}

/// A process that ended.
struct Ended {
  pid_t process;
  int code;            ///< exit code; after a signal 128 plus its number
  double cpu_seconds;  ///< includes its workers
};
Ended wait_for_any() {
  int status = 0;
  pid_t child = 0;
  rusage used{};
  while ((child = ::wait4(-1, &status, 0, &used)) < 0 && errno == EINTR) {
  }
  if (child < 0) throw std::system_error(errno, std::generic_category(), "cannot wait for a step");
  const auto seconds = [](const timeval& time) { return double(time.tv_sec) + double(time.tv_usec) * 1e-6; };
  return {child, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          seconds(used.ru_utime) + seconds(used.ru_stime)};
}

std::string last_line(const std::string& file) {
  const std::string text = read_text(file);
  const size_t end = text.find_last_not_of('\n');
  if (end == std::string::npos) return "";
  const size_t begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1, end - (begin == std::string::npos ? 0 : begin + 1) + 1)
      .substr(0, 300);
}

/// The folder of a sign-off and its manifest, which is written after each step.
class Folder {
 public:
  explicit Folder(std::string path) : path_(std::move(path)) {
    if (const std::string file = at(kManifest); fs::exists(file)) manifest_ = read_report(file);
  }

  std::string at(const std::string& file) const { return (fs::path(path_) / file).string(); }
  const std::string& path() const { return path_; }
  Json& manifest() { return manifest_; }
  bool is_new() const { return manifest_.is_null(); }
  void save() const { write_atomically(at(kManifest), json_file_text(manifest_)); }

  /// The step of that name, if it ended and none of its files has changed since.
  const Json* ended(const std::string& name) const {
    for (const Json& step : manifest_.at("steps"))
      if (step.value("name", "") == name && step.value("state", "") == "ended")
        return std::all_of(
                   step.at("files").begin(), step.at("files").end(),
                   [&](const Json& file) { return digest_of_file(at(file.value("file", ""))) == file.value("digest", ""); })
                   ? &step
                   : nullptr;
    return nullptr;
  }

  /// The first file of an ended step that changed after the step wrote it; empty if there is none, or if the step has not ended.
  std::string altered(const std::string& name) const {
    for (const Json& step : manifest_.at("steps"))
      if (step.value("name", "") == name && step.value("state", "") == "ended")
        for (const Json& file : step.at("files"))
          if (digest_of_file(at(file.value("file", ""))) != file.value("digest", "")) return file.value("file", "");
    return "";
  }

  void put(Json step) {
    Json& steps = manifest_["steps"];
    for (Json& one : steps)
      if (one.value("name", "") == step.value("name", "")) return (void)(one = std::move(step));
    steps.push_back(std::move(step));
  }

  /// The files of a step with their digests and sizes. The name of a folder stands for all files below it.
  Json stamps(const Strings& files) const {
    Json list = Json::array();
    const auto add = [&](const std::string& file) {
      list.push_back({{"file", file}, {"digest", digest_of_file(at(file))}, {"bytes", fs::file_size(at(file))}});
    };
    for (const std::string& file : files) {
      if (!file.ends_with('/'))
        add(file);
      else
        for (const std::string& below : files_below(at(file))) add(file + below);
    }
    return list;
  }

 private:
  std::string path_;
  Json manifest_;
};

/// The parts of a probe's report that the page needs. The whole report is in a file of the step.
Json summary_of_probe(const Json& report) {
  Json instructions = Json::array();
  for (Json one : report.at("instructions")) {
    for (const char* large : {"unexplained", "remarks", "not_observable"}) one.erase(large);
    instructions.push_back(std::move(one));
  }
  return {{"instructions", instructions}, {"conversions", report.at("conversions")}};
}

Json summary_of_diff(const Json& report) {
  Json sum = report.at("recordings").empty() ? Json{{"b", "nothing"}, {"same", 0}, {"differ", 0}} : report.at("recordings").at(0);
  sum.erase("differences");
  const Json& b = report.at("targets").at(1);
  sum["b"] =
      fmt::format("{} of {}", b.value("device", "").empty() ? b.value("name", "") : b.value("device", ""), b.value("date", ""));
  return sum;
}

/// A step that runs.
struct Running {
  const Step* step;
  pid_t process;
  std::string begun;
  std::chrono::steady_clock::time_point start;
};

std::string said_by(const Folder& folder, const Step& step) { return folder.at("steps/" + step_file(step.name, ".txt")); }

Running start_step(const Folder& folder, const Step& step, bool shows_progress) {
  const std::string said = said_by(folder, step);
  for (const std::string& file : step.files) fs::remove_all(folder.at(file));
  fs::create_directories(fs::path(said).parent_path());
  return {&step, start_program(step.arguments, said + ".part", shows_progress), utc_now(), std::chrono::steady_clock::now()};
}

/// Adds a finished step to the manifest. Returns false if no further step may start.
bool end_step(Folder& folder, const Running& running, const Ended& process, const std::map<std::string, const Case*>& cases,
              const std::vector<Deviation>& allowed) {
  const Step& step = *running.step;
  const int code = process.code;
  const std::string said = said_by(folder, step);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - running.start).count();
  fs::rename(said + ".part", said);
  const bool whole =
      std::all_of(step.files.begin(), step.files.end(), [&](const std::string& file) { return fs::exists(folder.at(file)); });
  std::string last = last_line(said);
  if (last.empty() && code != kAllAsExpected) last = fmt::format("exit code {}", code);
  std::printf("  %s: %s (%.0f s)\n", step.name.c_str(), last.empty() ? "ended" : printable(last).c_str(), seconds);
  if (code >= kHarnessFailed) {
    std::printf("stopped: step '%s' ended with code %d; see %s. The same command continues the sign-off\n", step.name.c_str(),
                code, said.c_str());
    return false;
  }
  const bool ended = whole && (code <= kUnexpected || step.kind == "run");
  Json entry = {{"name", step.name},
                {"kind", step.kind},
                {"state", ended ? "ended" : "failed"},
                {"code", code},
                {"message", last},
                {"command", "assay " + fmt::format("{}", fmt::join(step.arguments, " "))},
                {"begun", running.begun},
                {"seconds", std::round(seconds * 10) / 10},
                {"cpu_seconds", std::round(process.cpu_seconds * 10) / 10}};
  Strings files = {"steps/" + step_file(step.name, ".txt")};
  if (ended) {
    files.insert(files.end(), step.files.begin(), step.files.end());
    if (step.kind == "run") entry["summary"] = summary_of_run(read_report(folder.at(step.files[0])), cases, allowed);
    if (step.kind == "probe") entry["summary"] = summary_of_probe(read_report(folder.at(step.files[0])));
    if (step.kind == "diff") entry["summary"] = summary_of_diff(read_report(folder.at(step.files[0])));
  }
  entry["files"] = folder.stamps(files);
  folder.put(std::move(entry));
  folder.save();
  return true;
}

/// Removes verdict, page and table of digests before a step runs. finish() writes them again.
void reopen(Folder& folder) {
  for (const char* file : {kDigests, kPage}) fs::remove(folder.at(file));
  if (folder.manifest().erase("verdict") > 0) folder.save();
}

/// Steps that have not ended, in the order in which they start: the planned order, or the longest first if several run at once.
std::vector<const Step*> waiting_steps(const Folder& folder, const std::vector<Step>& steps, int jobs) {
  std::vector<const Step*> waiting;
  for (const Step& step : steps)
    if (folder.ended(step.name) == nullptr) waiting.push_back(&step);
  if (jobs > 1) std::stable_sort(waiting.begin(), waiting.end(), [](const Step* a, const Step* b) { return a->work > b->work; });
  return waiting;
}

/// Runs the steps that have not ended.
void run_steps(Folder& folder, const std::vector<Step>& steps, const SignoffArguments& arguments,
               const std::map<std::string, const Case*>& cases, const std::vector<Deviation>& allowed) {
  std::vector<const Step*> waiting = waiting_steps(folder, steps, arguments.jobs);
  const auto start = std::chrono::steady_clock::now();
  std::vector<Running> running;
  const auto is_to_come = [&](const std::string& name) {
    return std::any_of(waiting.begin(), waiting.end(), [&](const Step* one) { return one->name == name; }) ||
           std::any_of(running.begin(), running.end(), [&](const Running& one) { return one.step->name == name; });
  };
  bool stopped = false;
  while (true) {
    while (!stopped && running.size() < size_t(arguments.jobs)) {
      const auto next = std::find_if(waiting.begin(), waiting.end(),
                                     [&](const Step* one) { return one->after.empty() || !is_to_come(one->after); });
      if (next == waiting.end()) break;
      const double minutes = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 60;
      if (arguments.minutes > 0 && minutes >= arguments.minutes) {
        std::printf("stopped after %.1f minutes; the same command continues the sign-off\n", minutes);
        stopped = true;
        break;
      }
      const Step& step = **next;
      waiting.erase(next);
      const std::string altered = folder.altered(step.name);
      reopen(folder);
      std::printf("[%td/%zu] %s%s\n", &step - steps.data() + 1, steps.size(), step.name.c_str(),
                  altered.empty() ? "" : (": " + altered + " was altered after the step; the step runs again").c_str());
      std::fflush(stdout);
      running.push_back(start_step(folder, step, arguments.jobs == 1));
    }
    if (running.empty()) return;
    const Ended ended = wait_for_any();
    const auto of =
        std::find_if(running.begin(), running.end(), [&](const Running& one) { return one.process == ended.process; });
    if (of == running.end()) continue;
    const Running one = *of;
    running.erase(of);
    if (!end_step(folder, one, ended, cases, allowed)) stopped = true;
  }
}

std::string inputs_table(const SignoffArguments& arguments, const Provenance& provenance, const std::string& scope) {
  std::string text = "kind,path,digest\n";
  const auto add = [&](const char* kind, const std::string& path, const std::string& digest) {
    const std::string whole = kind == std::string("data") || path.empty() ? path : fs::absolute(path).lexically_normal().string();
    text += fmt::format("{},{},{}\n", kind, csv_cell(whole), digest);
  };
  const std::string program = fs::read_symlink("/proc/self/exe").string();
  add("program", program, digest_of_file(program));
  add("library", provenance.library.path, provenance.library.digest);
  for (const std::string& table : arguments.suites.tables.contracts) add("contracts", table, digest_of_file(table));
  for (const std::string& table : arguments.suites.tables.cases) add("cases", table, digest_of_file(table));
  if (!arguments.ledger.empty()) add("ledger", arguments.ledger, digest_of_file(arguments.ledger));
  add("scope", scope, digest_of_file(scope));
  const std::string root = data_root();
  for (const std::string& file : data_files(root)) add("data", file, digest_of_file((fs::path(root) / file).string()));
  if (!arguments.golden.empty())
    for (const std::string& file : files_below(arguments.golden))
      add("golden", (fs::path(arguments.golden) / file).string(), digest_of_file((fs::path(arguments.golden) / file).string()));
  return text;
}

/// A digest of all files that were read: covers their kinds and digests, and for files of the data folder their paths below it. Other paths may change.
std::string contents_digest(const Table& inputs) {
  std::string text;
  for (const TableRow& row : inputs.rows) {
    const std::string& kind = inputs.text(row, "kind");
    text += kind + " " + (kind == "data" ? inputs.text(row, "path") : "") + " " + inputs.text(row, "digest") + "\n";
  }
  return "xxh3:" + digest_text(text);
}

/// The first files with different digests in two tables of inputs: "reference/contracts/dot.csv, suites/signoff.csv and 3 more".
std::string changed_inputs(const Table& before, const Table& now) {
  const auto files_of = [](const Table& table) {
    std::map<std::string, std::string> files;
    for (const TableRow& row : table.rows)
      files[table.text(row, "kind") == "data" ? table.text(row, "path")
                                              : table.text(row, "kind") + " " + table.text(row, "path")] =
          table.text(row, "digest");
    return files;
  };
  const std::map<std::string, std::string> old = files_of(before), fresh = files_of(now);
  Strings changed;
  for (const auto& [file, digest] : old)
    if (const auto found = fresh.find(file); found == fresh.end() || found->second != digest) changed.push_back(file);
  for (const auto& [file, digest] : fresh)
    if (!old.contains(file)) changed.push_back(file);
  constexpr size_t kMost = 3;
  const auto end = changed.begin() + std::ptrdiff_t(std::min(kMost, changed.size()));
  return fmt::format("{}{}", fmt::join(changed.begin(), end, ", "),
                     changed.size() > kMost ? fmt::format(" and {} more", changed.size() - kMost) : "");
}

/// Throws UsageError if the sign-off in this folder was begun with another library, chip, program, table or option.
void require_same(const Json& before, const Json& now, const Table& inputs_before, const Table& inputs_now) {
  const std::set<std::string> free = {"file",   "backend", "ledger", "scope",
                                      "golden", "by",      "data"};  // names and paths, which may differ; digests in `inputs` cover the contents
  for (const char* part : {"program", "library", "request", "inputs"})
    for (const auto& [key, value] : now.at(part).items()) {
      if (free.contains(key)) continue;
      const Json was = before.at(part).value(key, Json());
      if (was != value && part == std::string("inputs"))
        throw UsageError(fmt::format(
            "files that this sign-off reads changed since it was begun: {}; restore them, or use another folder for --output",
            changed_inputs(inputs_before, inputs_now)));
      if (was != value)
        throw UsageError(fmt::format("this sign-off was begun with {} {} = {}, which is now {}; use another folder for --output",
                                     part, key, was.dump(), value.dump()));
    }
}

void finish(Folder& folder) {
  Json& manifest = folder.manifest();
  const Totals totals = totals_of(manifest);
  const std::vector<Rule> rules = rules_of(manifest, totals);
  const Headline headline = headline_of(manifest, totals, rules);
  Json listed = Json::array();
  for (const Rule& rule : rules)
    listed.push_back({{"rule", rule.what}, {"found", rule.found}, {"kept", rule.kept}, {"open", rule.open}});
  manifest["verdict"] = {{"state", headline.state}, {"headline", headline.text}, {"rules", listed}};
  folder.save();
  write_atomically(folder.at(kPage), page_of(manifest, digest_of_file(folder.at(kManifest))));
  std::string digests = "file,digest\n";
  for (const std::string& file : files_below(folder.path()))
    if (file != kDigests) digests += fmt::format("{},{}\n", csv_cell(file), digest_of_file(folder.at(file)));
  write_atomically(folder.at(kDigests), digests);
  constexpr size_t kMostFailures = 6;
  for (size_t i = 0; i < totals.failures.size() && i < kMostFailures; ++i) {
    const Json& one = totals.failures[i];
    std::printf("%s: %s %s\n", printable(one.value("outcome", "")).c_str(), printable(one.value("case", "")).c_str(),
                printable(one.value("kernel", "")).c_str());
  }
  if (totals.unexpected > 0)
    std::printf("%lld verdicts are not as expected: see %s, and %s for what each step printed\n",
                static_cast<long long>(totals.unexpected), folder.at(kPage).c_str(), folder.at("steps/").c_str());
  for (const Rule& rule : rules)
    std::printf("%s  %s: %s\n", rule.mark(), printable(rule.what).c_str(), printable(rule.found).c_str());
  std::printf("wrote %s; signoff.json has the digest %s\n%s\n", folder.at(kPage).c_str(),
              digest_of_file(folder.at(kManifest)).c_str(), headline.text.c_str());
}

/// Whether the folder has exactly the files in its table of digests, unaltered.
bool is_as_signed(const Folder& folder) {
  if (!fs::exists(folder.at(kDigests))) return false;
  const Table table = read_table(folder.at(kDigests));
  if (!table.has_column("file") || !table.has_column("digest")) return false;
  std::map<std::string, std::string> files;
  for (const TableRow& row : table.rows) files[table.text(row, "file")] = table.text(row, "digest");
  const Strings there = files_below(folder.path());
  return there.size() == files.size() + 1 && std::all_of(there.begin(), there.end(), [&](const std::string& file) {
           return file == kDigests || (files.contains(file) && digest_of_file(folder.at(file)) == files.at(file));
         });
}

int code_of(const std::string& state) { return state == "PASS" ? kAllAsExpected : state == "FAIL" ? kUnexpected : kIncomplete; }

int run_signoff(const SignoffArguments& arguments) {
  const std::string scope = arguments.scope.empty() ? data_root() + "/suites/signoff.csv" : arguments.scope;
  Strings ops;
  for (const Op& op : arguments.suites.ops->all()) ops.push_back(op.name);
  const std::vector<Need> needs = read_needs(scope, ops);
  for (const std::string& op : arguments.ops) (void)arguments.suites.ops->find(op);
  const bool is_made = fs::create_directories(arguments.output);
  const FolderLock lock(arguments.output);
  Folder folder(arguments.output);
  const Ledger ledger = arguments.ledger.empty() ? Ledger() : Ledger::read(arguments.ledger);
  std::vector<Deviation> allowed;
  for (const Deviation* row : ledger.idle({})) allowed.push_back(*row);
  Suites shipped = arguments.suites;
  shipped.tables.cases.clear(), shipped.tables.op.clear();
  std::vector<Case> cases = open_cases(shipped);
  if (!arguments.suites.tables.cases.empty())
    for (Case& one : open_cases(arguments.suites)) cases.push_back(std::move(one));
  std::map<std::string, const Case*> by_id;
  for (const Case& one : cases) by_id[one.id] = &one;

  Provenance provenance = provenance_of(arguments);
  LibraryInfo library;
  {
    const Backend backend = open_backend(*arguments.suites.ops, {by_path(arguments.backend), false, arguments.timeout_seconds});
    library = backend.library;  // closes the back end at the end of this block, before a step opens it
  }
  add_library(provenance, library);
  const Plan plan = plan_of(arguments, library, cases);
  const std::vector<Step>& steps = plan.steps;
  if (std::none_of(steps.begin(), steps.end(), [](const Step& step) { return step.kind == "run"; })) {
    std::error_code kept;
    if (is_made) fs::remove(arguments.output, kept);
    throw UsageError("NOTHING RAN: back end " + arguments.backend +
                     " offers no contract that has a case; --cases FILE.csv adds cases of your own");
  }
  for (const Need& need : needs)
    if (std::none_of(library.kernels.begin(), library.kernels.end(), [&](const KernelOffer& kernel) {
          return is_wanted(arguments, kernel.op) && any_glob_matches(need.op, kernel.op);
        }))
      std::printf(
          "note: minimum scope: %s: the library offers no op %s, or --suite leaves it out, so this sign-off cannot pass; --scope "
          "FILE.csv sets what your chip must offer\n",
          printable(need.need).c_str(), printable(need.op).c_str());

  const std::string inputs = inputs_table(arguments, provenance, scope);
  Json now = {
      {"assay_signoff", kVersion},
      {"program", {{"version", provenance.version}, {"commit", provenance.commit}, {"digest", digest_of_file("/proc/self/exe")}}},
      {"library", library_json(library, provenance)},
      {"request",
       {{"backend", arguments.backend},
        {"tier", arguments.tier},
        {"suites", arguments.ops},
        {"unit", arguments.unit},
        {"elements", arguments.elements},
        {"ledger", arguments.ledger},
        {"scope", scope},
        {"golden", arguments.golden},
        {"by", arguments.by},
        {"data", data_root()}}},
      {"inputs",
       {{"digest", contents_digest(parse_table(inputs, kInputs))},
        {"files", std::count(inputs.begin(), inputs.end(), '\n') - 1}}},
      {"began", provenance.begun},
      {"ended", ""},
      {"host", provenance.host},
      {"scope", plan.scope},
      {"offers", plan.offers},
      {"needs", Json::array()},
      {"deviations", Json::array()},
      {"plan", Json::array()},
      {"steps", Json::array()}};
  for (const Need& need : needs)
    now["needs"].push_back({{"need", need.need}, {"op", need.op}, {"format", need.format}, {"why", need.why}});
  for (const Deviation& row : allowed)
    now["deviations"].push_back({{"case", row.cases},
                                 {"kernel", row.kernels},
                                 {"outcome", row.outcome},
                                 {"reason", row.reason},
                                 {"issue", row.issue},
                                 {"since", row.since},
                                 {"owner", row.owner}});
  for (const Step& step : steps) now["plan"].push_back({{"name", step.name}, {"kind", step.kind}});
  if (folder.is_new()) {
    if (!files_below(arguments.output).empty())
      throw UsageError(arguments.output + ": expected a new folder, or one that assay signoff made; it has other files");
    folder.manifest() = now;
    write_atomically(folder.at(kInputs), inputs);
    write_atomically(folder.at("scope.csv"), read_text(scope));
    if (!arguments.ledger.empty()) write_atomically(folder.at("ledger.csv"), read_text(arguments.ledger));
    folder.save();
  } else {
    require_same(folder.manifest(), now, read_table(folder.at(kInputs)), parse_table(inputs, kInputs));
    const Json& before = folder.manifest();
    const Json& verdict = before.value("verdict", Json::object());
    const bool ended =
        std::all_of(steps.begin(), steps.end(), [&](const Step& step) { return folder.ended(step.name) != nullptr; });
    const std::string signer = before.at("request").value("by", "");
    if (ended && !arguments.by.empty() && !signer.empty() && arguments.by != signer &&
        verdict.value("state", "INCOMPLETE") != "INCOMPLETE")
      throw UsageError(
          fmt::format("{}: already signed off by {}; for --by {} use another folder for --output",
                      arguments.output, printable(signer), printable(arguments.by)));
    const bool same_name = arguments.by.empty() || arguments.by == before.at("request").value("by", "");
    if (ended && same_name && verdict.value("state", "INCOMPLETE") != "INCOMPLETE" && is_as_signed(folder)) {
      std::printf("already finished at %s, and unaltered since; nothing was run or written; signoff.json has the digest %s\n%s\n",
                  before.value("ended", "").c_str(), digest_of_file(folder.at(kManifest)).c_str(),
                  verdict.value("headline", "").c_str());
      return code_of(verdict.value("state", ""));
    }
    if (!arguments.by.empty()) folder.manifest()["request"]["by"] = arguments.by;
  }

  run_steps(folder, steps, arguments, by_id, allowed);
  folder.manifest()["ended"] = utc_now();
  finish(folder);
  return code_of(folder.manifest().at("verdict").value("state", ""));
}

// --verify

/// Problems found in a folder, one line each.
class Problems {
 public:
  void add(const std::string& file, const std::string& what) {
    ++count_;
    std::printf("%s: %s\n", printable(file).c_str(), printable(what).c_str());
  }
  int64_t count() const { return count_; }

 private:
  int64_t count_ = 0;
};

/// Requires that the folder has exactly the files of its table of digests, with these digests.
void verify_files(const Folder& folder, Problems& problems) {
  const Table table = read_table(folder.at(kDigests));
  table.require_columns(std::vector<std::string>{"file", "digest"});
  std::set<std::string> listed = {kDigests};
  for (const TableRow& row : table.rows) {
    const std::string &file = table.text(row, "file"), now = digest_of_file(folder.at(file));
    listed.insert(file);
    if (now.empty()) problems.add(file, "is missing");
    else if (now != table.text(row, "digest"))
      problems.add(file, "was altered: signed digest " + table.text(row, "digest") + ", current digest " + now);
  }
  for (const std::string& file : files_below(folder.path()))
    if (!listed.contains(file)) problems.add(file, "was added");
}

/// Checks the digests in the manifest, and its counts against the reports of runs; with `claims_all`, also that no planned step
/// is missing.
void verify_steps(Folder& folder, bool claims_all, Problems& problems) {
  std::set<std::string> there;
  for (const Json& step : folder.manifest().at("steps")) {
    const std::string name = step.value("name", "");
    there.insert(name);
    for (const Json& file : step.at("files"))
      if (digest_of_file(folder.at(file.value("file", ""))) != file.value("digest", ""))
        problems.add(file.value("file", ""), "is not what step '" + name + "' wrote");
    if (step.value("kind", "") != "run" || !step.contains("summary")) continue;
    const std::string report = step_file(name, ".json");
    try {
      if (fs::exists(folder.at(report)) && counts_of(read_report(folder.at(report))) != step.at("summary").at("counts"))
        problems.add(report, "its counts differ from those in signoff.json");
    } catch (const std::exception& error) {
      problems.add(report, std::string("cannot be read: ") + error.what());
    }
  }
  for (const Json& one : folder.manifest().at("plan"))
    if (claims_all && !there.contains(one.value("name", "")))
      problems.add(kManifest, "step '" + one.value("name", "") + "' is missing");
}

/// Numbers of files outside the folder that the sign-off read.
struct OtherInputs {
  int64_t absent = 0;   ///< not on this machine
  int64_t changed = 0;  ///< their digest is no longer the one that the sign-off recorded
};

/// Compares the files that the sign-off read with their recorded digests, if they exist on this machine. A changed file is not
/// counted as a problem of the folder.
OtherInputs verify_inputs(Folder& folder, Problems& problems) {
  const std::string root = folder.manifest().at("request").value("data", "");
  const std::string text = read_text(folder.at(kInputs));
  if (contents_digest(parse_table(text, kInputs)) != folder.manifest().at("inputs").value("digest", ""))
    problems.add(kInputs, "its digest differs from that in signoff.json");
  const Table table = parse_table(text, folder.at(kInputs));
  table.require_columns(std::vector<std::string>{"kind", "path", "digest"});
  OtherInputs others;
  for (const TableRow& row : table.rows) {
    const std::string& path = table.text(row, "path");
    const std::string now = digest_of_file(table.text(row, "kind") == "data" ? (fs::path(root) / path).string() : path);
    if (now.empty()) ++others.absent;
    if (now.empty() || now == table.text(row, "digest")) continue;
    ++others.changed;
    std::printf("%s: changed since the sign-off read it: digest %s then, %s now\n", printable(path).c_str(),
                printable(table.text(row, "digest")).c_str(), now.c_str());
  }
  return others;
}

int verify(const std::string& path) {
  if (!fs::is_directory(path)) throw UsageError(path + ": expected the folder of a sign-off");
  Folder folder(path);
  if (folder.is_new()) throw UsageError(path + ": expected the folder of a sign-off, but it has no " + kManifest);
  Problems problems;
  const Json& manifest = folder.manifest();
  const std::string claimed = manifest.value("verdict", Json::object()).value("headline", ""),
                    digest = digest_of_file(folder.at(kManifest));
  const bool was_killed = claimed.empty();  // killed while a step ran: the folder has no verdict, and files that no table of digests lists
  const bool claims_all = !was_killed && manifest.at("verdict").value("state", "") != "INCOMPLETE";
  if (fs::exists(folder.at(kDigests))) verify_files(folder, problems);
  else if (!was_killed) problems.add(kDigests, "is missing");
  verify_steps(folder, claims_all, problems);
  const OtherInputs others = verify_inputs(folder, problems);
  const Totals totals = totals_of(manifest);
  const Headline headline = headline_of(manifest, totals, rules_of(manifest, totals));
  if (!was_killed && headline.text != claimed)
    problems.add(kManifest, "says '" + claimed + "', but its results give '" + headline.text + "'");
  if (!was_killed && fs::exists(folder.at(kPage)))
    if (const std::string page = read_text(folder.at(kPage));
        page.find(digest) == std::string::npos || page.find(headline.text) == std::string::npos)
      problems.add(kPage, "was not made from this signoff.json");
  if (others.absent > 0)
    std::printf("%lld of the files that the sign-off read are not on this machine, and were not compared\n",
                static_cast<long long>(others.absent));
  if (problems.count() > 0)
    return std::printf("ALTERED: %lld problem%s\n", static_cast<long long>(problems.count()), problems.count() == 1 ? "" : "s"),
           kUnexpected;
  const auto changed = static_cast<long long>(others.changed);
  if (was_killed || !claims_all) {
    const std::string state =
        headline.state == "INCOMPLETE" ? headline.text : "INCOMPLETE: all steps ran, but no verdict was written";
    if (changed > 0)
      std::printf("unaltered so far, %s; the sign-off cannot continue until %lld file%s that it read before %s restored\n", state.c_str(),
                  changed, changed == 1 ? "" : "s", changed == 1 ? "is" : "are");
    else
      std::printf("unaltered so far, %s; the same command continues the sign-off\n", state.c_str());
    return kIncomplete;
  }
  if (changed > 0) {
    std::printf(
        "FOLDER UNALTERED, CHECKOUT DIFFERS: %s; signoff.json has the digest %s. %lld file%s that the sign-off read changed "
        "since: to compare them too, verify with the program and tables of commit %s\n",
        headline.text.c_str(), digest.c_str(), changed, changed == 1 ? "" : "s",
        manifest.at("program").value("commit", "").c_str());
    return kInputsChanged;
  }
  std::printf("UNALTERED: %s; signoff.json has the digest %s\n", headline.text.c_str(), digest.c_str());
  return kAllAsExpected;
}

}  // namespace
}  // namespace assay::signoff

namespace assay {

int signoff_verb(const SignoffArguments& arguments) {
  if (arguments.verify.empty()) return signoff::run_signoff(arguments);
  open_contracts(arguments.suites);
  return signoff::verify(arguments.verify);
}

}  // namespace assay
