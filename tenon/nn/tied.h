// TiedDense: a head that scores each row of an embedding's table, which it shares.
#pragma once
#include "tenon/nn/activation.h"
#include "tenon/nn/layer.h"

namespace tenon::nn {

// x table^T (+ bias): x [..., width] -> [..., units]. Press, Wolf 2017. The table [units, width] is
// that of an nn::Embedding with as many rows:
//   nn::Embedding words{.rows = 65, .width = 128};
//   nn::Sequential{words, ..., nn::TiedDense{.units = 65, .table = words.table}}
struct TiedDense {
  static constexpr std::string_view kKind = "tied_dense";
  std::int64_t units = 1;
  bool use_bias = false;
  Initializer table_initializer{InitializerKind::normal, 0.02};  // if no other layer made it
  Initializer bias_initializer = zeros;
  Variable table{};
  Variable bias{};

  // UserError for an x that is no float [..., width], or another width than the table has.
  Tensor operator()(const Tensor& x, Context& context);
  void fields(FieldVisitor& visit) {
    visit("units", units);
    visit("use_bias", use_bias);
    visit("table_initializer", table_initializer);
    visit("bias_initializer", bias_initializer);
    visit("table", table);
    visit("bias", bias);
  }
};

}  // namespace tenon::nn
