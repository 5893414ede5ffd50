#include "reference/recipe/step.h"

#include <algorithm>
#include <cctype>

#include "reference/formats/catalogue.h"

namespace assay {

std::string Recipe::text() const {
  static constexpr const char* kOver[] = {"", "[nothing]", "[half]", "[twice]", "[first row]", "[next row too]"};
  static constexpr const char* kReductions[] = {"", "absmax", "absmax(keep)", "absmax(all)", "least", "greatest", "squares", "deviations"};
  std::string text;
  const auto append = [&](const std::string& token) { text += (text.empty() ? "" : " ") + token; };
  if (!start.empty()) append(start + ":");
  if (reduction != Reduction::kNone || over != Over::kAll) append(std::string(kReductions[size_t(reduction)]) + kOver[size_t(over)]);
  const Format* working = &kF32;
  for (const Step& step : steps) {
    if (step.working != working) append(std::string(step.working->name) + ":");
    working = step.working;
    append(step.text);
  }
  return text;
}

double share(Over over) {
  switch (over) {
    case Over::kNothing: return 0;
    case Over::kHalf: return 0.5;
    case Over::kTwice: return 2;
    default: return 1;
  }
}

bool reads(const Recipe& recipe, const std::string& quantity) {
  return std::any_of(recipe.steps.begin(), recipe.steps.end(),
                     [&](const Step& step) { return step.a.name == quantity || step.a.times == quantity || step.b.name == quantity; });
}

void replace_quantity(Recipe& recipe, const std::string& from, const std::string& to) {
  for (Step& step : recipe.steps) {
    if (step.a.name != from && step.a.times != from && step.b.name != from) continue;
    for (std::string* name : {&step.a.name, &step.a.times, &step.b.name})
      if (*name == from) *name = to;
    const auto is_letter = [&](size_t at) { return at < step.text.size() && std::isalpha(static_cast<unsigned char>(step.text[at])); };
    for (size_t at = step.text.find(from, step.text.find('(')); at != std::string::npos; at = step.text.find(from, at)) {
      const bool whole = !is_letter(at - 1) && !is_letter(at + from.size());
      if (whole) step.text.replace(at, from.size(), to);
      at += whole ? to.size() : from.size();
    }
  }
}

}  // namespace assay
