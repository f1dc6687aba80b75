// Plans on disk: who finds them again, and that nothing else is taken for one.
#include "tenon/backends/cpu/program_record.h"

#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "tenon/backends/cpu/build_id.h"
#include "tenon/backends/cpu/cpu.h"
#include "tenon/base/hash.h"
#include "tenon/ir/build.h"
#include "tenon/ir/print.h"
#include "tests/backends/backends_testing.h"

namespace tenon::backends {
namespace {

namespace fs = std::filesystem;

const std::string kName(32, 'a');
const ProgramRecord kRecord{std::string(32, 'b'), 640, 8, 3, true};

ir::Graph graph_of(float factor, std::int64_t size = 4) {
  ir::Builder b;
  const ir::Value x = b.input({"x", {DType::f32, {size}}, ir::Role::data, {}});
  const ir::Value y = ir::multiply(b, x, ir::splat(b, factor, {DType::f32, {size}}));
  return std::move(b).finish({{"y", y, std::nullopt, ir::Merge::carry}});
}

class ProgramRecords : public testing::Test {
 protected:
  fs::path folder() const { return folder_.path(); }
  fs::path file() const { return folder() / (kName + ".plan"); }
  static std::string content_of(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }
  std::vector<fs::path> files_ending_in(const std::string& extension) const {
    std::vector<fs::path> found;
    for (const auto& item : fs::directory_iterator(folder()))
      if (item.path().extension() == extension) found.push_back(item.path());
    return found;
  }
  HostTensor run(const ir::Graph& graph, CompileReport* report = nullptr) {
    const auto backend = open_cpu(BackendOptions{1, folder().string()});
    CompileOptions options;
    options.log = [this](std::string_view line) { log_.emplace_back(line); };
    if (report) *report = backend->compile(graph, options)->report();
    HostTensor x({DType::f32, graph.inputs()[0].type.shape});
    std::ranges::fill(x.as<float>(), 2.0f);
    return run_graph(*backend, graph, {x}, 1, options).front();
  }

  TemporaryFolder folder_;
  std::vector<std::string> log_;
};

TEST_F(ProgramRecords, AreReadAsWritten) {
  EXPECT_FALSE(read_record(folder(), kName));
  write_record(folder(), kName, kRecord);
  EXPECT_EQ(read_record(folder(), kName), kRecord);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder()), {}), 1);
}

TEST_F(ProgramRecords, NothingElseIsTakenForOne) {
  write_record(folder(), kName, kRecord);
  const std::string sound = content_of(file());
  const std::string other(32, 'c');
  fs::copy_file(file(), folder() / (other + ".plan"));
  EXPECT_FALSE(read_record(folder(), other)) << "another's record";
  for (std::size_t size = 0; size < sound.size(); ++size) {
    write(file(), sound.substr(0, size));
    EXPECT_FALSE(read_record(folder(), kName)) << "cut at " << size;
  }
  for (std::size_t i = 0; i < sound.size(); ++i) {
    std::string changed = sound;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    write(file(), changed);
    EXPECT_FALSE(read_record(folder(), kName)) << "changed at " << i;
  }
  write(file(), sound + "\n");
  EXPECT_FALSE(read_record(folder(), kName));
  write(file(), std::string(1 << 20, 'x'));
  EXPECT_FALSE(read_record(folder(), kName));
  // Sums that are right do not make it one.
  const auto sealed = [](const std::string& text) { return text + hex_digest(text) + "\n"; };
  const std::string head = "Tenon plan 1\nname " + kName;
  for (const std::string& text :
       {head + "\ncode ../../../../../../../../../tmp/abc\narena 640\nconstants 8\nkernels 3\n"
               "threads 1\n",
        head + "\ncode " + kRecord.code + "\narena -640\nconstants 8\nkernels 3\nthreads 1\n",
        head + "\ncode " + kRecord.code +
            "\narena 99999999999999999999\nconstants 8\n"
            "kernels 3\nthreads 1\n",
        head + "\ncode " + kRecord.code + "\n"}) {
    write(file(), sealed(text));
    EXPECT_FALSE(read_record(folder(), kName)) << text;
  }
  fs::remove(file());
  fs::create_directory(file());
  EXPECT_FALSE(read_record(folder(), kName));
  fs::remove(file());
  ASSERT_EQ(mkfifo(file().c_str(), 0600), 0);
  EXPECT_FALSE(read_record(folder(), kName));
}

TEST_F(ProgramRecords, ManyMayWriteOne) {
  std::vector<std::thread> writers;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i)
    writers.emplace_back([&] {
      for (int k = 0; k < 20; ++k) {
        write_record(folder(), kName, kRecord);
        if (read_record(folder(), kName) != kRecord) ++wrong;
      }
    });
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder()), {}), 1);
}

TEST_F(ProgramRecords, AFolderThatCannotBeWrittenStaysWithout) {
  write_record(folder() / "none", kName, kRecord);
  EXPECT_FALSE(fs::exists(folder() / "none"));
}

TEST_F(ProgramRecords, NamesTellWhatDecidesThePlan) {
  if (build_id_of(reinterpret_cast<const void*>(&record_name)).empty())
    GTEST_SKIP() << "this program was linked without a build ID";
  const lower::Target target;
  const Compiler compiler{"/usr/bin/cc", "cc 1", "1000 7"};
  const std::string name = record_name(ir::digest(graph_of(2)), target, compiler);
  EXPECT_EQ(name.size(), 32u);
  EXPECT_EQ(record_name(ir::digest(graph_of(2)), target, compiler), name);
  EXPECT_NE(record_name(ir::digest(graph_of(3)), target, compiler), name);
  EXPECT_NE(record_name(ir::digest(graph_of(2, 5)), target, compiler), name);
  EXPECT_NE(record_name(ir::digest(graph_of(2)), target, {"/usr/bin/cc", "cc 2", "1000 7"}), name);
  EXPECT_NE(record_name(ir::digest(graph_of(2)), target, {"/usr/bin/other", "cc 1", "1000 7"}),
            name);
  EXPECT_NE(record_name(ir::digest(graph_of(2)), target, {"/usr/bin/cc", "cc 1", "1000 8"}), name);
  lower::Target wider = target;
  wider.vector_bytes *= 2;
  EXPECT_NE(record_name(ir::digest(graph_of(2)), wider, compiler), name);
}

TEST_F(ProgramRecords, BuildIdsAreThoseOfTheObjectThatHoldsTheAddress) {
  const std::string own = build_id_of(reinterpret_cast<const void*>(&build_id_of));
  EXPECT_EQ(own.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(own, build_id_of(reinterpret_cast<const void*>(&std::getenv)));
  int local = 0;
  EXPECT_EQ(build_id_of(&local), "");
}

class RecordedPrograms : public ProgramRecords {
 protected:
  void SetUp() override {
    if (build_id_of(reinterpret_cast<const void*>(&record_name)).empty())
      GTEST_SKIP() << "this program was linked without a build ID";
  }
  fs::path record() const {
    const auto found = files_ending_in(".plan");
    return found.size() == 1 ? found.front() : fs::path();
  }
};

TEST_F(RecordedPrograms, AreNotPlannedAgain) {
  CompileReport first, second, third;
  const HostTensor y = run(graph_of(3), &first);
  EXPECT_FALSE(first.was_cached);
  EXPECT_EQ(run(graph_of(3), &second), y);
  EXPECT_TRUE(second.was_cached);
  EXPECT_EQ(second.kernels, first.kernels);
  EXPECT_EQ(second.compiler_seconds, 0);
  // The number comes from the record.
  const std::string name = record().stem().string();
  ProgramRecord changed = read_record(folder(), name).value();
  changed.kernels = 12345;
  write_record(folder(), name, changed);
  EXPECT_EQ(run(graph_of(3), &third), y);
  EXPECT_EQ(third.kernels, 12345);
}

TEST_F(RecordedPrograms, HaveTheSameMemory) {
  const auto memory_of = [this](const ir::Graph& graph) {
    const auto backend = open_cpu(BackendOptions{1, folder().string()});
    return backend->compile(graph, {})->memory();
  };
  ir::Builder b;
  const ir::Value x = b.input({"x", {DType::f32, {64, 64}}, ir::Role::data, {}});
  const ir::Value y = ir::matmul(b, ir::matmul(b, x, x), x);
  const ir::Graph graph = std::move(b).finish({{"y", y, std::nullopt, ir::Merge::carry}});
  const MemoryReport planned = memory_of(graph), recalled = memory_of(graph);
  EXPECT_GT(planned.arena, 0);
  EXPECT_EQ(recalled.arena, planned.arena);
  EXPECT_EQ(recalled.constants, planned.constants);
  EXPECT_EQ(recalled.total(), planned.total());
}

TEST_F(RecordedPrograms, ARecordWithoutItsCodeIsMadeAgain) {
  const HostTensor y = run(graph_of(3));
  const auto code = files_ending_in(".so");
  ASSERT_EQ(code.size(), 1u);
  CompileReport report;
  fs::remove(code.front());
  EXPECT_EQ(run(graph_of(3), &report), y);
  EXPECT_FALSE(report.was_cached);
  EXPECT_EQ(log_, std::vector<std::string>());
  write(code.front(), "damaged");
  EXPECT_EQ(run(graph_of(3), &report), y);
  EXPECT_FALSE(report.was_cached);
  EXPECT_EQ(log_, (std::vector<std::string>{fmt::format(
                      "cached code {} is damaged and is compiled again", code.front().string())}));
}

TEST_F(RecordedPrograms, ADamagedRecordIsMadeAgain) {
  const HostTensor y = run(graph_of(3));
  const std::string sound = content_of(record());
  write(record(), "damaged");
  CompileReport report;
  EXPECT_EQ(run(graph_of(3), &report), y);
  EXPECT_TRUE(report.was_cached);
  EXPECT_EQ(content_of(record()), sound);
}

// A constant too large for the text is the plan's to give.
TEST_F(RecordedPrograms, ConstantsThatCodeDoesNotHoldAreNotRecorded) {
  constexpr std::int64_t kSize = 1 << 17;
  HostTensor numbers({DType::f32, {kSize}});
  for (std::size_t i = 0; i < kSize; ++i) numbers.as<float>()[i] = static_cast<float>(i);
  ir::Builder b;
  const ir::Value x = b.input({"x", {DType::f32, {kSize}}, ir::Role::data, {}});
  const ir::Value y = ir::add(b, x, ir::constant(b, numbers));
  const ir::Graph graph = std::move(b).finish({{"y", y, std::nullopt, ir::Merge::carry}});
  const HostTensor first = run(graph);
  EXPECT_EQ(first.as<float>()[kSize - 1], static_cast<float>(kSize + 1));
  EXPECT_EQ(files_ending_in(".plan").size(), 0u);
  EXPECT_EQ(run(graph), first);
}

TEST_F(RecordedPrograms, TextsAndProfilesAreOfThePlan) {
  run(graph_of(3));
  const auto backend = open_cpu(BackendOptions{1, folder().string()});
  CompileOptions options;
  options.keep_texts = true;
  EXPECT_NE(backend->compile(graph_of(3), options)->text("plan"), "");
  options = {};
  options.profile = true;
  EXPECT_FALSE(backend->compile(graph_of(3), options)->launches().empty());
}

}  // namespace
}  // namespace tenon::backends
