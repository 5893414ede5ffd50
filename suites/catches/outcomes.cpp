#include "suites/catches/outcomes.h"

#include <cstdio>
#include <fstream>
#include <iterator>

#include "harness/backend/worker.h"
#include "harness/diagnosis/run_hooks.h"

namespace assay {
namespace {

constexpr const char* kKinds[][2] = {{"changed", "faults of `faults.csv`, other shapes and seeds"},
                                     {"elsewhere", "the same mistakes in other contracts"},
                                     {"two", "two mistakes at once"},
                                     {"outside", "mistakes that are no edit of a contract: right is to name none"},
                                     {"healthy", "healthy, using the freedom of their contracts"}};

/// Random wrong bytes of a healthy library have no cause, so any named cause is an error.
void measure_noise(const Backend& cpu, const std::vector<Case>& cases, Outcomes& out) {
  Score sum;
  for (const char* kernel : {"quant_group.register", "rms_norm"}) {
    for (const int64_t every : {2, 300}) {
      const Score score = measure(corrupted(cpu, every), {kernel, "noise", {}}, cases);
      const std::string name = std::string(kernel) + " with 1 byte in " + std::to_string(every) + " wrong";
      if (score.failing() == 0) out.complaints.push_back(name + " is not seen");
      for (const std::string& missed : score.missed) out.complaints.push_back(name + ": a cause is made up: " + missed);
      sum.add(score);
    }
  }
  out.kinds += line_of("healthy, with wrong bytes at random: right is to name none", sum);
}

}  // namespace

std::string line_of(const std::string& name, const Score& score) {
  std::string text = "| " + name + " | " + std::to_string(score.cases) + " | " + std::to_string(score.failing());
  for (const int64_t count : score.said) text += " | " + std::to_string(count);
  char share[16];
  std::snprintf(share, sizeof share, "%.1f %%", 100 * double(score.right) / double(score.failing()));
  return text + " | " + (score.failing() == 0 ? "" : share) + " |\n";
}

bool is_race(const Subject& subject) { return subject.causes == std::vector<std::string>{"race"}; }

void Outcomes::complain(const std::string& name, const Subject& subject, const Score& score) {
  if (score.cases == 0) complaints.push_back(name + " has no case");
  const bool healthy = subject.kind == "healthy";
  if (healthy && score.failing() > 0) complaints.push_back(name + " is healthy and fails");
  if (!healthy && score.failing() == 0) complaints.push_back(name + " is not seen");
  if (2 * score.right < score.failing()) complaints.push_back(name + ": most diagnoses are wrong");
  list += name + ": " + std::to_string(score.missed.size()) + " of " + std::to_string(score.failing()) + " missed\n";
  for (const std::string& missed : score.missed) list += "   " + missed + "\n";
}

Outcomes measured(const std::string& folder, const std::vector<Subject>& all, const std::vector<Case>& cases) {
  const Backend faulty = shared_between_threads(open_in_process(folder + "/libassay_faulty.so", "x"));
  const Backend varied = shared_between_threads(open_in_process(folder + "/libassay_varied.so", "x"));
  Outcomes out;
  out.kinds = kHeadOfDiagnosis;
  for (const auto& [kind, title] : kKinds) {
    Score sum;
    for (const Subject& subject : all) {
      const Backend& home = subject.kind == "changed" ? faulty : varied;
      if (subject.kind != kind || !has_shapes(home, subject)) continue;
      const Score score = measure(home, subject, cases);
      out.complain(subject.kernel, subject, score);
      if (is_race(subject)) {
        out.races += line_of(subject.kernel, score);
        continue;
      }
      sum.add(score);
      if (score.right < score.failing()) out.kernels += line_of(subject.kernel, score);
    }
    out.kinds += line_of(title, sum);
  }
  measure_noise(open_in_process(folder + "/libassay_cpu.so", "x"), cases, out);
  return out;
}

std::vector<std::string> differences(const Outcomes& outcomes, const std::vector<Subject>& sample, const std::string& file) {
  std::ifstream in(file);
  std::string table((std::istreambuf_iterator<char>(in)), {});
  if (table.find(kSectionOfDiagnosis) == std::string::npos) return {file + " has no section '" + kSectionOfDiagnosis + "'"};
  std::vector<std::string> found;
  for (const Subject& subject : sample) {
    if (is_race(subject)) continue;
    const auto line_in = [&](const std::string& text) {
      const size_t at = text.find("| " + subject.kernel + " |");
      return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
    };
    const std::string now = line_in(outcomes.kernels), written = line_in(table);
    if (now != written) found.push_back(subject.kernel + ": is '" + now + "', " + file + " has '" + written + "'");
  }
  return found;
}

}  // namespace assay
