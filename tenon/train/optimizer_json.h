// An optimizer and a schedule as a run's description says them: their kinds and their numbers.
#pragma once
#include "tenon/optim/optimizer.h"
#include "tenon/optim/schedule.h"
#include "tenon/train/json_fields.h"

namespace tenon {

// Options that are as usual are left out.
nlohmann::json optimizer_json(const optim::Optimizer& optimizer);
nlohmann::json schedule_json(const optim::Schedule& schedule);
// UserError naming file and key for what the other two cannot have given.
optim::Optimizer read_optimizer(JsonFields fields);
optim::Schedule read_schedule(JsonFields fields);

}  // namespace tenon
