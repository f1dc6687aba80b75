// Embedding: a row of a table for each integer.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// ids [...] of integers in [0, rows) -> [..., width]. Ids out of range clamp. table [rows, width]
// is of the context's dtype.
struct Embedding {
  static constexpr std::string_view kKind = "embedding";
  std::int64_t rows = 1;
  std::int64_t width = 1;
  Initializer initializer{InitializerKind::normal, 0.02};
  Variable table{};
  // UserError unless ids are integers.
  Tensor operator()(const Tensor& ids, Context& context);
  void fields(FieldVisitor& visit) {
    visit("rows", rows);
    visit("width", width);
    visit("initializer", initializer);
    visit("table", table);
  }
};

}  // namespace tenon::nn
