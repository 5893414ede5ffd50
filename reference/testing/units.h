// Helpers for tests of the tensor cores: the table, random codes, and the probes of units/probes.csv.
#pragma once

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "reference/exact/expression.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/units/table.h"

namespace assay {

inline const UnitTable& unit_table() {
  static const UnitTable table = UnitTable::load_folder("reference/contracts");
  return table;
}

/// The code of "-2^-9", "nan", "-inf", or "0x3f801fff", which is the word as stored in memory.
inline uint32_t code_of_text(const Format& f, const std::string& text) {
  if (text.starts_with("0x")) return uint32_t(std::stoul(text, nullptr, 16) >> (f == kTf32 ? 13 : 0));
  if (text == "nan") return code_of(f, std::nan(""));
  if (text.ends_with("inf")) return code_of(f, text[0] == '-' ? -HUGE_VAL : HUGE_VAL);
  if (text == "-0") return code_of(f, -0.0);
  return code_of(f, Expression(text).rounded({}, f));
}

/// A row of probes.csv: inputs that separate parameters of units, zero where not listed, and the resulting code.
struct UnitProbe {
  std::string name, unit, why;
  std::vector<uint32_t> a, b;
  uint32_t c = 0, d = 0;
};

inline std::vector<UnitProbe> unit_probes() {
  const Table table = read_table("reference/units/probes.csv");
  std::vector<UnitProbe> all;
  for (const TableRow& row : table.rows) {
    const Unit& unit = unit_table().find(table.text(row, "unit")).unit;
    const size_t k = table.text(row, "k").empty() ? size_t(unit.k) : size_t(table.integer(row, "k"));
    UnitProbe probe{table.text(row, "probe"), unit.id, table.text(row, "why"), std::vector<uint32_t>(k),
                    std::vector<uint32_t>(k)};
    std::istringstream words(table.text(row, "products"));
    for (std::string word; words >> word;) {
      const size_t colon = word.find(':'), comma = word.find(',');
      const std::string place = word.substr(0, colon);
      for (size_t i = place == "all" ? 0 : std::stoul(place), end = place == "all" ? k : i + 1; i < end; ++i) {
        probe.a.at(i) = code_of_text(*unit.a, word.substr(colon + 1, comma - colon - 1));
        probe.b.at(i) = code_of_text(*unit.b, word.substr(comma + 1));
      }
    }
    probe.c = code_of_text(*unit.d, table.text(row, "c"));
    probe.d = uint32_t(std::stoul(table.text(row, "d"), nullptr, 16));
    all.push_back(std::move(probe));
  }
  return all;
}

}  // namespace assay
