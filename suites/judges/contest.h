// Runs wrong and healthy kernels against the acceptance rules of other projects, and against Assay.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "suites/judges/recipes.h"
#include "suites/judges/rules.h"

namespace assay::judges {

/// A kernel to test.
struct Contestant {
  std::string name;
  bool healthy = false;
  const Backend* backend;
  KernelOffer kernel;
  std::string twin{};  ///< kernel of the healthy library whose outputs are the reference; empty: any kernel of the contract
  std::string reference_contract{};  ///< another contract whose kernel is the reference; only rules that compare these two
                                     ///< contracts are applied
};

/// Results of one rule on one kernel.
struct Tally {
  int64_t cases = 0, refused = 0;
  int64_t cannot = 0;       ///< cases that the rule does not support
  int64_t own_refused = 0;  ///< cases in which it rejects the reference itself (NaN is not equal to NaN); not counted as rejected

  bool caught() const { return refused > 0; }
  void add(const Tally& other);
};

/// Results for one kernel: by rule id, one tally for each of kScales; "assay" is listed like a rule.
struct Marks {
  std::string kind;  ///< kind of its op: quant, norm, norm_quant, reduce, reduce_norm; empty: no rule compares its outputs
  std::map<std::string, std::array<Tally, kScales.size()>> on_recipe;  ///< of a rule, on its own recipe
  std::map<std::string, std::array<Tally, kScales.size()>> assay_on_recipe;
  std::map<std::string, Tally> on_quick;  ///< on Assay's quick cases
  Tally assay;                            ///< Assay, on its quick cases
};

/// Reports how one kernel's outputs were judged, for --list.
struct Listener {
  std::function<void(const std::string& judge, const std::string& data, const std::string& case_id, Judgement)> said;
};

/// Cache of healthy outputs, by kernel, case and input bytes: many faults share a reference.
class HealthyOutputs {
 public:
  /// Null if it is not cached.
  const std::vector<HostTensor>* find(const std::string& key) const;
  /// Stores nothing beyond a size limit.
  void keep(const std::string& key, const std::vector<HostTensor>& outputs);

 private:
  static constexpr size_t kMostBytes = size_t{256} << 20;
  std::map<std::string, std::vector<HostTensor>> all_;
  size_t bytes_ = 0;
  mutable std::mutex mutex_;
};

struct Field {
  std::vector<Rule> rules;
  std::vector<Recipe> recipes;
  std::vector<Case> quick;  ///< cases of all ops
  const Backend* healthy;
  std::shared_ptr<HealthyOutputs> before = std::make_shared<HealthyOutputs>();

  const Recipe& recipe(const std::string& id) const;
};

Marks contest(const Field& field, const Contestant& contestant, const Listener& listener);

/// A library whose codes, normalized numbers or GEMM results are all zero.
Backend all_zero(Backend backend);

}  // namespace assay::judges
