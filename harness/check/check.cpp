// The C functions of check.h, implemented with the classes of this folder.
#include "harness/check/check.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "harness/check/dumped_call.h"
#include "harness/check/given_tensors.h"
#include "harness/check/judge_tensors.h"
#include "harness/check/match_tensors.h"
#include "harness/check/scale_tensor.h"
#include "harness/check/suite_case.h"
#include "harness/core/missing_role.h"
#include "harness/report/report.h"
#include "harness/run/run.h"
#include "harness/text/error.h"
#include "harness/text/glob.h"
#include "harness/text/printable.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

struct assay_check_report {
  std::string text, json = "{}";
  bool conforms = false;
};

struct assay_check_case {
  std::unique_ptr<const assay::SuiteCase> suite_case;
};

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

std::string json_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// The tables that this process has opened. They are opened once, since the contract registry is global.
class Tables {
 public:
  struct Wanted {
    std::string root;
    std::vector<std::string> contracts;
    bool operator==(const Wanted&) const = default;
  };

  /// The folder of the open tables. Opens those of the installation if none are open.
  std::string root() {
    const std::lock_guard lock(mutex_);
    if (!open_) open({default_root(), {}});
    return open_->root;
  }

  void open_as(const assay_check_tables& tables) {
    Wanted wanted{tables.data != nullptr ? tables.data : default_root(), {}};
    for (int32_t i = 0; i < tables.n_contracts; ++i) wanted.contracts.emplace_back(tables.contracts[i]);
    const std::lock_guard lock(mutex_);
    if (open_ && !(*open_ == wanted))
      throw UsageError("tables of " + open_->root + " are open already; one process reads one set of tables");
    if (!open_) open(std::move(wanted));
  }

 private:
  static std::string default_root() {
    const char* const from_environment = std::getenv("ASSAY_DATA");
    if (from_environment != nullptr && *from_environment != '\0') return from_environment;
    Dl_info here{};
    if (::dladdr(reinterpret_cast<const void*>(&assay_check_version), &here) != 0 && here.dli_fname != nullptr) {
      std::error_code error;
      const std::filesystem::path library = std::filesystem::canonical(here.dli_fname, error).parent_path();
      const std::filesystem::path installed = (library / ASSAY_DATA_FROM_LIBRARY).lexically_normal();
      if (std::filesystem::is_directory(installed, error)) return installed.string();
    }
    return ASSAY_SOURCE_DIR;
  }

  void open(Wanted wanted) {
    std::error_code error;
    if (!std::filesystem::is_directory(std::filesystem::path(wanted.root) / "suites", error))
      throw UsageError(wanted.root + " has no folder suites; set ASSAY_DATA to the folder that has");
    open_rulebook(wanted.root, wanted.contracts);
    open_ = std::move(wanted);
  }

  std::mutex mutex_;
  std::optional<Wanted> open_;
};

Tables& tables() {
  static Tables all;
  return all;
}

/// Lookup errors ("unknown contract 'x'") are the user's; any other std::out_of_range is a defect of this program.
bool is_lookup(const std::out_of_range& error) { return std::string_view(error.what()).starts_with("unknown "); }

/// Calls `answer` with a report to fill in. Catches all exceptions.
template <class Answer>
assay_check_status answered(assay_check_report** out, Answer answer) noexcept {
  assay_check_report* report = nullptr;
  if (out != nullptr) *out = nullptr;
  const auto because = [&](assay_check_status status, const std::string& words) noexcept {
    try {
      *report = {};
      report->text = printable_lines(without_file(words));
    } catch (...) {
      report->text.clear();
    }
    return status;
  };
  const std::string defect = "a defect of Assay and not of its input: ";
  try {
    report = new assay_check_report;
    if (out != nullptr) *out = report;
    try {
      answer(*report);
      if (out == nullptr) delete report;
      return ASSAY_CHECK_OK;
    } catch (const std::bad_alloc&) {
      return because(ASSAY_CHECK_FAILED, "out of memory");
    } catch (const std::out_of_range& error) {
      return is_lookup(error) ? because(ASSAY_CHECK_REFUSED, error.what()) : because(ASSAY_CHECK_FAILED, defect + error.what());
    } catch (const std::logic_error& error) {
      return because(ASSAY_CHECK_FAILED, defect + error.what());
    } catch (const std::system_error& error) {
      return because(ASSAY_CHECK_FAILED, error.what());
    } catch (const std::exception& error) {
      return because(ASSAY_CHECK_REFUSED, error.what());
    } catch (...) {
      return because(ASSAY_CHECK_FAILED, defect + "an exception of unknown type");
    }
  } catch (...) {
    return ASSAY_CHECK_FAILED;
  }
}

void require(const void* pointer, const char* what) {
  if (pointer == nullptr) throw UsageError(std::string(what) + " is NULL");
}

/// A copy of a request.
struct Asked {
  std::string contract, layout;
  DumpedRoles roles;
  std::map<std::string, std::string> parameters;

  explicit Asked(const assay_check_request* request) {
    require(request, "request");
    if (request->size < sizeof(assay_check_request))
      throw UsageError("request: expected size " + std::to_string(sizeof(assay_check_request)) + " or more, got " +
                       std::to_string(request->size));
    if (request->contract != nullptr) contract = request->contract;
    if (request->layout != nullptr) layout = request->layout;
    roles = given_tensors(request->tensors, request->n_tensors);
    parameters = given_parameters(request->parameters, request->n_parameters);
  }
};

std::string role_names(const Op& op) {
  std::string names;
  for (const RoleSpec& role : op.roles) {
    names += (names.empty() ? "" : ", ") + role.name;
    if (role.access == Access::kInOut) names += ", " + role.name + "_out";
  }
  return names;
}

/// Throws unless every tensor has a role of the op.
void require_roles(const Op& op, const DumpedRoles& roles) {
  for (const auto& [key, tensor] : roles) {
    const std::string name = name_and_rank(key).first;
    const bool known = std::any_of(op.roles.begin(), op.roles.end(), [&](const RoleSpec& role) {
      return role.name == name || (role.access == Access::kInOut && role.name + "_out" == name);
    });
    if (!known) throw UsageError("tensor '" + key + "': op " + op.name + " has no such tensor; expected " + role_names(op));
  }
}

DumpedCall call_of(const Asked& asked) {
  if (asked.contract.empty()) throw UsageError("contract is NULL");
  const Op& op = shipped_ops().of_contract(asked.contract, asked.parameters);
  if (!op.case_of_dump)
    throw UsageError("tensors of op " + op.name + " cannot be checked without their call; run its cases instead");
  require_roles(op, asked.roles);
  try {
    return dumped_call(op, {asked.contract, asked.roles, asked.parameters, asked.layout});
  } catch (const MissingRole& missing) {
    std::string given;
    for (const auto& [role, tensor] : asked.roles) given += (given.empty() ? "" : ", ") + role;
    throw UsageError("tensor '" + missing.role + "': expected one, got " + (given.empty() ? "none" : given) + "; contract " +
                     asked.contract + " wants " + role_names(op));
  }
}

void fill_in(TensorsVerdict judged, assay_check_report& report) {
  if (judged.verdict.origin == kGiven)
    judged.verdict.origin = "your tensors", judged.verdict.why = "checked against " + judged.verdict.contract;
  RunResult all;
  all.verdicts.push_back(judged.verdict);
  Json json = Json::parse(json_text(all, LibraryInfo{}, Provenance{}));
  json["notes"] = judged.notes;
  report.json = json_line(json);
  report.text = without_file(tensors_text(judged));
  report.conforms = judged.verdict.outcome == Outcome::kPass;
}

Json access_word(Access access) { return name(access); }

Json described(const Op& op) {
  Json tensors = Json::array(), parameters = Json::array();
  for (const RoleSpec& role : op.roles)
    tensors.push_back(
        {{"role", role.name}, {"access", access_word(role.access)}, {"what", role.what}, {"of_each_rank", role.of_each_rank}});
  for (const ParameterSpec& parameter : op.parameters) parameters.push_back({{"name", parameter.name}, {"what", parameter.what}});
  return {{"op", op.name},
          {"tensors", tensors},
          {"parameters", parameters},
          {"columns", op.columns},
          {"takes_tensors", bool(op.case_of_dump)}};
}

void list_cases(const std::string& pattern, const std::string& tier, const std::string& root, Json& list) {
  const bool of_ids = pattern.find('/') != std::string::npos;
  const std::string begin = pattern.substr(0, pattern.find('/'));
  for (const Op& op : shipped_ops().all()) {
    const std::vector<std::string> contracts = rulebook().contract_ids();
    const auto taken = [&](const std::string& contract) { return glob_match(pattern, contract) && op.takes(contract); };
    const bool may_hold = of_ids ? glob_match(begin, op.name) : std::any_of(contracts.begin(), contracts.end(), taken);
    if (!may_hold) continue;
    for (const Case& one : cases_of_op(op, root).cases) {
      const auto cell = [&](const char* name) { return one.parameters.contains(name) ? one.text(name) : std::string(); };
      if (!tier.empty() && one.tier != tier) continue;
      if (!glob_match(pattern, of_ids ? one.id : cell("contract"))) continue;
      list.push_back(
          {{"id", one.id}, {"op", one.op}, {"contract", cell("contract")}, {"tier", one.tier}, {"warp", cell("warp")}});
    }
  }
}

}  // namespace
}  // namespace assay

using namespace assay;

uint32_t assay_check_version(void) { return ASSAY_CHECK_VERSION; }

const char* assay_check_text(const assay_check_report* report) {
  return report == nullptr ? "out of memory" : report->text.c_str();
}
const char* assay_check_json(const assay_check_report* report) { return report == nullptr ? "{}" : report->json.c_str(); }
int32_t assay_check_conforms(const assay_check_report* report) { return report != nullptr && report->conforms ? 1 : 0; }
void assay_check_free(assay_check_report* report) { delete report; }

assay_check_status assay_check_open(const assay_check_tables* given, assay_check_report** report) {
  return answered(report, [&](assay_check_report&) {
    require(given, "tables");
    if (given->size < sizeof(assay_check_tables) || given->n_contracts < 0 ||
        (given->n_contracts > 0 && given->contracts == nullptr))
      throw UsageError("tables: size or contracts are wrong");
    tables().open_as(*given);
  });
}

assay_check_status assay_check_judge(const assay_check_request* request, assay_check_report** report) {
  return answered(report, [&](assay_check_report& filled) {
    (void)tables().root();
    const Asked asked(request);
    fill_in(judge_tensors(call_of(asked), "", request->with_power != 0 ? WithPower::kYes : WithPower::kNo), filled);
  });
}

assay_check_status assay_check_match(const assay_check_request* request, assay_check_report** report) {
  return answered(report, [&](assay_check_report& filled) {
    (void)tables().root();
    const Asked asked(request);
    if (!asked.contract.empty()) (void)shipped_ops().find(asked.contract);
    std::vector<const Op*> ops;
    for (const Op& op : shipped_ops().all())
      if (op.case_of_dump && (asked.contract.empty() || op.name == asked.contract)) ops.push_back(&op);
    const MatchedContracts matched = match_tensors(ops, asked.roles, asked.parameters, asked.layout);
    Json obeys = Json::array(), others = Json::array(), reasons = Json::object();
    for (const MatchedContract& one : matched.asked) {
      if (one.obeys())
        obeys.push_back(one.contract);
      else
        others.push_back({{"contract", one.contract}, {"outside", one.outside}});
    }
    for (const auto& [reason, contracts] : matched.reasons) reasons[without_file(reason)] = contracts;
    filled.conforms = !obeys.empty();
    filled.text = without_file(match_text(matched));
    filled.json = json_line({{"obeys", obeys}, {"not", others}, {"not_asked", reasons}});
  });
}

assay_check_status assay_check_explain(const assay_check_request* request, int64_t row, int64_t column,
                                       assay_check_report** report) {
  return answered(report, [&](assay_check_report& filled) {
    (void)tables().root();
    filled.text = without_file(explain_tensors(call_of(Asked(request)), row, column));
    filled.json = json_line({{"text", filled.text}});
    filled.conforms = true;
  });
}

assay_check_status assay_check_scale(const assay_check_request* request, int32_t powers_of_two, assay_check_report** report) {
  return answered(report, [&](assay_check_report& filled) {
    (void)tables().root();
    const Asked asked(request);
    if (asked.roles.size() != 1) throw UsageError("expected one tensor of scales, got " + std::to_string(asked.roles.size()));
    ScaleGrid grid = scale_grid(asked.roles.begin()->second, ScaleFacts(asked.parameters, {}, asked.layout));
    grid.powers_of_two = powers_of_two != 0;
    const ScaleReport looked = look_at_scales(grid);
    Json findings = Json::array();
    for (const ScaleFinding& finding : looked.findings) findings.push_back({{"what", finding.what}, {"lines", finding.lines}});
    filled.json = json_line({{"findings", findings}, {"notes", looked.notes}});
    filled.text = scale_text(grid, looked);
    filled.conforms = looked.findings.empty();
  });
}

assay_check_status assay_check_contract(const char* contract, assay_check_report** report) {
  return answered(report, [&](assay_check_report& filled) {
    (void)tables().root();
    require(contract, "contract");
    const Op& first = shipped_ops().of_contract(contract);
    Json ops = Json::array({described(first)});
    for (const Op& op : shipped_ops().all())
      if (op.name != first.name && op.takes(contract)) ops.push_back(described(op));
    filled.json = json_line({{"contract", contract}, {"ops", ops}});
    for (const RoleSpec& role : first.roles) filled.text += role.name + "  " + name(role.access) + "  " + role.what + "\n";
    filled.conforms = true;
  });
}

assay_check_status assay_check_cases(const char* pattern, const char* tier, assay_check_report** report) {
  return answered(report, [&](assay_check_report& filled) {
    const std::string root = tables().root();
    require(pattern, "pattern");
    Json list = Json::array();
    list_cases(pattern, tier == nullptr ? "" : tier, root, list);
    for (const Json& one : list) filled.text += one.at("id").get<std::string>() + "\n";
    filled.conforms = !list.empty();
    filled.json = json_line({{"cases", list}});
  });
}

assay_check_status assay_check_case_open(const char* id, assay_check_case** opened, assay_check_report** report) {
  return answered(report, [&](assay_check_report& filled) {
    require(opened, "opened");
    *opened = nullptr;
    const std::string root = tables().root();
    require(id, "id");
    auto one = std::make_unique<assay_check_case>();
    one->suite_case = open_suite_case(id, root);
    filled.json = call_json(*one->suite_case);
    filled.text = one->suite_case->one().id + "\n";
    filled.conforms = true;
    *opened = one.release();
  });
}

void assay_check_case_close(assay_check_case* opened) { delete opened; }

const void* assay_check_case_data(const assay_check_case* opened, const char* role, uint64_t* bytes) {
  if (bytes != nullptr) *bytes = 0;
  if (opened == nullptr || role == nullptr) return nullptr;
  for (const HostTensor& tensor : opened->suite_case->problem().tensors) {
    if (key_of(tensor.spec) != role || tensor.bytes.empty()) continue;
    if (bytes != nullptr) *bytes = tensor.bytes.size();
    return tensor.bytes.data();
  }
  return nullptr;
}

assay_check_status assay_check_case_judge(const assay_check_case* opened, const assay_check_tensor* outputs, int32_t n_outputs,
                                          assay_check_report** report) {
  return answered(report, [&](assay_check_report& filled) {
    require(opened, "opened");
    fill_in(opened->suite_case->judge(given_tensors(outputs, n_outputs), "given outputs", "outputs"), filled);
  });
}
