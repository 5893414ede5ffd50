#include "harness/cli/dumped_call.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "harness/cli/judge.h"
#include "harness/core/forwarded_case.h"
#include "harness/core/missing_role.h"
#include "harness/dump/strided.h"

namespace assay {
namespace {

DumpedTensor dumped(const Dump& dump, const StoredTensor& stored) {
  return {{storage_spec(dump, stored), read_bytes(dump, stored)}, dump.file, stored.name, stored.dtype, stored.format == nullptr};
}

void put(DumpedRoles& roles, const std::string& role, DumpedTensor tensor) {
  if (!roles.emplace(role, std::move(tensor)).second) throw UsageError("two tensors for role '" + role + "'");
}

/// A vector may have been kept as a row or as a column.
bool is_vector_of(const std::vector<int64_t>& shape, int64_t elements) {
  const auto longer = std::count_if(shape.begin(), shape.end(), [](int64_t extent) { return extent != 1; });
  return longer <= 1 && (longer == 0 ? elements == 1 : std::count(shape.begin(), shape.end(), elements) == 1);
}

bool same_extents(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  if (b.size() == 1) return is_vector_of(a, b[0]);
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
HostTensor placed_dense(const DumpedTensor& from, const TensorSpec& spec, const std::string& by) {
  check_format(from, spec);
  if (!same_extents(from.tensor.spec.shape, spec.shape))
    throw UsageError(from.place() + ": has shape " + extents_text(from.tensor.spec.shape) + "; role '" + spec.name +
                     "' must be " + extents_text(spec.shape) + ", as " + by + " says");
  HostTensor tensor{spec, std::vector<std::byte>(spec.bytes())};
  const CodeMatrix matrix = code_matrix(from.tensor);
  const bool matrix_of_rows = spec.strides.size() == 2;  // its rows may lie apart, or its columns
  for (size_t i = 0; i < matrix.codes.size(); ++i) {
    const auto row = int64_t(i) / matrix.columns, column = int64_t(i) % matrix.columns;
    tensor.set_code(matrix_of_rows ? row * spec.strides[0] + column * spec.strides[1] : int64_t(i), matrix.codes[i]);
  }
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

/// A case without what a dump cannot show: padding that it does not hold, and what was there before the call.
class DumpedCase : public ForwardedCase {
 public:
  DumpedCase(std::shared_ptr<const BoundCase> whole, ScalePlacing placing) : ForwardedCase(std::move(whole)), placing_(placing) {}

  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override {
    Expectation expectation = other().expect(problem, outputs);
    for (Answer& answer : expectation.any_of)
      for (Part& part : answer.parts) part.padding = placing_ == ScalePlacing::kLogical ? nullptr : zeros_of(part.padding);
    return expectation;
  }

 private:
  const ScalePlacing placing_;
};

/// Names that tensors of a dump may go by: roles, and NAME_out for what a call left of one that is in place.
std::vector<std::string> names_in_dump(const std::vector<const Op*>& ops) {
  std::set<std::string> names;
  for (const Op* op : ops)
    for (const RoleSpec& role : op->roles) {
      names.insert(role.name);
      if (role.access == Access::kInOut) names.insert(role.name + "_out");
    }
  return {names.begin(), names.end()};
}

}  // namespace

std::string DumpedFiles::what_there_is(const std::string& role) const {
  std::vector<std::string> names = there;
  for (const auto& [other, tensor] : roles)
    if (std::find(names.begin(), names.end(), tensor.name) == names.end()) names.push_back(other);
  std::string text = names.empty() ? "; there are: none" : "";
  constexpr size_t kMostNamed = 12;
  for (size_t i = 0; i < std::min(names.size(), kMostNamed); ++i) text += (i == 0 ? "; there are: " : ", ") + names[i];
  if (names.size() > kMostNamed) text += ", ... (" + std::to_string(names.size()) + " in all)";
  return text + "; name it with --tensor " + role + "=NAME or " + role + "=FILE.npy";
}

DumpedFiles gather(const DumpArguments& arguments, const std::vector<const Op*>& ops) {
  const std::vector<std::string> wanted = names_in_dump(ops);
  const std::map<std::string, std::string> renamed = named_values("--tensor", arguments.tensors);
  DumpedFiles files;
  for (const std::string& target : arguments.targets) {
    const size_t equals = target.find('=');
    if (equals != std::string::npos && target.find('/') > equals) {
      const NamedTensor named = open_tensor(target.substr(equals + 1));
      put(files.roles, target.substr(0, equals), dumped(named.dump, named.tensor));
      continue;
    }
    const Dump dump = open_dump(target);
    for (const StoredTensor& stored : dump.tensors) files.there.push_back(stored.name);
    if (target.find(".npy") != std::string::npos) throw UsageError(target + ": an .npy file has no names; say role=" + target);
    for (const std::string& role : wanted) {
      if (const auto name = renamed.find(role); name != renamed.end())
        put(files.roles, role, dumped(dump, dump.find(name->second)));
      else
        for (const StoredTensor& stored : dump.tensors)
          if (stored.name == role) put(files.roles, role, dumped(dump, stored));
    }
  }
  for (const auto& [role, name] : renamed)
    if (std::find(wanted.begin(), wanted.end(), role) == wanted.end())
      throw UsageError("--tensor " + role + "=" + name + ": the contract has no such role");
  return files;
}

DumpedCall dumped_call(const Op& op, const DumpRequest& request) {
  DumpCase dump = op.case_of_dump(op, request);
  DumpedCall call{dump, std::make_shared<const DumpedCase>(dump.bound, dump.placing), dump.problem, {}};
  const std::string& by = op.roles.front().name;
  const auto placed = [&](const std::string& role, const TensorSpec& spec) {
    const auto from = request.roles.find(role);
    if (from == request.roles.end()) throw MissingRole(role);
    return role == "scale" ? placed_scale(from->second, spec, dump.placing) : placed_dense(from->second, spec, by);
  };
  for (HostTensor& tensor : call.problem.tensors) {
    const bool in_place = access_of(tensor) == Access::kInOut;  // what was there, and NAME_out
    if (in_place || tensor.spec.role == Role::kInput) tensor.bytes = placed(tensor.spec.name, tensor.spec).bytes;
    if (tensor.spec.role == Role::kInput) continue;
    call.result.outputs.push_back(placed(tensor.spec.name + (in_place ? "_out" : ""), tensor.spec));
    call.result.untouched.emplace_back();
    call.result.in_place.push_back(true);
  }
  return call;
}

}  // namespace assay
