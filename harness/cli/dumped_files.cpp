#include <algorithm>
#include <map>

#include "harness/check/dumped_call.h"
#include "harness/cli/judge.h"
#include "harness/dump/strided.h"

namespace assay {
namespace {

DumpedTensor dumped(const Dump& dump, const StoredTensor& stored) {
  return {{storage_spec(dump, stored), read_bytes(dump, stored)}, dump.file, stored.name, stored.dtype, stored.format == nullptr};
}

void put(DumpedRoles& roles, const std::string& role, DumpedTensor tensor) {
  if (!roles.emplace(role, std::move(tensor)).second) throw UsageError("two tensors for role '" + role + "'");
}

/// Names that tensors in a dump may have: roles, and NAME_out for the result of an in-place tensor. The value is true if each
/// rank has one.
std::map<std::string, bool> names_in_dump(const std::vector<const Op*>& ops) {
  std::map<std::string, bool> names;
  for (const Op* op : ops)
    for (const RoleSpec& role : op->roles) {
      names[role.name] |= role.of_each_rank;
      if (role.access == Access::kInOut) names[role.name + "_out"] |= role.of_each_rank;
    }
  return names;
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
  const std::map<std::string, bool> wanted = names_in_dump(ops);
  const std::map<std::string, std::string> renamed = named_values("--tensor", arguments.tensors);
  DumpedFiles files;
  for (const auto& [role, name] : renamed)
    if (!wanted.contains(name_and_rank(role).first))
      throw UsageError("--tensor " + role + "=" + name + ": the contract has no such role");
  // For an all-reduce, the second file with a tensor "x" is the dump of rank 1.
  const auto next_key = [&](const std::string& name) {
    int rank = 0;
    while (wanted.at(name) && files.roles.contains(key_of(name, rank))) ++rank;
    return key_of(name, rank);
  };
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
    for (const StoredTensor& stored : dump.tensors) {
      const auto [name, rank] = name_and_rank(stored.name);
      if (!wanted.contains(name) || renamed.contains(name) || (rank > 0 && !wanted.at(name))) continue;
      put(files.roles, rank == 0 ? next_key(name) : stored.name, dumped(dump, stored));
    }
    for (const auto& [role, name] : renamed) put(files.roles, wanted.contains(role) ? next_key(role) : role, dumped(dump, dump.find(name)));
  }
  return files;
}

}  // namespace assay
