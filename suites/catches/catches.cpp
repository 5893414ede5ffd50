// catches FAULT [EXPONENT]: on the quick tier the faulty kernel must fail with the right tensor and cause (faults.csv); its
// correct counterpart must pass in the same run. Needs libassay_cpu.so and libassay_faulty.so in the given folder. EXPONENT:
// scales of a in GEMMs are multiplied by 2^EXPONENT; the requirements stay the same.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "harness/backend/library.h"
#include "harness/backend/worker.h"
#include "harness/core/case.h"
#include "harness/core/cases.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/run/run.h"
#include "harness/text/messages.h"
#include "reference/formats/round.h"
#include "reference/table/table.h"
#include "suites/catches/diagnosis_scores.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace {

using namespace assay;

struct Demand {
  std::string fault, tensor, cause;
  std::set<std::string> warps;  ///< warp sizes at which the faulty kernel must fail; it passes at others
};

Demand demand_of(const std::string& root, const std::string& fault) {
  const Table table = read_table(root + "/suites/catches/faults.csv");
  for (const TableRow& row : table.rows) {
    if (table.text(row, "fault") != fault) continue;
    Demand demand{fault, table.text(row, "tensor"), table.text(row, "cause"), {}};
    for (const char* warp : {"32", "64"})
      if (table.text(row, "warps").find(warp) != std::string::npos) demand.warps.insert(warp);
    return demand;
  }
  throw std::runtime_error(table.file + " has no row for '" + fault + "'");
}

/// What the failures of one kernel have in common.
struct Seen {
  std::map<std::string, int> failures;  ///< by warp size
  int wrong_tensor = 0, named_cause = 0, without_cause = 0;
  std::map<std::string, int> others;  ///< what failures that do not name the cause print first, and how many do
};

bool names_tensor(const Verdict& verdict, const std::string& tensor) {
  if (verdict.outcome == Outcome::kBroken) return verdict.message.find("'" + tensor + "'") != std::string::npos;
  for (const TensorFinding& finding : verdict.tensors)
    if (!finding.agrees() && glob_match(tensor, finding.name)) return true;
  return false;
}

bool names_one(const Verdict& verdict, const std::string& cause) {
  if (names(verdict.message, cause)) return true;
  for (const std::string& words : verdict.causes)
    if (names(words, cause)) return true;
  return false;
}

/// Whether the verdict names a mistake that `cell` lists. A kernel with two mistakes may show only one of them in a case.
bool names_cause(const Verdict& verdict, const std::string& cell) {
  const std::vector<std::string> causes = causes_in(cell);
  return std::any_of(causes.begin(), causes.end(), [&](const std::string& cause) { return names_one(verdict, cause); });
}

/// Multiplies the tensor by 2^exponent. In packed scales, whose bytes are exponents, adds the exponent to the bytes.
void multiply(HostTensor& tensor, int exponent) {
  constexpr int kLeast = 32, kMost = 223;  // other bytes, such as 0 and 0xFF in padding, are not changed
  const Format& format = *tensor.spec.format;
  if (format.is_integer()) {
    for (std::byte& byte : tensor.bytes)
      if (int(byte) >= kLeast && int(byte) <= kMost) byte = std::byte(int(byte) + exponent);
    return;
  }
  for (int64_t i = 0; i < tensor.spec.storage; ++i) {
    const double value = std::ldexp(decode(format, tensor.code(i)), exponent);
    if (std::isfinite(value))
      tensor.set_code(i, code_of(format, round_to(format, value, Rounding::kNearestEven, Overflow::kSaturate)));
  }
}

/// A GEMM whose scales of a and added terms are multiplied by 2^exponent.
class LargerGemm : public ForwardedCase {
 public:
  LargerGemm(std::shared_ptr<const BoundCase> plain, int exponent) : ForwardedCase(std::move(plain)), exponent_(exponent) {}

  Problem problem() const override {
    Problem problem = other().problem();
    for (HostTensor& tensor : problem.tensors)
      if (tensor.spec.name == "scale_a" || tensor.spec.name == "bias" || tensor.spec.name == "c") multiply(tensor, exponent_);
    return problem;
  }

 private:
  const int exponent_;
};

/// All ops. In GEMMs (ops with a tensor scale_a) the scales of a and the added terms are multiplied by 2^exponent.
std::vector<Op> ops_with(int exponent) {
  std::vector<Op> ops(shipped_ops().all().begin(), shipped_ops().all().end());
  for (Op& op : ops) {
    const bool is_gemm =
        std::any_of(op.roles.begin(), op.roles.end(), [](const RoleSpec& role) { return role.name == "scale_a"; });
    if (is_gemm && exponent != 0)
      op.bind = [plain = op.bind, exponent](const Case& one) { return std::make_unique<const LargerGemm>(plain(one), exponent); };
  }
  return ops;
}

RunResult run(std::span<const Op> ops, const Backend& backend, const std::vector<Case>& cases, const std::string& kernel) {
  RunOptions options;
  options.kernel_glob = kernel;
  options.each.diagnose = look_for_causes(backend);
  return run_all(ops, cases, backend, options);
}

int complain(const std::string& what) {
  std::printf("NOT CAUGHT: %s\n", what.c_str());
  return 1;
}

int judge(const Demand& demand, std::span<const Op> ops, const Backend& cpu, const Backend& faulty, const std::string& root) {
  const KernelOffer* offer = faulty.library.find_kernel(demand.fault);
  if (!offer) return complain("libassay_faulty.so does not offer the kernel " + demand.fault);
  std::vector<Case> chosen = select_cases(load_cases(std::span(&shipped_ops().find(offer->op), 1), root), {.suites = {"quick"}});
  std::erase_if(chosen, [&](const Case& one) { return one.text("contract") != offer->contracts.front(); });

  const RunResult healthy = run(ops, cpu, chosen, offer->twin);
  if (healthy.judged() == 0 || healthy.unexpected() > 0) return complain("the correct kernel " + offer->twin + " does not pass");

  Seen seen;
  for (const Verdict& verdict : run(ops, faulty, chosen, demand.fault).verdicts) {
    if (verdict.outcome != Outcome::kFail && verdict.outcome != Outcome::kBroken) continue;
    ++seen.failures[verdict.warp];
    seen.wrong_tensor += !names_tensor(verdict, demand.tensor);
    const bool named = names_cause(verdict, demand.cause);
    (named ? seen.named_cause : seen.without_cause) += 1;
    if (!named) ++seen.others[verdict.causes.empty() ? verdict.message : verdict.causes.front()];
  }
  std::printf(
      "%s (%s): %d failures with 32 lanes, %d with 64; %d name the cause, %d do not, %d name another tensor; the correct "
      "kernel %s passes %lld cases\n",
      demand.fault.c_str(), offer->cites.c_str(), seen.failures["32"], seen.failures["64"], seen.named_cause, seen.without_cause,
      seen.wrong_tensor, offer->twin.c_str(), static_cast<long long>(healthy.judged()));
  for (const char* warp : {"32", "64"}) {
    const bool must_fail = demand.warps.contains(warp);
    if (must_fail != (seen.failures[warp] > 0))
      return complain(demand.fault + (must_fail ? " passes" : " fails") + " with " + warp + " lanes, but must " + (must_fail ? "fail" : "pass"));
  }
  if (seen.wrong_tensor > seen.named_cause) return complain("more failures name another tensor than name the cause; expected tensor " + demand.tensor);
  if (seen.named_cause <= seen.without_cause) {
    constexpr size_t kMostPrinted = 4;
    size_t printed = 0;
    for (const auto& [words, count] : seen.others)
      if (++printed <= kMostPrinted) std::printf("  %d times: %s\n", count, words.c_str());
    return complain("at least half of the failures do not name the cause '" + demand.cause + "'");
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::fprintf(stderr, "usage: catches ROOT FOLDER_OF_LIBRARIES FAULT [EXPONENT]\n");
    return 2;
  }
  const std::string root = argv[1], folder = argv[2];
  try {
    open_rulebook(root);
    const Backend cpu = open_in_process(folder + "/libassay_cpu.so", "cpu");
    const Backend faulty = open_in_process(folder + "/libassay_faulty.so", "faulty");
    return judge(demand_of(root, argv[3]), ops_with(argc == 5 ? std::stoi(argv[4]) : 0), cpu, faulty, root);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "catches: %s\n", error.what());
    return 2;
  }
}
