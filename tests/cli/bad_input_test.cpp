// Every bad option and file: one line, word for word, and the exit status.
#include "cli_testing.h"
#include "tenon/base/text.h"
#include "tenon/io/npz.h"
#include "tenon/models/catalog.h"

namespace tenon::cli {
namespace {

struct BadCall {
  std::vector<std::string> arguments;
  int status;
  std::string message;  // FOLDER stands for the test's folder
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t place = text.find(from); place != std::string::npos;
       place = text.find(from, place + to.size()))
    text.replace(place, from.size(), to);
  return text;
}

void expect_refused(const std::vector<BadCall>& calls, const TemporaryFolder& folder) {
  for (const BadCall& call : calls) {
    std::vector<std::string> arguments;
    std::string shown;
    for (const std::string& argument : call.arguments) {
      arguments.push_back(replaced(argument, "FOLDER", folder / ""));
      shown += argument + " ";
    }
    const Outcome outcome = run_tenon(arguments);
    EXPECT_EQ(outcome.status, call.status) << shown;
    EXPECT_EQ(replaced(outcome.err, folder / "", "FOLDER"), "error: " + call.message + "\n")
        << shown;
    EXPECT_EQ(outcome.out, "") << shown;
  }
}

std::vector<std::string> train(const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {
      "train", "--model", "mlp", "--data", "csv:FOLDERpoints.csv", "--device", "reference"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(BadOptions, GiveOneLineAndStatus2) {
  const TemporaryFolder folder;
  write_points(folder / "points.csv", 12);
  io::write_file_atomically(folder / "text.txt", std::string(500, 'a'));
  expect_refused(
      {
          {{},
           2,
           "a command is missing: train, evaluate, predict, generate, report, compress, inspect, "
           "profile, bench, devices, cache"},
          {{"tran"},
           2,
           "unknown command \"tran\"; known: train, evaluate, predict, generate, report, compress, "
           "inspect, profile, bench, devices, cache; did you mean \"train\"?"},
          {{"train"}, 2, "--model: missing, as in --model lenet"},
          {{"train", "--out", "FOLDERrun", "--resume"},
           2,
           "--model: missing, as in --model lenet; help: repeat all options that the run began "
           "with, and add --resume"},
          {{"train", "--model", "mlp"}, 2, "--data: missing, as in --data fashion-mnist"},
          {{"train", "--model", "nlp"},
           2,
           fmt::format("--model: unknown model \"nlp\"; known: {}; did you mean \"mlp\"?",
                       join(models::model_names(), ", "))},
          {train({"--lerning-rate", "1"}), 2,
           "train: unknown option \"--lerning-rate\"; did you mean \"--learning-rate\"?"},
          {train({"more"}), 2, "train: unexpected argument \"more\""},
          {train({"--epochs"}), 2, "--epochs: a value is missing"},
          {train({"--epochs", "1", "--epochs", "2"}), 2, "--epochs: given more than once"},
          {train({"--epochs", "-1"}), 2,
           "--epochs: expected a whole number from 0 to 1099511627776, got \"-1\""},
          {train({"--epochs", "1.5"}), 2,
           "--epochs: expected a whole number from 0 to 1099511627776, got \"1.5\""},
          {train({"--epochs", "99999999999999999999"}), 2,
           "--epochs: expected a whole number from 0 to 1099511627776, got "
           "\"99999999999999999999\""},
          {train({"--batch-size", "0"}), 2,
           "--batch-size: expected a whole number from 1 to 16777216, got \"0\""},
          {train({"--batch-size", "many"}), 2,
           "--batch-size: expected a whole number from 1 to 16777216, got \"many\""},
          {train({"--hidden", "8,,4"}), 2,
           "--hidden: expected a whole number from 1 to 16777216, got \"\""},
          {train({"--hidden", "8,-4"}), 2,
           "--hidden: expected a whole number from 1 to 16777216, got \"-4\""},
          {train({"--filters", "6,16"}), 2, "--filters: mlp has no convolutions; it is for lenet"},
          {train({"--activation", "rely"}), 2,
           "--activation: unknown activation \"rely\"; known: linear, relu, leaky_relu, elu, gelu, "
           "gelu_tanh, silu, sigmoid, tanh, softmax, log_softmax, softplus, relu6, selu, mish, "
           "log_sigmoid, hard_sigmoid, hard_swish; did you mean "
           "\"relu\"?"},
          {train({"--optimizer", "adan"}), 2,
           "--optimizer: unknown value \"adan\"; known: adam, adamw, sgd, gradient_descent, "
           "adamax, nadam, rmsprop, adagrad, adadelta, lion, lamb, adafactor, muon; did you mean "
           "\"adam\"?"},
          {train({"--learning-rate", "0"}), 2,
           "--learning-rate: expected a number finite and above 0, got \"0\""},
          {train({"--learning-rate", "nan"}), 2, "--learning-rate: expected a number, got \"nan\""},
          {train({"--learning-rate", "1e-300"}), 2, "--learning-rate: 1e-300 does not fit f32"},
          {train({"--optimizer", "sgd", "--momentum", "1.5"}), 2,
           "--momentum: expected a number in [0, 1), got \"1.5\""},
          {train({"--optimizer", "sgd", "--momentum", "1"}), 2,
           "--momentum: expected a number in [0, 1), got \"1\""},
          {train({"--task", "regression", "--metrics", "accuracy"}), 2,
           "--metrics: accuracy is of classes, the labels of FOLDERpoints.csv are numbers; none is "
           "what they have"},
          {train({"--loss", "mean_squared_error", "--metrics", "accuracy"}), 2,
           "--metrics: accuracy is of classes, mean_squared_error is a loss of numbers; none is "
           "what it has"},
          {train({"--label", "clas"}), 2,
           "--label: FOLDERpoints.csv: no column is named \"clas\"; did you mean \"class\"?"},
          {train({"--label", "9"}), 2,
           "--label: FOLDERpoints.csv: no column is named \"9\", and there are 3 columns"},
          {train({"--momentum", "0.5"}), 2,
           "--momentum: adam has none; it is for sgd, rmsprop and muon"},
          {train({"--nesterov"}), 2, "--nesterov: adam has none; it is for sgd"},
          {train({"--clip-norm", "-1"}), 2,
           "--clip-norm: expected a number finite and 0 or more, got \"-1\""},
          {train({"--clip-norm", "much"}), 2, "--clip-norm: expected a number, got \"much\""},
          {train({"--schedule", "cosin"}), 2,
           "--schedule: unknown value \"cosin\"; known: constant, step, exponential, polynomial, "
           "cosine, one_cycle, cyclical, inverse_square_root, plateau; did you mean \"cosine\"?"},
          {train({"--schedule-every", "5"}), 2,
           "--schedule-every: constant has none; it is for step and exponential"},
          {train({"--schedule", "plateau", "--schedule-reduction", "1"}), 2,
           "--schedule-reduction: expected a number in [0, 1), got \"1\""},
          {train({"--schedule", "plateau", "--schedule-patience", "-1"}), 2,
           "--schedule-patience: expected a whole number from 0 to 1099511627776, got \"-1\""},
          {train({"--rate-for", "dense"}), 2,
           "--rate-for: expected PATTERN=FACTOR, as in \"embedding/*=0.1\", got \"dense\""},
          {train({"--rate-for", "dense*=1", "--rate-for", "*=-2"}), 2,
           "--rate-for: \"*=-2\": the factor must be finite and 0 or more, got -2"},
          {train({"--no-decay", ""}), 2,
           "--no-decay: expected a pattern of names, as in \"*/bias\", got nothing"},
          {train({"--constraint", "*:max_norn=2"}), 2,
           "--constraint: unknown constraint \"max_norn\"; known: max_norm, unit_norm, "
           "non_negative; did you mean \"max_norm\"?"},
          {train({"--max-norm", "0"}), 2, "--max-norm: must be above 0, got \"0\""},
          {train({"--max-norm", "inf"}), 2, "--max-norm: expected a number, got \"inf\""},
          {train({"--lookahead", "0"}), 2,
           "--lookahead: expected a whole number from 1 to 1099511627776, got \"0\""},
          {train({"--lookahead", "5:1"}), 2,
           "--lookahead: alpha must be above 0 and below 1, got \"1\""},
          {train({"--lookahead", "5:0.5:2"}), 2,
           "--lookahead: expected STEPS:ALPHA, as in 5:0.5, got \"5:0.5:2\""},
          {train({"--penalty", "l2"}), 2,
           "--penalty: expected l1:NUMBER or l2:NUMBER, as in l2:0.0001, got \"l2\""},
          {train({"--penalty", "l2:1e999"}), 2,
           "--penalty: \"l2:1e999\": a finite number of 0 or more expected, got \"1e999\""},
          {train({"--class-weights", "equal"}), 2,
           "--class-weights: expected a number, got \"equal\""},
          {train({"--class-weights", "1,-1,1"}), 2,
           "--class-weights: a weight must be 0 or more, got \"-1\""},
          {train({"--class-weights", "1,2"}), 2,
           "--class-weights: FOLDERpoints.csv has 3 classes, got 2 weights"},
          {train({"--class-weights", "balanced", "--task", "regression"}), 2,
           "--class-weights: the labels of FOLDERpoints.csv are numbers"},
          {train({"--class-weights", "1,2,3", "--loss",
                  "sparse_categorical_focal_cross_entropy_from_logits"}),
           2,
           "--class-weights: sparse_categorical_focal_cross_entropy_from_logits takes none; the "
           "cross entropies do"},
          {train({"--loss", "triplet"}), 2,
           "--loss: triplet takes no labels as data sets have them; it is for programs"},
          {train({"--schedule", "step", "--schedule-every", "1.5"}), 2,
           "--schedule-every: expected a whole number from 1 to 1099511627776, got \"1.5\""},
          {train({"--schedule", "step", "--schedule-reduction", "0"}), 2,
           "--schedule-reduction: expected a number finite and above 0, got \"0\""},
          {train({"--warmup-steps", "-1"}), 2,
           "--warmup-steps: expected a whole number from 0 to 1099511627776, got \"-1\""},
          {train({"--optimizer", "gradient_descent", "--weight-decay", "0.5"}), 2,
           "--weight-decay: gradient_descent has none; it is for adam, adamw, sgd, adamax, nadam, "
           "rmsprop, adagrad, adadelta, lion, lamb, adafactor and muon"},
          {train({"--loss", "mse"}), 2,
           "--loss: unknown loss \"mse\"; known: sparse_categorical_cross_entropy_from_logits, "
           "sparse_categorical_cross_entropy, categorical_cross_entropy_from_logits, "
           "categorical_cross_entropy, binary_cross_entropy_from_logits, binary_cross_entropy, "
           "mean_squared_error, "
           "mean_absolute_error, huber, hinge, kl_divergence_from_logits, kl_divergence, "
           "cosine_similarity, sparse_categorical_focal_cross_entropy_from_logits, "
           "sparse_categorical_focal_cross_entropy, categorical_focal_cross_entropy_from_logits, "
           "categorical_focal_cross_entropy, binary_focal_cross_entropy_from_logits, "
           "binary_focal_cross_entropy, entropy_from_logits, entropy, ctc, triplet, triplet_hard, "
           "triplet_semi_hard, contrastive, info_nce, nt_xent; did you mean "
           "\"mean_squared_error\"?"},
          {train({"--loss", "binary_cross_entropy"}), 2,
           "--loss: binary_cross_entropy takes two classes, FOLDERpoints.csv has 3"},
          {train({"--loss", "categorical_cross_entropy"}), 2,
           "--loss: categorical_cross_entropy takes one target per class, the labels of "
           "FOLDERpoints.csv are classes; sparse_categorical_cross_entropy takes them"},
          {train({"--loss", "kl_divergence_from_logits"}), 2,
           "--loss: kl_divergence_from_logits takes one target per class, the labels of "
           "FOLDERpoints.csv are classes; sparse_categorical_cross_entropy_from_logits takes them"},
          {train({"--freeze", "*"}), 2, "--freeze: * leaves no weight to train"},
          {train({"--no-decay", "denze"}), 2,
           "--no-decay: no weight is of the pattern \"denze\"; help: the weights are "
           "dense/kernel, dense/bias, dense_1/kernel, dense_1/bias, dense_2/kernel, dense_2/bias"},
          {train({"--constraint", "*kernel:max_norm=3:axes=7"}), 2,
           "--constraint: constraint \"*kernel:max_norm=3:axes=7\": axis 7 is none of "
           "\"dense/kernel\", which is f32[2,128]"},
          {train({"--penalty", "l2:0.1:zzz*"}), 2,
           "--penalty: no weight is of the pattern \"zzz*\"; help: the weights are "
           "dense/kernel, dense/bias, dense_1/kernel, dense_1/bias, dense_2/kernel, dense_2/bias"},
          {train({"--task", "regression", "--loss", "sparse_categorical_cross_entropy"}), 2,
           "--loss: sparse_categorical_cross_entropy takes classes, the labels of FOLDERpoints.csv "
           "are numbers; mean_squared_error takes them"},
          {train({"--metrics", "exactness"}), 2,
           "--metrics: unknown metric \"exactness\"; known: "
           "accuracy, top_k_accuracy, precision, recall, f1, macro_precision, macro_recall, "
           "macro_f1, specificity, balanced_accuracy, matthews_correlation, cohen_kappa, mean_iou, "
           "dice, "
           "roc_auc, pr_auc, log_loss, perplexity, mean_squared_error, mean_absolute_error, "
           "root_mean_squared_error, r2"},
          {train({"--task", "guessing"}), 2,
           "--task: unknown value \"guessing\"; known: classification, regression, reconstruction"},
          {train({"--validation", "1.5"}), 2,
           "--validation: a fraction above 0 and below 1 expected, got \"1.5\""},
          {train({"--validation", "0.01"}), 2,
           "--validation: 0.01 of 12 samples leaves one part empty"},
          {train({"--validation", "csw:x"}), 2,
           "--validation: unknown data \"csw:x\"; known: fashion-mnist, idx:FOLDER, "
           "cifar10:FOLDER, images:FOLDER, csv:FILE, npz:FILE, text:FILE, wav:FOLDER, "
           "parquet:FILE, arrow:FILE, tfrecord:GLOB, tar:GLOB, stream:ADDRESS; did you mean "
           "\"csv\"?"},
          {train({"--normalize", "0,2"}), 2,
           "--normalize: normalization \"0,2\": 0,1 or -1,1 or standard or channels or none "
           "expected"},
          {train({"--dtype", "f16"}), 2, "--dtype: unknown value \"f16\"; known: f32, f64"},
          {train({"--threads", "-3"}), 2,
           "--threads: expected a whole number from 0 to 1024, got \"-3\""},
          {train({"--seed", "x"}), 2,
           "--seed: expected a whole number from 0 to 18446744073709551615, got \"x\""},
          {train({"--seed", "-1"}), 2,
           "--seed: expected a whole number from 0 to 18446744073709551615, got \"-1\""},
          {train({"--log-every", "0"}), 2,
           "--log-every: expected a whole number from 1 to 1099511627776, got \"0\""},
          {train({"--out", ""}), 2, "--out: expected a value, got an empty one"},
          {train({"--resume"}), 2, "--out: missing: the run to go on with"},
          {train({"--out", "FOLDERr", "--resume", "--overwrite"}), 2,
           "--resume: excludes --overwrite: go on with the run, or replace it"},
          {train({"--checkpoint-every", "5"}), 2,
           "--checkpoint-every: needs --out, where "
           "checkpoints go"},
          {{"train", "--model", "mlp", "--data", "csv"},
           2,
           "--data: \"csv\" names no file: csv:FILE expected"},
          {{"train", "--model", "mlp", "--data", "fashion-mnits"},
           2,
           "--data: unknown data \"fashion-mnits\"; known: fashion-mnist, idx:FOLDER, "
           "cifar10:FOLDER, images:FOLDER, csv:FILE, npz:FILE, text:FILE, wav:FOLDER, "
           "parquet:FILE, arrow:FILE, tfrecord:GLOB, tar:GLOB, stream:ADDRESS; did you mean "
           "\"fashion-mnist\"?"},
          {{"train", "--model", "mlp", "--data", "text:FOLDERtext.txt", "--label", "x"},
           2,
           "--label: only csv:, parquet:, arrow: and tfrecord: data has columns or features to "
           "choose from, the data is \"text:FOLDERtext.txt\""},
          {{"train", "--model", "mlp", "--data", "text:FOLDERtext.txt"},
           2,
           "--model: mlp takes numbers, the data's samples are i32[64]"},
          {{"train", "--model", "lenet", "--data", "csv:FOLDERpoints.csv"},
           2,
           "--model: lenet: images of shape [height, width] or [height, width, channels] expected, "
           "got [2]"},
          {train({"--device", "gpu"}), 2, "--device: given more than once"},
          {{"evaluate", "--data", "fashion-mnist"}, 2, "RUN: missing: the folder of a run"},
          {{"evaluate", "FOLDERrun"}, 2, "--data: missing, as in --data fashion-mnist"},
          {{"predict", "FOLDERrun"}, 2, "--input: missing: a .csv, .npy, .png or .jpg file"},
          {{"predict", "FOLDERrun", "--input", "FOLDERpoints.csv", "--output", "x.png"},
           2,
           "--output: a file ending in .csv or .npy expected, got \"x.png\""},
          {{"predict", "FOLDERrun", "--input", "x.npy", "--label", "class"},
           2,
           "--label: only a .csv file has columns to leave out"},
          {{"inspect"}, 2, "RUN: missing: the folder of a run, or --model"},
          {{"inspect", "FOLDERrun", "--model", "mlp"},
           2,
           "--model: excludes a run, which has its own"},
          {{"inspect", "--model", "mlp", "--input-shape", "28,x"},
           2,
           "--input-shape: expected a whole number from 1 to 16777216, got \"x\""},
          {{"cache", "--clean"}, 2, "cache: unknown option \"--clean\"; did you mean \"--clear\"?"},
          {{"devices", "--device", "gpu"}, 2, "devices: unknown option \"--device\""},
      },
      folder);
}

TEST(BadFiles, GiveOneLineAndStatus1) {
  const TemporaryFolder folder;
  write_points(folder / "points.csv", 12);
  ASSERT_EQ(run_tenon(train_arguments(folder / "points.csv", folder / "run")).status, 0);
  io::write_file_atomically(folder / "empty.csv", "");
  io::write_file_atomically(folder / "ragged.csv", "1,2,0\n1,2\n");
  io::write_file_atomically(folder / "half.csv", "1,2,0.5\n3,4,1\n");
  io::write_file_atomically(folder / "three.csv", "1,2,3\n");
  io::write_file_atomically(folder / "same.csv", "a,b,y\n1,2,x\n3,4,x\n");
  io::write_file_atomically(folder / "ones.csv", "a,b,y\n1,2,1\n3,4,1\n");
  io::write_file_atomically(folder / "large.csv", "a,b,y\n1,2,9000000\n");
  io::write_file_atomically(folder / "semicolons.csv", "a|b|y\n1|2|x\n3|4|z\n");
  io::write_npz(folder / "scalar.npz", {{"x", make_scalar(1.0f)}, {"y", make_scalar(1.0f)}});
  io::write_file_atomically(folder / "not.npz", "PK");
  io::write_file_atomically(folder / "not.npy", "PK");
  io::write_file_atomically(folder / "not.png", "PK");
  std::filesystem::copy(folder / "run", folder / "zero");
  io::write_file_atomically(
      folder / "zero/run.json",
      replaced(io::read_text_file(folder / "run/run.json"), "\"units\": 4", "\"units\": 0"));
  std::filesystem::create_directory(folder / "broken");
  io::write_file_atomically(folder / "broken/run.json", "{\"format\": 1,}");
  const auto with_data = [](const std::string& data) {
    return std::vector<std::string>{"train", "--model", "mlp", "--data", data};
  };
  expect_refused(
      {
          {with_data("csv:FOLDERnone.csv"), 1,
           "cannot read FOLDERnone.csv: No such file or directory"},
          {with_data("csv:FOLDER"), 1, "cannot read FOLDER: it is a folder"},
          {with_data("csv:FOLDERempty.csv"), 1, "FOLDERempty.csv: the file holds no records"},
          {with_data("csv:FOLDERhalf.csv"), 1,
           "FOLDERhalf.csv: line 1: the label 0.5 is not an integer; help: for numbers to predict, "
           "--task regression (CsvOptions::task in C++)"},
          {with_data("idx:FOLDERnone"), 1, "cannot read FOLDERnone: there is no such folder"},
          {with_data("idx:FOLDERrun"), 1,
           "FOLDERrun: neither train-images-idx3-ubyte nor train-images-idx3-ubyte.gz is there"},
          {with_data("csv:FOLDERsame.csv"), 1,
           "FOLDERsame.csv: only one class, \"x\"; two or more are needed"},
          {with_data("csv:FOLDERones.csv"), 1,
           "FOLDERones.csv: only one class, \"1\"; two or more are needed"},
          {with_data("csv:FOLDERlarge.csv"), 1,
           "FOLDERlarge.csv: line 2: the label 9000000 is not a class; classes are 0 to 1048575; "
           "help: for numbers to predict, --task regression (CsvOptions::task in C++)"},
          {with_data("csv:FOLDERsemicolons.csv"), 1,
           "FOLDERsemicolons.csv: the only column is the label; there are no features; help: "
           "fields "
           "are separated by commas, and line 1 holds \"|\""},
          {with_data("npz:FOLDERscalar.npz"), 1,
           "FOLDERscalar.npz: x is f32[]; an array needs a first axis that counts the samples"},
          {train({"--out", "FOLDERrun"}), 2,
           "--out: FOLDERrun holds a run already; go on with it by --resume, replace it by "
           "--overwrite, "
           "or choose another --out"},
          {train({"--out", "FOLDERrun", "--resume", "--hidden", "4", "--batch-size", "9"}), 2,
           "FOLDERrun/run.json: the run cannot go on: training/batch_size was 8, now it is 9"},
          {train({"--out", "FOLDERpoints.csv"}), 1,
           "cannot make the folder FOLDERpoints.csv: Not a directory"},
          {train({"--initial", "FOLDERnone.safetensors"}), 1,
           "cannot read FOLDERnone.safetensors: No such file or directory"},
          {train({"--initial", "FOLDERrun/model.safetensors", "--hidden", "5"}), 1,
           "FOLDERrun/model.safetensors: weight \"dense/kernel\" is f32[2,4], the model has "
           "f32[2,5]"},
          {{"evaluate", "FOLDERnone", "--data", "fashion-mnist"},
           1,
           "cannot load FOLDERnone: there is no such folder"},
          {{"evaluate", "FOLDER", "--data", "fashion-mnist"},
           1,
           "cannot load FOLDER: it holds no run (no run.json)"},
          {{"evaluate", "FOLDERbroken", "--data", "fashion-mnist"},
           1,
           "FOLDERbroken/run.json: line 1, column 14: syntax error while parsing object key - "
           "unexpected '}'; expected string literal"},
          {{"inspect", "FOLDERzero"},
           1,
           "FOLDERzero/run.json: the model cannot be built: Dense: units must be above 0, got 0; "
           "layer \"dense\" (dense, units 0, activation relu); input  f32[1,2] from \"x\""},
          {{"predict", "FOLDERrun", "--device", "reference", "--input", "FOLDERthree.csv"},
           1,
           "FOLDERthree.csv: 3 columns, the model takes 2; --label NAME leaves the label's out"},
          {{"predict", "FOLDERrun", "--device", "reference", "--input", "FOLDERnone.npy"},
           1,
           "cannot read FOLDERnone.npy: No such file or directory"},
      },
      folder);
  for (const std::string file : {"ragged.csv", "not.npz"}) {
    const std::string kind = file.substr(file.rfind('.') + 1);
    const Outcome outcome = run_tenon(with_data(kind + ":" + (folder / file)));
    EXPECT_EQ(outcome.status, 1);
    EXPECT_TRUE(outcome.err.starts_with("error: " + (folder / file) + ": ")) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
  for (const std::string file : {"not.npy", "not.png"}) {
    const Outcome outcome = run_tenon({"predict", folder / "run", "--device", "reference",
                                       "--input", folder / file, "--output", folder / "out.csv"});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_TRUE(outcome.err.starts_with("error: " + (folder / file) + ": ")) << outcome.err;
    EXPECT_FALSE(std::filesystem::exists(folder / "out.csv"));
  }
}

}  // namespace
}  // namespace tenon::cli
