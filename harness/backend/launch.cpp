#include "harness/backend/launch.h"

#include <charconv>
#include <cstring>

namespace assay {
namespace {

/// -1 if the text is missing or not a number.
int number_in(const char* text) {
  int number = -1;
  if (text == nullptr) return -1;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), number);
  return error == std::errc() && *end == '\0' ? number : -1;
}

}  // namespace

std::optional<Launch> launch_of_environment(const Environment& get) {
  const Launch launch{number_in(get("OMPI_COMM_WORLD_RANK")), number_in(get("OMPI_COMM_WORLD_SIZE")),
                      get("PMIX_NAMESPACE") != nullptr ? get("PMIX_NAMESPACE") : ""};
  const bool here = launch.count > 1 && number_in(get("OMPI_COMM_WORLD_LOCAL_SIZE")) == launch.count;
  if (!here || launch.index < 0 || launch.index >= launch.count || launch.job.empty()) return std::nullopt;
  return launch;
}

}  // namespace assay
