// The options of a training by what a larger model gives.
#pragma once
#include <optional>
#include <string>

#include "tenon/cli/options.h"
#include "tenon/data/source.h"
#include "tenon/train/compression.h"

namespace tenon::cli {

struct DistillOptions {
  std::string teacher;              // a run folder
  std::string temperature, weight;  // empty: 2 and 0.5
};

// --teacher, --distill-temperature and --distill-weight.
void add_distill_options(CLI::App& app, DistillOptions& options);
// OptionError for numbers that cannot be, or that lack a teacher.
void check_distill_options(const DistillOptions& options);

// The run of the teacher; nothing without one. OptionError if it does not give logits of classes,
// or takes other samples than the data has or weights of another type. UserError for its files.
std::optional<Trainer> load_teacher(const DistillOptions& options, const data::Source& train,
                                    const LoadOptions& loading, DType dtype);
// A student of this teacher. The Trainer is to scale as the teacher does: require_same_scaling,
// once it is built.
nn::Layer with_teacher(nn::Layer student, Trainer& teacher, const DistillOptions& options);
// OptionError unless both scale their inputs alike.
void require_same_scaling(const Trainer& teacher, const Trainer& student);
// What the student lost and saved against its teacher, by this data, in the metrics that both have.
// The student is evaluated as its run folder `run` gives it: without the teacher's part of its
// loss. Without a run (empty) it is saved and loaded in a temporary folder.
Compression compare_with_teacher(Trainer& teacher, Trainer& student, const std::string& run,
                                 const data::Dataset& dataset, const LoadOptions& loading);

}  // namespace tenon::cli
