// assay: parses the command line, calls a verb, and converts errors to a message and an exit code.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "harness/backend/worker.h"
#include "harness/cli/options.h"
#include "harness/cli/places.h"
#include "harness/text/messages.h"
#include "reference/recipe/lanes.h"
#include "reference/table/near.h"
#include "reference/table/table.h"

namespace assay {

extern const char* const kCommit;  // run_reports.cpp

namespace {

/// True if stdout was closed when the program started. All output to it is then lost.
bool has_no_standard_output = false;

int say(ExitCode code, const std::string& words) {
  std::fprintf(stderr, "assay: %s\n", printable_lines(words).c_str());
  return code;
}

/// Lookup errors ("unknown contract 'x'") are the user's; any other std::out_of_range is a defect of this program.
bool is_lookup(const std::out_of_range& error) { return std::string_view(error.what()).starts_with("unknown "); }

/// Runs a verb. Returns 2 for a wrong command line, table, dump or library; 3 for an error of the machine or of this program,
/// which says nothing about a kernel; 77 for a missing device.
int guarded(const std::function<int()>& verb) {
  const std::string defect = "internal error, a defect of assay and not of its input: ";
  try {
    return verb();
  } catch (const NoDeviceError& error) {
    return say(kNoDevice, error.what());
  } catch (const HarnessError& error) {
    return say(kHarnessFailed, error.what());
  } catch (const std::system_error& error) {
    return say(kHarnessFailed, error.what());
  } catch (const std::bad_alloc&) {
    return say(kHarnessFailed, "out of memory");
  } catch (const std::out_of_range& error) {
    return is_lookup(error) ? say(kUsageOrNothingRan, error.what()) : say(kHarnessFailed, defect + error.what());
  } catch (const std::logic_error& error) {
    return say(kHarnessFailed, defect + error.what());
  } catch (const TableError& error) {
    const std::string path = std::filesystem::path(error.file()).is_absolute() ? error.file() : data_root() + "/" + error.file();
    const bool shipped = path.starts_with(data_root() + "/suites/") || path.starts_with(data_root() + "/reference/contracts/");
    return say(kUsageOrNothingRan,
               error.what() + (shipped ? "; if this shipped table is newer than the program (commit " +
                                             std::string(kCommit).substr(0, 12) + "), rebuild: ci/build release"
                                       : std::string()));
  } catch (const std::exception& error) {
    return say(kUsageOrNothingRan, error.what());
  } catch (...) {
    return say(kHarnessFailed, defect + "an exception of unknown type");
  }
}

/// Flushes stdout. Returns `code`, or the code for lost output, because a verdict that cannot be read is worthless.
int delivered(int code) {
  const bool flushed = std::fflush(stdout) == 0;
  const int error = errno;
  if (flushed && std::ferror(stdout) == 0) return code;
  const std::string why = has_no_standard_output ? ": it is closed" : flushed ? "" : std::string(": ") + std::strerror(error);
  const int lost = say(kHarnessFailed, "standard output was lost" + why);
  return code == kAllAsExpected ? lost : code;
}

/// Call it first. Opens descriptors 0, 1 and 2 if they are closed; otherwise the next opened file would get that number and
/// receive the program's output.
void hold_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    if (descriptor == STDOUT_FILENO) has_no_standard_output = true;
    const int file = ::open(descriptor == STDOUT_FILENO ? "/dev/full" : "/dev/null", O_RDWR);
    if (file >= 0 && file != descriptor) ::dup2(file, descriptor), ::close(file);
  }
}

}  // namespace
}  // namespace assay

namespace assay {
namespace {

/// The verb of a command line: its first word that is not an option of the program itself.
std::string verb_of(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--contracts") ++i;
    if (!word.starts_with('-')) return std::string(word == "--contracts" ? "" : word);
  }
  return "";
}

std::vector<std::string> verbs_of(const CLI::App& program) {
  std::vector<std::string> names;
  for (const CLI::App* verb : program.get_subcommands([](const CLI::App*) { return true; }))
    if (!verb->get_group().empty()) names.push_back(verb->get_name());
  return names;
}

/// The message for words of the command line that no verb expects: names the first unknown option, or else an unexpected argument.
std::string unexpected_text(const CLI::App& program) {
  const std::vector<std::string> words = program.remaining(true);
  const std::vector<CLI::App*> verbs = program.get_subcommands();
  const CLI::App& verb = verbs.empty() ? program : *verbs.front();
  std::vector<std::string> names;
  for (const CLI::Option* option : verb.get_options())
    if (!option->get_lnames().empty() && !option->get_group().empty()) names.push_back("--" + option->get_lnames().front());
  const auto unknown = std::find_if(words.begin(), words.end(), [](const std::string& word) { return word.starts_with("-"); });
  const std::string after = verbs.empty() ? "" : verb.get_name() + ": ",
                    help = "; see: assay help" + (verbs.empty() ? "" : " " + verb.get_name());
  if (unknown == words.end()) return after + "unexpected argument '" + (words.empty() ? "" : words.back()) + "'" + help;
  const std::string name = unknown->substr(0, unknown->find('='));
  const std::vector<std::string> near = near_matches(name, names);
  return after + "unknown option '" + name + "'" + (near.empty() ? "" : did_you_mean(name, near)) + help;
}

/// An option that may be repeated takes one value each time, so that arguments may follow it: `judge --contracts FILE.csv DUMP`.
void take_one_value_each(CLI::App& program) {
  const auto visit = [](CLI::App& app) {
    for (CLI::Option* const option : app.get_options())
      if (!option->get_lnames().empty() && option->get_allow_extra_args()) option->allow_extra_args(false);
  };
  visit(program);
  for (CLI::App* const verb : program.get_subcommands([](const CLI::App*) { return true; })) visit(*verb);
}

/// `assay help [VERB]`.
int help(const CLI::App& program, const std::string& about) {
  if (about.empty()) return std::printf("%s", program.help().c_str()), kAllAsExpected;
  const std::vector<std::string> names = verbs_of(program);
  if (std::find(names.begin(), names.end(), about) == names.end())
    return say(kUsageOrNothingRan, "no verb '" + about + "'" + did_you_mean(about, names));
  std::printf("%s", program.get_subcommand(about)->help("assay").c_str());
  return kAllAsExpected;
}

}  // namespace
}  // namespace assay

int main(int argc, char** argv) {
  assay::hold_standard_descriptors();
  CLI::App program("Conformance suite for the low-precision kernels of LLM inference.");
  program.name("assay");
  program.require_subcommand(1);
  program.fallthrough();  // so that --contracts may follow the verb
  program.set_version_flag("--version", ASSAY_VERSION);

  assay::RunArguments run;
  assay::add_run(program, run);
  assay::ListArguments listed;
  assay::add_list(program, listed);
  assay::NewArguments made;
  assay::add_new(program, made);
  assay::InputsArguments inputs;
  assay::add_inputs(program, inputs);
  assay::JudgeArguments judge;
  assay::add_judge(program, judge);
  assay::HistoryArguments history;
  assay::add_history(program, history);
  assay::GateArguments gate;
  assay::add_gate(program, gate);
  assay::KnownArguments known;
  assay::add_known(program, known);
  assay::GoldenArguments golden;
  assay::add_golden(program, golden);
  assay::ExplainArguments explain;
  assay::add_explain(program, explain);
  assay::ContractsArguments contracts;
  assay::add_contracts(program, contracts);
  assay::ArchArguments arch;
  assay::add_arch(program, arch);
  assay::HuntArguments hunt;
  assay::add_hunt(program, hunt);
  assay::ProbeArguments probe;
  assay::add_probe(program, probe);
  assay::SignoffArguments signoff;
  assay::add_signoff(program, signoff);
  assay::WitnessArguments witness;
  assay::add_witness(program, witness);
  assay::RegenerateArguments regenerate;
  assay::add_regenerate(program, regenerate);
  assay::PowerArguments power;
  assay::add_table(program, "power", "print a table of input generators and the mutants that they kill", power);
  assay::PowerArguments sharpness;
  assay::add_table(program, "sharpness", "print a table of the share of elements that accept exactly one code", sharpness);
  assay::DocsArguments docs;
  assay::add_docs(program, docs);
  std::vector<std::string> rows;
  program.add_option("--contracts", rows, "table with contracts or instructions of your own; may be repeated")
      ->type_name("FILE.csv");
  std::string library;
  CLI::App& worker = *program.add_subcommand("worker", "")->group("");  // hidden: `run` starts it for a library given by path
  worker.add_option("--library", library)->required();
  assay::take_one_value_each(program);

  program.footer(
      "First steps:\n"
      "  assay list                              the ops and their cases\n"
      "  assay run --backend ./libmine.so        check a kernel library on the quick tier\n"
      "  assay judge dump.safetensors --contract vllm.group_fp8\n"
      "                                          check tensors that any program computed\n"
      "  assay new plugin mine                   start a kernel library in C++\n"
      "  assay help VERB                         options and examples of a verb");
  const std::string verb = assay::verb_of(argc, argv);
  if (verb == "help") return assay::delivered(assay::help(program, argc > 2 ? argv[argc - 1] : ""));
  if (argc == 1) return assay::help(program, ""), assay::delivered(assay::kUsageOrNothingRan);
  const std::vector<std::string> verbs = assay::verbs_of(program);
  if (!verb.empty() && verb != "worker" && std::find(verbs.begin(), verbs.end(), verb) == verbs.end())
    return assay::say(assay::kUsageOrNothingRan, "no verb '" + verb + "'" + assay::did_you_mean(verb, verbs) +
                                                     (assay::near_matches(verb, verbs).empty() ? "" : " see: assay help"));
  try {
    program.parse(argc, argv);
  } catch (const CLI::ExtrasError&) {
    return assay::say(assay::kUsageOrNothingRan, assay::unexpected_text(program));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return (void)program.exit(error), assay::delivered(assay::kAllAsExpected);
    return assay::say(assay::kUsageOrNothingRan,
                      std::string(error.what()) + "; see: assay help" + (program.get_subcommands().empty() ? "" : " " + verb));
  }
  const auto ops = std::make_shared<const assay::OpRegistry>(assay::shipped_ops());
  for (assay::Suites* const suites :
       {&run.suites, &listed.suites, &made.suites, &inputs.suites, &judge.suites, &gate.suites, &golden.suites, &explain.suites,
        &contracts.suites, &arch.suites, &hunt.suites, &probe.suites, &signoff.suites, &witness.suites, &regenerate.suites,
        &power.suites, &sharpness.suites, &docs.suites})
    suites->ops = ops, suites->tables.contracts = rows;
  run.command = judge.command = gate.command = probe.command = signoff.command = {argv, argv + argc};
  // SIGPIPE must not end these verbs before their reports are written. Other verbs write no reports; a closed pipe ends them.
  for (const char* const verb : {"run", "judge", "gate", "golden", "regenerate", "probe", "signoff"})
    if (program.got_subcommand(verb)) ::signal(SIGPIPE, SIG_IGN);
  // SIGXFSZ is ignored, so that a write beyond a file-size limit is reported as an error of that file.
  ::signal(SIGXFSZ, SIG_IGN);
  const int code = assay::guarded([&] {
    if (std::getenv("ASSAY_ISA") != nullptr) (void)assay::lanes();  // reports a misspelled ASSAY_ISA before anything runs
    if (program.got_subcommand("run")) return assay::run_verb(run);
    if (program.got_subcommand("inputs")) return assay::inputs_verb(inputs);
    if (program.got_subcommand("judge")) return assay::judge_verb(judge);
    if (program.got_subcommand("history")) return assay::history_verb(history);
    if (program.got_subcommand("gate")) return assay::gate_verb(gate);
    if (program.got_subcommand("known")) return assay::known_verb(known);
    if (program.got_subcommand("hunt")) return assay::hunt_verb(hunt);
    if (program.got_subcommand("list")) return assay::list_verb(listed);
    if (program.got_subcommand("new")) return assay::new_verb(made);
    if (program.got_subcommand("golden")) return assay::golden_verb(golden);
    if (program.got_subcommand("explain") && explain.minimize) return assay::minimize_verb(explain);
    if (program.got_subcommand("explain")) return assay::explain_verb(explain);
    if (program.got_subcommand("arch")) return assay::arch_verb(arch);
    if (program.got_subcommand("probe")) return assay::probe_verb(probe);
    if (program.got_subcommand("signoff")) return assay::signoff_verb(signoff);
    if (program.got_subcommand("witness")) return assay::witness_verb(witness);
    if (program.got_subcommand("regenerate")) {
      const std::string pages = assay::data_root() + "/docs/reference";
      if (std::filesystem::is_directory(pages))
        regenerate.docs = [&program, &regenerate, pages] { return assay::docs_files(program, regenerate.suites, pages); };
      return assay::regenerate_verb(regenerate);
    }
    if (program.got_subcommand("power")) return assay::power_verb(power);
    if (program.got_subcommand("sharpness")) return assay::sharpness_verb(sharpness);
    if (program.got_subcommand("docs")) return assay::docs_verb(program, docs);
    if (program.got_subcommand("contracts"))
      return contracts.action == "match" ? assay::match_verb(contracts) : assay::contracts_verb(contracts);
    return assay::worker_main(library);
  });
  return assay::delivered(code);
}
