// Teachers for nn::Distilled, made of a Trainer's model.
#pragma once
#include "tenon/nn/distilled.h"
#include "tenon/train/trainer.h"

namespace tenon {

// The model with its weights of now, for use in other sessions, where nothing trains them. It takes
// scaled inputs: the Trainer of the student must scale as this one does.
//   Trainer small{nn::Distilled{student, frozen_teacher(large), 4, 0.9}, options};
// UserError before build or fit.
nn::Layer frozen_teacher(Trainer& trainer);

}  // namespace tenon
