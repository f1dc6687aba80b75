// Embedding: a row of a table for each integer.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// ids [...] of integers in [0, rows) -> [..., width]. Ids out of range clamp; a Trainer refuses
// data with ids that no table of its model has a row for. table [rows, width] is of the context's
// dtype. `mask_zero`: id 0 is padding, which the layers after this one leave out
// (Context::set_mask); ids are [batch, time] then.
struct Embedding {
  static constexpr std::string_view kKind = "embedding";
  std::int64_t rows = 1;
  std::int64_t width = 1;
  Initializer initializer{InitializerKind::normal, 0.02};
  bool mask_zero = false;
  Variable table{};
  // UserError unless ids are integers, and [batch, time] if they tell a mask.
  Tensor operator()(const Tensor& ids, Context& context);
  void fields(FieldVisitor& visit) {
    visit("rows", rows);
    visit("width", width);
    visit("initializer", initializer);
    visit("mask_zero", mask_zero);
    visit("table", table);
  }
};

}  // namespace tenon::nn
