#include "reference/contracts/neighbours.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "reference/contracts/rows.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using testing::Contains;

const ContractTables& tables() {
  static const ContractTables all = ContractTables::load("reference/contracts");
  return all;
}

/// The cells of a bound contract as texts, so that two contracts can be compared cell by cell.
std::map<std::string, std::string> cells(const Contract& contract) {
  std::map<std::string, std::string> all;
  for (size_t i = 0; i < contract.links.size(); ++i) {
    const std::string link = std::to_string(i) + ".";
    if (const auto* g = std::get_if<GroupQuant>(&contract.links[i])) {
      all[link + "q"] = g->q->name;
      all[link + "amax"] = g->amax.text();
      all[link + "scale"] = g->scale.text();
      all[link + "mult"] = g->mult.text();
      all[link + "code"] = g->code.text();
      all[link + "share"] = std::to_string(g->amax_share);
      // M is no cell of its own after binding: it lives in the constants.
      for (const Recipe* recipe : {&g->amax, &g->scale, &g->mult, &g->code})
        for (const Step& step : recipe->steps) all[link + "constants"] += std::to_string(step.a.constant) + " ";
    } else {
      const auto& n = std::get<RowNorm>(contract.links[i]);
      all[link + "sum"] = n.sum_is_squares ? "squares" : "nothing";
      all[link + "depth"] = n.depth.text();
      all[link + "r"] = n.r.text();
      all[link + "y"] = n.y.text();
    }
  }
  return all;
}

/// Cells in which two contracts differ; constants count only where no text does.
std::set<std::string> differing_cells(const Contract& a, const Contract& b) {
  std::set<std::string> differing;
  const auto left = cells(a), right = cells(b);
  for (const auto& [name, text] : left)
    if (!name.ends_with("constants") && right.at(name) != text) differing.insert(name);
  if (!differing.empty()) return differing;
  for (const auto& [name, text] : left)
    if (right.count(name) && right.at(name) != text) differing.insert(name);
  return differing;
}

TEST(Neighbours, EveryRowHasAtLeastTenWithNamesOfTheirOwn) {
  for (const ContractRow& row : tables().rows()) {
    const auto all = neighbours(tables(), row.id, kBf16);
    std::map<std::string, std::vector<Contract>> names;
    for (const Neighbour& neighbour : all) names[neighbour.name].push_back(neighbour.contract);
    for (const auto& [name, edited] : names) {
      // y of profile N-A rounds twice by to(x): the same edit of either step has one name and two contracts.
      EXPECT_LE(edited.size(), row.id == "vllm.rms_norm@v0.19.1" && name.starts_with("y: to(x)") ? 2u : 1u) << row.id << ": " << name;
      EXPECT_FALSE(edited.size() == 2 && differing_cells(edited[0], edited[1]).empty()) << name;
    }
    EXPECT_GE(names.size(), 10u) << row.id;
    EXPECT_TRUE(row.flow == "row_norm" || names.size() > 10) << row.id;
  }
}

TEST(Neighbours, EachDiffersFromTheRowInOneCell) {
  for (const ContractRow& row : tables().rows()) {
    const Contract contract = bind(tables(), row.id, kBf16);
    EXPECT_TRUE(differing_cells(contract, contract).empty());
    for (const Neighbour& neighbour : neighbours(tables(), row.id, kBf16)) {
      const std::set<std::string> differing = differing_cells(contract, neighbour.contract);
      const bool reciprocal = neighbour.name.ends_with("-> mul(1/s)");  // needs a multiplier to multiply by
      EXPECT_EQ(differing.size(), reciprocal ? 2u : 1u) << row.id << ": " << neighbour.name;
      if (differing.empty()) continue;
      const std::string column = neighbour.name.substr(0, neighbour.name.find(':'));
      const std::string cell = differing.begin()->substr(2);
      EXPECT_TRUE(cell == column || column == "M" || column == "amax" || reciprocal) << neighbour.name << " changes " << cell;
    }
  }
}

TEST(Neighbours, TheEditsThatRealKernelsMadeAreAmongThem) {
  const auto names = [](const char* id) {
    std::vector<std::string> all;
    for (const Neighbour& neighbour : neighbours(tables(), id, kBf16)) all.push_back(neighbour.name);
    return all;
  };
  const auto quant = names("vllm.group_fp8_packed");
  for (const char* name : {"M: 448 -> 240", "M: 448 -> 224", "scale: pow2(ceil) -> pow2(floor)", "scale: drop max(1e-10)",
                           "code: clamp(max_min,M) -> clamp(min_max,M)", "code: drop clamp(max_min,M)", "code: to(q) -> to(q,rz)",
                           "code: mul(m) -> div(s)", "amax: over two groups", "amax: over half the group"})
    EXPECT_THAT(quant, Contains(name));
  const auto norm = names("vllm.rms_norm@v0.19.1");
  for (const char* name : {"sum: ignores the data", "r: drop add(eps)", "r: add(eps) before div(n)", "y: drop to(x)", "y: drop mul(w)"})
    EXPECT_THAT(norm, Contains(name));
  EXPECT_THAT(norm, testing::Not(Contains("M: 448 -> 240")));
}

/// The shipped tables with one more row: the cells of an old one under another id, as its line in the file says.
ContractTables with_a_copy(const ContractRow& row, const std::string& id) {
  std::ifstream in(row.file);
  std::string header, line;
  std::getline(in, header);
  for (int at = 1; at < row.line; ++at) std::getline(in, line);
  const auto path = std::filesystem::temp_directory_path() / ("neighbours_test_" + std::to_string(::getpid()) + ".csv");
  std::ofstream(path) << header << "\n" << id << line.substr(line.find(',')) << "\n";
  ContractTables copy = tables();
  copy.add(path.string());
  std::filesystem::remove(path);
  return copy;
}

TEST(Neighbours, DependOnTheCellsAndNotOnTheId) {
  for (const ContractRow& row : tables().rows()) {
    const auto before = neighbours(tables(), row.id, kBf16);
    const auto after = neighbours(with_a_copy(row, "somebody.elses"), "somebody.elses", kBf16);
    ASSERT_EQ(before.size(), after.size()) << row.id;
    for (size_t i = 0; i < before.size(); ++i) {
      EXPECT_EQ(before[i].name, after[i].name);
      EXPECT_EQ(cells(before[i].contract), cells(after[i].contract));
    }
  }
  EXPECT_NE(neighbours(tables(), "vllm.group_fp8", kBf16).size(), neighbours(tables(), "vllm.group_fp8_packed", kBf16).size());
}

}  // namespace
}  // namespace assay
