#include "harness/history/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "harness/core/tensor.h"
#include "harness/history/history_view.h"
#include "harness/testing/sample_verdicts.h"
#include "harness/text/messages.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
namespace fs = std::filesystem;

HistoryVerdict said(const std::string& id, Outcome outcome, double budget_use = 0.25, const std::string& digest = "a") {
  return {id,
          "rms",
          "rms_norm",
          "vllm.rms_norm",
          "32",
          outcome,
          outcome == Outcome::kPass,
          budget_use,
          digest,
          is_bad(outcome) ? "y: drop to(x)" : ""};
}

HistoryRun run_of(const std::string& day, const std::string& library_digest = "xxh3:1") {
  HistoryRun run;
  run.begun = "2026-11-" + day + "T01:02:03Z";
  run.commit = "commit" + day;
  run.library = "mine", run.library_digest = library_digest;
  run.chip = "sm_90", run.device = "NVIDIA H100";
  return run;
}

/// The verdicts of each run.
using Runs = std::vector<std::vector<HistoryVerdict>>;

class HistoryFile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("assay_history_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    path_ = (folder_ / "runs.history").string();
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string file(const std::string& name) const { return (folder_ / name).string(); }
  void add(const Runs& runs) const {
    int day = 10;
    for (const std::vector<HistoryVerdict>& verdicts : runs) {
      const std::string text = std::to_string(day++);
      History(path_, History::Access::kWrite).add(run_of(text, "xxh3:" + text), verdicts);
    }
  }
  HistoryData read(const HistoryFilter& filter = {}) const { return History(path_, History::Access::kRead).read(filter); }
  /// The single number that an SQL query returns.
  int64_t number(const std::string& sql) const {
    sqlite3* database = nullptr;
    sqlite3_open(path_.c_str(), &database);
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
    sqlite3_step(statement);
    const int64_t answer = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return answer;
  }
  /// The message of a UsageError.
  std::string refusal(const std::string& path, History::Access access = History::Access::kRead) const {
    try {
      (void)History(path, access, 0.1).read({});
    } catch (const UsageError& error) {
      return error.what();
    }
    return "accepted";
  }

  fs::path folder_;
  std::string path_;
};

std::vector<std::string> turns_of(const HistoryData& data) {
  std::vector<std::string> all;
  for (const ChangeGroup& group : change_groups(data))
    for (const CaseChange& one : group.cases)
      all.push_back(data.series[size_t(one.series)].case_id + ":" + name(group.first().turn) + turn_text(data, group));
  return all;
}

TEST_F(HistoryFile, ReturnsWhatWasAddedAndStoresAStateOnce) {
  const HistoryVerdict failed = said("a", Outcome::kFail, 3.5, "b");
  add({{said("a", Outcome::kPass), said("b", Outcome::kPass)},
       {said("a", Outcome::kPass), said("b", Outcome::kPass)},
       {failed, said("b", Outcome::kPass)}});
  const HistoryData data = read();
  ASSERT_THAT(data.runs, SizeIs(3));
  EXPECT_EQ(data.runs[2].commit, "commit12");
  EXPECT_EQ(data.runs[2].chip_text(), "sm_90, NVIDIA H100");
  EXPECT_THAT(data.verdicts[0], ElementsAre(data.verdicts[1][0], data.verdicts[1][1]));
  EXPECT_EQ(data.verdicts[1][1], data.verdicts[2][1]);
  EXPECT_EQ(number("SELECT count(*) FROM state"), 3);
  EXPECT_EQ(number("SELECT count(*) FROM verdict"), 6);
  EXPECT_EQ(number("SELECT count(*) FROM verdicts WHERE outcome = 'fail' AND cause = 'y: drop to(x)' AND run = 3"), 1);
  const History history(path_, History::Access::kRead);
  const std::vector<HistoryVerdict> newest = history.verdicts_of(history.newest());
  ASSERT_THAT(newest, SizeIs(2));
  EXPECT_EQ(newest[0].outcome, Outcome::kFail);
  EXPECT_EQ(newest[0].budget_use, 3.5);
  EXPECT_EQ(newest[0].digest, "b");
  EXPECT_EQ(newest[0].cause, "y: drop to(x)");
  EXPECT_FALSE(newest[0].as_expected);
}

TEST_F(HistoryFile, KeepsEveryOutcome) {
  for (const Outcome outcome : {Outcome::kPass, Outcome::kFail, Outcome::kSkip, Outcome::kUntrusted, Outcome::kBroken,
                                Outcome::kFlaky, Outcome::kNotJudged}) {
    fs::remove(path_);
    add({{said("a", outcome)}});
    const HistoryData data = read();
    ASSERT_THAT(data.states, SizeIs(1));
    EXPECT_EQ(data.states[0].outcome, outcome) << name(outcome);
  }
}

TEST_F(HistoryFile, SaysSinceWhenACaseFailsFlipsOrHasOtherBits) {
  const auto pass = [](const char* id, const char* digest = "a", double use = 0.25) {
    return said(id, Outcome::kPass, use, digest);
  };
  const auto fail = [](const char* id) { return said(id, Outcome::kFail, 2, "w"); };
  add({{pass("breaks"), fail("mends"), pass("flips"), fail("never"), pass("bits"), pass("still"), pass("budget")},
       {pass("breaks"), fail("mends"), fail("flips"), fail("never"), pass("bits"), pass("still"), pass("budget")},
       {fail("breaks"), pass("mends"), pass("flips"), fail("never"), pass("bits", "b", 0.75), pass("still"),
        pass("budget", "a", 0.5)}});
  EXPECT_THAT(
      turns_of(read()),
      ElementsAre("breaks:FAILS since run 3 (2026-11-12, commit commit12), right in 2 runs before",
                  "never:FAILS in every run, first in run 1 (2026-11-10, commit commit10)",
                  "mends:FIXED since run 3 (2026-11-12, commit commit12), wrong in 2 runs before",
                  "flips:FIXED since run 3 (2026-11-12, commit commit12), wrong in 1 run before, from run 2 (2026-11-11, commit "
                  "commit11) on",
                  "bits:OTHER BITS since run 3 (2026-11-12, commit commit12), right as before, budget use 0.25 -> 0.75",
                  "budget:OTHER BUDGET since run 3 (2026-11-12, commit commit12), right as before, budget use 0.25 -> 0.50"));
  EXPECT_THAT(turns_of(read({.last = 1})),
              ElementsAre("breaks:FAILS in every run, first in run 3 (2026-11-12, commit commit12)",
                          "never:FAILS in every run, first in run 3 (2026-11-12, commit commit12)"));
  EXPECT_THAT(turns_of(read({.cases = {"st*", "bits"}})), SizeIs(1));
}

TEST_F(HistoryFile, FlipsOnlyWithTheSameLibraryOrFromThreeTurnsOn) {
  const auto turns_with = [&](const std::string& outcomes, const std::string& libraries) {
    fs::remove(path_);
    for (size_t i = 0; i < outcomes.size(); ++i)
      History(path_, History::Access::kWrite)
          .add(run_of(std::to_string(10 + i), std::string("xxh3:") + libraries[i]),
               {said("a", outcomes[i] == '.' ? Outcome::kPass : Outcome::kFail)});
    const std::vector<std::string> turns = turns_of(read());
    return turns.empty() ? "" : turns.front();
  };
  EXPECT_THAT(turns_with("..F.", "abcd"), StartsWith("a:FIXED since run 4")) << "broken by one build, fixed by the next";
  EXPECT_THAT(turns_with("..F.", "abcd"), HasSubstr("wrong in 1 run before, from run 3"));
  EXPECT_THAT(turns_with("..F.", "abcc"), StartsWith("a:FLIPS: changed between right and wrong twice in 4 runs")) << "the same build was wrong and right";
  EXPECT_THAT(turns_with(".F.F", "abcd"), StartsWith("a:FLIPS: changed between right and wrong 3 times in 4 runs"));
  EXPECT_THAT(turns_with("F.FF", "abcd"), StartsWith("a:FAILS since run 3"));
  EXPECT_THAT(turns_with("F.FF", "abcd"), HasSubstr("right in 1 run before, and wrong before that"));
}

TEST_F(HistoryFile, MissesACaseOnlyWhereItWasAskedFor) {
  const std::vector<HistoryVerdict> both = {said("a", Outcome::kPass), said("b", Outcome::kPass)},
                                    one = {said("a", Outcome::kPass)};
  const auto turns_after = [&](const std::function<void(HistoryRun&)>& edit, const std::vector<HistoryVerdict>& verdicts) {
    fs::remove(path_);
    HistoryRun later = run_of("12");
    edit(later);
    History(path_, History::Access::kWrite).add(run_of("11"), both);
    History(path_, History::Access::kWrite).add(later, verdicts);
    return turns_of(read());
  };
  const auto nothing = [](HistoryRun&) {};
  EXPECT_THAT(turns_after(nothing, one),
              ElementsAre("b:MISSING since run 2 (2026-11-12, commit commit12): no verdict; it had one in 1 run before"));
  EXPECT_THAT(turns_after(nothing, {one[0], said("b", Outcome::kSkip)}), SizeIs(1));
  EXPECT_THAT(turns_after(nothing, both), SizeIs(0));
  EXPECT_THAT(turns_after([](HistoryRun& run) { run.selection = "case=a"; }, one), SizeIs(0));
  EXPECT_THAT(turns_after([](HistoryRun& run) { run.ended_early = "SIGINT"; }, one), SizeIs(0));
  EXPECT_THAT(turns_after([](HistoryRun& run) { run.library = "another"; }, one), SizeIs(0));
  EXPECT_THAT(turns_after([](HistoryRun& run) { run.chip = "sm_100"; }, one), SizeIs(0));
}

TEST_F(HistoryFile, ChipsAreToldApartAndTheSameLibraryIsNoted) {
  for (const char* chip : {"sm_90", "sm_100", "sm_90", "sm_100"}) {
    HistoryRun run = run_of("10");
    run.chip = chip;
    History(path_, History::Access::kWrite).add(run, {said("a", Outcome::kPass, 0.25, chip)});
  }
  EXPECT_THAT(turns_of(read()), SizeIs(0));  // each chip may return other bits
  History(path_, History::Access::kWrite).add(run_of("11"), {said("a", Outcome::kPass, 0.25, "other")});
  const HistoryData data = read();
  ASSERT_THAT(change_groups(data), SizeIs(1));
  EXPECT_THAT(remark(change_groups(data).front()), HasSubstr("with the same library file"));
  EXPECT_THAT(change_groups(read({.chips = {"sm_100"}})), SizeIs(0));
  EXPECT_THAT(change_groups(read({.chips = {"sm_90, NVIDIA*"}})), SizeIs(1));
  History(path_, History::Access::kWrite).add(run_of("12", "xxh3:2"), {said("a", Outcome::kPass, 0.25, "third")});
  const std::vector<ChangeGroup> groups = change_groups(read({.last = 2}));
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_EQ(remark(groups.front()), "");  // another library
}

TEST_F(HistoryFile, ForeignAndDamagedFilesAreRefused) {
  EXPECT_THAT(refusal(path_), HasSubstr("no such history"));
  EXPECT_THAT(refusal(folder_.string()), HasSubstr("expected a file"));
  std::ofstream(file("blank"));
  EXPECT_THAT(refusal(file("blank")), HasSubstr("is empty"));
  std::ofstream(file("text")) << "{\"version\":1,\"verdicts\":[]}" << std::string(2000, ' ');
  EXPECT_THAT(refusal(file("text")), HasSubstr("is not a history"));
  EXPECT_THAT(refusal(file("text"), History::Access::kWrite), HasSubstr("is not a history"));

  sqlite3* other = nullptr;
  sqlite3_open(file("other").c_str(), &other);
  sqlite3_exec(other, "CREATE TABLE run (id INTEGER)", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  EXPECT_THAT(refusal(file("other")), HasSubstr("of another program"));
  EXPECT_THAT(refusal(file("other"), History::Access::kWrite), HasSubstr("of another program"));

  std::vector<HistoryVerdict> many;
  for (int i = 0; i < 2000; ++i) many.push_back(said("case " + std::to_string(i), Outcome::kPass));
  add({many});
  EXPECT_EQ(refusal(path_), "accepted");
  fs::copy(path_, file("cut"));
  fs::resize_file(file("cut"), fs::file_size(path_) / 2);
  EXPECT_THAT(refusal(file("cut")), HasSubstr("is damaged"));
  EXPECT_THAT(refusal(file("cut"), History::Access::kWrite), HasSubstr("is damaged"));
  fs::copy(path_, file("turned"));
  std::fstream turned(file("turned"), std::ios::in | std::ios::out | std::ios::binary);
  turned.seekp(std::streamoff(fs::file_size(path_) / 2 / 4096 * 4096)).write("\xff\xff\xff\xff", 4);
  turned.close();
  EXPECT_THAT(refusal(file("turned")), HasSubstr("is damaged"));
}

TEST_F(HistoryFile, AnotherLayoutIsRefused) {
  add({{said("a", Outcome::kPass)}});
  const auto with_layout = [&](int layout) {
    (void)number("PRAGMA user_version = " + std::to_string(layout));
    return refusal(path_);
  };
  EXPECT_THAT(with_layout(0), HasSubstr("expected layout 1 of the history, got layout 0; start a new file"));
  EXPECT_THAT(with_layout(2), HasSubstr("got layout 2; use the newer version"));
  EXPECT_THAT(refusal(path_, History::Access::kWrite), HasSubstr("got layout 2"));
  EXPECT_EQ(with_layout(1), "accepted");
}

/// Runs `work` in `count` processes at once and returns their states.
std::vector<int> in_processes(int count, const std::function<void(int)>& work) {
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        work(i);
        ::_exit(0);
      } catch (const std::exception&) {
        ::_exit(1);
      }
    }
    children.push_back(child);
  }
  std::vector<int> states;
  for (const pid_t child : children) ::waitpid(child, &states.emplace_back(), 0);
  return states;
}

TEST_F(HistoryFile, WritersAtOnceLoseNothing) {
  constexpr int kWriters = 4, kRuns = 5, kCases = 200;
  const std::vector<int> states = in_processes(kWriters, [&](int writer) {
    for (int run = 0; run < kRuns; ++run) {
      std::vector<HistoryVerdict> verdicts;
      for (int i = 0; i < kCases; ++i)
        verdicts.push_back(said("case " + std::to_string(i), Outcome::kPass, 0.25, std::to_string(writer)));
      History(path_, History::Access::kWrite).add(run_of(std::to_string(10 + run)), verdicts);
    }
  });
  EXPECT_EQ(states, std::vector<int>(kWriters, 0));
  EXPECT_EQ(number("SELECT count(*) FROM run"), kWriters * kRuns);
  EXPECT_EQ(number("SELECT count(*) FROM verdict"), kWriters * kRuns * kCases);
  EXPECT_EQ(number("SELECT count(*) FROM series"), kCases);
  EXPECT_EQ(number("SELECT count(*) FROM state"), kWriters * kCases);
}

TEST_F(HistoryFile, ALockThatStaysIsAnErrorOfTheMachine) {
  add({{said("a", Outcome::kPass)}});
  sqlite3* other = nullptr;
  sqlite3_open(path_.c_str(), &other);
  sqlite3_exec(other, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr);
  EXPECT_THROW(History(path_, History::Access::kWrite, 0.05), HarnessError);
  sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr);
  EXPECT_NO_THROW(History(path_, History::Access::kWrite, 0.05));
  sqlite3_close(other);
}

TEST_F(HistoryFile, AKilledWriterLeavesNoPartOfItsRun) {
  std::vector<HistoryVerdict> many;
  for (int i = 0; i < 20000; ++i) many.push_back(said("case " + std::to_string(i), Outcome::kPass));
  add({{said("a", Outcome::kPass)}});
  const auto write_up_to = [&](rlim_t bytes) {
    return in_processes(1, [&](int) {
      ::signal(SIGXFSZ, SIG_DFL);  // this ends the process in the middle of a write
      const rlimit limit{bytes, bytes}, no_core{0, 0};
      ::setrlimit(RLIMIT_CORE, &no_core);
      ::setrlimit(RLIMIT_FSIZE, &limit);
      History(path_, History::Access::kWrite).add(run_of("20"), many);
    })[0];
  };
  const int killed = write_up_to(fs::file_size(path_) + 64 * 4096);
  ASSERT_TRUE(WIFSIGNALED(killed)) << killed;
  EXPECT_GT(fs::file_size(path_), 64 * 4096u);  // part of the run had been written
  EXPECT_EQ(read().runs.size(), 1u);
  EXPECT_EQ(number("SELECT count(*) FROM series"), 1);
  EXPECT_EQ(number("SELECT count(*) FROM pragma_integrity_check() WHERE integrity_check = 'ok'"), 1);
  EXPECT_EQ(write_up_to(1 << 30), 0);
  EXPECT_EQ(read().runs.size(), 2u);
  EXPECT_EQ(number("SELECT count(*) FROM verdict"), 20001);
}

TEST_F(HistoryFile, TheBaselineIsTheNewestRunOrAllItsShares) {
  const auto shared = [&](const char* day, const char* share, const char* id, const char* digest) {
    HistoryRun run = run_of(day, digest);
    run.share = share;
    History(path_, History::Access::kWrite).add(run, {said(id, Outcome::kPass)});
  };
  const auto baseline = [&](const std::string& chip = "") {
    const History history(path_, History::Access::kRead);
    std::vector<std::string> ids;
    for (const HistoryVerdict& verdict : history.verdicts_of(history.newest(chip))) ids.push_back(verdict.case_id);
    return ids;
  };
  shared("10", "", "whole", "xxh3:1");
  EXPECT_THAT(baseline(), ElementsAre("whole"));
  shared("11", "1/2 (--shard)", "old", "xxh3:2");
  shared("12", "1/2 (--shard)", "first", "xxh3:3");
  EXPECT_EQ(lacking_shares(History(path_, History::Access::kRead).newest()), "1 of 2 shares of its newest run are missing");
  shared("12", "2/2 (--shard)", "second", "xxh3:3");
  EXPECT_EQ(lacking_shares(History(path_, History::Access::kRead).newest()), "");
  EXPECT_THAT(baseline(), ElementsAre("second", "first"));
  EXPECT_THAT(baseline("gfx942"), SizeIs(0));
  const EarlierRun earlier = earlier_run(History(path_, History::Access::kRead), path_);
  EXPECT_THAT(earlier.outcomes, SizeIs(2));
  EXPECT_THROW(earlier_run(History(path_, History::Access::kRead), path_, "gfx942"), UsageError);
}

TEST_F(HistoryFile, NoRunIsItsOwnBaselineNorIsAFailedOneIfAnotherPassed) {
  const auto add_run = [&](const char* day, const char* share, const char* identity, const char* ending, const char* digest) {
    HistoryRun run = run_of(day, digest);
    run.share = share, run.identity = identity, run.ending = ending;
    History(path_, History::Access::kWrite).add(run, {said("a", Outcome::kPass)});
  };
  const char *const good = "ALL AS EXPECTED", *const bad = "NOT AS EXPECTED";
  BaselineWish wish;
  wish.chip = "sm_90, NVIDIA H100";
  const auto chosen = [&] {
    std::vector<int64_t> ids;
    for (const HistoryRun& run : History(path_, History::Access::kRead).baseline(wish).runs) ids.push_back(run.id);
    return ids;
  };
  const auto why_none = [&]() -> std::string {
    try {
      return chosen().empty() ? "" : "some";
    } catch (const UsageError& error) {
      return error.what();
    }
  };
  add_run("10", "", "a1", bad, "xxh3:1");
  wish.own = {"a1"};
  EXPECT_THAT(why_none(), HasSubstr("no run on sm_90, NVIDIA H100 can be the baseline (run 1: the recorded run itself)"));
  add_run("11", "", "a2", bad, "xxh3:2");
  wish.own = {"a2"};
  EXPECT_THAT(chosen(), ElementsAre(1));  // all runs failed, so the baseline is the newest run of another change
  wish.library_digest = "xxh3:1";
  EXPECT_THAT(why_none(), HasSubstr("an earlier attempt at this change"));
  wish.library_digest.clear();
  add_run("12", "1/2 (--shard)", "s1", good, "xxh3:3");
  add_run("12", "2/2 (--shard)", "s2", good, "xxh3:3");
  add_run("13", "1/2 (--shard)", "s3", good, "xxh3:4");
  add_run("13", "2/2 (--shard)", "s4 other", bad, "xxh3:4");
  EXPECT_THAT(chosen(), ElementsAre(4, 3));  // one share of the last divided run failed
  wish.own = {"s4"};
  EXPECT_THAT(chosen(), ElementsAre(4, 3));
  wish.own = {"s1"};  // the other share belongs to the same run
  EXPECT_THAT(chosen(), ElementsAre(6, 5));
  wish.own = {"s4"};
  wish.run = 2;
  EXPECT_THAT(chosen(), ElementsAre(2));
  wish.run = 6;
  EXPECT_THAT(why_none(), HasSubstr("run 6 is the recorded run itself"));
  wish.run = 0;
  wish.of_commit = "commit10";
  EXPECT_THAT(chosen(), ElementsAre(1));
  wish.of_commit = "commit9";
  EXPECT_THAT(why_none(), HasSubstr("no other run on sm_90, NVIDIA H100 of commit commit9"));
}

TEST(OutputDigest, CountsWhatWasWritten) {
  CallResult result;
  result.outputs.emplace_back().bytes.assign(8, std::byte{1});
  const auto digest_with = [&](int64_t at, std::vector<ByteRange> untouched) {
    CallResult changed = result;
    changed.outputs[0].bytes[size_t(at)] = std::byte{2};
    changed.untouched = {std::move(untouched)};
    return output_digest(changed);
  };
  EXPECT_NE(digest_with(3, {}), digest_with(4, {}));
  EXPECT_EQ(digest_with(3, {{2, 5}}), digest_with(4, {{2, 5}}));
  EXPECT_NE(digest_with(5, {{2, 5}}), digest_with(4, {{2, 5}}));
}

TEST(HistoryVerdicts, KeepWhatARunSays) {
  RunResult result = testing::one_of_each();
  result.verdicts[1].tensors[1].budget_use = NAN;
  const std::vector<HistoryVerdict> all = history_verdicts(result, {{{"quant_group/a", "group_fp8"}, "d1"}});
  ASSERT_THAT(all, SizeIs(4));  // the history does not have the case that is not offered
  EXPECT_EQ(all[0].digest, "d1");
  EXPECT_EQ(all[1].budget_use, INFINITY);
  EXPECT_EQ(all[1].digest, "");
  EXPECT_THAT(all[2].cause, HasSubstr("wrote outside 'q'"));
  result.verdicts[2].device_lost = true;
  EXPECT_THAT(history_verdicts(result, {}), SizeIs(3));
}

TEST_F(HistoryFile, TextAndPageShowEveryRun) {
  const std::string id = "rms_norm/<a> & \"b\"\x1b[2J";
  Runs runs(12, {said(id, Outcome::kPass), said("c", Outcome::kPass)});
  for (size_t i = 7; i < runs.size(); ++i) runs[i][0] = said(id, Outcome::kFail, 4, "w");
  add(runs);
  const HistoryData data = read();
  const std::string text = history_text(data, "x", false), all = history_text(data, "x", true);
  EXPECT_THAT(text, HasSubstr("FAILS since run 8 (2026-11-17, commit commit17), right in 7 runs before: 1 case\n"));
  EXPECT_THAT(text, HasSubstr("1 of 2  4.00        .......FFFFF\n"));
  EXPECT_THAT(text, HasSubstr("and 2 runs older"));
  EXPECT_THAT(all, Not(HasSubstr("older")));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));

  const std::string page = history_page(data, "x");
  EXPECT_EQ(testing::nesting_error(page), "");
  pugi::xml_document document;
  EXPECT_TRUE(document.load_string(page.c_str()));
  EXPECT_THAT(page, HasSubstr("1 WRONG NOW"));
  EXPECT_THAT(page, HasSubstr("&lt;a&gt; &amp; \"b\"\\x1b"));
  for (const char* const active : {"<script", "http://", "https://", "src="}) EXPECT_THAT(page, Not(HasSubstr(active)));
  // A cross for each wrong run, in the plot of all verdicts and in the plot of the contract.
  EXPECT_EQ(testing::times(page, "class=\"wrong\""), 2u * 5);
  EXPECT_EQ(testing::times(page, "run 9 (2026-11-18, commit commit18): 1 of 2 wrong"), 2u);
}

}  // namespace
}  // namespace assay
