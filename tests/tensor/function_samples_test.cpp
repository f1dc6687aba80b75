// Compares every function of docs/api.md, and its gradient, with data/function_samples.json.
#include <fstream>
#include <set>

#include "../data/sample_reading.h"
#include "function_calls.h"
#include "tenon/session/session.h"

namespace tenon::samples {
namespace {

// One sample as tensors: what to feed, what to fetch, and what the fetches must be.
struct Prepared {
  std::vector<Feed> feeds;
  std::vector<Tensor> fetches;
  std::vector<HostTensor> expected;
  std::string label;
};

Prepared prepare(const Json& sample, const Calls& calls) {
  Prepared result;
  const std::string name = sample.at("function").get<std::string>();
  const Json& arguments = sample.at("arguments");
  result.label = name + " " + arguments.dump() + " " + sample.at("inputs").dump().substr(0, 300);
  std::vector<Tensor> inputs;
  for (const Json& input : sample.at("inputs")) {
    const HostTensor value = read_tensor(input);
    inputs.push_back(placeholder(fmt::format("x{}", inputs.size()), value.type()));
    result.feeds.emplace_back(inputs.back(), value);
  }
  result.fetches = calls.find(name)->second(inputs, Arguments{arguments});
  for (const Json& output : sample.at("outputs")) result.expected.push_back(read_tensor(output));
  if (sample.at("gradients").empty()) return result;

  Tensor total;
  for (std::size_t i = 0; i < result.fetches.size(); ++i) {
    const Json& cotangent = sample.at("cotangents").at(i);
    if (cotangent.is_null()) continue;
    const Tensor term = sum(result.fetches[i] * Tensor(read_tensor(cotangent)));
    total = total.is_empty() ? term : total + term;
  }
  std::vector<Tensor> wrt;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Json& gradient = sample.at("gradients").at(i);
    if (gradient.is_null()) continue;
    wrt.push_back(inputs[i]);
    result.expected.push_back(read_tensor(gradient));
  }
  for (const Tensor& gradient : grad(total, wrt)) result.fetches.push_back(gradient);
  return result;
}

double tolerance(DType dtype) { return dtype == DType::f64 ? 1e-12 : 1e-6; }

// Runs all samples in programs of `group` samples each.
void expect_samples(std::string_view device, std::size_t group) {
  const Json samples = read_samples("function_samples.json");
  const Calls calls = all_calls();
  Session session(device);
  for (std::size_t first = 0; first < samples.size(); first += group) {
    Prepared all;
    std::vector<std::pair<std::size_t, std::string>> starts;
    for (std::size_t i = first; i < std::min(first + group, samples.size()); ++i) {
      const std::string name = samples[i].at("function").get<std::string>();
      ASSERT_TRUE(calls.contains(name)) << name << " is not in function_calls";
      Prepared one;
      try {
        one = prepare(samples[i], calls);
      } catch (const Error& error) {
        ADD_FAILURE() << name << " " << samples[i].at("arguments") << ": " << error.what();
        continue;
      }
      ASSERT_EQ(one.fetches.size(), one.expected.size()) << one.label;
      starts.emplace_back(all.fetches.size(), one.label);
      all.feeds.insert(all.feeds.end(), one.feeds.begin(), one.feeds.end());
      all.fetches.insert(all.fetches.end(), one.fetches.begin(), one.fetches.end());
      all.expected.insert(all.expected.end(), one.expected.begin(), one.expected.end());
    }
    const std::vector<HostTensor> found = session.run(all.fetches, all.feeds);
    std::size_t sample = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      while (sample + 1 < starts.size() && starts[sample + 1].first <= i) ++sample;
      EXPECT_EQ(difference(found[i], all.expected[i], tolerance(found[i].dtype())), "")
          << starts[sample].second << ", value " << i - starts[sample].first;
    }
  }
}

TEST(FunctionSamples, AgreeWithNumPyAndJaxOnReference) { expect_samples("reference", 50); }

TEST(FunctionSamples, AgreeWithNumPyAndJaxOnCpu) { expect_samples("cpu", 90); }

// The names in the first column of the tables of docs/api.md, up to the section on programs.
std::set<std::string> documented_functions() {
  std::ifstream file(TENON_TEST_DATA "/../../docs/api.md");
  EXPECT_TRUE(file.good());
  std::set<std::string> names;
  for (std::string line; std::getline(file, line) && line != "## Programs";) {
    if (!line.starts_with("| `")) continue;
    const std::size_t end = line.find('(');
    EXPECT_NE(end, std::string::npos) << line;
    std::string name = line.substr(3, end - 3);
    if (const std::size_t scope = name.rfind("::"); scope != std::string::npos)
      name = name.substr(scope + 2);
    EXPECT_TRUE(names.insert(name).second) << name << " is documented twice";
  }
  return names;
}

TEST(FunctionSamples, CoverExactlyTheDocumentedFunctions) {
  std::set<std::string> sampled, called;
  std::set<std::string> with_gradient;
  for (const Json& sample : read_samples("function_samples.json")) {
    sampled.insert(sample.at("function").get<std::string>());
    if (!sample.at("gradients").empty())
      with_gradient.insert(sample.at("function").get<std::string>());
  }
  for (const auto& [name, call] : all_calls()) called.insert(name);
  std::set<std::string> documented = documented_functions();
  // Those of sounds have samples and a test of their own.
  for (const Json& sample : read_samples("audio_samples.json"))
    documented.erase(sample.at("function").get<std::string>());
  documented.erase("rotary_embedding_from");  // judged by rotary_embedding, in decoding
  EXPECT_GE(documented.size(), 180u);
  EXPECT_EQ(sampled, documented);
  EXPECT_EQ(called, documented);
  EXPECT_GE(with_gradient.size(), 130u);
}

}  // namespace
}  // namespace tenon::samples
