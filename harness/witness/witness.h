// A "witness": recorded outputs of the implementation that a contract describes, on inputs that kill the contract's mutants. Each
// contract has a safetensors file. The file's metadata hold the provenance and the calls as JSON.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/core/op.h"

namespace assay {

/// Provenance of the outputs. All fields are empty in a file that has inputs only.
struct WitnessOrigin {
  std::string package;  ///< package with version or commit: "vllm 0.33.0"
  std::string kernel;   ///< function that was called
  std::string flags;    ///< build flags that change bits
  std::string on;       ///< GPU, driver and toolkit, or the CPU
  std::string date;     ///< "2026-11-24"
};

struct WitnessCall {
  std::string from;  ///< the data set and the rows of it from which the inputs come
  Case one;          ///< a case made for these inputs; no table lists it
  Problem problem;
  CallResult result{};  ///< outputs are empty for a file with inputs only
};

struct Witness {
  std::string file, op, contract;
  WitnessOrigin origin{};
  std::vector<WitnessCall> calls;

  bool has_outputs() const;
  int64_t output_elements() const;
};

using OpNamed = std::function<const Op&(const std::string&)>;

/// The file as text. Throws std::logic_error if bytes do not fit a tensor.
std::string witness_text(const Witness& witness);

/// Reads a witness. Throws DumpError if the file is no witness or is damaged, or if the op or its tensors have changed.
Witness read_witness(const std::string& file, const OpNamed& op_named);

/// All .safetensors files in a folder and its subfolders, sorted. Throws UsageError if there are none.
std::vector<std::string> witness_files(const std::string& folder);

// Choice of inputs to record from the cases of a contract: as few rows as possible that kill every mutant that can be killed, and
// one row of each input generator.

struct Chosen {
  Witness witness;                  ///< only the inputs
  int64_t edits = 0;                ///< number of mutants that some input can kill
  std::vector<std::string> unseen;  ///< names of those that no chosen input kills
};

/// `cases` belong to one op and one contract; of cases that differ only in warp size, one is used. If rows of the op are
/// independent, single rows are recorded; otherwise, whole cases are. Mutants of a layout move elements, so they need whole
/// cases. Cases larger than `most_bytes` are skipped.
Chosen choose_inputs(const Op& op, const std::vector<Case>& cases, int64_t most_bytes);

// Check of recorded outputs: the contract must accept all of them, and no mutant of it may.

/// A mutant of the contract, compared with the outputs of every recorded call whose case has this mutant.
struct EditOnWitness {
  std::string name;
  std::string equivalent;  ///< why no data can distinguish it from the contract; empty otherwise
  int64_t calls = 0;       ///< calls in which the mutant is not equivalent
  int64_t outside = 0;     ///< elements, and rows with only a Violation, that the mutant rejects in one call

  bool refuted() const { return outside > 0; }
  bool survives() const { return equivalent.empty() && outside == 0; }
};

struct WitnessFinding {
  int64_t elements = 0;              ///< number of output elements of all calls
  int64_t outside = 0;               ///< number of elements that the contract rejects, including padding, plus violations
  std::vector<std::string> against;  ///< for each rejected call: its name and its first wrong element
  std::vector<EditOnWitness> edits;  ///< by name

  bool agrees() const { return outside == 0; }
  int64_t refuted() const;  ///< number of mutants that some output refutes
  std::vector<std::string> survivors() const;  ///< names of the mutants that accept every output
};

/// Compares the outputs with the contract and, if `edits` is true, with its mutants.
WitnessFinding judge_witness(const Op& op, const Witness& witness, bool edits = true);

/// Whether another contract accepts every recorded output; false if a recorded call has other tensors than this contract takes.
bool obeys(const Op& op, const Witness& witness, const std::string& contract);

/// Mutants of the contract that accept every recorded output. They suggest what a release that no longer obeys it computes.
std::vector<std::string> edits_that_hold(const Op& op, const Witness& witness);

// Check of another release of an implementation: whether it still obeys its contract, on the recorded inputs.

struct Drift {
  std::string contract, release;  ///< the contract, and the package whose outputs were checked
  int64_t elements = 0, outside = 0;
  std::string against;             ///< the first input whose outputs are wrong, and its result; empty if none is
  bool same_bits = false;          ///< the bits equal those of the recorded outputs in golden/witness
  bool is_new = false;             ///< golden/witness has no outputs to compare with
  std::vector<std::string> rows;   ///< other contracts that accept every output; only computed if `contract` does not
  std::vector<std::string> edits;  ///< mutants of the contract that accept every output, if no other contract does

  /// "same bits", "obeys", "obeys, other bits", "12 of 512 differ: vllm.x", "...: div(s) -> mul(1/s)", "...: no row or edit".
  std::string text() const;
};

/// `committed`: the outputs in golden/witness, or nullptr. `contracts`: contracts to try if `release` disobeys its own.
Drift drift_of(const Op& op, const Witness& release, const Witness* committed, const std::vector<std::string>& contracts);

/// A Markdown table of contracts and releases for each package, then a line for each contract that a release does not obey.
std::string drift_table(const std::vector<Drift>& drifts);

}  // namespace assay
