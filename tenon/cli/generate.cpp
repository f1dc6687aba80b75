// tenon generate
#include "tenon/train/generate.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "tenon/base/text.h"
#include "tenon/cli/commands.h"
#include "tenon/cli/data_options.h"
#include "tenon/cli/open_run.h"
#include "tenon/cli/output.h"
#include "tenon/cli/text_stream.h"
#include "tenon/io/file.h"

namespace tenon::cli {
namespace {

struct GenerateCommand {
  std::string run, weights, prompt, temperature = "1", top_p = "1";
  std::int64_t max_tokens = 200, top_k = 0;
  std::uint64_t seed = 0;
  DeviceOptions device;
  bool json = false;
};

// What the run was trained on: its tokenizer.json, or the characters that are its classes.
data::Tokenizer tokenizer_of(const std::string& run, const Trainer& trainer) {
  const std::string file = run + "/tokenizer.json";
  if (io::file_exists(file)) return data::load_tokenizer(file);
  require(!trainer.class_names().empty(),
          "{}: it holds neither tokenizer.json nor the characters it was trained on, so its ids "
          "are no text",
          run);
  try {
    return data::character_tokenizer(trainer.class_names());
  } catch (const UserError&) {
    throw UserError(fmt::format(
        "{}: it is no model of texts: its classes are {}, ... and it holds no tokenizer.json", run,
        in_quotes(trainer.class_names().front())));
  }
}

std::vector<std::int64_t> encoded_prompt(const data::Tokenizer& tokenizer,
                                         const std::string& prompt) {
  std::vector<std::int64_t> ids;
  try {
    ids = tokenizer.encode(prompt);
  } catch (const UserError& error) {
    refuse_option("--prompt", "{}", error.what());
  }
  if (ids.empty()) refuse_option("--prompt", "{} has no tokens", in_quotes(prompt));
  return ids;
}

std::string_view end_name(GenerationEnd end) {
  switch (end) {
    case GenerationEnd::max_tokens: return "max_tokens";
    case GenerationEnd::stop_token: return "stop_token";
    case GenerationEnd::callback: return "stopped";
  }
  return "";
}

GenerateOptions generate_options(const GenerateCommand& command) {
  if (command.run.empty()) refuse_option("RUN", "missing: the folder of a run");
  if (command.prompt.empty())
    refuse_option("--prompt", "missing, as in --prompt \"Once upon a time\"");
  GenerateOptions options;
  options.max_tokens = command.max_tokens;
  options.temperature = parse_number("--temperature", command.temperature);
  if (options.temperature < 0)
    refuse_option("--temperature", "expected a number of 0 or more, got {}",
                  in_quotes(command.temperature));
  options.top_k = command.top_k;
  options.top_p = parse_number("--top-p", command.top_p);
  if (options.top_p <= 0 || options.top_p > 1)
    refuse_option("--top-p", "expected a number above 0 and at most 1, got {}",
                  in_quotes(command.top_p));
  options.seed = command.seed;
  return options;
}

// Generator says the same of its own; here is also what to do about it.
void require_text_model(const std::string& run, const Trainer& trainer) {
  const TensorType& row = trainer.row_types().x;
  require(is_integer(row.dtype) && row.dtype != DType::u8 && row.rank() == 1,
          "{}: it is no model of texts: its samples are {}, those of texts are ids i32[time]\n"
          "  help: generate takes a run of --model gpt or char-lstm on --data text:FILE; tenon "
          "predict gives what this one says of its samples",
          run, row);
}

int run_generate(const GenerateCommand& command) {
  GenerateOptions options = generate_options(command);
  Trainer trainer = open_run(command.run, command.weights, command.device);
  require_text_model(command.run, trainer);
  Generator generator(trainer);
  const data::Tokenizer tokenizer = tokenizer_of(command.run, trainer);
  require(tokenizer.size() <= generator.vocabulary(),
          "{}: its tokenizer has {} tokens, its model {}", command.run, tokenizer.size(),
          generator.vocabulary());
  options.vocabulary = tokenizer.size();
  const std::vector<std::int64_t> prompt = encoded_prompt(tokenizer, command.prompt);

  TextStream stream(tokenizer, prompt);
  std::string text;
  bool is_written = true;
  const auto show = [&](const std::string& part) {
    text += part;
    if (command.json || part.empty()) return;
    print_text(part);
    is_written = std::fflush(stdout) == 0;
  };
  if (!command.json) print_text(command.prompt);
  options.on_token = [&](std::int64_t id) {
    show(stream.add(id));
    return is_written;
  };
  const Generation generation = generator.generate(prompt, options);
  show(stream.finish());
  if (!command.json) {
    print_text("\n");
    return 0;
  }
  const auto count = static_cast<std::int64_t>(generation.ids.size());
  const double after_first = generation.seconds - generation.seconds_to_first_token;
  print_json(
      {{"command", "generate"},
       {"run", command.run},
       {"prompt", command.prompt},
       {"prompt_tokens", prompt.size()},
       {"text", text},
       {"ids", generation.ids},
       {"end", end_name(generation.end)},
       {"context_length",
        generator.is_bounded() ? nlohmann::json(generator.context_length()) : nlohmann::json()},
       {"seconds_to_first_token", generation.seconds_to_first_token},
       {"tokens_per_second", count > 1 && after_first > 0
                                 ? nlohmann::json(static_cast<double>(count - 1) / after_first)
                                 : nlohmann::json()}});
  return 0;
}

}  // namespace

void add_generate(CLI::App& program, Action& action) {
  CLI::App* app =
      program.add_subcommand("generate", "text that a trained model of texts goes on with");
  const auto command = std::make_shared<GenerateCommand>();
  add_text(*app, "run", command->run, help_text("the folder of a run", Need::required), "RUN");
  add_text(*app, "--prompt", command->prompt, help_text("the text to go on from", Need::required));
  constexpr std::int64_t kMostTokens = std::int64_t{1} << 30;
  add_count(*app, "--max-tokens", command->max_tokens, 0, kMostTokens, "tokens to add");
  add_text(*app, "--temperature", command->temperature,
           "below 1: likelier tokens more often; 0: always the likeliest (1)", "X");
  add_count(*app, "--top-k", command->top_k, 0, kMostTokens,
            "draw from the k likeliest tokens only; 0: from all");
  add_text(*app, "--top-p", command->top_p,
           "draw from the likeliest tokens that together have this probability (1)", "P");
  add_natural(*app, "--seed", command->seed, "of the draws: the same seed gives the same text");
  add_weights_option(*app, command->weights);
  add_device_options(*app, command->device);
  add_json_option(*app, command->json);
  app->callback([command, &action] { action = [command] { return run_generate(*command); }; });
}

}  // namespace tenon::cli
