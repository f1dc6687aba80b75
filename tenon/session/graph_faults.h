// Looking into the graph of a step: as text, and for the op that made a value that is not finite.
#pragma once
#include <span>
#include <string>

#include "tenon/session/program.h"
#include "tenon/session/session.h"

namespace tenon {

// Of floats; nothing is wrong with other values.
struct ValueFaults {
  std::int64_t nans = 0, infinities = 0;
  double low = 0, high = 0;  // of the finite ones
  bool has_finite = false;
  bool any() const { return nans > 0 || infinities > 0; }
};
ValueFaults faults_of(const HostTensor& values);
// "1 NaN of 16, from -4 to 2".
std::string faults_text(const ValueFaults& faults, std::int64_t size);

// Runs the program with the reference interpreter and follows the first fetch or update that is not
// finite back to the op that made it of finite values: lines that name the op, the named tensor
// that it belongs to or leads to, its operands and its results. NaN is followed before infinity,
// which may be meant. Empty if all is finite. UserError if the inputs are not those of the graph.
std::string where_not_finite(const Program& program, std::span<const HostTensor> inputs);

// Constants of more than 8 elements are cut short.
std::string graph_text(const ir::Graph& graph);

}  // namespace tenon
