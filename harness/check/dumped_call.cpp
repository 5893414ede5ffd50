#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <optional>

#include "harness/check/judge_tensors.h"
#include "harness/core/case.h"
#include "harness/core/op.h"
#include "harness/dump/dump.h"
#include "harness/text/messages.h"
#include "reference/formats/catalogue.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Whether the shape has one extent of `elements`, and all other extents are 1.
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
  throw UsageError(from.place() + ": is " + from.dtype + "; the contract requires " + std::string(spec.format->name) +
                   " for role '" + spec.name + "'");
}

/// Converts untyped bytes [m, n / 2] to the packed 4-bit codes [m, n] that the contract expects.
DumpedTensor unpacked_bytes(DumpedTensor from, const TensorSpec& spec) {
  TensorSpec& own = from.tensor.spec;
  const bool bytes = from.plain_bytes && own.format->bits == 8 && !own.shape.empty() && own.strides.back() == 1;
  if (!spec.packed || !bytes) return from;
  own.format = spec.format, own.packed = true;
  for (size_t d = 0; d + 1 < own.strides.size(); ++d) own.strides[d] *= 2;
  own.shape.back() *= 2, own.storage *= 2, own.offset *= 2;
  return from;
}

/// The elements of the dump, moved to the offsets that the case's tensor gives them.
HostTensor placed_dense(const DumpedTensor& dumped, const TensorSpec& spec, const std::string& by) {
  const DumpedTensor from = unpacked_bytes(dumped, spec);
  check_format(from, spec);
  if (!same_extents(from.tensor.spec.shape, spec.shape))
    throw UsageError(from.place() + ": has shape " + extents_text(from.tensor.spec.shape) + "; role '" + spec.name +
                     "' must be " + extents_text(spec.shape) + ", as " + by + " says");
  const TensorSpec& own = from.tensor.spec;
  if (own.strides == spec.strides && own.offset == spec.offset && own.packed == spec.packed &&
      from.tensor.bytes.size() == spec.bytes())
    return {spec, from.tensor.bytes};  // the dump has the case's strides and padding
  HostTensor tensor{spec, std::vector<std::byte>(spec.bytes())};
  const CodeMatrix matrix = code_matrix(from.tensor);
  const bool matrix_of_rows = spec.strides.size() == 2;  // the strides may leave gaps between rows or columns
  for (size_t i = 0; i < matrix.codes.size(); ++i) {
    const auto row = int64_t(i) / matrix.columns, column = int64_t(i) % matrix.columns;
    tensor.set_code(matrix_of_rows ? row * spec.strides[0] + column * spec.strides[1] : int64_t(i), matrix.codes[i]);
  }
  return tensor;
}

HostTensor placed_scale(const DumpedTensor& from, const TensorSpec& spec, ScalePlacing placing) {
  check_format(from, spec);
  const auto set_once = [&](HostTensor& tensor, std::vector<bool>& there, int64_t at, uint32_t code) {
    if (there[size_t(at)] && tensor.code(at) != code)
      throw UsageError(from.place() + ": expected one scale for all groups, got several; try another --layout");
    tensor.set_code(at, code), there[size_t(at)] = true;
  };
  HostTensor tensor{spec, std::vector<std::byte>(spec.bytes())};
  if (placing != ScalePlacing::kLogical) {
    std::memcpy(tensor.bytes.data(), from.tensor.bytes.data(), tensor.bytes.size());
    return tensor;
  }
  const CodeMatrix matrix = code_matrix(from.tensor);
  std::vector<bool> there(size_t(spec.storage), false);
  for (size_t i = 0; i < matrix.codes.size(); ++i) {
    int64_t rest = int64_t(i), at = 0;
    for (size_t d = spec.shape.size(); d-- > 0; rest /= spec.shape[d]) at += rest % spec.shape[d] * spec.strides[d];
    set_once(tensor, there, at, matrix.codes[i]);
  }
  return tensor;
}

using VisitPadding = decltype(Part::padding);

/// The part of the padding that must be zero.
VisitPadding zeros_of(const VisitPadding& all) {
  if (!all) return nullptr;
  return [all](const std::function<void(const Padding&)>& visit) {
    all([&](const Padding& padding) {
      if (padding.rule == PaddingRule::kZero) visit(padding);
    });
  };
}

/// A case that checks neither padding that the dump lacks, nor whether the call changed padding that it must leave unchanged.
class DumpedCase : public ForwardedCase {
 public:
  DumpedCase(std::shared_ptr<const BoundCase> whole, std::map<std::string, ScalePlacing> placings)
      : ForwardedCase(std::move(whole)), placings_(std::move(placings)) {}

  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override {
    Expectation expectation = other().expect(problem, outputs);
    for (Answer& answer : expectation.any_of)
      for (Part& part : answer.parts) {
        const auto placing = placings_.find(part.tensor);
        const bool held = placing != placings_.end() && placing->second != ScalePlacing::kLogical;
        part.padding = held ? zeros_of(part.padding) : nullptr;
      }
    return expectation;
  }

 private:
  const std::map<std::string, ScalePlacing> placings_;
};

/// The number of words per row of an int32 `scale`, if each word is the fp32 scale of one group of `x` instead of four packed
/// scales; otherwise nothing. A word counts as fp32 if its exponent is from -60 to 41, as in diagnosis/scales.h.
std::optional<int64_t> groups_of_fp32(const DumpRequest& request) {
  const auto scale = request.roles.find("scale"), x = request.roles.find("x");
  if (scale == request.roles.end() || x == request.roles.end() || request.parameters.contains("group_size")) return std::nullopt;
  const TensorSpec& spec = scale->second.tensor.spec;
  if (!(*spec.format == kInt32) || spec.shape.size() != 2 || x->second.tensor.spec.shape.size() < 2 || spec.shape[1] == 0)
    return std::nullopt;
  const int64_t columns = x->second.tensor.spec.shape.back();
  const std::string last = chain_of(rulebook().contracts.find(request.contract)).back();
  const std::string sizes = "|" + rulebook().contracts.find(last).text("group") + "|";
  if (columns % spec.shape[1] != 0 || sizes.find("|" + std::to_string(columns / spec.shape[1]) + "|") == std::string::npos)
    return std::nullopt;
  const auto is_fp32 = [](uint32_t code) {
    const uint32_t exponent = code >> 23;
    return 67 <= exponent && exponent <= 168 && (code >> 16 & 0xff) != code >> 24;
  };
  const std::vector<uint32_t> codes = code_matrix(scale->second.tensor).codes;
  if (!std::all_of(codes.begin(), codes.end(), is_fp32)) return std::nullopt;
  return spec.shape[1];
}

/// The first columns of a matrix.
DumpedTensor first_columns(const DumpedTensor& from, int64_t columns) {
  const CodeMatrix matrix = code_matrix(from.tensor);
  DumpedTensor first = from;
  first.tensor = HostTensor{dense(from.tensor.spec.name, Role::kInput, *from.tensor.spec.format, {matrix.rows, columns}), {}};
  first.tensor.bytes.resize(first.tensor.spec.bytes());
  for (int64_t i = 0; i < matrix.rows * columns; ++i)
    first.tensor.set_code(i, matrix.codes[size_t(i / columns * matrix.columns + i % columns)]);
  return first;
}

/// Adds a note if the dump of a scale tensor has the logical shape, not the layout: order in memory and padding are unknown.
void say_what_is_lost(const DumpedTensor& from, const TensorSpec& spec, ScalePlacing placing, DumpedCall& call) {
  const bool matrix = from.tensor.spec.shape.size() > 1 && from.tensor.spec.shape[0] > 1 && from.tensor.spec.shape[1] > 1;
  if (placing == ScalePlacing::kFlat && matrix)
    call.notes.push_back(fmt::format(
        "{} of shape {} was read as the storage, in column-major order; if it is in row-major order, its transpose was read",
        from.place(), extents_text(from.tensor.spec.shape)));
  if (placing != ScalePlacing::kLogical || spec.storage == 1) return;
  const bool by_columns = spec.strides.size() == 2 && spec.shape[0] > 1 && spec.shape[1] > 1 && spec.strides[0] == 1;
  const bool padded = spec.storage > spec.elements();
  if (!by_columns && !padded) return;
  call.unchecked = (by_columns ? "order in memory" : "") + std::string(by_columns && padded ? " and " : "") +
                   (padded ? "padding" : "") + " of " + spec.name;
  call.notes.push_back(fmt::format("{} is {}; the contract stores {}: dump the storage, a vector of {} elements", from.place(),
                                   by_columns ? "a row-major copy, which has lost the order in memory" : "a copy without padding",
                                   by_columns ? "column-major order" : "padded rows", spec.storage));
}

bool has_ranks(const Op& op) {
  return std::any_of(op.roles.begin(), op.roles.end(), [](const RoleSpec& role) { return role.of_each_rank; });
}

}  // namespace

std::pair<std::string, int> name_and_rank(const std::string& key) {
  const size_t at = key.rfind('@');
  int rank = 0;
  if (at == std::string::npos) return {key, 0};
  const auto [end, failure] = std::from_chars(key.data() + at + 1, key.data() + key.size(), rank);
  if (failure != std::errc() || end != key.data() + key.size() || key_of(key.substr(0, at), rank) != key) return {key, 0};
  return {key.substr(0, at), rank};
}

std::unique_ptr<const BoundCase> without_unseen_padding(std::shared_ptr<const BoundCase> whole,
                                                        std::map<std::string, ScalePlacing> placings) {
  return std::make_unique<const DumpedCase>(std::move(whole), std::move(placings));
}

PlacedOutput placed_output(const DumpedTensor& from, const TensorSpec& spec) {
  const TensorSpec& own = from.tensor.spec;
  if (from.tensor.bytes.size() == spec.bytes() && own.format->bits == spec.format->bits) {
    const bool same_places = own.shape == spec.shape && own.strides == spec.strides && own.offset == spec.offset;
    const bool flat_storage =
        own.shape.size() == 1 && spec.shape.size() > 1 && own.shape[0] == spec.storage && own.strides[0] == 1;
    if (same_places || flat_storage) return {placed_scale(from, spec, ScalePlacing::kMemory), ScalePlacing::kMemory};
  }
  const DumpedTensor unpacked = unpacked_bytes(from, spec);
  if (!same_extents(unpacked.tensor.spec.shape, spec.shape)) {
    std::string wanted = std::string(spec.format->name) + " " + extents_text(spec.shape);
    if (spec.storage != spec.elements()) wanted += ", or its storage as a vector of " + std::to_string(spec.storage);
    throw UsageError(from.place() + ": is " + from.dtype + " " + extents_text(own.shape) + "; the case requires " + wanted);
  }
  return {placed_scale(unpacked, spec, ScalePlacing::kLogical), ScalePlacing::kLogical};
}

static DumpedCall dumped_call_as_given(const Op& op, const DumpRequest& request);

DumpedCall dumped_call(const Op& op, const DumpRequest& request) {
  const std::optional<int64_t> groups = groups_of_fp32(request);
  if (!groups) return dumped_call_as_given(op, request);
  DumpedRoles roles = request.roles;
  const int64_t words = (*groups + 3) / 4, size = roles.at("x").tensor.spec.shape.back() / *groups;
  roles.at("scale") = first_columns(roles.at("scale"), words);
  DumpRequest read{request.contract, roles, request.parameters, request.layout};
  read.parameters["group_size"] = std::to_string(size);
  DumpedCall call = dumped_call_as_given(op, read);
  call.notes.push_back("'scale' has an unpacked fp32 number for each group of " + std::to_string(size) + ": the first " +
                       std::to_string(words) + " of " + std::to_string(*groups) + " words of each row were compared");
  return call;
}

static DumpedCall dumped_call_as_given(const Op& op, const DumpRequest& request) {
  for (const auto& [role, tensor] : request.roles)
    if (name_and_rank(role).second > 0 && !has_ranks(op))
      throw UsageError(tensor.place() + ": belongs to a rank other than 0, but op " + op.name + " has only one rank");
  DumpCase dump = op.case_of_dump(op, request);
  DumpedCall call{dump, without_unseen_padding(dump.bound, dump.placings), dump.problem, {}};
  const std::string& by = op.roles.front().name;
  const auto placed = [&](const std::string& role, const TensorSpec& spec) {
    const auto from = request.roles.find(role);
    if (from == request.roles.end()) throw MissingRole(role);
    const auto placing = dump.placings.find(role);
    return placing != dump.placings.end() ? placed_scale(from->second, spec, placing->second)
                                          : placed_dense(from->second, spec, by);
  };
  for (HostTensor& tensor : call.problem.tensors) {
    const bool in_place = access_of(tensor) == Access::kInOut;  // a dump has two tensors: NAME before the call, and NAME_out
    if (in_place || tensor.spec.role == Role::kInput) tensor.bytes = placed(key_of(tensor.spec), tensor.spec).bytes;
    if (tensor.spec.role == Role::kInput) continue;
    const std::string key = key_of(tensor.spec.name + (in_place ? "_out" : ""), tensor.spec.rank);
    call.result.outputs.push_back(placed(key, tensor.spec));
    if (const auto placing = dump.placings.find(key); placing != dump.placings.end())
      say_what_is_lost(request.roles.at(key), tensor.spec, placing->second, call);
    call.result.untouched.emplace_back();
    call.result.in_place.push_back(true);
  }
  return call;
}

}  // namespace assay
