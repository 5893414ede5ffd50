#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "harness/check/judge_tensors.h"
#include "harness/cli/judge.h"
#include "harness/dump/dump.h"
#include "harness/dump/recording.h"
#include "reference/table/near.h"

namespace assay {
namespace {

DumpedTensor dumped(const Dump& dump, const StoredTensor& stored) {
  return {{storage_spec(dump, stored), read_bytes(dump, stored)}, dump.file, stored.name, stored.dtype, stored.format == nullptr};
}

void put(DumpedRoles& roles, const std::string& role, DumpedTensor tensor) {
  if (!roles.emplace(role, std::move(tensor)).second) throw UsageError("two tensors have the role '" + role + "'; expected one");
}

/// Names that tensors in a dump may have: roles, and NAME_out for the result of an in-place tensor. The value of a name is true
/// if each rank has its own tensor.
std::map<std::string, bool> names_in_dump(const std::vector<const Op*>& ops) {
  std::map<std::string, bool> names;
  for (const Op* op : ops)
    for (const RoleSpec& role : op->roles) {
      names[role.name] |= role.of_each_rank;
      if (role.access == Access::kInOut) names[role.name + "_out"] |= role.of_each_rank;
    }
  return names;
}

/// The name that a tensor has in dumps of users. A recording differs: the result of an in-place tensor has the tensor's own name,
/// and its contents before the call have NAME_before.
std::string name_for_user(const Dump& dump, const std::string& stored, const std::map<std::string, bool>& wanted) {
  const auto is_in_place = [&](const std::string& name, int rank) {
    const auto found = dump.metadata.find(key_of(name, rank) + ".in_place");
    return found != dump.metadata.end() && found->second == "yes" && wanted.contains(name + "_out");
  };
  const auto [name, rank] = name_and_rank(stored);
  if (is_in_place(name, rank)) return key_of(name + "_out", rank);
  if (!name.ends_with(kBefore)) return stored;
  const std::string overwritten = name.substr(0, name.size() - std::string_view(kBefore).size());
  return is_in_place(overwritten, rank) ? key_of(overwritten, rank) : stored;
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

void refuse_torch_file(const std::string& target) {
  for (const std::string torch : {".pt", ".pth", ".bin"})
    if (target.ends_with(torch))
      throw UsageError(target +
                       ": is a file of torch.save, which may hold code; convert it in Python:\n"
                       "  import torch; from safetensors.torch import save_file\n"
                       "  save_file({name: t.contiguous() for name, t in torch.load('" +
                       target + "', weights_only=True).items()}, '" + target.substr(0, target.size() - torch.size()) +
                       ".safetensors')");
}

namespace {

/// The part of `name` that the * in `pattern` stands for; nothing if the name does not match the pattern.
std::optional<std::string> star_of(const std::string& pattern, const std::string& name) {
  const size_t star = pattern.find('*');
  const std::string before = pattern.substr(0, star), after = pattern.substr(star + 1);
  if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after)) return std::nullopt;
  return name.substr(before.size(), name.size() - before.size() - after.size());
}

/// Order of the texts that a * stands for: numbers by value, then other texts.
bool comes_before(const std::string& a, const std::string& b) {
  const auto number = [](const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return '0' <= c && c <= '9'; });
  };
  return std::tuple(!number(a), number(a) ? a.size() : 0, a) < std::tuple(!number(b), number(b) ? b.size() : 0, b);
}

}  // namespace

std::vector<StarredCall> starred_calls(const std::vector<std::string>& targets, const std::vector<std::string>& tensors) {
  const std::map<std::string, std::string> named = named_values("--tensor", tensors);
  std::vector<std::pair<std::string, std::string>> patterns;
  for (const auto& [role, name] : named)
    if (name.find('*') != std::string::npos) patterns.emplace_back(role, name);
  if (patterns.empty()) return {{"", tensors}};
  std::vector<std::string> there;
  for (const std::string& target : targets) refuse_torch_file(target);
  for (const std::string& target : targets)
    if (target.find(".npy") == std::string::npos)
      for (const StoredTensor& stored : open_dump(target).tensors) there.push_back(stored.name);
  std::map<std::string, std::set<std::string>> roles_of;  // by the text that * stands for
  for (const auto& [role, pattern] : patterns)
    for (const std::string& name : there)
      if (const auto star = star_of(pattern, name)) roles_of[*star].insert(role);
  std::vector<std::string> stars;
  for (const auto& [star, roles] : roles_of) stars.push_back(star);
  if (stars.empty())
    throw UsageError("--tensor " + patterns.front().first + "=" + patterns.front().second + ": no tensor matches" +
                     did_you_mean(patterns.front().second, there));
  std::sort(stars.begin(), stars.end(), comes_before);
  std::vector<StarredCall> calls;
  for (const std::string& star : stars) {
    StarredCall call{star, {}};
    for (const auto& [role, name] : named) {
      std::string one = name;
      if (const size_t at = one.find('*'); at != std::string::npos) {
        one.replace(at, 1, star);
        if (!roles_of[star].contains(role))
          throw UsageError("--tensor " + role + "=" + name + ": no tensor '" + one +
                           "', but another --tensor name matches with * = " + star);
      }
      call.tensors.push_back(role + "=" + one);
    }
    calls.push_back(std::move(call));
  }
  return calls;
}

DumpedFiles gather(const DumpArguments& arguments, const std::vector<const Op*>& ops) {
  const std::map<std::string, bool> wanted = names_in_dump(ops);
  const std::map<std::string, std::string> renamed = named_values("--tensor", arguments.tensors);
  DumpedFiles files;
  for (const auto& [role, name] : renamed)
    if (!wanted.contains(name_and_rank(role).first))
      throw UsageError("--tensor " + role + "=" + name + ": the contract has no tensor '" + role + "'");
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
    refuse_torch_file(target);
    const Dump dump = open_dump(target);
    for (const StoredTensor& stored : dump.tensors) files.there.push_back(stored.name);
    if (target.find(".npy") != std::string::npos)
      throw UsageError(target + ": an .npy file does not name its tensor; use ROLE=" + target);
    for (const StoredTensor& stored : dump.tensors) {
      const std::string key = name_for_user(dump, stored.name, wanted);
      const auto [name, rank] = name_and_rank(key);
      if (!wanted.contains(name) || renamed.contains(name) || (rank > 0 && !wanted.at(name))) continue;
      put(files.roles, rank == 0 ? next_key(name) : key, dumped(dump, stored));
    }
    for (const auto& [role, name] : renamed)
      put(files.roles, wanted.contains(role) ? next_key(role) : role, dumped(dump, dump.find(name)));
  }
  return files;
}

}  // namespace assay
