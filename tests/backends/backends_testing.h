// What the tests of backends share: temporary folders, scoped variables, running a graph once.
#pragma once
#include <cstdlib>
#include <filesystem>

#include "../error_of.h"
#include "tenon/backends/backend.h"
#include "tenon/ir/graph.h"

namespace tenon::backends {

// A folder that is removed with its content at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tenon_test_XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Sets an environment variable (or removes it) and puts the old state back.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    set(value);
  }
  ~ScopedVariable() { set(old_ ? old_->c_str() : nullptr); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  void set(const char* value) { value != nullptr ? setenv(name_, value, 1) : unsetenv(name_); }
  const char* name_;
  std::optional<std::string> old_;
};

inline Buffer upload(Backend& backend, const HostTensor& tensor) {
  Buffer buffer = backend.allocate({tensor.type(), {}});
  backend.write(buffer, tensor).wait();
  return buffer;
}

inline HostTensor download(Backend& backend, const Buffer& buffer) {
  HostTensor tensor(buffer.type());
  backend.read(buffer, tensor).wait();
  return tensor;
}

// State and results after `steps` runs, in one list: first the state, then the last results.
// `values` are those of all the graph's inputs, in order.
inline std::vector<HostTensor> run_graph(Backend& backend, const ir::Graph& graph,
                                         const std::vector<HostTensor>& values, int steps = 1,
                                         const CompileOptions& options = {}) {
  const std::unique_ptr<Executable> executable = backend.compile(graph, options);
  std::vector<Buffer> state, inputs;
  for (std::size_t i = 0; i < values.size(); ++i)
    (graph.inputs()[i].role == ir::Role::data ? inputs : state)
        .push_back(upload(backend, values[i]));
  std::vector<Buffer*> state_pointers, input_pointers;
  for (Buffer& buffer : state) state_pointers.push_back(&buffer);
  for (Buffer& buffer : inputs) input_pointers.push_back(&buffer);
  std::vector<Buffer> results;
  for (const ir::Output& output : graph.outputs())
    if (!output.updates_input) results.emplace_back();
  const std::unique_ptr<Step> step = executable->bind(state_pointers);
  for (int i = 0; i < steps; ++i) step->run(input_pointers, results).wait();
  std::vector<HostTensor> all;
  for (const Buffer& buffer : state) all.push_back(download(backend, buffer));
  for (const Buffer& buffer : results) all.push_back(download(backend, buffer));
  return all;
}

}  // namespace tenon::backends
