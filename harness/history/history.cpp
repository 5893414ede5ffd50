#include "harness/history/history.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string_view>
#include <unordered_map>

#include "harness/report/causes.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"

namespace assay {
namespace {

/// Marks the file as a history: PRAGMA application_id, "Asay".
constexpr int kApplication = 0x41736179;
/// PRAGMA user_version. Raise it when a table or column changes its meaning, and convert older files in open_layout(). Do not
/// raise it for a new column: for example, table `run` of older files may lack the column `identity`.
constexpr int kLayout = 1;

/// A verdict is a row (run, series, state). All runs with the same verdict refer to the same state, which stores its texts once.
/// The view `verdicts` is for people who query the file with SQL.
constexpr const char* kTables = R"(
CREATE TABLE run (id INTEGER PRIMARY KEY, begun TEXT NOT NULL, ended TEXT NOT NULL, ended_early TEXT NOT NULL, commit_id TEXT NOT NULL,
  version TEXT NOT NULL, assay_commit TEXT NOT NULL, library TEXT NOT NULL, library_file TEXT NOT NULL, library_digest TEXT NOT NULL,
  chip TEXT NOT NULL, device TEXT NOT NULL, driver TEXT NOT NULL, toolkit TEXT NOT NULL, host TEXT NOT NULL, command TEXT NOT NULL,
  selection TEXT NOT NULL, share TEXT NOT NULL, ending TEXT NOT NULL, identity TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE series (id INTEGER PRIMARY KEY, case_id TEXT NOT NULL, kernel TEXT NOT NULL, op TEXT NOT NULL, contract TEXT NOT NULL,
  warp TEXT NOT NULL, UNIQUE (case_id, kernel)) STRICT;
CREATE TABLE cause (id INTEGER PRIMARY KEY, words TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE state (series INTEGER NOT NULL REFERENCES series, number INTEGER NOT NULL, outcome TEXT NOT NULL, as_expected INTEGER NOT NULL,
  budget_use REAL NOT NULL, digest TEXT NOT NULL, cause INTEGER NOT NULL REFERENCES cause, PRIMARY KEY (series, number)) STRICT, WITHOUT ROWID;
CREATE TABLE verdict (run INTEGER NOT NULL REFERENCES run, series INTEGER NOT NULL, state INTEGER NOT NULL,
  PRIMARY KEY (run, series)) STRICT, WITHOUT ROWID;
CREATE VIEW verdicts AS SELECT verdict.run, begun, commit_id, library, library_digest, chip, device, driver, case_id, kernel, op, contract, warp,
  outcome, as_expected, budget_use, digest, words AS cause FROM verdict JOIN run ON run.id = verdict.run JOIN series ON series.id = verdict.series
  JOIN state ON state.series = verdict.series AND state.number = verdict.state JOIN cause ON cause.id = state.cause;
)";

constexpr const char* kRunColumns =
    "id, begun, ended, ended_early, commit_id, version, assay_commit, library, library_file, library_digest, chip, device, "
    "driver, toolkit, host, "
    "command, selection, share, ending, identity";
constexpr const char* kAddIdentity = "ALTER TABLE run ADD COLUMN identity TEXT NOT NULL DEFAULT ''";

/// The query of all runs. If the file lacks the column `identity`, all identities are empty.
std::string runs_query(bool has_identity, const char* order) {
  std::string columns = kRunColumns;
  if (!has_identity) columns.replace(columns.rfind("identity"), std::string_view("identity").size(), "''");
  return fmt::format("SELECT {} FROM run ORDER BY id {}", columns, order);
}

/// The texts of a run in the order of kRunColumns, without `id`.
template <class Run>
auto texts_of(Run& run) {
  return std::vector{&run.begun,        &run.ended,   &run.ended_early,  &run.commit,         &run.version,
                     &run.assay_commit, &run.library, &run.library_file, &run.library_digest, &run.chip,
                     &run.device,       &run.driver,  &run.toolkit,      &run.host,           &run.command,
                     &run.selection,    &run.share,   &run.ending,       &run.identity};
}

/// The outcome of that name; kNotJudged for a name that this version does not know.
Outcome outcome_named(std::string_view word) {
  int number = 0;
  while (Outcome(number) != Outcome::kNotJudged && word != name(Outcome(number))) ++number;
  return Outcome(number);
}

/// Throws the latest error of the database connection: HarnessError for a problem of the machine, such as a lock or a full disk,
/// and UsageError for a problem of the file.
[[noreturn]] void give_up(const std::string& path, sqlite3* database, int code) {
  const std::string why = database == nullptr ? "out of memory" : sqlite3_errmsg(database);
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw HarnessError(path + ": another process keeps the history locked; try again when it has ended");
    case SQLITE_NOTADB:
      throw UsageError(path + ": is not a history: expected a file that assay run --history FILE wrote");
    case SQLITE_CORRUPT:
      throw UsageError(path + ": the history is damaged (" + why +
                       "); restore a copy, or save what is left with: sqlite3 FILE .recover");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      throw UsageError(
          path + ": the history cannot be opened for writing" +
          (sqlite3_system_errno(database) == 0 ? "" : std::string(": ") + std::strerror(sqlite3_system_errno(database))));
    default:
      throw HarnessError(path + ": the history cannot be read or written: " + why);
  }
}

/// A prepared statement. Binds texts without a copy, so they must live until the next step().
class Statement {
 public:
  Statement(const std::string& path, sqlite3* database, const std::string& sql) : path_(path), database_(database) {
    if (const int code = sqlite3_prepare_v2(database, sql.c_str(), int(sql.size()), &statement_, nullptr); code != SQLITE_OK)
      give_up(path, database, code);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;

  Statement& put(int64_t value) { return bound(sqlite3_bind_int64(statement_, ++bound_, value)); }
  Statement& put(double value) { return bound(sqlite3_bind_double(statement_, ++bound_, value)); }
  Statement& put(std::string_view text) {
    return bound(sqlite3_bind_text(statement_, ++bound_, text.data(), int(text.size()), SQLITE_STATIC));
  }

  /// Whether the statement returned a row.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) give_up(path_, database_, code);
    sqlite3_reset(statement_);
    bound_ = 0;
    return false;
  }
  /// Ends a statement of which only the first row is needed.
  void reset() { sqlite3_reset(statement_), bound_ = 0; }

  int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  double number(int column) const { return sqlite3_column_double(statement_, column); }
  std::string text(int column) const {
    const auto* const bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return bytes == nullptr ? "" : std::string(bytes, size_t(sqlite3_column_bytes(statement_, column)));
  }

 private:
  Statement& bound(int code) {
    if (code != SQLITE_OK) give_up(path_, database_, code);
    return *this;
  }
  const std::string& path_;
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

void execute(const std::string& path, sqlite3* database, const char* sql) {
  if (const int code = sqlite3_exec(database, sql, nullptr, nullptr, nullptr); code != SQLITE_OK) give_up(path, database, code);
}

int64_t pragma(const std::string& path, sqlite3* database, const char* name) {
  Statement statement(path, database, std::string("PRAGMA ") + name);
  return statement.step() ? statement.integer(0) : 0;
}

/// A transaction. The destructor rolls it back unless it was committed.
class Transaction {
 public:
  Transaction(const std::string& path, sqlite3* database, const char* begin) : path_(path), database_(database) {
    execute(path, database, begin);
  }
  ~Transaction() {
    if (sqlite3_get_autocommit(database_) == 0) sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  Transaction(const Transaction&) = delete;
  void commit() { execute(path_, database_, "COMMIT"); }

 private:
  const std::string& path_;
  sqlite3* database_;
};

HistoryRun run_of_row(const Statement& row) {
  HistoryRun run;
  run.id = row.integer(0);
  int column = 1;
  for (std::string* text : texts_of(run)) *text = row.text(column++);
  return run;
}

bool admits(const std::vector<std::string>& globs, std::initializer_list<std::string_view> names) {
  return globs.empty() || std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
           return std::any_of(names.begin(), names.end(), [&](std::string_view one) { return glob_match(glob, one); });
         });
}

/// The number of a state within its series; adds a row to table `state` if no earlier run had this state.
int64_t state_number(Statement& known, Statement& fresh, int64_t series, int64_t cause, const HistoryVerdict& verdict) {
  int64_t next = 0;
  known.put(series);
  while (known.step()) {
    next = known.integer(0) + 1;
    if (known.text(1) != name(verdict.outcome) || (known.integer(2) != 0) != verdict.as_expected ||
        known.number(3) != verdict.budget_use || known.text(4) != verdict.digest || known.integer(5) != cause)
      continue;
    const int64_t number = known.integer(0);
    known.reset();
    return number;
  }
  fresh.put(series)
      .put(next)
      .put(name(verdict.outcome))
      .put(int64_t{verdict.as_expected})
      .put(verdict.budget_use)
      .put(verdict.digest)
      .put(cause)
      .step();
  return next;
}

}  // namespace

std::string HistoryRun::chip_text() const {
  return device.empty() || device == chip ? chip : chip.empty() ? device : chip + ", " + device;
}

std::string output_digest(const CallResult& result) {
  Digest digest;
  for (size_t i = 0; i < result.outputs.size(); ++i) {
    const std::vector<std::byte>& bytes = result.outputs[i].bytes;
    const auto size = int64_t(bytes.size());
    int64_t from = 0;
    const auto add_until = [&](int64_t end) {
      if (end > from) digest.add(bytes.data() + from, size_t(end - from));
    };
    if (i < result.untouched.size())
      for (const ByteRange& range : result.untouched[i]) {
        add_until(std::clamp<int64_t>(range.begin, 0, size));
        from = std::clamp<int64_t>(range.end, 0, size);
      }
    add_until(size);
  }
  return digest.text();
}

HistoryRun history_run(const RunResult& result, const LibraryInfo& library, const Provenance& provenance,
                       const std::string& commit, const std::string& selection) {
  HistoryRun run;
  run.begun = provenance.begun, run.ended = provenance.ended;
  run.ended_early = !provenance.ended_early.empty() ? provenance.ended_early
                    : !result.harness_error.empty() ? "an error: " + result.harness_error
                                                    : "";
  run.commit = commit, run.version = provenance.version, run.assay_commit = provenance.commit;
  run.library = library.name, run.library_file = provenance.library.path, run.library_digest = provenance.library.digest;
  run.chip = library.arch, run.device = library.device, run.driver = library.driver, run.toolkit = library.toolkit;
  run.host = provenance.host, run.command = provenance.command, run.selection = selection, run.share = provenance.share;
  run.ending = ending_text(result);
  return run;
}

std::vector<HistoryVerdict> history_verdicts(const RunResult& result, const OutputDigests& digests) {
  std::vector<HistoryVerdict> verdicts;
  for (const Verdict& v : result.verdicts) {
    if (!v.offered || v.device_lost) continue;
    HistoryVerdict one{v.case_id, v.kernel, v.op, v.contract, v.warp, v.outcome, as_expected(v), 0, "", ""};
    for (const TensorFinding& finding : v.tensors)
      one.budget_use = std::max(one.budget_use, std::isnan(finding.budget_use) ? INFINITY : finding.budget_use);
    if (const auto found = digests.find({v.case_id, v.kernel}); found != digests.end()) one.digest = found->second;
    if (v.outcome != Outcome::kPass) one.cause = v.outcome == Outcome::kSkip ? v.message : first_mistake(v);
    verdicts.push_back(std::move(one));
  }
  return verdicts;
}

History::History(const std::string& path, Access access, double wait_seconds) : path_(path) {
  namespace fs = std::filesystem;
  std::error_code unknown;
  const bool exists = fs::exists(path, unknown);
  if (exists && !fs::is_regular_file(path, unknown)) throw UsageError(path + ": is not a history: expected a file");
  if (!exists && access == Access::kRead) throw UsageError(path + ": no such history; assay run --history FILE makes one");
  // READWRITE also for a reader: it must be able to undo the transaction of a killed writer. If the file is write-protected,
  // SQLite opens it read-only.
  const int flags = SQLITE_OPEN_READWRITE | (access == Access::kWrite ? SQLITE_OPEN_CREATE : 0);
  try {
    if (const int code = sqlite3_open_v2(path.c_str(), &database_, flags, nullptr); code != SQLITE_OK)
      give_up(path_, database_, code);
    sqlite3_extended_result_codes(database_, 1);
    sqlite3_busy_timeout(database_, int(std::clamp(wait_seconds * 1000, 0.0, 1e9)));
    // An untrusted file may contain views and triggers that run other SQL.
    sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(database_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(database_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    open_layout(access);
  } catch (...) {
    sqlite3_close(database_);
    throw;
  }
}

History::~History() { sqlite3_close(database_); }

void History::open_layout(Access access) {
  Transaction transaction(path_, database_, access == Access::kRead ? "BEGIN" : "BEGIN IMMEDIATE");
  const int64_t application = pragma(path_, database_, "application_id"), layout = pragma(path_, database_, "user_version");
  if (application == kApplication && layout != kLayout)
    throw UsageError(fmt::format("{}: expected layout {} of the history, got layout {}; {}", path_, kLayout, layout,
                                 layout > kLayout ? "use the newer version of assay that wrote it" : "start a new file"));
  if (application == kApplication) {
    if (access == Access::kRead || has_identity()) return;
    execute(path_, database_, kAddIdentity);
    transaction.commit();
    return;
  }
  const bool is_blank = pragma(path_, database_, "schema_version") == 0;
  if (!is_blank)
    throw UsageError(path_ + ": is an SQLite file of another program; expected a history that assay run --history FILE wrote");
  if (access == Access::kRead) throw UsageError(path_ + ": is empty; expected a history that assay run --history FILE wrote");
  execute(path_, database_, kTables);
  execute(path_, database_, fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};", kApplication, kLayout).c_str());
  transaction.commit();
}

int64_t History::add(const HistoryRun& run, const std::vector<HistoryVerdict>& verdicts) {
  Transaction transaction(path_, database_, "BEGIN IMMEDIATE");
  const auto prepared = [&](const std::string& sql) { return std::make_unique<Statement>(path_, database_, sql); };
  std::string places = "NULL";
  for (size_t i = 0; i < texts_of(run).size(); ++i) places += ", ?";
  Statement added(path_, database_, fmt::format("INSERT INTO run ({}) VALUES ({})", kRunColumns, places));
  for (const std::string* text : texts_of(run)) added.put(*text);
  added.step();
  const int64_t id = sqlite3_last_insert_rowid(database_);

  const auto series_known = prepared("SELECT id FROM series WHERE case_id = ? AND kernel = ?");
  const auto series_fresh = prepared("INSERT INTO series (case_id, kernel, op, contract, warp) VALUES (?, ?, ?, ?, ?)");
  const auto cause_known = prepared("SELECT id FROM cause WHERE words = ?"),
             cause_fresh = prepared("INSERT INTO cause (words) VALUES (?)");
  const auto state_known =
      prepared("SELECT number, outcome, as_expected, budget_use, digest, cause FROM state WHERE series = ? ORDER BY number");
  const auto state_fresh = prepared(
      "INSERT INTO state (series, number, outcome, as_expected, budget_use, digest, cause) VALUES (?, ?, ?, ?, ?, ?, ?)");
  const auto verdict_fresh = prepared("INSERT OR REPLACE INTO verdict (run, series, state) VALUES (?, ?, ?)");
  std::map<std::string, int64_t> causes;
  for (const HistoryVerdict& verdict : verdicts) {
    const auto id_of = [&](Statement& known, const std::function<void()>& insert) {
      if (known.step()) {
        const int64_t found = known.integer(0);
        known.reset();
        return found;
      }
      insert();
      return int64_t(sqlite3_last_insert_rowid(database_));
    };
    const auto [cause, is_new] = causes.try_emplace(verdict.cause, 0);
    if (is_new) cause->second = id_of(cause_known->put(verdict.cause), [&] { cause_fresh->put(verdict.cause).step(); });
    const int64_t series = id_of(series_known->put(verdict.case_id).put(verdict.kernel), [&] {
      series_fresh->put(verdict.case_id).put(verdict.kernel).put(verdict.op).put(verdict.contract).put(verdict.warp).step();
    });
    verdict_fresh->put(id).put(series).put(state_number(*state_known, *state_fresh, series, cause->second, verdict)).step();
  }
  transaction.commit();
  return id;
}

HistoryData History::read(const HistoryFilter& filter) const {
  Transaction transaction(path_, database_, "BEGIN");
  HistoryData data;
  std::unordered_map<int64_t, int32_t> series_at, cause_at;
  std::unordered_map<int64_t, std::pair<int32_t, int64_t>>
      states_of;  // for each series: index of its first state, and number of its states

  Statement runs(path_, database_, runs_query(has_identity(), "ASC"));
  while (runs.step()) {
    HistoryRun run = run_of_row(runs);
    if (admits(filter.chips, {run.chip, run.chip_text()})) data.runs.push_back(std::move(run));
  }
  if (filter.last > 0 && int64_t(data.runs.size()) > filter.last)
    data.runs.erase(data.runs.begin(), data.runs.end() - filter.last);

  Statement series(path_, database_, "SELECT id, case_id, kernel, op, contract, warp FROM series");
  while (series.step()) {
    HistoryData::Series one{series.text(1), series.text(2), series.text(3), series.text(4), series.text(5)};
    if (!admits(filter.cases, {one.case_id}) || !admits(filter.kernels, {one.kernel}) ||
        !admits(filter.contracts, {one.contract}))
      continue;
    series_at[series.integer(0)] = int32_t(data.series.size());
    data.series.push_back(std::move(one));
  }
  Statement causes(path_, database_, "SELECT id, words FROM cause");
  while (causes.step()) {
    cause_at[causes.integer(0)] = int32_t(data.causes.size());
    data.causes.push_back(causes.text(1));
  }
  Statement states(path_, database_,
                   "SELECT series, number, outcome, as_expected, budget_use, digest, cause FROM state ORDER BY series, number");
  while (states.step()) {
    const auto of = series_at.find(states.integer(0));
    const auto cause = cause_at.find(states.integer(6));
    if (of == series_at.end() || cause == cause_at.end()) continue;
    auto& [first, count] = states_of.try_emplace(states.integer(0), int32_t(data.states.size()), 0).first->second;
    if (states.integer(1) != count++) throw UsageError(path_ + ": the history is damaged: a row of its table `state` is missing; restore a copy");
    data.states.push_back(
        {of->second, cause->second, outcome_named(states.text(2)), states.integer(3) != 0, states.number(4), states.text(5)});
  }
  Statement verdicts(path_, database_, "SELECT series, state FROM verdict WHERE run = ?");
  for (const HistoryRun& run : data.runs) {
    std::vector<int32_t>& of_run = data.verdicts.emplace_back();
    verdicts.put(run.id);
    while (verdicts.step()) {
      const auto known = states_of.find(verdicts.integer(0));
      const int64_t number = verdicts.integer(1);
      if (known != states_of.end() && number >= 0 && number < known->second.second)
        of_run.push_back(known->second.first + int32_t(number));
    }
  }
  return data;
}

bool History::has_identity() const {
  Statement columns(path_, database_, "SELECT count(*) FROM pragma_table_info('run') WHERE name = 'identity'");
  return columns.step() && columns.integer(0) > 0;
}

std::vector<HistoryRun> History::newest_first(const std::string& chip) const {
  std::vector<HistoryRun> found;
  Statement runs(path_, database_, runs_query(has_identity(), "DESC"));
  while (runs.step())
    if (HistoryRun run = run_of_row(runs);
        admits(chip.empty() ? std::vector<std::string>() : std::vector{chip}, {run.chip, run.chip_text()}))
      found.push_back(std::move(run));
  return found;
}

namespace {

/// Whether two runs can be shares of the same divided run.
bool are_shares(const HistoryRun& a, const HistoryRun& b) {
  return !a.share.empty() && !b.share.empty() && a.library_digest == b.library_digest && a.chip_text() == b.chip_text() &&
         a.selection == b.selection;
}

/// Returns `first`. If this run is a share of a divided run, also returns for each other share the run with the nearest id.
std::vector<HistoryRun> with_shares(const HistoryRun& first, std::vector<HistoryRun> others) {
  std::vector<HistoryRun> found = {first};
  std::set<std::string> shares = {first.share};
  std::stable_sort(others.begin(), others.end(), [&](const HistoryRun& a, const HistoryRun& b) {
    return std::abs(a.id - first.id) < std::abs(b.id - first.id);
  });
  for (const HistoryRun& run : others)
    if (are_shares(first, run) && shares.insert(run.share).second) found.push_back(run);
  return found;
}

bool is_own(const HistoryRun& run, const BaselineWish& wish) {
  return std::any_of(wish.own.begin(), wish.own.end(), [&](const std::string& identity) {
    return !identity.empty() && (" " + run.identity + " ").find(" " + identity + " ") != std::string::npos;
  });
}

bool was_as_expected(const HistoryRun& run) { return run.ending.empty() || run.ending == "ALL AS EXPECTED"; }

/// Why a run that --run or --commit does not name cannot be the baseline; empty if it can.
std::string why_not_baseline(const HistoryRun& run, const BaselineWish& wish, const std::vector<HistoryRun>& own,
                             const std::string& commit) {
  if (is_own(run, wish)) return "the recorded run itself";
  if (std::any_of(own.begin(), own.end(), [&](const HistoryRun& one) { return are_shares(one, run); }))
    return "a share of the recorded run";
  if (was_as_expected(run)) return "";
  if (!wish.library_digest.empty() && run.library_digest == wish.library_digest)
    return "not as expected, with the same library file: an earlier attempt at this change";
  if (!commit.empty() && run.commit == commit) return "not as expected, with the same commit: an earlier attempt at this change";
  return "";
}

}  // namespace

std::vector<HistoryRun> History::newest(const std::string& chip) const {
  const std::vector<HistoryRun> runs = newest_first(chip);
  return runs.empty() ? runs : with_shares(runs.front(), runs);
}

BaselineChoice History::baseline(const BaselineWish& wish) const {
  const std::vector<HistoryRun> all = newest_first(""), runs = newest_first(wish.chip);
  std::vector<HistoryRun> own, admitted;
  for (const HistoryRun& run : runs)
    if (is_own(run, wish)) own.push_back(run);
  const std::string commit = own.empty() || own.front().commit.empty() ? wish.commit : own.front().commit;
  const bool named = wish.run > 0 || !wish.of_commit.empty();
  std::vector<std::pair<int64_t, std::string>> why_not;
  for (const HistoryRun& run : runs) {
    const std::string why = why_not_baseline(run, wish, own, commit);
    if (why.empty() || (named && !is_own(run, wish))) admitted.push_back(run);
    why_not.emplace_back(run.id, why.empty() ? "not as expected" : why);
  }
  auto wanted = std::find_if(admitted.begin(), admitted.end(), [&](const HistoryRun& run) {
    if (named) return wish.run > 0 ? run.id == wish.run : run.commit.starts_with(wish.of_commit);
    const std::vector<HistoryRun> shares = with_shares(run, admitted);
    return std::all_of(shares.begin(), shares.end(), was_as_expected);
  });
  if (!named && wanted == admitted.end()) wanted = admitted.begin();  // there is no run that is as expected in all of its shares
  BaselineChoice choice;
  if (wanted != admitted.end()) choice.runs = with_shares(*wanted, admitted);
  if (!named)
    for (const auto& [id, why] : why_not)
      if (choice.runs.empty() || id > choice.runs.front().id) choice.passed_over.push_back(fmt::format("run {}: {}", id, why));
  if (!choice.runs.empty()) return choice;
  if (wish.run > 0) {
    const auto there = std::find_if(all.begin(), all.end(), [&](const HistoryRun& run) { return run.id == wish.run; });
    if (there == all.end())
      throw UsageError(fmt::format("{}: the history has no run {}; see: assay history {}", path_, wish.run, shell_word(path_)));
    if (is_own(*there, wish)) throw UsageError(fmt::format("{}: run {} is the recorded run itself", path_, wish.run));
    throw UsageError(fmt::format("{}: run {} cannot be the baseline: it ran on {}, and the run to compare with it ran on {}", path_, wish.run,
                                 there->chip_text(), wish.chip));
  }
  if (!wish.of_commit.empty())
    throw UsageError(fmt::format("{}: the history has no other run on {} of commit {}", path_, wish.chip, wish.of_commit));
  if (runs.empty()) throw UsageError(fmt::format("{}: the history has no run on {}", path_, wish.chip));
  constexpr size_t kMost = 3;
  std::string why;
  for (size_t i = 0; i < std::min(kMost, choice.passed_over.size()); ++i)
    why += (why.empty() ? "" : "; ") + choice.passed_over[i];
  if (choice.passed_over.size() > kMost) why += fmt::format("; and {} more", choice.passed_over.size() - kMost);
  throw UsageError(fmt::format("{}: no run on {} can be the baseline ({}); name one with --run N", path_, wish.chip, why));
}

std::vector<HistoryVerdict> History::verdicts_of(const std::vector<HistoryRun>& runs) const {
  std::vector<HistoryVerdict> all;
  Statement rows(
      path_, database_,
      "SELECT case_id, kernel, op, contract, warp, outcome, as_expected, budget_use, digest, words FROM verdict "
      "JOIN series ON series.id = verdict.series JOIN state ON state.series = verdict.series AND state.number = verdict.state "
      "JOIN cause ON cause.id = state.cause WHERE run = ? ORDER BY verdict.series");
  for (const HistoryRun& run : runs) {
    rows.put(run.id);
    while (rows.step())
      all.push_back({rows.text(0), rows.text(1), rows.text(2), rows.text(3), rows.text(4), outcome_named(rows.text(5)),
                     rows.integer(6) != 0, rows.number(7), rows.text(8), rows.text(9)});
  }
  return all;
}

std::string lacking_shares(const std::vector<HistoryRun>& runs) {
  if (runs.empty() || runs.front().share.empty()) return "";
  const std::string& share = runs.front().share;  // "1/3 (--shard)"
  const size_t slash = share.find('/');
  const size_t count = slash == std::string::npos ? 1 : std::strtoull(share.c_str() + slash + 1, nullptr, 10);
  return runs.size() >= count ? "" : fmt::format("{} of {} shares of its newest run are missing", count - runs.size(), count);
}

bool is_history(const std::string& path) {
  constexpr std::string_view kBeginning("SQLite format 3\0", 16);
  std::string beginning(kBeginning.size(), ' ');
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(path, unknown)) return false;
  std::ifstream file(path, std::ios::binary);
  return file.read(beginning.data(), std::streamsize(beginning.size())) && beginning == kBeginning;
}

EarlierRun earlier_run(const History& history, const std::string& path, const std::string& chip) {
  const std::vector<HistoryRun> runs = history.newest(chip);
  if (runs.empty()) throw UsageError(path + ": the history has no run" + (chip.empty() ? "" : " on " + chip));
  EarlierRun earlier{path, fmt::format("run {}, {}", runs.front().id, runs.front().begun), {}};
  for (const HistoryVerdict& verdict : history.verdicts_of(runs))
    earlier.outcomes[{verdict.case_id, verdict.kernel}] = name(verdict.outcome);
  return earlier;
}

}  // namespace assay
