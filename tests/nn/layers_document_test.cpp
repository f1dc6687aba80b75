// docs/layers.md has a row for every kind of layer with its fields and their defaults, and its code
// is that of a test.
#include <algorithm>
#include <sstream>

#include "layer_testing.h"

namespace tenon::nn {
namespace {

std::string text_of_file(const std::string& name) {
  std::ifstream file(std::string(TENON_TEST_DATA "/../../") + name);
  require(file.good(), "cannot read {}", name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// What the row has to say of each field: "`units` 1". Weights are no fields that one sets.
class FieldTexts final : public FieldVisitor {
 public:
  using FieldVisitor::operator();
  void operator()(std::string_view name, std::int64_t& value) override { add(name, value); }
  void operator()(std::string_view name, double& value) override { add(name, value); }
  void operator()(std::string_view name, bool& value) override { add(name, value); }
  void operator()(std::string_view name, std::string& value) override { add(name, value); }
  void operator()(std::string_view name, std::vector<std::int64_t>& value) override {
    add(name, fmt::format("{{{}}}", fmt::join(value, ", ")));
  }
  void operator()(std::string_view name, Activation& value) override { add(name, nn::name(value)); }
  void operator()(std::string_view name, Initializer&) override {
    initializers.push_back(fmt::format("`{}`", name));
  }
  void operator()(std::string_view, Variable&) override {}
  void operator()(std::string_view name, Layer&) override {
    texts.push_back(fmt::format("`{}`", name));
  }
  void operator()(std::string_view name, std::vector<Layer>&) override {
    texts.push_back(fmt::format("`{}`", name));
  }
  std::vector<std::string> texts, initializers;

 private:
  template <class T>
  void add(std::string_view name, const T& value) {
    texts.push_back(fmt::format("`{}` {}", name, value));
  }
};

TEST(LayersDocument, HasEveryKindWithItsFields) {
  const std::string document = text_of_file("docs/layers.md");
  for (const std::string_view kind : layer_kinds()) {
    const std::size_t start = document.find(fmt::format("\n| `{}` |", kind));
    ASSERT_NE(start, std::string::npos) << "docs/layers.md has no row of " << kind;
    const std::string row = document.substr(start + 1, document.find('\n', start + 1) - start - 1);
    EXPECT_EQ(std::ranges::count(row, '|'), 7) << row;
    FieldTexts fields;
    make_layer(kind).fields(fields);
    std::size_t at = 0;
    for (const std::string& text : fields.texts) {
      const std::size_t found = row.find(text, at);
      EXPECT_NE(found, std::string::npos) << kind << ": " << text << ", in the order of the struct";
      if (found != std::string::npos) at = found;
    }
    for (const std::string& text : fields.initializers)
      EXPECT_NE(document.find(text), std::string::npos) << kind << ": " << text;
  }
}

// Words in a line, one space between them; comments go on without their slashes.
std::string words_of(const std::string& text) {
  std::istringstream words(text);
  std::string all, word;
  while (words >> word)
    if (word != "//") all += word + " ";
  return all;
}

TEST(LayersDocument, ShowsCodeThatIsTested) {
  const std::string document = text_of_file("docs/layers.md");
  const std::string test = words_of(text_of_file("tests/nn/several_tensors_test.cpp"));
  std::string shown;
  const std::string opening = "```cpp\n";
  for (std::size_t at = document.find(opening); at != std::string::npos;
       at = document.find(opening, at)) {
    at += opening.size();
    shown = words_of(document.substr(at, document.find("\n```", at) - at));
    EXPECT_NE(test.find(shown), std::string::npos) << shown;
  }
  EXPECT_FALSE(shown.empty());
}

}  // namespace
}  // namespace tenon::nn
