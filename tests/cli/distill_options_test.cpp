// A teacher by option, and what is refused of it.
#include <algorithm>

#include "cli_testing.h"
#include "tenon/io/safetensors.h"

namespace tenon::cli {
namespace {

class DistillOptions : public testing::Test {
 protected:
  void SetUp() override {
    write_points(points_, 31);
    const Outcome outcome = train("teacher", {"--normalize", "standard"}, "8");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
  }
  Outcome train(const std::string& run, const std::vector<std::string>& more,
                const std::string& hidden = "4") const {
    std::vector<std::string> arguments = train_arguments(points_, folder_ / run, more);
    *(std::ranges::find(arguments, "--hidden") + 1) = hidden;
    return run_tenon(arguments);
  }
  Outcome distill(const std::string& run, const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"--teacher", folder_ / "teacher"};
    all.insert(all.end(), more.begin(), more.end());
    return train(run, all);
  }
  std::string model(const std::string& run) const {
    return io::read_text_file(folder_ / run + "/model.safetensors");
  }

  const TemporaryFolder folder_;
  const std::string points_ = folder_ / "points.csv";
};

TEST_F(DistillOptions, MakeAStudentThatStandsAlone) {
  const Outcome outcome =
      distill("student", {"--distill-temperature", "4", "--distill-weight", "0.9"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto json = nlohmann::json::parse(io::read_text_file(folder_ / "student/run.json"));
  EXPECT_EQ(json["model"]["kind"], "distilled");
  EXPECT_EQ(json["model"]["temperature"], 4);
  EXPECT_EQ(json["model"]["alpha"], 0.9);
  EXPECT_EQ(json["normalization"]["kind"], "standard");  // the teacher's
  const auto weights = io::read_safetensors(folder_ / "student/model.safetensors").tensors;
  EXPECT_EQ(weights.size(), 4u);
  EXPECT_EQ(weights.at("dense/kernel").shape(), (Shape{2, 4}));
  const Outcome evaluated = run_tenon(
      {"evaluate", folder_ / "student", "--data", "csv:" + points_, "--device", "reference"});
  EXPECT_EQ(evaluated.status, 0) << evaluated.err;
}

// Loss and accuracy are those that evaluate gives for the two run folders.
TEST_F(DistillOptions, TellWhatTheStudentLostAndSaved) {
  const auto evaluated = [&](const std::string& run) {
    return nlohmann::json::parse(run_tenon({"evaluate", folder_ / run, "--data", "csv:" + points_,
                                            "--device", "reference", "--json"})
                                     .out);
  };
  const Outcome outcome = distill("student", {"--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const nlohmann::json told = nlohmann::json::parse(outcome.out)["distillation"];
  EXPECT_EQ(told["data"], "training");  // there is no other
  for (const auto& [side, run] : {std::pair("before", "teacher"), std::pair("after", "student")}) {
    EXPECT_EQ(told[side]["accuracy"], evaluated(run)["accuracy"]) << side;
    EXPECT_EQ(told[side]["loss"], evaluated(run)["loss"]) << side;
  }
  EXPECT_EQ(told["bytes_before"], (2 * 8 + 8 + 8 * 3 + 3) * 4);
  EXPECT_EQ(told["bytes_after"], (2 * 4 + 4 + 4 * 3 + 3) * 4);
  EXPECT_FALSE(nlohmann::json::parse(train("plain", {"--json"}).out).contains("distillation"));

  // Without a folder, by other data, with metrics that the teacher was not trained with.
  std::vector<std::string> arguments =
      train_arguments(points_, "",
                      {"--teacher", folder_ / "teacher", "--validation", "csv:" + points_,
                       "--metrics", "macro_f1,accuracy"});
  arguments.erase(std::ranges::find(arguments, "--out"), std::ranges::find(arguments, "--out") + 2);
  const Outcome text = run_tenon(arguments);
  ASSERT_EQ(text.status, 0) << text.err;
  const std::size_t place =
      text.out.find("distillation, by validation data: before the teacher, after the student\n");
  ASSERT_NE(place, std::string::npos) << text.out;
  const std::string part = text.out.substr(place, text.out.find("predictions\n") - place);
  EXPECT_NE(part.find("\naccuracy "), std::string::npos) << part;
  EXPECT_EQ(part.find("macro_f1"), std::string::npos) << part;
  EXPECT_NE(part.find("\nbytes of the weights "), std::string::npos) << part;
}

TEST_F(DistillOptions, TheTeacherCountsAsMuchAsItsWeightSays) {
  const std::vector<std::string> scaling = {"--normalize", "standard"};
  ASSERT_EQ(distill("all", {"--distill-weight", "1"}).status, 0);
  ASSERT_EQ(distill("half", {}).status, 0);
  ASSERT_EQ(distill("none", {"--distill-weight", "0"}).status, 0);
  ASSERT_EQ(train("plain", scaling).status, 0);
  const auto kernel = [&](const std::string& run) {
    return io::read_safetensors(folder_ / run + "/model.safetensors").tensors.at("dense/kernel");
  };
  const HostTensor none = kernel("none"), plain = kernel("plain");
  for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(none.as<float>()[i], plain.as<float>()[i], 1e-5);
  EXPECT_NE(model("all"), model("half"));
  EXPECT_NE(model("half"), model("none"));
}

TEST_F(DistillOptions, ARunGoesOnWithItsTeacher) {
  ASSERT_EQ(distill("whole", {}).status, 0);
  ASSERT_EQ(distill("parts", {"--max-steps", "3"}).status, 0);
  const Outcome outcome = distill("parts", {"--resume"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(model("parts"), model("whole"));
  const Outcome refused = train("parts", {"--resume", "--normalize", "standard"});
  EXPECT_EQ(refused.status, 2) << refused.err;
  EXPECT_NE(refused.err.find("the run cannot go on: model/"), std::string::npos) << refused.err;
}

TEST_F(DistillOptions, ThatDoNotFitAreNamed) {
  const auto error = [](const Outcome& outcome) {
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    return outcome.err.substr(0, outcome.err.find('\n'));
  };
  const std::string teacher = folder_ / "teacher";
  EXPECT_EQ(error(train("x", {"--distill-weight", "1"})),
            "error: --distill-weight: says how --teacher is listened to, which is missing");
  EXPECT_EQ(error(train("x", {"--distill-temperature", "1"})),
            "error: --distill-temperature: says how --teacher is listened to, which is missing");
  EXPECT_EQ(error(distill("x", {"--distill-weight", "1.5"})),
            "error: --distill-weight: must be from 0 to 1, got 1.5");
  EXPECT_EQ(error(distill("x", {"--distill-temperature", "0"})),
            "error: --distill-temperature: must be above 0, got 0");
  EXPECT_EQ(error(distill("x", {"--loss", "hinge"})),
            "error: --loss: excludes --teacher, which brings a loss of its own");
  EXPECT_EQ(error(distill("x", {"--class-weights", "balanced"})),
            "error: --class-weights: excludes --teacher, which brings a loss of its own");
  EXPECT_EQ(error(distill("x", {"--dtype", "f64"})),
            "error: --dtype: the weights of the teacher " + teacher + " are f32, got f64");
  EXPECT_EQ(error(distill("x", {"--normalize", "none"})),
            "error: --normalize: the teacher scales its inputs by standard, got none");
  EXPECT_EQ(error(distill("x", {"--validation", "0.2"})),
            "error: --teacher: it scales its inputs by what its own training data was (standard), "
            "which is not this data; train it on this data, or both with other --normalize");
  EXPECT_EQ(error(distill("x", {"--task", "regression"})),
            "error: --teacher: a teacher is of classes, the labels of " + points_ + " are numbers");
}

TEST_F(DistillOptions, ATeacherGivesLogitsOfTheSameSamples) {
  ASSERT_EQ(train("sure", {"--loss", "sparse_categorical_cross_entropy"}).status, 0);
  const Outcome outcome = train("x", {"--teacher", folder_ / "sure"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "error: --teacher: " + (folder_ / "sure") +
                             " was trained with sparse_categorical_cross_entropy; a teacher gives "
                             "logits of classes\n");
  io::write_file_atomically(folder_ / "wide.csv", std::string_view("a,b,c,k\n1,2,3,0\n4,5,6,1\n"));
  std::vector<std::string> arguments =
      train_arguments(folder_ / "wide.csv", folder_ / "y", {"--teacher", folder_ / "teacher"});
  EXPECT_EQ(run_tenon(arguments).err, "error: --teacher: " + (folder_ / "teacher") +
                                          " takes samples of f32[2], those of " +
                                          (folder_ / "wide.csv") + " are f32[3]\n");
  EXPECT_EQ(train("x", {"--teacher", folder_ / "nobody"}).err,
            "error: cannot load " + (folder_ / "nobody") + ": there is no such folder\n");
}

}  // namespace
}  // namespace tenon::cli
