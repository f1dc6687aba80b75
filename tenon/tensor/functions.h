// Every function of tensors.
#pragma once
#include "tenon/tensor/control.h"
#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/indexing.h"
#include "tenon/tensor/linalg.h"
#include "tenon/tensor/nn_functions.h"
#include "tenon/tensor/random.h"
#include "tenon/tensor/reduce.h"
#include "tenon/tensor/shape.h"
