// Measures time and memory on a group quantization of 65536 x 16384: a check of right outputs, a check of wrong outputs, and the
// diagnosis of a sample. With K, a GEMM of ROWS x COLUMNS x K instead; with `blocks`, one with block scales. Usage:
// assay_large_case_bench ROOT [ROWS COLUMNS [K [blocks]]]
#include <fmt/format.h>

#include <string_view>

#include "harness/diagnosis/diagnose.h"
#include "harness/run/run_case.h"
#include "suites/bench/large_case.h"
#include "suites/rulebook.h"

namespace {

using namespace assay;

constexpr const char *kMistake = "scale: pow2(ceil) -> pow2(floor)", *kMistakeOfProduct = "scale_a: of the next row";

void print(const char* what, const Cost& cost, int64_t elements) {
  fmt::print("| {} | {:.2f} | {:.2f} | {:.1f} | {:.0f} |\n", what, cost.seconds, cost.cpu_seconds,
             double(elements) / cost.seconds / 1e6, double(cost.bytes) / (1 << 20));
}

}  // namespace

int main(int argc, char** argv) {
  const bool blocks = argc == 6 && std::string_view(argv[5]) == "blocks", product = argc == 5 || blocks;
  if (argc != 2 && argc != 4 && !product) {
    fmt::print(stderr, "usage: assay_large_case_bench ROOT [ROWS COLUMNS [PRODUCTS [blocks]]]\n");
    return 2;
  }
  open_rulebook(argv[1]);
  const int64_t m = argc > 2 ? std::stoll(argv[2]) : 65536, n = argc > 2 ? std::stoll(argv[3]) : 16384;
  const Case one = blocks    ? large_block_product(m, n, std::stoll(argv[4]))
                   : product ? large_product(m, n, std::stoll(argv[4]))
                             : large_case(m, n);
  const std::string wrong = product ? kMistakeOfProduct : kMistake;
  const Op& op = shipped_ops().find(one.op);
  fmt::print("{}\n\n| what | wall s | CPU s | 10^6 elements/s | MiB besides the tensors |\n|---|---|---|---|---|\n", one.id);
  for (const std::string& mistake : {std::string(), wrong}) {
    const LargeCase large = with_outputs(one, mistake);
    Verdict verdict;
    Sample sample;
    print(mistake.empty() ? "check right outputs" : "check wrong outputs",
          cost_of([&] { sample = judge_outputs(*op.bind(one), large.problem, large.result, verdict); }), m * n);
    if (mistake.empty() != (verdict.outcome == Outcome::kPass)) {
      fmt::print(stderr, "unexpected verdict: {}\n", name(verdict.outcome));
      return 1;
    }
    if (mistake.empty()) continue;
    std::vector<std::string> causes;
    print("search for the cause",
          cost_of([&] { causes = causes_in_words(diagnose(*op.bind(one), large.problem, large.result.outputs, &sample)); }),
          m * n);
    fmt::print("\n{}; {}\n", causes.front(), verdict.looked_at);
  }
  return 0;
}
