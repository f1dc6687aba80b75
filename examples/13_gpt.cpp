// Lesson 13: a small GPT, saved with its text's characters, loaded again and asked to go on.
#include <tenon/tenon.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <string>

namespace nn = tenon::nn;
namespace optim = tenon::optim;

int main() {
  std::ofstream("rhyme.txt") << "Peter Piper picked a peck of pickled peppers. "
                                "A peck of pickled peppers Peter Piper picked. "
                                "If Peter Piper picked a peck of pickled peppers, "
                                "where's the peck of pickled peppers Peter Piper picked? ";
  const auto data = tenon::data::text_characters("rhyme.txt", 32, {.stride = 2});

  // The sizes of nanoGPT's small network, smaller still; models::gpt_sizes("gpt2") has those of
  // GPT-2.
  const auto model = tenon::models::gpt({.vocabulary = data.class_count(),
                                         .context_length = 32,
                                         .layers = 2,
                                         .heads = 2,
                                         .width = 32});
  tenon::Trainer trainer{
      model,
      {.optimizer = optim::Optimizer(optim::AdamW{.learning_rate = 5e-3}, {.clip_global_norm = 1}),
       .schedule = optim::Cosine{.steps = 300},
       .metrics = {nn::accuracy},
       .seed = 1}};
  const auto history = trainer.fit(data, {.epochs = 50, .batch_size = 16});
  std::printf("steps: %lld\n", static_cast<long long>(history.steps));
  std::printf("knows the text: %s\n",
              history.epochs.back().train["accuracy"] > 0.85 ? "yes" : "no");
  trainer.save("runs/rhyme");  // `tenon generate runs/rhyme --prompt "Peter"` does what follows

  auto again = tenon::load("runs/rhyme");
  const auto tokenizer = tenon::data::character_tokenizer(again.class_names());
  std::string text = "A peck of";
  std::printf("%s|", text.c_str());
  tenon::generate(again, tokenizer.encode(text),
                  {.max_tokens = 20,
                   .temperature = 0,
                   .on_token = [&](std::int64_t id) {  // each character as soon as it is chosen
                     const std::array one{id};
                     std::printf("%s", tokenizer.decode(one).c_str());
                     return true;
                   }});
  std::printf("\n");

  // Attention has room for 32 steps. A longer text goes on: the last 16 are read again.
  tenon::Generator generator{again};
  const auto longer = generator.generate(tokenizer.encode(text), {.max_tokens = 100});
  std::printf("%zu characters with a context of %lld\n", longer.ids.size(),
              static_cast<long long>(generator.context_length()));
}
