#include "tenon/codegen/c_math_text.h"
#include "tenon/codegen/kernel_printer.h"

// Loops: carried scalars are variables, carried tiles are arrays that the body updates in place.
namespace tenon::codegen {

using namespace kernel;

void KernelPrinter::print_loop(const Loop& loop, const Statement& statement, const Block& block,
                               std::size_t position) {
  for (std::size_t i = 0; i < loop.initial.size(); ++i) {
    const ValueId initial = loop.initial[i];
    const ValueId argument = loop.body.arguments[i + 1];
    const ValueId result = statement.results[i];
    if (type(argument).is_scalar()) {
      line(fmt::format("{} {} = {};", c_element_type(type(argument).dtype), scalar_name(argument),
                       element(initial)));
      storage(argument) = {Storage::Kind::uniform, scalar_name(argument)};
    } else {
      // Two carried values that start equal need an array each.
      const bool is_shared = std::ranges::count(loop.initial, initial) > 1;
      std::string array;
      if (!is_shared)
        array = take_over(initial, block, position, argument);
      else {
        array = array_name(argument);
        declare_array(argument);
        const Extents extents{type(argument).rows, type(argument).lanes};
        const Segment whole{0, extents.rows, 0, extents.lanes};
        open_element_loop(extents, whole);
        line(fmt::format("{} = {};", array_element(array, type(argument)), element(initial)));
        close_element_loop(extents, whole);
      }
      storage(argument) = {Storage::Kind::array, array};
    }
    storage(result) = storage(argument);
  }
  const ValueId index = loop.body.arguments.front();
  storage(index) = {Storage::Kind::uniform, scalar_name(index)};
  open(fmt::format("for (int64_t {0} = 0; {0} < {1}; ++{0}) {{", scalar_name(index), loop.extent));
  print_block(loop.body);
  print_yields(loop);
  close();
}

void KernelPrinter::print_yields(const Loop& loop) {
  struct Copy {
    ValueId argument, yield;
  };
  std::vector<Copy> copies;
  const auto is_same = [&](ValueId a, ValueId b) {
    return storage(a).kind == storage(b).kind && storage(a).text == storage(b).text;
  };
  for (std::size_t i = 0; i < loop.initial.size(); ++i)
    if (!is_same(loop.body.arguments[i + 1], loop.body.yields[i]))
      copies.push_back({loop.body.arguments[i + 1], loop.body.yields[i]});
  const auto is_overwritten = [&](ValueId yield) {
    return std::ranges::any_of(copies,
                               [&](const Copy& copy) { return is_same(copy.argument, yield); });
  };
  // Carried values may change places: those are read before any is overwritten.
  std::map<ValueId, std::string> saved;
  for (const Copy& copy : copies) {
    if (!is_overwritten(copy.yield) || saved.contains(copy.yield)) continue;
    const std::string name = fmt::format("n{}", copy.yield.index);
    const std::string_view c_type = c_element_type(type(copy.yield).dtype);
    if (type(copy.yield).is_scalar()) {
      line(fmt::format("const {} {} = {};", c_type, name, element(copy.yield)));
    } else {
      const Extents extents{type(copy.yield).rows, type(copy.yield).lanes};
      const Segment whole{0, extents.rows, 0, extents.lanes};
      line(fmt::format("{} {}[{}]{};", c_type, name, array_length(type(copy.yield)),
                       array_attributes()));
      open_element_loop(extents, whole);
      line(fmt::format("{} = {};", array_element(name, type(copy.yield)), element(copy.yield)));
      close_element_loop(extents, whole);
    }
    saved[copy.yield] = name;
  }
  for (const Copy& copy : copies) {
    const auto name = saved.find(copy.yield);
    if (type(copy.yield).is_scalar()) {
      line(fmt::format("{} = {};", storage(copy.argument).text,
                       name == saved.end() ? element(copy.yield) : name->second));
      continue;
    }
    const Extents extents{type(copy.yield).rows, type(copy.yield).lanes};
    const Segment whole{0, extents.rows, 0, extents.lanes};
    open_element_loop(extents, whole);
    line(fmt::format(
        "{} = {};", array_element(storage(copy.argument).text, type(copy.argument)),
        name == saved.end() ? element(copy.yield) : array_element(name->second, type(copy.yield))));
    close_element_loop(extents, whole);
  }
}

}  // namespace tenon::codegen
