// CsvLog, TimeLimit, TensorBoardLog.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "tenon/io/crc32c.h"
#include "tenon/train/csv_log.h"
#include "tenon/train/histogram.h"
#include "tenon/train/tensorboard.h"
#include "tenon/train/time_limit.h"
#include "train_testing.h"

namespace tenon {
namespace {

using Json = nlohmann::json;

FitOptions logged(Callback& callback, std::int64_t epochs = 2) {
  FitOptions options{.epochs = epochs, .batch_size = 8};
  options.callbacks = {&callback};
  return options;
}

std::vector<std::string> lines_of(const std::string& file) {
  std::vector<std::string> lines;
  const std::string text = io::read_text_file(file);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

TEST(CsvLog, HasARowForEachEpoch) {
  const TemporaryFolder folder;
  CsvLog log(folder / "log.csv");
  Trainer trainer(small_model(), small_options());
  FitOptions options = logged(log);
  options.validation = blobs(9);
  const History history = trainer.fit(blobs(24), options);
  const std::vector<std::string> lines = lines_of(folder / "log.csv");
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], "epoch,step,loss,accuracy,validation_loss,validation_accuracy,seconds");
  const EpochRecord& last = history.epochs[1];
  EXPECT_TRUE(
      lines[2].starts_with(fmt::format("2,6,{},{},{},{},", last.train.loss, last.train["accuracy"],
                                       last.validation->loss, (*last.validation)["accuracy"])))
      << lines[2];
}

TEST(CsvLog, GoesOnWhereARunGoesOn) {
  const TemporaryFolder folder;
  const std::string file = folder / "log.csv";
  const auto fit = [&](std::int64_t epochs, bool resume) {
    CsvLog log(file, resume);
    Trainer trainer(small_model(), small_options());
    FitOptions options = logged(log, epochs);
    options.run_folder = folder / "run";
    options.resume = resume;
    trainer.fit(blobs(24), options);
  };
  fit(2, false);
  const std::vector<std::string> before = lines_of(file);
  fit(3, true);
  const std::vector<std::string> after = lines_of(file);
  ASSERT_EQ(after.size(), 4u);
  EXPECT_EQ(std::vector(after.begin(), after.begin() + 3), before);
  EXPECT_TRUE(after[3].starts_with("3,9,")) << after[3];

  io::write_file_atomically(file, std::string_view("epoch,step,loss,other\n"));
  EXPECT_EQ(error_of([&] { fit(4, true); }), file +
                                                 ": line 1: \"epoch,step,loss,accuracy,seconds\" "
                                                 "expected, found \"epoch,step,loss,other\"");
  io::write_file_atomically(file, std::string_view("epoch,step,loss,accuracy,seconds\nx,1\n"));
  EXPECT_EQ(error_of([&] { fit(5, true); }), file + ": line 2: \"x,1\" is no row of epochs");
}

TEST(CsvLog, IsRefusedBeforeTheFirstStep) {
  const TemporaryFolder folder;
  const auto steps_before = [&](const std::string& file, std::string& message) {
    CsvLog log(file);
    Trainer trainer(small_model(), small_options());
    message = error_of([&] { trainer.fit(blobs(24), logged(log)); });
    return trainer.steps_done();
  };
  std::string message;
  const std::string data = folder / "data.csv";
  io::write_file_atomically(data, std::string_view("a,b,y\n1,2,0\n"));
  EXPECT_EQ(steps_before(data, message), 0);
  EXPECT_EQ(message, data +
                         ": line 1: \"a,b,y\" is no log of epochs; name another file, or remove "
                         "this one");
  EXPECT_EQ(io::read_text_file(data), "a,b,y\n1,2,0\n");
  for (const auto& [nowhere, named] :
       {std::pair(data + "/log.csv", data), std::pair(folder / ".", folder / ".")}) {
    EXPECT_EQ(steps_before(nowhere, message), 0) << nowhere;
    EXPECT_NE(message.find(named), std::string::npos) << message;
  }
  EXPECT_GT(steps_before(folder / "new/logs/log.csv", message), 0);  // in folders that it makes
  EXPECT_EQ(message, "no error");
  EXPECT_TRUE(io::file_exists(folder / "new/logs/log.csv"));
}

TEST(CsvLog, KeepsTheColumnsThatAreThere) {
  const TemporaryFolder folder;
  const std::string file = folder / "log.csv";
  const auto fit = [&](std::int64_t epochs, bool resume, bool validates) {
    CsvLog log(file, resume);
    Trainer trainer(small_model(), small_options());
    FitOptions options = logged(log, epochs);
    options.run_folder = folder / "run";
    options.resume = resume;
    if (validates) options.validation = blobs(9);
    trainer.fit(blobs(24), options);
  };
  fit(1, false, true);
  fit(2, true, false);
  const std::vector<std::string> lines = lines_of(file);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], "epoch,step,loss,accuracy,validation_loss,validation_accuracy,seconds");
  EXPECT_NE(lines[2].find(",,,"), std::string::npos) << lines[2];
}

TEST(TimeLimit, EndsAFitWhenItsTimeIsUp) {
  // A clock cannot be waited for in a test of bits; a limit that is over at once ends a fit before
  // its first step, one that is reached in a step ends it there, one that is far away ends none.
  TimeLimit none(1e-9), much(1e6);
  Trainer trainer(small_model(), small_options());
  const History ended = trainer.fit(blobs(24), logged(none));
  EXPECT_TRUE(ended.stopped && none.is_reached());
  EXPECT_EQ(ended.steps, 0);
  struct WaitForIt final : Callback {
    TimeLimit& limit;
    explicit WaitForIt(TimeLimit& l) : limit(l) {}
    bool on_step_end(Trainer&, const StepInfo&) override {
      while (!limit.wants_to_stop()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
      return true;
    }
  };
  TimeLimit some(1);
  WaitForIt waiting(some);
  FitOptions options = logged(some);
  options.callbacks.emplace_back(&waiting);
  const History begun = trainer.fit(blobs(24), options);
  EXPECT_TRUE(begun.stopped && some.is_reached());
  EXPECT_LE(begun.steps, 1);
  const History whole = trainer.fit(blobs(24), logged(much));
  EXPECT_FALSE(whole.stopped || much.is_reached());
  EXPECT_EQ(error_of([] { TimeLimit limit(0); }),
            "TimeLimit: a number of seconds above 0 expected, got 0");
  EXPECT_EQ(error_of([] { TimeLimit limit(NAN); }),
            "TimeLimit: a number of seconds above 0 expected, got nan");
}

// Reads the frames of an event file and the scalars in them: enough of a reader to say what is
// there. TensorBoard's own reads the same files in tests/end_to_end/read_event_files.py.
struct WireField {
  std::uint64_t number = 0;
  std::uint64_t integer = 0;
  std::string bytes;
};

std::vector<WireField> fields_of(const std::string& message) {
  std::vector<WireField> fields;
  std::size_t at = 0;
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(message.at(at++));
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.size()) {
    const std::uint64_t tag = varint();
    WireField field{tag >> 3, 0, ""};
    const std::uint64_t type = tag & 7;
    if (type == 0) {
      field.integer = varint();
    } else {
      const std::size_t length = type == 1 ? 8 : type == 5 ? 4 : varint();
      field.bytes = message.substr(at, length);
      at += length;
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

std::vector<std::string> records_of(const std::string& file) {
  const std::string text = io::read_text_file(file);
  std::vector<std::string> records;
  const auto number = [&](std::size_t at, std::size_t bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, text.data() + at, bytes);
    return value;
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::uint64_t length = number(at, 8);
    EXPECT_EQ(number(at + 8, 4), io::masked_crc32c(text.substr(at, 8)));
    records.push_back(text.substr(at + 12, length));
    EXPECT_EQ(number(at + 12 + length, 4), io::masked_crc32c(records.back()));
    at += 16 + length;
  }
  return records;
}

// {tag: [[step, value], ...]} of the scalars, {"restart": [step]} and the tags of the rest.
Json events_of(const std::string& folder) {
  Json found = Json::object();
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    files.push_back(entry.path().string());
  std::ranges::sort(files);
  for (const std::string& file : files)
    for (const std::string& record : records_of(file)) {
      std::uint64_t step = 0;
      for (const WireField& field : fields_of(record)) {
        if (field.number == 2) step = field.integer;
        if (field.number == 7) found["restart"].push_back(step);
        if (field.number != 5) continue;
        std::string tag;
        for (const WireField& part : fields_of(fields_of(field.bytes)[0].bytes)) {
          if (part.number == 1) tag = part.bytes;
          if (part.number == 2) {
            float value = 0;
            std::memcpy(&value, part.bytes.data(), sizeof value);
            found[tag].push_back({step, value});
          }
          if (part.number == 5 || part.number == 8) found[tag].push_back(step);
        }
      }
    }
  return found;
}

// Remembers the losses and the weights of a fit.
class Memory final : public Callback {
 public:
  bool on_step_end(Trainer&, const StepInfo& info) override {
    steps.push_back({info.step, static_cast<float>(info.loss())});
    return true;
  }
  bool on_epoch_end(Trainer& trainer, const EpochInfo& info) override {
    for (const Variable& weight : trainer.weights()) {
      const Histogram h = histogram_of(trainer.session().read(weight));
      histograms["weights/" + weight.name()].push_back({{"step", info.step},
                                                        {"min", h.min},
                                                        {"max", h.max},
                                                        {"count", h.count},
                                                        {"sum", h.sum},
                                                        {"sum_of_squares", h.sum_of_squares},
                                                        {"edges", h.edges},
                                                        {"counts", h.counts}});
    }
    return true;
  }
  Json steps, histograms = Json::object();
};

// With TENON_EVENT_FILES=FOLDER the files stay there, with FOLDER/expected.json, which says what a
// reader must find.
TEST(TensorBoardLog, WritesScalarsHistogramsAndTexts) {
  const TemporaryFolder temporary;
  const char* kept = std::getenv("TENON_EVENT_FILES");
  const std::string folder = kept != nullptr ? kept : temporary / "logs";
  TensorBoardLog log(folder, {.graph = true});
  Memory memory;
  Trainer trainer(small_model(), small_options());
  FitOptions options{.epochs = 2, .batch_size = 8};
  options.validation = blobs(9);
  options.callbacks = {&log, &memory};
  const History history = trainer.fit(blobs(24), options);

  const Json train = events_of(folder + "/train"), validation = events_of(folder + "/validation");
  EXPECT_EQ(train.at("step/loss"), memory.steps);
  const auto rows = [&](auto value) {
    Json result;
    for (std::size_t i = 0; i < 2; ++i)
      result.push_back({3 * (i + 1), static_cast<float>(value(history.epochs[i]))});
    return result;
  };
  const Json expected = {
      {"train",
       {{"step/loss", memory.steps},
        {"epoch/loss", rows([](const EpochRecord& epoch) { return epoch.train.loss; })},
        {"epoch/accuracy",
         rows([](const EpochRecord& epoch) { return epoch.train["accuracy"]; })}}},
      {"validation",
       {{"epoch/loss", rows([](const EpochRecord& epoch) { return epoch.validation->loss; })},
        {"epoch/accuracy",
         rows([](const EpochRecord& epoch) { return (*epoch.validation)["accuracy"]; })}}},
      {"histograms", memory.histograms}};
  for (const auto& [tag, value] : expected["train"].items()) EXPECT_EQ(train.at(tag), value) << tag;
  EXPECT_EQ(validation, expected["validation"]);
  EXPECT_EQ(train.at("weights/dense/kernel"), (Json{3, 6}));
  EXPECT_EQ(train.at("model"), (Json{1}));
  EXPECT_EQ(train.at("graph"), (Json{1}));
  EXPECT_EQ(train.at("step/learning_rate")[0][1], 0.05f);
  EXPECT_FALSE(train.contains("restart"));
  if (kept != nullptr) io::write_file_atomically(folder + "/expected.json", expected.dump(1));
}

TEST(TensorBoardLog, ARunThatGoesOnTakesBackWhatWasNotSaved) {
  const TemporaryFolder folder;
  const auto fit = [&](bool resume, Callback* other) {
    TensorBoardLog log(folder / "logs", {.every = 2, .histograms_every = 0});
    Trainer trainer(small_model(), small_options());
    FitOptions options{.epochs = 3, .batch_size = 8};
    options.run_folder = folder / "run";
    options.resume = resume;
    options.checkpoint_every = 2;
    options.callbacks = {&log, other};
    trainer.fit(blobs(24), options);
  };
  StopAfter five(5), never(100);
  fit(false, &five);
  fit(true, &never);
  const Json train = events_of(folder / "logs/train");
  EXPECT_EQ(train.at("restart"), (Json{6}));
  std::vector<std::int64_t> steps;
  for (const Json& row : train.at("step/loss")) steps.push_back(row[0]);
  EXPECT_EQ(steps, (std::vector<std::int64_t>{2, 4, 6, 8}));
  EXPECT_FALSE(train.contains("weights/dense/kernel"));
}

TEST(TensorBoardLog, RefusesWhatCannotBe) {
  EXPECT_EQ(error_of([] { TensorBoardLog log("x", {.every = -1}); }),
            "TensorBoardLog: every must not be negative, got -1");
  EXPECT_EQ(error_of([] { TensorBoardLog log("x", {.histograms_every = -1}); }),
            "TensorBoardLog: histograms_every must not be negative, got -1");
}

}  // namespace
}  // namespace tenon
