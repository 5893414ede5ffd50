#include "harness/check/check.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "harness/check/judge_tensors.h"
#include "harness/check/suite_case.h"
#include "harness/core/op.h"
#include "harness/dump/dump.h"
#include "harness/report/report.h"
#include "harness/run/run.h"
#include "harness/text/messages.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

// Conversion of a C caller's tensors to DumpedTensors, as if they came from a file.

/// The file name in DumpedTensor::place() of a caller's tensor, which has no file. without_file() removes this name from
/// messages.
inline constexpr const char* kGiven = "given";

/// Copies the caller's tensors. Throws UsageError that names the tensor: for a NULL, an unknown dtype, an impossible shape or
/// strides, or a role that is given twice.
DumpedRoles given_tensors(const assay_check_tensor* tensors, int32_t count);

/// Throws UsageError for a NULL name or value, and for a repeated name.
std::map<std::string, std::string> given_parameters(const assay_check_parameter* parameters, int32_t count);

/// The message without "given: ".
std::string without_file(std::string message);

/// What a dtype of check.h means.
struct GivenType {
  const Format* format;
  bool plain_bytes = false;  ///< raw codes, whose format the contract defines
  bool packed = false;       ///< two codes per byte
};

GivenType type_of(const std::string& dtype, const std::string& place) {
  if (dtype == "uint8") return {&kInt8, true};
  if (dtype == "uint32") return {&kInt32, true};
  if (dtype == "e2m1x2") return {&kE2M1, false, true};
  const std::vector<std::string> known = {"f32",      "bf16", "f16",  "e4m3fn", "e4m3fnuz", "e5m2",
                                          "e5m2fnuz", "e8m0", "int8", "int32",  "int64"};
  if (std::find(known.begin(), known.end(), dtype) != known.end()) return {find_format(dtype)};
  std::string list = "uint8, uint32, e2m1x2";
  for (const std::string& name : known) list += ", " + name;
  throw UsageError(place + ": has dtype '" + dtype + "'; expected one of " + list + did_you_mean(dtype, known));
}

/// Offsets of the lowest and highest element that shape and strides address, from element [0, ...]; nullopt on overflow.
std::optional<std::pair<int64_t, int64_t>> reach_of(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
  constexpr int64_t kMost = int64_t{1} << 46;
  int64_t low = 0, high = 0, elements = 1;
  for (size_t d = 0; d < shape.size(); ++d) {
    int64_t reach = 0;
    if (__builtin_mul_overflow(elements, shape[d], &elements) || elements > kMost) return std::nullopt;
    if (__builtin_mul_overflow(std::max<int64_t>(shape[d], 1) - 1, strides[d], &reach)) return std::nullopt;
    if (__builtin_add_overflow(reach < 0 ? low : high, reach, reach < 0 ? &low : &high) || high > kMost || low < -kMost)
      return std::nullopt;
  }
  return std::pair(low, high);
}

/// Copies the elements in logical order, for any strides.
std::vector<std::byte> dense_copy(const TensorSpec& spec, const std::byte* first) {
  const size_t width = size_t(spec.format->bytes());
  std::vector<std::byte> bytes(size_t(spec.elements()) * width);
  std::vector<int64_t> at(spec.shape.size(), 0);
  int64_t offset = 0;
  for (size_t i = 0; i < bytes.size(); i += width) {
    std::memcpy(bytes.data() + i, first + offset * int64_t(width), width);
    for (size_t d = at.size(); d-- > 0;) {
      offset += spec.strides[d];
      if (++at[d] < spec.shape[d]) break;
      offset -= at[d] * spec.strides[d];
      at[d] = 0;
    }
  }
  return bytes;
}

std::vector<int64_t> row_major(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * std::max<int64_t>(1, shape[d]);
  return strides;
}

/// Copies the whole storage with its padding; copies only the elements if they lie far apart or have negative strides.
HostTensor copied(const assay_check_tensor& given, TensorSpec spec, const std::pair<int64_t, int64_t>& reach,
                  const std::string& place) {
  const auto* const first = static_cast<const std::byte*>(given.data);
  if (spec.elements() == 0) return {spec, {}};
  if (first == nullptr) throw UsageError(place + ": data is NULL");
  spec.storage = reach.second + 1;
  if (given.bytes != 0 && given.bytes < spec.bytes())
    throw UsageError(place + ": shape " + extents_text(spec.shape) + " with strides " + extents_text(spec.strides) +
                     " reaches byte " + std::to_string(spec.bytes()) + ", and only " + std::to_string(given.bytes) +
                     " are readable");
  const bool scattered = reach.first < 0 || spec.storage > 4 * spec.elements() + 65536;
  if (scattered) {
    if (spec.packed)
      throw UsageError(
          place +
          ": packed codes must have strides >= 0 and may span at most 4 times their number + 65536 elements; pass a dense copy");
    std::vector<std::byte> bytes = dense_copy(spec, first);
    spec.strides = row_major(spec.shape), spec.storage = spec.elements();
    return {spec, std::move(bytes)};
  }
  const auto readable = int64_t(given.bytes / uint64_t(spec.format->bytes())) * (spec.packed ? 2 : 1);
  if (given.bytes != 0 && readable <= 4 * spec.elements() + 65536) spec.storage = readable;
  if (spec.packed) spec.storage += spec.storage % 2;
  const size_t bytes = spec.packed ? size_t(spec.storage) / 2 : spec.bytes();
  return {spec, std::vector<std::byte>(first, first + bytes)};
}

DumpedTensor given_tensor(const assay_check_tensor& given, const std::string& role) {
  const std::string place = std::string(kGiven) + ": tensor '" + role + "'";
  if (given.dtype == nullptr) throw UsageError(place + ": dtype is NULL");
  if (given.ndim < 0 || size_t(given.ndim) > kMostDimensions || (given.ndim > 0 && given.shape == nullptr))
    throw UsageError(place + ": expected 0 to " + std::to_string(kMostDimensions) + " dimensions and a shape, got " +
                     std::to_string(given.ndim));
  const GivenType type = type_of(given.dtype, place);
  TensorSpec spec{role, Role::kInput, type.format, {}, {}};
  spec.packed = type.packed;
  spec.shape.assign(given.shape, given.shape + given.ndim);
  if (std::any_of(spec.shape.begin(), spec.shape.end(), [](int64_t extent) { return extent < 0; }))
    throw UsageError(place + ": has shape " + extents_text(spec.shape));
  const auto elements = reach_of(spec.shape, std::vector<int64_t>(spec.shape.size(), 0));
  if (!elements) throw UsageError(place + ": has shape " + extents_text(spec.shape) + ", which does not fit into memory");
  spec.strides = row_major(spec.shape);
  if (given.strides != nullptr) spec.strides.assign(given.strides, given.strides + given.ndim);
  for (size_t d = 0; d < spec.shape.size(); ++d)
    if (spec.shape[d] == 1) spec.strides[d] = row_major(spec.shape)[d];  // the stride of an extent of 1 has no meaning, and
                                                                         // frameworks store any value
  const auto reach = reach_of(spec.shape, spec.strides);
  if (!reach) throw UsageError(place + ": has strides " + extents_text(spec.strides) + ", which reach beyond memory");
  return {copied(given, spec, *reach, place), kGiven, role, given.dtype, type.plain_bytes};
}

/// Element i of an array, whose structs may be larger than this library's if the caller is newer.
const assay_check_tensor& element(const assay_check_tensor* tensors, int32_t i) {
  const auto* const first = reinterpret_cast<const std::byte*>(tensors);
  return *reinterpret_cast<const assay_check_tensor*>(first + size_t(i) * tensors->size);
}

DumpedRoles given_tensors(const assay_check_tensor* tensors, int32_t count) {
  DumpedRoles roles;
  if (count < 0 || (count > 0 && tensors == nullptr))
    throw UsageError("tensors: expected " + std::to_string(count) + " tensors, got NULL");
  if (count > 0 && (tensors->size < sizeof(assay_check_tensor) || tensors->size % alignof(assay_check_tensor) != 0))
    throw UsageError("tensors: expected size " + std::to_string(sizeof(assay_check_tensor)) + " or more, got " +
                     std::to_string(tensors->size));
  for (int32_t i = 0; i < count; ++i) {
    const assay_check_tensor& given = element(tensors, i);
    if (given.role == nullptr || *given.role == '\0') throw UsageError("tensors: number " + std::to_string(i) + " has no role");
    if (!roles.emplace(given.role, given_tensor(given, given.role)).second)
      throw UsageError("tensor '" + std::string(given.role) + "': given twice");
  }
  return roles;
}

std::map<std::string, std::string> given_parameters(const assay_check_parameter* parameters, int32_t count) {
  std::map<std::string, std::string> values;
  if (count < 0 || (count > 0 && parameters == nullptr))
    throw UsageError("parameters: expected " + std::to_string(count) + " parameters, got NULL");
  for (int32_t i = 0; i < count; ++i) {
    if (parameters[i].name == nullptr || parameters[i].value == nullptr)
      throw UsageError("parameters: number " + std::to_string(i) + " has no name or no value");
    if (!values.emplace(parameters[i].name, parameters[i].value).second)
      throw UsageError("parameter '" + std::string(parameters[i].name) + "': given twice");
  }
  return values;
}

std::string without_file(std::string message) {
  const std::string file = std::string(kGiven) + ": ";
  for (size_t at; (at = message.find(file)) != std::string::npos;) message.erase(at, file.size());
  return message;
}

}  // namespace
}  // namespace assay

// The C functions of check.h, implemented with the classes of this folder.

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

/// The contract and case tables of this process. They are opened only once, since the contract registry is global.
class Tables {
 public:
  struct Wanted {
    std::string root;
    std::vector<std::string> contracts;
    bool operator==(const Wanted&) const = default;
  };

  /// The folder of the open tables. Opens the installation's tables if none are open.
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
      throw UsageError("tables of " + open_->root + " are open already; a process can open only one set of tables");
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
      throw UsageError(wanted.root + " has no folder 'suites'; set ASSAY_DATA to the folder that contains it");
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

/// An error such as "unknown contract 'x'" is the caller's mistake; any other std::out_of_range is a defect of this program.
bool is_lookup(const std::out_of_range& error) { return std::string_view(error.what()).starts_with("unknown "); }

/// Calls `answer` with a report to fill in. Turns every exception into a status and a text.
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
  const std::string defect = "a defect of Assay, not of the input: ";
  try {
    report = new assay_check_report;
    const std::unique_ptr<assay_check_report> unwanted(out == nullptr ? report : nullptr);
    if (out != nullptr) *out = report;
    try {
      answer(*report);
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

/// Throws unless the op has every role that the tensors are given for.
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
  const Op& op = shipped_ops().of_contract(asked.contract, asked.parameters, asked.roles);
  if (!op.case_of_dump)
    throw UsageError("op " + op.name + " does not support a check of given tensors; run its cases instead");
  require_roles(op, asked.roles);
  try {
    return dumped_call(op, {asked.contract, asked.roles, asked.parameters, asked.layout});
  } catch (const MissingRole& missing) {
    std::string given;
    for (const auto& [role, tensor] : asked.roles) given += (given.empty() ? "" : ", ") + role;
    throw UsageError("tensor '" + missing.role + "': expected one, got " + (given.empty() ? "none" : given) + "; contract " +
                     asked.contract + " requires " + role_names(op));
  }
}

void fill_in(TensorsVerdict judged, assay_check_report& report) {
  if (judged.verdict.origin == kGiven)
    judged.verdict.origin = "your tensors", judged.verdict.why = "checked against " + judged.verdict.contract;
  RunResult all;
  all.verdicts.push_back(judged.verdict);
  Json json = Json::parse(json_text(all, LibraryInfo{}, Provenance{}));
  json["notes"] = judged.notes;
  json["obeys"] = judged.obeys;
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
      throw UsageError("tables: size is too small, n_contracts is negative, or contracts is NULL");
    tables().open_as(*given);
  });
}

assay_check_status assay_check_judge(const assay_check_request* request, assay_check_report** report) {
  return answered(report, [&](assay_check_report& filled) {
    (void)tables().root();
    const Asked asked(request);
    TensorsVerdict judged = judge_tensors(call_of(asked), "", request->with_power != 0 ? WithPower::kYes : WithPower::kNo);
    add_other_contracts(shipped_ops().of_contract(asked.contract, asked.parameters, asked.roles),
                        {asked.contract, asked.roles, asked.parameters, asked.layout}, judged);
    fill_in(std::move(judged), filled);
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
