// Progress of a fit for people: a callback that prints one line for each epoch.
#pragma once
#include <cstdio>
#include <memory>

#include "tenon/train/events.h"

namespace tenon {

// On a terminal a bar that moves with the steps and stays as the epoch's line; elsewhere that line
// alone:
//   epoch 1/12  469/469 [========================]  1.2 s  2.6 ms/step  loss 0.5034  accuracy
//   0.8216
// followed by the validation loss and metrics, if there are any. The stream must outlive the fit.
std::shared_ptr<Callback> print_progress(std::FILE* stream = stdout);

}  // namespace tenon
