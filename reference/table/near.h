// Suggestions for misspelled names: "did you mean ...".
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// Smallest number of inserted, deleted, replaced or swapped adjacent characters that turns one word into the other.
int edit_distance(std::string_view a, std::string_view b);

/// Up to three similar candidates, closest first: at most a third of the letters differ, or one contains the other.
std::vector<std::string> near_matches(std::string_view word, std::span<const std::string> candidates);

/// "; did you mean 'a' or 'b'?", or "; there are: a, b, c" (at most 20) if nothing is similar. Empty without candidates.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace assay
