#include "reference/contracts/neighbours_tokens.h"

#include <set>
#include <utility>

namespace assay {

std::vector<std::string> tokens_of(const std::string& cell) {
  std::vector<std::string> tokens;
  int depth = 0;
  std::string token;
  for (char c : cell + " ") {
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c != ' ' || depth > 0)
      token += c;
    else if (!token.empty())
      tokens.push_back(std::exchange(token, {}));
  }
  return tokens;
}

std::string verb_of(const std::string& token) { return token.substr(0, token.find_first_of("(~")); }

/// "~2" of "rsqrt~2"; empty for a pinned step.
std::string slack_of(const std::string& token) {
  const size_t tilde = token.rfind('~');
  return tilde == std::string::npos ? "" : token.substr(tilde);
}

/// "div(M)~2" -> "M"; empty if there are no arguments.
std::string arguments_of(const std::string& token) {
  const size_t open = token.find('('), close = token.rfind(')');
  return open == std::string::npos ? "" : token.substr(open + 1, close - open - 1);
}

bool is_quantity(const std::string& argument) {
  static const std::set<std::string> quantities = {"s", "m", "r", "w", "n", "eps", "ub", "lo", "hi", "azp", "g", "u", "res", "mu", "b"};
  return quantities.contains(argument);
}

std::vector<std::string> other_casts(const std::string& token) {
  const std::string arguments = arguments_of(token);
  const std::string undefined = arguments.ends_with(",undef") ? ",undef" : "";
  const std::string rule = arguments.substr(0, arguments.size() - undefined.size());
  std::vector<std::string> others;
  for (const char* other : {"q", "q,rz", "q,rna"})
    if (rule != other) others.push_back(std::string("to(").append(other).append(undefined).append(")"));
  if (undefined.empty()) others.push_back(std::string("to(").append(rule).append(",wrap)"));
  return others;
}

std::vector<std::string> other_forms(const std::string& token) {
  const std::string verb = verb_of(token), arguments = arguments_of(token);
  std::vector<std::string> others;
  if (verb == "absmax") return {arguments.empty() ? "absmax(keep)" : "absmax"};
  if (verb == "pow2") {
    for (const char* rule : {"floor", "ceil", "even", "q75"})
      if (arguments != rule) others.push_back(std::string("pow2(") + rule + ")");
  }
  if (verb == "clamp") {
    const std::string bounds = arguments.substr(arguments.find(','));
    const bool high = arguments.starts_with("min_max"), keeps = arguments.starts_with("keep");
    others.push_back(std::string(high || keeps ? "clamp(max_min" : "clamp(min_max") + bounds + ")");
    if (!keeps) others.push_back("clamp(keep" + bounds + ")");
  }
  if (verb == "to") {
    const std::string format = arguments.substr(0, arguments.find(','));
    if (arguments == format) others = {"to(" + format + ",rz)"};
    if (arguments == format + ",rz") others = {"to(" + format + ")"};
    if (arguments == format && format == "q") others.push_back("to(q,nosat)");
    if (arguments == "e8m0") others = {"to(e8m0,nosat)"};  // powers of two need no rounding
    if (arguments.ends_with(",nosat")) others = {"to(" + format + ")"};
  }
  if (token == "add(azp)") others = {"add(azp,wrap)"};
  if (verb == "div" && !is_quantity(arguments)) others = {"mul(1/" + arguments + ")"};
  if (verb == "mul" && arguments.starts_with("1/")) others = {"div(" + arguments.substr(2) + ")"};
  if (const size_t star = arguments.find('*'); verb == "mul" && star != std::string::npos && !arguments.starts_with("1/"))
    for (const std::string& factor : {arguments.substr(0, star), arguments.substr(star + 1)})
      others.push_back(std::string("mul(").append(factor).append(")"));
  if (verb == "max" || verb == "min") {
    const bool keeps = arguments.ends_with(",keep");
    others = {verb + "(" + (keeps ? arguments.substr(0, arguments.size() - 5) : arguments + ",keep") + ")"};
  }
  return others;
}

}  // namespace assay
