#include "suites/cast/cast_case.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "reference/casts/cast_profile.h"
#include "reference/flow/flow.h"
#include "reference/table/table.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Distance of samples of `borders`; a prime, so that all low bits vary.
constexpr uint64_t kSampleStep = 65521;

[[noreturn]] void refuse(const Case& c, const std::string& column, const std::string& problem) {
  throw TableError(c.origin.file, c.origin.line, 0, column, problem);
}

const ContractRow& cast_row(const Case& c) {
  const ContractRow* row = nullptr;
  try {
    row = &rulebook().contracts.find(c.text("contract"));
  } catch (const std::out_of_range& error) {
    refuse(c, "contract", error.what());
  }
  if (row->flow != &cast_flow()) refuse(c, "contract", "'" + row->id + "' is a " + row->flow->name + " row and this op takes casts");
  return *row;
}

/// The casts of the table that start from this format.
std::vector<CastProfile> all_casts(const CastSource& source) {
  std::vector<CastProfile> all;
  for (const ContractRow& row : rulebook().contracts.rows()) {
    if (row.flow != &cast_flow()) continue;
    const CastProfile profile = read_cast(row);
    const bool fits = profile.from == &source || (profile.from->name == "f32" && source.bits < profile.from->bits);
    if (fits) all.push_back(widened_from(source, profile));
  }
  return all;
}

CastTruth truth_of(const ContractRow& row, const CastSource& source) {
  CastTruth truth{widened_from(source, read_cast(row)), {}, {}};
  truth.runs = runs_of(truth.profile);
  truth.neighbours = cast_neighbours(truth.profile, all_casts(source));
  return truth;
}

}  // namespace

const CastTruth& CastCase::truth() const {
  static std::mutex mutex;
  // Keyed by the cells that determine the result, so that another registry does not find stale entries.
  static std::map<std::string, std::unique_ptr<CastTruth>> all;
  std::string key = std::string(from->name);
  for (const auto& [column, cell] : row->cells) key += "\n" + column + "=" + cell.text;
  const std::lock_guard lock(mutex);
  std::unique_ptr<CastTruth>& truth = all[key];
  if (!truth) truth = std::make_unique<CastTruth>(truth_of(*row, *from));
  return *truth;
}

CastCase read_cast_case(const Case& c) {
  const ContractRow& row = cast_row(c);
  const CastProfile profile = read_cast(row);
  const CastSource* source = find_cast_source(c.text("x"));
  if (!source || source->bits > 32) refuse(c, "x", "'" + c.text("x") + "' is not one of: f32, bf16, f16");
  const bool fits = source == profile.from || (profile.from->name == "f32" && source->bits < 32);
  if (!fits)
    refuse(c, "x", "contract " + row.id + " starts from " + std::string(profile.from->name) + ", not from " + c.text("x"));
  const std::string &inputs = c.text("fill"), &warp = c.text("warp");
  if (inputs != "borders" && inputs != "all") refuse(c, "fill", "'" + inputs + "' is not one of: borders, all");
  if (warp != "32" && warp != "64") refuse(c, "warp", "'" + warp + "' is not one of: 32, 64");
  return {&row, source, inputs == "all" ? CastInputs::kAll : CastInputs::kBorders, std::stoi(warp)};
}

std::vector<uint32_t> inputs_of(const CastCase& c) {
  const CastSource& source = *c.from;
  std::set<uint64_t> chosen;
  if (c.inputs == CastInputs::kAll && !c.is_sweep()) {
    for (uint64_t input = 0; input <= source.last(); ++input) chosen.insert(chosen.end(), input);
  } else {
    for (uint64_t input = 0; input <= source.last(); input += kSampleStep) chosen.insert(chosen.end(), input);
    const auto add = [&](const std::vector<CodeRun>& runs) {
      for (const CodeRun& run : runs) {
        chosen.insert(run.first);
        chosen.insert(run.last);
      }
    };
    add(c.truth().runs);
    for (const CastNeighbour& neighbour : c.truth().neighbours) add(neighbour.runs);
  }
  std::vector<uint32_t> inputs(chosen.begin(), chosen.end());
  const auto columns = size_t(kCastColumns);
  inputs.resize((inputs.size() + columns - 1) / columns * columns, inputs.back());
  return inputs;
}

}  // namespace assay
