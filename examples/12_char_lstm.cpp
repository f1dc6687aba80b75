// Lesson 12: an LSTM learns a text by heart, character by character, and writes it.
#include <tenon/tenon.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace nn = tenon::nn;

int main() {
  std::ofstream("rhyme.txt") << "She sells sea shells by the sea shore. "
                                "The shells she sells are sea shells, I am sure. "
                                "So if she sells sea shells on the sea shore, "
                                "then I am sure she sells sea shore shells. ";

  // Windows of 24 characters, one every 3; the target of each character is the next one.
  const auto data = tenon::data::text_characters("rhyme.txt", 24, {.stride = 3});
  std::printf("%lld windows of %lld different characters\n", static_cast<long long>(data.size()),
              static_cast<long long>(data.class_count()));

  tenon::Trainer trainer{
      tenon::models::char_lstm({.vocabulary = data.class_count(), .embedding = 12, .units = {48}}),
      {.optimizer = tenon::optim::Adam{.learning_rate = 1e-2},
       .metrics = {nn::accuracy, nn::perplexity},
       .seed = 1}};
  const auto history = trainer.fit(data, {.epochs = 60, .batch_size = 16});
  const auto& last = history.epochs.back();
  std::printf("knows the text: %s\n", last.train["accuracy"] > 0.9 ? "yes" : "no");
  std::printf("perplexity below 1.5: %s\n", last.train["perplexity"] < 1.5 ? "yes" : "no");

  // One token at a time: the layer's state is carried along, nothing is computed again.
  const auto tokenizer = tenon::data::character_tokenizer(data.class_names());
  tenon::Generator generator{trainer};
  const std::string prompt = "She sells";
  const auto text =
      generator.generate(tokenizer.encode(prompt), {.max_tokens = 29, .temperature = 0});
  std::printf("%s|%s\n", prompt.c_str(), tokenizer.decode(text.ids).c_str());

  // With a temperature tokens are drawn, by a seed.
  const tenon::GenerateOptions draws{.max_tokens = 40, .temperature = 0.8, .top_k = 5, .seed = 7};
  const auto one = generator.generate(tokenizer.encode(prompt), draws);
  const auto same = generator.generate(tokenizer.encode(prompt), draws);
  std::printf("drawn %zu characters; the same seed gives the same text: %s\n", one.ids.size(),
              one.ids == same.ids ? "yes" : "no");
}
