// Lesson 17: text becomes tokens: a vocabulary is learned, windows are cut, tokens are masked.
#include <tenon/tenon.h>

#include <cstdio>

namespace data = tenon::data;

int main() {
  const std::vector<std::string> lines = {"the rain in Spain stays mainly in the plain",
                                          "the plain in Spain is plain"};
  const data::Tokenizer tokenizer =
      data::train_bpe(lines, {.vocabulary_size = 270, .special_tokens = {"<mask>"}});
  const std::vector<std::int64_t> ids = tokenizer.encode("plain rain, naïve");
  for (const std::int64_t id : ids) std::printf("%s ", tokenizer.token(id).c_str());
  std::printf("\n%s\n", tokenizer.decode(ids).c_str());

  const data::TokenText text = data::tokenize_text(lines[0], "lines", tokenizer);
  const data::Dataset windows = data::text_windows(text, 8);
  std::printf("%lld windows\n", static_cast<long long>(windows.size()));
  std::puts(tenon::to_string(windows.x().tensor()).c_str());

  const data::Pipeline masked =
      data::text_window_pipeline(text, 8).shuffle(1).map(data::mask_tokens(
          {.mask_id = *tokenizer.id_of("<mask>"), .vocabulary_size = tokenizer.size(), .seed = 1}));
  const data::Generator samples = masked.samples();
  while (const auto sample = samples())
    std::printf("%s\n%s\n", tenon::to_string(sample->x).c_str(),
                tenon::to_string(sample->y).c_str());
}
