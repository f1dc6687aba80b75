#include "tests/codegen/compiled_kernels.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tenon/base/scalar_convert.h"
#include "tenon/base/threefry.h"
#include "tenon/codegen/emit.h"
#include "tenon/codegen/runtime_abi.h"
#include "tenon/kernel/builder.h"
#include "tests/kernel_evaluator/evaluate_kernel.h"

namespace tenon::codegen {

namespace {

constexpr std::string_view kFlags =
    "-std=gnu11 -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math -fPIC -shared -Wall "
    "-Wno-unused -Werror";

std::string read_messages(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

HostTensor random_tensor(const kernel::Buffer& buffer, ThreefrySequence& sequence) {
  HostTensor result({buffer.dtype, {buffer.elements}});
  with_element_type(buffer.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t i = 0; i < result.size(); ++i) {
      const double uniform = static_cast<double>(sequence.next() >> 11) * 0x1p-53;
      const double number = is_float(buffer.dtype)     ? 4 * uniform - 2
                            : is_boolean(buffer.dtype) ? std::floor(2 * uniform)
                                                       : std::floor(100 * uniform);
      result.as<T>()[i] = convert_element<T>(number);
    }
  });
  return result;
}

}  // namespace

std::vector<CompilerChoice> compiler_choices(bool all) {
  static const bool has_clang = std::system("clang-14 --version >/dev/null 2>&1") == 0;
  std::vector<CompilerChoice> found = {{"cc", "native"}};
  if (all) found.push_back({"cc", "x86-64-v3"});
  if (has_clang) found.push_back({"clang-14", "x86-64-v3"});
  if (has_clang && all) found.push_back({"clang-14", "native"});
  return found;
}

CompiledKernels::CompiledKernels(std::span<const kernel::Kernel> kernels,
                                 const CompilerChoice& choice) {
  std::string folder = (std::filesystem::temp_directory_path() / "tenon_codegen_XXXXXX").string();
  if (!mkdtemp(folder.data())) throw std::runtime_error("no temporary folder");
  const std::filesystem::path base = folder;
  std::string text = c_prelude(kernels);
  for (std::size_t i = 0; i < kernels.size(); ++i)
    text += emit_c(kernels[i]) +
            fmt::format(
                "void run_{}(void* const* arguments, int64_t first, int64_t last) {{\n"
                "  {}(arguments, first, last);\n}}\n",
                i, kernels[i].name);
  std::ofstream(base / "kernels.c") << text;
  const std::string command = fmt::format("{} {} -march={} -o {} {} 2>{}", choice.program, kFlags,
                                          choice.processor, (base / "kernels.so").string(),
                                          (base / "kernels.c").string(), (base / "log").string());
  if (std::system(command.c_str()) != 0) {
    ADD_FAILURE() << command << "\n" << read_messages(base / "log") << text;
  } else {
    library_ = dlopen((base / "kernels.so").c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library_) ADD_FAILURE() << dlerror();
  }
  if (!std::getenv("TENON_KEEP_C")) std::filesystem::remove_all(base);
}

CompiledKernels::~CompiledKernels() {
  if (library_) dlclose(library_);
}

void CompiledKernels::run(std::size_t kernel, std::span<HostTensor* const> arguments,
                          std::int64_t first, std::int64_t last) const {
  if (!library_) return;
  const auto function =
      reinterpret_cast<KernelFunction>(dlsym(library_, fmt::format("run_{}", kernel).c_str()));
  if (!function) {
    ADD_FAILURE() << dlerror();
    return;
  }
  std::vector<void*> pointers;
  for (HostTensor* argument : arguments) pointers.push_back(argument->bytes().data());
  function(pointers.data(), first, last);
}

void expect_same_bits(std::span<const kernel::Kernel> kernels, const ComparisonOptions& options) {
  ThreefrySequence sequence{.key = 5};
  std::vector<std::vector<HostTensor>> inputs, expected;
  const auto pointers_to = [&](std::vector<HostTensor>& tensors) {
    std::vector<HostTensor*> pointers;
    for (HostTensor& tensor : tensors) pointers.push_back(&tensor);
    for (const auto& [output, input] : options.in_place) pointers[output] = pointers[input];
    return pointers;
  };
  for (const kernel::Kernel& kernel : kernels) {
    std::vector<HostTensor> arguments;
    for (const kernel::Buffer& buffer : kernel.buffers)
      if (buffer.space == kernel::Space::argument)
        arguments.push_back(random_tensor(buffer, sequence));
    inputs.push_back(arguments);
    std::vector<std::span<std::byte>> memory;
    for (HostTensor* argument : pointers_to(arguments)) memory.push_back(argument->bytes());
    // They are run in order below: instances may share elements.
    kernel::evaluate_kernel(kernel, memory, kernel::Instances::in_order);
    expected.push_back(std::move(arguments));
  }
  for (const CompilerChoice& choice : compiler_choices(options.all_compilers)) {
    const CompiledKernels compiled(kernels, choice);
    for (std::size_t i = 0; i < kernels.size(); ++i) {
      std::vector<HostTensor> arguments = inputs[i];
      // In two parts, as two threads would.
      const std::int64_t middle = kernels[i].grid / 2;
      compiled.run(i, pointers_to(arguments), 0, middle);
      compiled.run(i, pointers_to(arguments), middle, kernels[i].grid);
      for (std::size_t a = 0; a < arguments.size(); ++a)
        EXPECT_EQ(arguments[a], expected[i][a])
            << choice.program << " " << choice.processor << ", argument " << a << " of\n"
            << print(kernels[i]) << emit_c(kernels[i]);
    }
  }
}

}  // namespace tenon::codegen
