#include "tenon/io/event_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io_testing.h"
#include "tenon/io/file.h"

namespace tenon::io {
namespace {

// What TensorBoard's own protocol buffers write (tests/data/make_event_samples.py).
std::string event_sample(const std::string& name) {
  std::ifstream file(TENON_TEST_DATA "/event_samples.json");
  const std::string hex = nlohmann::json::parse(file).at(name).get<std::string>();
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

TEST(EventFile, EventsAreTheBytesThatTensorboardWrites) {
  EXPECT_EQ(version_event(1700000000.25), event_sample("version"));
  EXPECT_EQ(restart_event(2.5, 300), event_sample("restart"));
  EXPECT_EQ(scalar_event(1700000000.5, 7, "loss", 0.1), event_sample("scalar"));
  EXPECT_EQ(scalar_event(1, 0, "a/b", 0), event_sample("zero"));
  EXPECT_EQ(scalar_event(1, std::int64_t{1} << 40, "loss", NAN), event_sample("nan"));
  const EventHistogram histogram{
      -1.5, 2.0, 6, 0.75, 9.0, {-0.5, 0.5, 2.0}, {1, 2, 3},
  };
  EXPECT_EQ(histogram_event(3, 128, "dense/kernel", histogram), event_sample("histogram"));
  EXPECT_EQ(histogram_event(3, 1, "none", {}), event_sample("empty histogram"));
  std::string text;
  for (int i = 0; i < 100; ++i) text += "é";
  EXPECT_EQ(text_event(4, 0, "summary", text), event_sample("text"));
}

TEST(EventFile, FramesAreThoseOfTensorboard) {
  EXPECT_EQ(record_frame("") + record_frame(event_sample("scalar")),
            event_sample("frames of nothing and scalar"));
}

TEST(EventFile, HoldsWhatWasFlushedInTheOrderOfAdding) {
  const TemporaryFolder folder;
  EventFile file(folder / "logs/train");
  EXPECT_NE(file.path().find("/logs/train/events.out.tfevents."), std::string::npos);
  file.add_scalar(1, "loss", 0.5);
  file.flush();
  const std::string first = read_text_file(file.path());
  EXPECT_EQ(first.substr(8 + 4 + 9, 15), event_sample("version").substr(9));
  EXPECT_NE(first.find("\x0a\x04loss"), std::string::npos);
  file.add_text(2, "note", "hello");
  file.flush();
  const std::string second = read_text_file(file.path());
  EXPECT_TRUE(second.starts_with(first));
  EXPECT_GT(second.find("hello"), first.size());
}

TEST(EventFile, LaterFilesOfAFolderComeLater) {
  const TemporaryFolder folder;
  std::string before;
  for (int i = 0; i < 20; ++i) {
    const EventFile file(folder / "logs");
    EXPECT_LT(before, file.path());
    before = file.path();
  }
}

TEST(EventFile, SaysWhichFolderCannotBeMade) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "file", std::string_view("x"));
  const std::string place = folder / "file/logs";
  EXPECT_NE(error_of([&] { EventFile file(place); }).find(place), std::string::npos);
}

}  // namespace
}  // namespace tenon::io
