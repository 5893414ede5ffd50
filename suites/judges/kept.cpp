#include "suites/judges/kept.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "harness/text/atomic_file.h"

namespace assay::judges {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Tally, cases, refused, cannot, own_refused)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Marks, kind, on_recipe, assay_on_recipe, on_quick, assay)

std::map<std::string, Marks> read_kept(const std::string& file) {
  if (!std::filesystem::exists(file)) return {};
  try {
    std::ifstream in(file);
    return nlohmann::json::parse(in).get<std::map<std::string, Marks>>();
  } catch (const nlohmann::json::exception& error) {
    throw std::runtime_error(file + " is no file of measured kernels: " + error.what());
  }
}

void write_kept(const std::string& file, const std::map<std::string, Marks>& all) {
  write_atomically(file, nlohmann::json(all).dump(1) + "\n");
}

}  // namespace assay::judges
