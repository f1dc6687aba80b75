// Runs cases on a backend, many in one program, and compares them with the reference.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "case.h"

namespace tenon::conformance {

// Cases that become one program: it compiles much faster than as many programs.
struct Batch {
  std::vector<const Case*> cases;
  std::vector<std::string> skip{};  // CompileOptions::skip
  // Runs with each of these numbers of threads must give the same bits.
  std::vector<int> threads{2};
};

inline constexpr std::size_t kCasesPerProgram = 100;

// The cases in batches of kCasesPerProgram, in order.
std::vector<Batch> batches_of(std::span<const Case> cases);

// Adds a test failure for every case that the device computes otherwise than the reference; if a
// batch fails as a whole, its cases run one by one. With TENON_TEST_CASES=TEXT in the environment
// only cases with the text in their name run, each as a program.
void run_batches(const std::string& device, std::span<const Batch> batches);

}  // namespace tenon::conformance
