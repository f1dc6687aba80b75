#include "tenon/train/name_map.h"

#include "tenon/io/file.h"
#include "train_testing.h"

namespace tenon {
namespace {

const std::vector<std::string> kWeights = {"conv2d/kernel", "block/dense/kernel",
                                           "block_1/dense/kernel", "block_2/dense/kernel"};

// "weight <- tensor" of each source that the JSON gives.
std::vector<std::string> sources_of(const std::string& json) {
  const TemporaryFolder folder;
  io::write_file_atomically(folder / "map.json", json);
  std::vector<std::string> lines;
  for (const WeightSource& source : find_name_map(folder / "map.json", kWeights).sources)
    lines.push_back(fmt::format("{} <- {}", source.weight, source.tensor));
  return lines;
}

// The message without the folder.
std::string map_refusal_of(const std::string& json) {
  const TemporaryFolder folder;
  io::write_file_atomically(folder / "map.json", json);
  const std::string text = error_of([&] { find_name_map(folder / "map.json", kWeights); });
  return text.substr(std::min(text.size(), (folder / "").size()));
}

TEST(NameMap, NamesOneByOneAndInRows) {
  EXPECT_EQ(sources_of(R"({"weights": {"conv2d/kernel": "stem.w",
                           "block{_i}/dense/kernel": {"from": "blocks.{2*i+1}.w"}}})"),
            (std::vector<std::string>{
                "block/dense/kernel <- blocks.1.w", "block_1/dense/kernel <- blocks.3.w",
                "block_2/dense/kernel <- blocks.5.w", "conv2d/kernel <- stem.w"}));
  const TemporaryFolder folder;
  io::write_file_atomically(folder / "map.json",
                            R"({"prefix": "net.", "ignore": ["*.count"], "weights": {
                                "conv2d/kernel": {"from": "w", "change": "output_last",
                                                  "part": [1, 3]}}})");
  const NameMap map = find_name_map(folder / "map.json", kWeights);
  EXPECT_EQ(map.prefixes, std::vector<std::string>{"net."});
  EXPECT_EQ(map.ignored, std::vector<std::string>{"*.count"});
  EXPECT_EQ(map.sources[0].change, TensorChange::output_last);
  EXPECT_EQ(map.sources[0].part, 1);
  EXPECT_EQ(map.sources[0].parts, 3);
}

TEST(NameMap, SaysWhatIsWrongInTheFile) {
  EXPECT_EQ(map_refusal_of("[]"), "map.json: an object expected, found \"[]\"");
  EXPECT_EQ(map_refusal_of("{}"), "map.json: weights: missing");
  EXPECT_EQ(map_refusal_of(R"({"weights": []})"), "map.json: weights: an object of names expected");
  EXPECT_EQ(map_refusal_of(R"({"weights": {"conv2d/kernal": "a"}})"),
            "map.json: weights: the model has no weight \"conv2d/kernal\"; did you mean "
            "\"conv2d/kernel\"?");
  EXPECT_EQ(map_refusal_of(R"({"weights": {"conv2d/kernel": {"from": "a", "change": "flip"}}})"),
            "map.json: weights.conv2d/kernel.change: unknown change \"flip\"; known: none, "
            "output_last, transposed_kernel");
  EXPECT_EQ(map_refusal_of(R"({"weights": {"conv2d/kernel": {"from": "a", "part": [3, 3]}}})"),
            "map.json: weights.conv2d/kernel.part: [K, N] with K from 0 and below N expected");
  EXPECT_EQ(map_refusal_of(R"({"weights": {"block{_j}/dense/kernel": "a"}})"),
            "map.json: weights: \"block{_j}/dense/kernel\": expected {[_][K*]i[+C]}, got \"{_j}\"");
  EXPECT_EQ(map_refusal_of(R"({"weights": {"block{9999999*i}/dense/kernel": "a"}})"),
            "map.json: weights: \"block{9999999*i}/dense/kernel\": expected numbers from 0 to 1000 "
            "in {[K*]i[+C]}, got \"9999999\"");
  EXPECT_EQ(map_refusal_of(R"({"weights": {"block{_i}/dense/kernel": "a{"}})"),
            "map.json: weights: \"a{\": a { without a }");
  EXPECT_EQ(
      map_refusal_of(R"({"weights": {"block{_i}/dense/kernel": "a", "block/dense/kernel": "b"}})"),
      "map.json: weights: the weight \"block/dense/kernel\" has two sources");
}

// [out, in, height, width] = [2, 3, 1, 2] with values 0 to 11.
TEST(NameMap, AxesAreMovedAndSplit) {
  HostTensor tensor({DType::f32, {2, 3, 1, 2}});
  for (std::size_t i = 0; i < 12; ++i) tensor.as<float>()[i] = static_cast<float>(i);
  io::NamedTensors tensors{{"w", tensor}, {"v", tensor.reshaped({2, 6})}};
  const auto make = [&](const WeightSource& source, const Shape& shape) {
    return make_weight(source, {DType::f64, shape}, tensors, "", "file");
  };
  EXPECT_EQ(make({"k", "w", TensorChange::output_last}, {1, 2, 3, 2}),
            make_tensor<double>({1, 2, 3, 2}, {0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11}));
  EXPECT_EQ(make({"k", "w", TensorChange::transposed_kernel}, {1, 2, 2, 3}),
            make_tensor<double>({1, 2, 2, 3}, {0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11}));
  EXPECT_EQ(make({"k", "v", TensorChange::output_last}, {6, 2}),
            make_tensor<double>({6, 2}, {0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11}));
  EXPECT_EQ(make({"k", "v", TensorChange::none, 1, 3}, {2, 2}),
            make_tensor<double>({2, 2}, {2, 3, 8, 9}));
  EXPECT_EQ(make({"k", "v", TensorChange::none, 0, 1, "v"}, {2, 6}),
            make_tensor<double>({2, 6}, {0, 2, 4, 6, 8, 10, 6, 8, 10, 12, 14, 16}));
  EXPECT_EQ(error_of([&] {
              make({"k", "v", TensorChange::none, 0, 4}, {2, 2});
            }),
            "file: tensor \"v\" is f32[2,6], which does not divide into 4 parts; the weight \"k\" "
            "is f64[2,2]\n  help: leave it as it is by skipping \"k\"");
  EXPECT_EQ(error_of([&] { make({"k", "u"}, {2}); }), "file: no tensor \"u\" for the weight \"k\"");
}

}  // namespace
}  // namespace tenon
