// Every shipped row has many mutants. Each has a unique name, differs in one cell, and depends only on the cells.
#include "reference/contracts/neighbours.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <variant>

#include "reference/contracts/rows.h"
#include "reference/flow/registry.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/contract_tables.h"

namespace assay {
namespace {

using namespace contract_tables;

/// The cells of a bound contract as text, for cell-by-cell comparison.
std::map<std::string, std::string> cells(const Contract& contract) {
  std::map<std::string, std::string> all;
  for (size_t i = 0; i < contract.links.size(); ++i) {
    const std::string link = std::to_string(i) + ".";
    if (const auto* g = std::get_if<GroupQuant>(&contract.links[i])) {
      all[link + "q"] = g->q->name;
      const auto* of_amax = std::get_if<AmaxScales>(&g->scales);
      const auto* of_range = std::get_if<RangeScales>(&g->scales);
      std::map<std::string, const Recipe*> recipes = {{"mult", &g->mult}, {"code", &g->code}};
      if (of_amax) recipes.insert({{"amax", &of_amax->amax}, {"scale", &of_amax->scale}});
      if (of_range)
        recipes.insert({{"lo", &of_range->lo}, {"hi", &of_range->hi}, {"scale", &of_range->scale}, {"zero", &of_range->zero}});
      for (const char* cell : {"amax", "lo", "hi", "zero", "scale"})
        all[link + cell] = recipes.contains(cell) ? recipes[cell]->text() : "";
      all[link + "mult"] = g->mult.text();
      all[link + "code"] = g->code.text();
      // M is no cell after binding; it is part of the constants
      for (const auto& [cell, recipe] : recipes)
        for (const Step& step : recipe->steps) all[link + "constants"] += std::to_string(step.a.constant) + " ";
    } else if (const auto* h = std::get_if<Gated>(&contract.links[i])) {
      all[link + "halves"] = h->gate_first ? "gate_up" : "up_gate";
      all[link + "h"] = h->h.text();
    } else if (const auto* rope = std::get_if<Rope>(&contract.links[i])) {
      std::string& turn = all[link + "rope"];
      for (const bool choice : {rope->interleaved, rope->first})
        turn += choice ? "yes " : "no ";
      for (const Recipe* recipe : {&rope->even, &rope->odd, &rope->rest}) turn += recipe->text() + "; ";
    } else {
      const auto& n = std::get<RowNorm>(contract.links[i]);
      all[link + "sum"] = n.sum.text();
      all[link + "mean"] = n.mean.text();
      all[link + "w"] = n.w.text();
      all[link + "gate"] = n.gate.text();
      all[link + "depth"] = n.depth.text();
      all[link + "z"] = n.z.text();
      all[link + "residual"] = n.residual.text();
      all[link + "r"] = n.r.text();
      all[link + "y"] = n.y.text() + " of the residual from " + std::to_string(n.stored_from);
    }
  }
  return all;
}

/// Cells in which two contracts differ; constants count only if no text differs.
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

TEST(Neighbours, EveryRowHasAtLeastFifteenWithNamesOfTheirOwn) {
  for (const Format* x : {&kBf16, &kF32}) {
    for (const ContractRow& row : tables().rows()) {
      if (!has_recipes(row)) continue;  // reference/casts/casts_test.cpp, reference/packing/packing_test.cpp
      std::set<std::string> names;
      for (const Neighbour& neighbour : neighbours(tables(), row.id, *x))
        EXPECT_TRUE(names.insert(neighbour.name).second) << row.id << ": two are called " << neighbour.name;
      const auto empty = [&](const char* cell) { return row.cells.contains(cell) && row.text(cell).empty(); };
      const bool scale_given = row.flow->name == "gated" || empty("amax") || empty("lo"),
                 integers = row.cells.contains("q") && row.text("q") == "int8";
      const bool few = scale_given || row.flow->name == "rope" || row.flow->name == "cache_insert" ||
                       (row.flow->name == "row_norm" && row.text("y") == "mul(r)");
      const bool given_to_cache = scale_given && row.flow->name == "cache_insert";  // a division and a cast
      EXPECT_GE(names.size(), given_to_cache ? 5u : few ? integers ? 6u : 8u : 11u) << row.id << " " << x->name;
      const bool unlimited = row.cells.contains("code") && row.text("code").starts_with("div(s) to(q");  // a quotient and a cast
      EXPECT_TRUE(x != &kBf16 || few || unlimited || names.size() >= (integers ? 11u : 15u)) << row.id;
    }
  }
}

TEST(Neighbours, ASecondMistakeLeavesTheFirstAndIsCalledAsInTheContract) {
  for (const ContractRow& row : tables().rows()) {
    if (!has_recipes(row)) continue;  // reference/casts/casts_test.cpp, reference/packing/packing_test.cpp
    const Contract contract = bind(tables(), row.id, kBf16);
    std::set<std::string> names;
    const auto all = neighbours(tables(), row.id, kBf16);
    for (const Neighbour& neighbour : all) names.insert(neighbour.name);
    for (size_t i = 0; i < all.size(); i += 7) {
      for (const Neighbour& second : neighbours_of(tables(), all[i], kBf16)) {
        EXPECT_NE(second.name, all[i].name);
        EXPECT_TRUE(names.contains(second.name)) << row.id << ": " << second.name << " is no mistake without " << all[i].name;
        EXPECT_FALSE(cells(second.contract) == cells(contract)) << all[i].name << " and " << second.name << " cancel";
        const bool constant = second.name.starts_with("M:") || second.name.starts_with("L:");
        const bool quantity = second.name == "r: eps -> 10 eps" || second.name == "y: w -> 1 + w" ||
                              second.name == "r: div(n) -> div(n - 1)" || second.name.starts_with("rope: ");
        const bool unused = constant || quantity;  // no longer used
        EXPECT_TRUE(unused || !(cells(second.contract) == cells(all[i].contract))) << second.name;
      }
    }
  }
}

TEST(Neighbours, EachDiffersFromTheRowInOneCell) {
  for (const ContractRow& row : tables().rows()) {
    if (!has_recipes(row)) continue;  // reference/casts/casts_test.cpp, reference/packing/packing_test.cpp
    const Contract contract = bind(tables(), row.id, kBf16);
    EXPECT_TRUE(differing_cells(contract, contract).empty());
    for (const Neighbour& neighbour : neighbours(tables(), row.id, kBf16)) {
      const std::set<std::string> differing = differing_cells(contract, neighbour.contract);
      const bool reciprocal = neighbour.name.ends_with("-> mul(1/s)");  // needs a multiplier
      const bool other_squares = neighbour.name.ends_with("less mu^2");  // needs the squares from which mu^2 is subtracted
      const bool both_ends = neighbour.name.starts_with("lo, hi: ");     // of one range
      EXPECT_EQ(differing.size(), reciprocal || other_squares || both_ends ? 2u : 1u) << row.id << ": " << neighbour.name;
      if (differing.empty()) continue;
      const std::string column = neighbour.name.substr(0, neighbour.name.find(':'));
      const std::string cell = differing.begin()->substr(2);
      const bool of_the_flow =
          neighbour.name == "r: eps -> 10 eps" || neighbour.name == "y: w -> 1 + w" || neighbour.name.starts_with("lo, hi: ");
      EXPECT_TRUE(cell == column || column == "M" || column == "L" || column == "amax" || cell == "rope" || reciprocal ||
                  of_the_flow)
          << neighbour.name << " changes " << cell;
    }
  }
}

/// The shipped tables plus a copy of a row under another id, as a line of the file.
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
    if (!has_recipes(row)) continue;  // reference/casts/casts_test.cpp, reference/packing/packing_test.cpp
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
