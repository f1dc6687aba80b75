// Opens the data that a command's options name, in memory or as a stream.
#pragma once
#include "tenon/cli/data_options.h"
#include "tenon/data/open_stream.h"
#include "tenon/train/trainer.h"

namespace tenon::cli {

// Reads the data; says on standard error which samples were skipped. `known` are the classes of a
// trained model, if there is one. UserError for files.
data::Opened open_data(const std::string& name, const DataOptions& options, DType dtype,
                       const std::vector<std::string>& known);
// Streams the data if its kind can be streamed; images, too. Bad samples are counted if the options
// say that they are skipped.
std::optional<data::OpenedStream> open_stream_data(const std::string& name,
                                                   const DataOptions& options, DType dtype);
// Says on standard error what was left out.
void report_skipped(const std::string& name, const data::BadSamples& bad);
// The options with the tokenizer that the run folder keeps, if none is given.
DataOptions with_tokenizer_of(const std::string& run, DataOptions options);
// The data as a trained model takes it: its label type, element type and classes.
data::Opened open_all_for(const Trainer& trainer, const DataOptions& options);
// Of that the test set where there is one.
data::Dataset open_data_for(const Trainer& trainer, const DataOptions& options);

// Whether the weights of samples are in a file of their own.
bool has_weights_file(const DataOptions& options);
// The samples with the weights of that file, if there is one. UserError if they do not fit.
data::Dataset with_weights_of_file(const data::Dataset& dataset, const DataOptions& options);

// Whether --validation is a fraction, and no name of data.
bool is_fraction_text(const std::string& validation);
// OptionError for "20%", which should be 0.2.
void check_no_percent(const std::string& validation);
// The part to train on, and the fraction `validation` of the samples that is held out of it: the
// same ones for the same seed. OptionError unless both have samples.
data::Dataset::Parts split_validation(const data::Dataset& dataset, const std::string& validation,
                                      std::uint64_t seed);

// data::csv, whose label was given by an option: OptionError if there is no such column.
data::Dataset read_csv_for(std::string_view option, const std::string& file,
                           const data::CsvOptions& options);
// The samples as their own targets. `normalize`: as --normalize says; empty: as the Trainer does.
void make_reconstruction(data::Dataset& train, std::optional<data::Dataset>& validation,
                         std::optional<data::Dataset>& test, const std::string& normalize);

// UserError if all labels are of one class.
void require_two_classes(const data::Dataset& dataset);

}  // namespace tenon::cli
