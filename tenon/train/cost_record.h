// What a training cost, as the run folder keeps it: cost.json.
#pragma once
#include <filesystem>

#include "tenon/train/trainer.h"

namespace tenon {

// UserError if the file cannot be written.
void write_cost(const std::filesystem::path& file, const CostReport& cost);
// UserError naming the file and the key for what write_cost cannot have written.
CostReport read_cost(const std::filesystem::path& file);

}  // namespace tenon
