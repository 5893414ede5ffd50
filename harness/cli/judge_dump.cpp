// assay judge FILE --contract C: a user's tensors, named by role, held against a contract.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "harness/cli/judge.h"
#include "harness/cli/places.h"
#include "harness/cli/provenance.h"
#include "harness/cli/reports.h"
#include "harness/core/missing_role.h"
#include "harness/core/printable.h"
#include "harness/core/run.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/dump/strided.h"
#include "harness/report/console.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

DumpedTensor dumped(const Dump& dump, const StoredTensor& stored) {
  return {{storage_spec(dump, stored), read_bytes(dump, stored)}, dump.file, stored.name, stored.dtype, stored.format == nullptr};
}

void put(DumpedRoles& roles, const std::string& role, DumpedTensor tensor) {
  if (!roles.emplace(role, std::move(tensor)).second) throw UsageError("two tensors for role '" + role + "'");
}

/// Tensors of all targets by role; `there` gets the names of all tensors of the files. A file's tensors are read only if a role of the op has their name.
DumpedRoles gather(const JudgeArguments& arguments, const std::vector<std::string>& wanted, std::vector<std::string>& there) {
  const std::map<std::string, std::string> renamed = named_values("--tensor", arguments.tensors);
  DumpedRoles roles;
  for (const std::string& target : arguments.targets) {
    const size_t equals = target.find('=');
    if (equals != std::string::npos && target.find('/') > equals) {
      const NamedTensor named = open_tensor(target.substr(equals + 1));
      put(roles, target.substr(0, equals), dumped(named.dump, named.tensor));
      continue;
    }
    const Dump dump = open_dump(target);
    for (const StoredTensor& stored : dump.tensors) there.push_back(stored.name);
    if (target.find(".npy") != std::string::npos) throw UsageError(target + ": an .npy file has no names; say role=" + target);
    for (const std::string& role : wanted) {
      if (const auto name = renamed.find(role); name != renamed.end())
        put(roles, role, dumped(dump, dump.find(name->second)));
      else
        for (const StoredTensor& stored : dump.tensors)
          if (stored.name == role) put(roles, role, dumped(dump, stored));
    }
  }
  for (const auto& [role, name] : renamed)
    if (std::find(wanted.begin(), wanted.end(), role) == wanted.end())
      throw UsageError("--tensor " + role + "=" + name + ": the contract has no such role");
  return roles;
}

bool same_extents(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  const auto flattened = [](const std::vector<int64_t>& shape) {
    std::vector<int64_t> matrix = {1, shape.empty() ? 1 : shape.back()};
    for (size_t d = 0; d + 1 < shape.size(); ++d) matrix[0] *= shape[d];
    return matrix;
  };
  return flattened(a) == flattened(b);
}

void check_format(const DumpedTensor& from, const TensorSpec& spec) {
  if (*from.tensor.spec.format == *spec.format || (from.plain_bytes && from.tensor.spec.format->bits == spec.format->bits))
    return;
  throw UsageError(from.place() + ": is " + from.dtype + "; the contract wants " + std::string(spec.format->name) +
                   " for role '" + spec.name + "'");
}

/// The tensor of the case with the dump's elements, each in its place.
HostTensor placed_dense(const DumpedTensor& from, const TensorSpec& spec) {
  check_format(from, spec);
  if (!same_extents(from.tensor.spec.shape, spec.shape))
    throw UsageError(from.place() + ": has shape " + extents_text(from.tensor.spec.shape) + "; role '" + spec.name +
                     "' must be " + extents_text(spec.shape) + ", as x says");
  HostTensor tensor{spec, std::vector<std::byte>(spec.bytes())};
  const CodeMatrix matrix = code_matrix(from.tensor);
  for (size_t i = 0; i < matrix.codes.size(); ++i) tensor.set_code(int64_t(i), matrix.codes[i]);
  return tensor;
}

HostTensor placed_scale(const DumpedTensor& from, const TensorSpec& spec, ScalePlacing placing) {
  check_format(from, spec);
  HostTensor tensor{spec, std::vector<std::byte>(spec.bytes())};
  if (placing != ScalePlacing::kLogical) {
    std::memcpy(tensor.bytes.data(), from.tensor.bytes.data(), tensor.bytes.size());
    return tensor;
  }
  const CodeMatrix matrix = code_matrix(from.tensor);
  for (size_t i = 0; i < matrix.codes.size(); ++i) {
    const auto r = int64_t(i) / spec.shape[1], c = int64_t(i) % spec.shape[1];
    tensor.set_code(r * spec.strides[0] + c * spec.strides[1], matrix.codes[i]);
  }
  return tensor;
}

using VisitPadding = decltype(Part::padding);

/// Of the padding what must be zero.
VisitPadding zeros_of(const VisitPadding& all) {
  if (!all) return nullptr;
  return [all](const std::function<void(const Padding&)>& visit) {
    all([&](const Padding& padding) {
      if (padding.rule == PaddingRule::kZero) visit(padding);
    });
  };
}

/// What a dump cannot show is not held against it: padding that it does not hold, and what was there before the call.
Op without_unseen_padding(Op op, ScalePlacing placing) {
  op.expect = [expect = op.expect, placing](const Case& c, const Problem& problem, const std::vector<HostTensor>* outputs) {
    Expectation expectation = expect(c, problem, outputs);
    for (Answer& answer : expectation.any_of)
      for (Part& part : answer.parts) part.padding = placing == ScalePlacing::kLogical ? nullptr : zeros_of(part.padding);
    return expectation;
  };
  return op;
}

/// Names that tensors of a dump may go by: roles, and NAME_out for what a call left of one that is in place.
std::vector<std::string> names_in_dump(const Op& op) {
  std::vector<std::string> names;
  for (const RoleSpec& role : op.roles) {
    names.push_back(role.name);
    if (role.access == Access::kInOut) names.push_back(role.name + "_out");
  }
  return names;
}

std::string command_line(const JudgeArguments& arguments) {
  std::string line = "assay judge";
  for (const std::string& file : more_contracts()) line += " --contracts " + shell_word(file);
  for (const std::string& target : arguments.targets) line += " " + shell_word(target);
  line += " --contract " + shell_word(arguments.contract);
  for (const std::string& parameter : arguments.parameters) line += " --param " + shell_word(parameter);
  for (const std::string& tensor : arguments.tensors) line += " --tensor " + shell_word(tensor);
  return line + (arguments.layout.empty() ? "" : " --layout " + shell_word(arguments.layout));
}

/// "; there are: a, b; name it with --tensor ROLE=NAME or ROLE=FILE.npy", for a role that no tensor has.
std::string what_there_is(const std::string& role, const DumpedRoles& roles, std::vector<std::string> there) {
  for (const auto& [other, tensor] : roles)
    if (std::find(there.begin(), there.end(), tensor.name) == there.end()) there.push_back(other);
  std::string text = there.empty() ? "; there are: none" : "";
  constexpr size_t kMostNamed = 12;
  for (size_t i = 0; i < std::min(there.size(), kMostNamed); ++i) text += (i == 0 ? "; there are: " : ", ") + there[i];
  if (there.size() > kMostNamed) text += ", ... (" + std::to_string(there.size()) + " in all)";
  return text + "; name it with --tensor " + role + "=NAME or " + role + "=FILE.npy";
}

int judge_case(const JudgeArguments& arguments, const Op& op, const DumpedRoles& roles, const DumpCase& dump, const Reports& reports,
               Provenance provenance) {
  Problem problem = dump.problem;
  CallResult result;
  const auto placed = [&](const std::string& role, const TensorSpec& spec) {
    const auto from = roles.find(role);
    if (from != roles.end())
      return role == "scale" ? placed_scale(from->second, spec, dump.placing) : placed_dense(from->second, spec);
    throw MissingRole(role);
  };
  for (HostTensor& tensor : problem.tensors) {
    const bool in_place = access_of(tensor) == Access::kInOut;  // what was there, and NAME_out
    if (in_place || tensor.spec.role == Role::kInput) tensor.bytes = placed(tensor.spec.name, tensor.spec).bytes;
    if (tensor.spec.role == Role::kInput) continue;
    result.outputs.push_back(placed(tensor.spec.name + (in_place ? "_out" : ""), tensor.spec));
    result.untouched.emplace_back();
    result.in_place.push_back(true);
  }

  const Op judging = without_unseen_padding(op, dump.placing);
  Verdict verdict = blank_verdict(dump.one, "", "");
  verdict.kernel = "unknown kernel";
  verdict.backend = "dump";
  verdict.origin = roles.at("x").file;
  verdict.repro = command_line(arguments);
  judge_outputs(judging, dump.one, problem, result, verdict);
  const bool elements_wrong =
      std::any_of(verdict.tensors.begin(), verdict.tensors.end(), [](const TensorFinding& f) { return f.outside > 0; });
  if (verdict.outcome == Outcome::kFail && elements_wrong)
    verdict.causes = causes_in_words(diagnose(judging, dump.one, problem, result.outputs));
  RunResult all;
  all.verdicts.push_back(std::move(verdict));
  fmt::print("{}", failure_text(all.verdicts.front()));
  if (dump.placing == ScalePlacing::kLogical && roles.contains("scale"))
    fmt::print("  note      the dump holds no padding of the scales, so none was judged\n");
  provenance.ended = utc_now();
  add_evidence(provenance, all);
  if (!reports.write(all, LibraryInfo{}, provenance) && all.exit_code() == kAllAsExpected) return kHarnessFailed;
  return all.exit_code();
}

}  // namespace

int judge_dump(const JudgeArguments& arguments) {
  const Reports reports(arguments.reports);
  open_rulebook(data_root(), more_contracts());
  Provenance provenance = provenance_of(arguments);
  const std::map<std::string, std::string> parameters = named_values("--param", arguments.parameters);
  const Op& op = op_of_contract(arguments.contract, parameters);
  if (!op.case_of_dump)
    throw UsageError("dumps of op " + op.name + " cannot be judged; record its calls with assay run --record");
  std::vector<std::string> there;
  const DumpedRoles roles = gather(arguments, names_in_dump(op), there);
  try {
    const DumpCase dump = op.case_of_dump(op, {arguments.contract, roles, parameters, arguments.layout});
    return judge_case(arguments, op, roles, dump, reports, std::move(provenance));
  } catch (const MissingRole& missing) {
    throw UsageError(missing.what() + what_there_is(missing.role, roles, there));
  }
}

}  // namespace assay
