// The five triggers (empty, zero-sized, negative, huge, wrong rank) put into every op of every
// case: the type rule must accept or refuse with a UserError that starts with the op's name.
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "case.h"

namespace tenon::conformance {
using namespace ir;
namespace {

constexpr std::int64_t kHuge = std::int64_t{1} << 58;
constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

void expect_orderly(const Op& op, const TensorTypes& types, const std::string& what) {
  const std::string start(name(op));
  try {
    for (const TensorType& type : infer_types(op, types)) byte_size(type);
  } catch (const UserError& error) {
    EXPECT_TRUE(std::string_view(error.what()).starts_with(start))
        << start << ", " << what << ": " << error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << start << ", " << what << ": not a UserError: " << error.what();
  }
}

// Operand lists that differ from these in number, or in one operand's rank, extents or type.
std::vector<TensorTypes> mutated_operands(const TensorTypes& types) {
  std::vector<TensorTypes> all;
  all.push_back({});
  for (std::size_t i = 0; i < types.size(); ++i) {
    const auto replace = [&](TensorType type) {
      all.push_back(types);
      all.back()[i] = std::move(type);
    };
    all.push_back(types);
    all.back().erase(all.back().begin() + static_cast<std::ptrdiff_t>(i));
    all.push_back(types);
    all.back().push_back(types[i]);
    TensorType type = types[i];
    replace({type.dtype, {}});
    type.shape.push_back(1);
    replace(type);
    type.shape.assign(types[i].shape.size(), 0);
    replace(type);
    for (std::size_t axis = 0; axis < type.shape.size(); ++axis) {
      type.shape.assign(types[i].shape.size(), 1);
      type.shape[axis] = kHuge;
      replace(type);
      type.shape = types[i].shape;
      ++type.shape[axis];
      replace(type);
    }
    for (const DType dtype : {DType::boolean, DType::i32, DType::f32})
      replace({dtype, types[i].shape});
  }
  return all;
}

// Calls visit(op with one integer, list of integers or shape changed).
struct AttributeMutator {
  const std::function<void(const std::string&)>& changed;

  void operator()(std::string_view field, std::int64_t& value) const {
    const std::int64_t original = value;
    for (const std::int64_t bad : {kLowest, std::int64_t{-1}, std::int64_t{0}, kHuge, kHighest}) {
      value = bad;
      changed(fmt::format("{} = {}", field, bad));
    }
    value = original;
  }
  void operator()(std::string_view field, std::vector<std::int64_t>& values) const {
    const std::vector<std::int64_t> original = values;
    values.clear();
    changed(fmt::format("{} empty", field));
    values = original;
    values.push_back(1);
    changed(fmt::format("{} longer", field));
    values = original;
    for (std::int64_t& value : values) (*this)(field, value);
    std::fill(values.begin(), values.end(), kHuge);
    changed(fmt::format("{} all huge", field));
    values = original;
  }
  void operator()(std::string_view field, TensorType& type) const { (*this)(field, type.shape); }
  void operator()(std::string_view, auto& nested) const {
    using Field = std::remove_cvref_t<decltype(nested)>;
    if constexpr (requires { Field::fields(nested, *this); }) Field::fields(nested, *this);
  }
};

TEST(Mutation, OperandsAreRefusedByName) {
  for (const Case& c : all_cases())
    for (const Node& node : c.graph.nodes()) {
      TensorTypes types;
      for (const Value operand : node.operands) types.push_back(c.graph.type(operand));
      for (const TensorTypes& mutated : mutated_operands(types)) {
        std::string what = c.name + " with operands";
        for (const TensorType& type : mutated) what += " " + tenon::to_string(type);
        expect_orderly(node.op, mutated, what);
      }
    }
}

TEST(Mutation, AttributesAreRefusedByName) {
  for (const Case& c : all_cases())
    for (const Node& node : c.graph.nodes()) {
      TensorTypes types;
      for (const Value operand : node.operands) types.push_back(c.graph.type(operand));
      std::visit(
          [&]<class T>(T op) {
            const std::function<void(const std::string&)> changed = [&](const std::string& what) {
              expect_orderly(op, types, c.name + " with " + what);
            };
            T::fields(op, AttributeMutator{changed});
          },
          node.op);
    }
}

}  // namespace
}  // namespace tenon::conformance
