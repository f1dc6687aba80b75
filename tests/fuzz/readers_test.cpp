// Random and nearly valid bytes into every reader: a value or a UserError, nothing else.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>

#include "mutate.h"
#include "readers.h"
#include "tenon/base/error.h"
#include "tenon/base/hash.h"

namespace tenon::fuzz {
namespace {

// For each reader; `make check` asks for more by TENON_FUZZ_SECONDS.
std::chrono::duration<double> budget() {
  constexpr double kFast = 0.04;
  const char* asked = std::getenv("TENON_FUZZ_SECONDS");
  return std::chrono::duration<double>(asked != nullptr ? std::atof(asked) : kFast);
}

std::vector<Reader> all_readers() {
  std::vector<Reader> readers = io_readers();
  for (Reader& reader : data_readers()) readers.push_back(std::move(reader));
  for (Reader& reader : record_readers()) readers.push_back(std::move(reader));
  return readers;
}

class EachReader : public ::testing::TestWithParam<Reader> {};

TEST_P(EachReader, ReadsItsValidFiles) {
  int accepted = 0;
  for (const std::string& file : GetParam().files) {
    try {
      GetParam().read(file);
      ++accepted;
    } catch (const UserError&) {
      // Samples of what is refused are among the files.
    }
  }
  EXPECT_GE(accepted, 1);
}

TEST_P(EachReader, SurvivesWhateverItIsGiven) {
  const Reader& reader = GetParam();
  // Longer runs are given other files.
  ThreefrySequence random{hash_text(reader.name, static_cast<std::uint64_t>(budget().count()))};
  const auto end = std::chrono::steady_clock::now() + budget();
  std::uint64_t count = 0, refused = 0;
  do {
    const std::uint64_t first = random.counter;
    const std::string content = mutated(reader.files, random);
    try {
      reader.read(content);
    } catch (const UserError& error) {
      ++refused;
      ASSERT_FALSE(std::string_view(error.what()).empty());
    } catch (const std::exception& error) {
      FAIL() << reader.name << ", key " << random.key << ", counter " << first << ", "
             << content.size() << " bytes: " << error.what();
    }
    ++count;
  } while (std::chrono::steady_clock::now() < end);
  RecordProperty("inputs", std::to_string(count));
  RecordProperty("refused", std::to_string(refused));
}

INSTANTIATE_TEST_SUITE_P(Readers, EachReader, ::testing::ValuesIn(all_readers()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace tenon::fuzz
