// tenon report: what the page holds, and what cannot become one.
#include <cmath>
#include <regex>

#include "cli_testing.h"
#include "tenon/io/npz.h"

namespace tenon::cli {
namespace {

std::size_t count_of(const std::string& part, const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

// The content of the section with this id, or "".
std::string section_of(const std::string& page, const std::string& id) {
  const std::size_t start = page.find("<section id=\"" + id + "\"");
  if (start == std::string::npos) return "";
  return page.substr(start, page.find("</section>", start) - start);
}

class Reports : public testing::Test {
 protected:
  // Trains on the file and gives the page about it.
  std::string page_of(const std::string& data, const std::vector<std::string>& more = {}) {
    const Outcome trained = run_tenon(train_arguments(data, run_, more));
    EXPECT_EQ(trained.status, 0) << trained.err;
    std::vector<std::string> arguments = {"report",      run_,        "--data",
                                          "csv:" + data, "--out",     folder_ / "page.html",
                                          "--device",    "reference", "--json"};
    const Outcome outcome = run_tenon(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    told_ = nlohmann::json::parse(outcome.out, nullptr, false);
    return io::read_text_file(folder_ / "page.html");
  }
  const TemporaryFolder folder_;
  const std::string run_ = folder_ / "run", points_ = folder_ / "points.csv";
  nlohmann::json told_;
};

TEST_F(Reports, SayWhatEvaluateSays) {
  write_points(points_, 30);
  const std::string page = page_of(points_);
  const nlohmann::json evaluation = nlohmann::json::parse(
      run_tenon({"evaluate", run_, "--data", "csv:" + points_, "--device", "reference", "--json"})
          .out);
  EXPECT_EQ(told_["evaluation"]["accuracy"], evaluation["accuracy"]);
  EXPECT_NE(page.find(fmt::format("<b>{:.4g}</b><span>accuracy</span>",
                                  evaluation["accuracy"].get<double>())),
            std::string::npos);

  // The counts of the matrix are those samples; its diagonal is the accuracy.
  const std::string matrix = section_of(page, "confusion");
  const std::regex cell("<td class=\"(right|mistaken|none)\"[^>]*>(\\d+)</td>");
  std::int64_t all = 0, right = 0, cells = 0;
  for (std::sregex_iterator it(matrix.begin(), matrix.end(), cell), end; it != end; ++it) {
    const std::int64_t count = std::stoll((*it)[2]);
    all += count;
    ++cells;
    if ((*it)[1] == "right") right += count;
  }
  EXPECT_EQ(cells, 9);
  EXPECT_EQ(all, 30);
  EXPECT_NEAR(static_cast<double>(right) / 30, evaluation["accuracy"].get<double>(), 1e-6);
  const std::string mistakes = section_of(page, "mistakes");
  EXPECT_EQ(count_of("<figure>", mistakes), static_cast<std::size_t>(30 - right));
  EXPECT_EQ(told_["mistakes"], 30 - right);
  EXPECT_EQ(count_of("<polyline class=\"line ", section_of(page, "curves")), 2u * 1u);
  // Two layers with kernel and bias, each with a histogram of values and of gradients.
  EXPECT_EQ(count_of("<svg", section_of(page, "weights")), 8u);
  EXPECT_NE(section_of(page, "layers").find("<td>dense_1 (dense)</td><td>(None, 3)</td>"),
            std::string::npos)
      << section_of(page, "layers");
  EXPECT_NE(section_of(page, "cost").find("time of a step"), std::string::npos);
  EXPECT_NE(section_of(page, "training").find("<td>adam</td>"), std::string::npos);
}

TEST_F(Reports, NoTextBecomesMarkup) {
  std::string text = "a,b,label\n";
  const std::vector<std::string> labels = {"<script>alert(1)</script>",
                                           "\"\"' onload=x &amp; \xc3\xa9",
                                           "</table></section><img src=http://x>"};
  for (int i = 0; i < 30; ++i)
    text += fmt::format("{},{},\"{}\"\n", i % 5, i % 7, labels[static_cast<std::size_t>(i % 3)]);
  const std::string data = folder_ / "a <b> & 'c'.csv";
  io::write_file_atomically(data, text);
  const std::string page = page_of(data);
  EXPECT_EQ(count_of("<script", page), 0u);
  EXPECT_EQ(count_of("<img", page), 0u);
  EXPECT_GE(count_of("&lt;script&gt;alert(1)&lt;/script&gt;", page), 2u);
  EXPECT_GE(count_of("&quot;&#39; onload=x &amp;amp; \xc3\xa9", page), 2u);
  EXPECT_GE(count_of("a &lt;b&gt; &amp; &#39;c&#39;.csv", page), 1u);
  EXPECT_EQ(count_of("<section", page), count_of("</section>", page));
  EXPECT_EQ(count_of("</table>", page), count_of("<table", page));
  EXPECT_NE(page.find("content=\"default-src 'none';"), std::string::npos);
  // Nothing is asked of the network.
  const std::regex link("(src|href|action)\\s*=\\s*\"(?!data:)|url\\(|@import");
  EXPECT_FALSE(std::regex_search(page, link));
}

TEST_F(Reports, NumbersHaveErrorsInPlaceOfClasses) {
  std::string text = "a,b,target\n";
  for (int i = 0; i < 40; ++i) text += fmt::format("{},{},{}\n", i % 7, i % 3, i % 7 - 2 * (i % 3));
  io::write_file_atomically(points_, text);
  // As page_of, with --task in both commands.
  const std::vector<std::string> task = {"--task", "regression"};
  const std::string page = page_of(points_, task);
  const std::string errors = section_of(page, "errors");
  EXPECT_EQ(section_of(page, "confusion"), "");
  EXPECT_EQ(count_of("<circle class=\"point\"", errors), 40u);
  EXPECT_NE(errors.find("mean absolute error"), std::string::npos);
  EXPECT_EQ(count_of("off by", section_of(page, "mistakes")), 24u);
  const double square = told_["evaluation"]["loss"].get<double>();
  EXPECT_NE(errors.find(fmt::format("<td>{:.4g}</td>", std::sqrt(square))), std::string::npos)
      << square << errors;
}

TEST_F(Reports, ImagesThatWereMistakenAreShown) {
  std::vector<unsigned char> images, labels;
  for (int i = 0; i < 24; ++i) {
    labels.push_back(static_cast<unsigned char>(i % 2));
    // Both classes look alike.
    for (int k = 0; k < 16; ++k) images.push_back(static_cast<unsigned char>(i * 9 + k));
  }
  for (const char* part : {"train", "t10k"}) {
    write_idx(folder_ / fmt::format("{}-images-idx3-ubyte", part), {24, 4, 4}, images);
    write_idx(folder_ / fmt::format("{}-labels-idx1-ubyte", part), {24}, labels);
  }
  const std::string data = "idx:" + folder_ / "";
  const Outcome trained = run_tenon({"train", "--model", "mlp", "--hidden", "3", "--data", data,
                                     "--epochs", "1", "--device", "reference", "--out", run_});
  ASSERT_EQ(trained.status, 0) << trained.err;
  const Outcome outcome =
      run_tenon({"report", run_, "--data", data, "--mistakes", "5", "--device", "reference"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with(run_ + "/report.html (")) << outcome.out;
  const std::string page = io::read_text_file(run_ + "/report.html");
  EXPECT_EQ(count_of("src=\"data:image/png;base64,iVBORw0KGgo", section_of(page, "mistakes")), 5u);
}

TEST_F(Reports, WithoutDataTheRunAloneIsShown) {
  write_points(points_, 30);
  ASSERT_EQ(run_tenon(train_arguments(points_, run_)).status, 0);
  std::filesystem::remove(run_ + "/cost.json");
  std::filesystem::remove(run_ + "/metrics.csv");
  const Outcome outcome = run_tenon({"report", run_, "--device", "reference"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::string page = io::read_text_file(run_ + "/report.html");
  for (const char* id : {"confusion", "mistakes", "errors", "classes"})
    EXPECT_EQ(section_of(page, id), "") << id;
  EXPECT_NE(section_of(page, "curves").find("metrics.csv has no rows yet"), std::string::npos);
  EXPECT_NE(section_of(page, "cost").find("not kept by this run"), std::string::npos);
  EXPECT_NE(section_of(page, "cost").find("activations and workspace"), std::string::npos);
  EXPECT_EQ(count_of("<svg", section_of(page, "weights")), 4u);
}

TEST_F(Reports, NoMistakesAreShownIfNoneAreAskedFor) {
  write_points(points_, 30);
  ASSERT_EQ(run_tenon(train_arguments(points_, run_)).status, 0);
  const Outcome outcome = run_tenon(
      {"report", run_, "--data", "csv:" + points_, "--mistakes", "0", "--device", "reference"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::string page = io::read_text_file(run_ + "/report.html");
  EXPECT_EQ(count_of("<figure>", page), 0u);
  EXPECT_NE(section_of(page, "confusion"), "");
}

TEST_F(Reports, ADamagedCostFileCostsNoMoreThanItsNumbers) {
  write_points(points_, 30);
  ASSERT_EQ(run_tenon(train_arguments(points_, run_)).status, 0);
  io::write_file_atomically(run_ + "/cost.json", std::string_view("{\"seconds_per_epoch\": 1}"));
  const Outcome outcome = run_tenon({"report", run_, "--device", "reference"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::string cost = section_of(io::read_text_file(run_ + "/report.html"), "cost");
  EXPECT_NE(cost.find("not known: " + run_ + "/cost.json: samples_per_second"), std::string::npos)
      << cost;
  EXPECT_NE(cost.find("activations and workspace"), std::string::npos);
  EXPECT_EQ(outcome.err, "warning: " + run_ +
                             "/cost.json: samples_per_second: missing; the page lacks its times\n");
}

// What they give for plain tokens is no guess of the next ones.
TEST_F(Reports, ModelsWithTargetsOfTheirOwnHaveNoMistakes) {
  std::string text;
  for (int i = 0; i < 12; ++i) text += "abcdefghijklmnopqrstuvwxyz";
  io::write_file_atomically(folder_ / "text", text);
  const std::string data = "text:" + (folder_ / "text");
  for (const char* model : {"bert:layers=1:heads=1:width=4:hidden=4:dropout=0",
                            "electra:layers=1:heads=1:width=4:hidden=4:generator_width=4:"
                            "generator_heads=1:dropout=0"}) {
    const Outcome trained =
        run_tenon({"train", "--model", model, "--data", data, "--window", "8", "--epochs", "1",
                   "--device", "reference", "--overwrite", "--out", run_});
    ASSERT_EQ(trained.status, 0) << model << trained.err;
    EXPECT_EQ(trained.out.find("truth"), std::string::npos) << trained.out;
    const Outcome outcome = run_tenon(
        {"report", run_, "--data", data, "--window", "8", "--device", "reference", "--json"});
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(nlohmann::json::parse(outcome.out)["mistakes"], 0);
    const std::string page = io::read_text_file(run_ + "/report.html");
    for (const char* id : {"confusion", "errors", "mistakes"})
      EXPECT_EQ(section_of(page, id), "") << id;
  }
}

// Pixels without a class (-1) are neither right nor wrong.
TEST_F(Reports, PixelsWithoutAClassAreLeftOut) {
  HostTensor x({DType::f32, {6, 4, 4, 1}}), y({DType::i32, {6, 4, 4}});
  for (std::size_t i = 0; i < 96; ++i) {
    x.as<float>()[i] = static_cast<float>(i % 3);
    y.as<std::int32_t>()[i] = i % 4 == 0 ? -1 : static_cast<std::int32_t>(i % 3);
  }
  io::write_npz(folder_ / "masks.npz", {{"x", x}, {"y", y}});
  const std::string data = "npz:" + (folder_ / "masks.npz");
  const Outcome trained = run_tenon({"train", "--model", "unet:width=2:depth=1", "--data", data,
                                     "--epochs", "1", "--device", "reference", "--out", run_});
  ASSERT_EQ(trained.status, 0) << trained.err;
  const Outcome outcome = run_tenon({"report", run_, "--data", data, "--device", "reference"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::string matrix = section_of(io::read_text_file(run_ + "/report.html"), "confusion");
  const std::regex cell("<td class=\"(right|mistaken|none)\"[^>]*>(\\d+)</td>");
  std::int64_t all = 0;
  for (std::sregex_iterator it(matrix.begin(), matrix.end(), cell), end; it != end; ++it)
    all += std::stoll((*it)[2]);
  EXPECT_EQ(all, 72);
}

TEST_F(Reports, SayWhatIsWrong) {
  const auto refuse = [&](const std::vector<std::string>& arguments, int status,
                          const std::string& message) {
    const Outcome outcome = run_tenon(arguments);
    EXPECT_EQ(outcome.status, status) << outcome.err;
    EXPECT_EQ(outcome.err, "error: " + message + "\n");
  };
  refuse({"report"}, 2, "RUN: missing: the folder of a run");
  refuse({"report", folder_ / "none"}, 1,
         fmt::format("cannot load {}: there is no such folder", folder_ / "none"));
  std::filesystem::create_directory(folder_ / "empty");
  refuse({"report", folder_ / "empty"}, 1,
         fmt::format("cannot load {}: it holds no run (no run.json)", folder_ / "empty"));
  write_points(points_, 30);
  ASSERT_EQ(run_tenon(train_arguments(points_, run_)).status, 0);
  const std::string other = folder_ / "other.csv";
  io::write_file_atomically(other, std::string_view("1,2,3,0\n2,3,4,1\n1,2,3,2\n"));
  const Outcome outcome =
      run_tenon({"report", run_, "--data", "csv:" + other, "--device", "reference"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("are f32[3], the model was built for f32[2]"), std::string::npos)
      << outcome.err;
  EXPECT_FALSE(io::file_exists(run_ + "/report.html"));
  refuse({"report", run_, "--mistakes", "-1"}, 2,
         "--mistakes: expected a whole number from 0 to 1000, got \"-1\"");
}

}  // namespace
}  // namespace tenon::cli
