#include "tenon/data/row_run.h"

namespace tenon::data {
namespace {

bool rows_fit(const Dataset& a, const Dataset& b) {
  const auto same = [](const Array& x, const Array& y) {
    return x.dtype() == y.dtype() && x.row_shape() == y.row_shape();
  };
  return same(a.x(), b.x()) && a.has_y() == b.has_y() && (!a.has_y() || same(a.y(), b.y()));
}

}  // namespace

bool RowRun::add(const LazySample& lazy) {
  const std::shared_ptr<const Dataset>& from = lazy.make.dataset();
  if (from == nullptr || lazy.make.row() < 0 || lazy.make.row() >= from->size()) return false;
  if (pieces_.empty() || pieces_.back().dataset != from) {
    if (!pieces_.empty() && !rows_fit(*pieces_.back().dataset, *from)) return false;
    pieces_.push_back({from, rows_.size()});
  }
  rows_.push_back(lazy.make.row());
  places_.push_back(lazy.place);
  return true;
}

void RowRun::clear() {
  pieces_.clear();
  rows_.clear();
  places_.clear();
}

LazySample RowRun::lazy(std::size_t i) const {
  std::size_t piece = 0;
  while (piece + 1 < pieces_.size() && pieces_[piece + 1].first <= i) ++piece;
  return {places_[i], {pieces_[piece].dataset, rows_[i]}};
}

void RowRun::fill(Batch& batch) const {
  const Dataset& first = *pieces_.front().dataset;
  fit(batch.x, {first.x().dtype(), first.x().row_shape()});
  if (first.has_y())
    fit(batch.y, {first.y().dtype(), first.y().row_shape()});
  else
    fit(batch.y, {DType::f32, {0}});
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const auto [dataset, from] = pieces_[i];
    const std::size_t to = i + 1 < pieces_.size() ? pieces_[i + 1].first : rows_.size();
    const std::span piece = std::span(rows_).subspan(from, to - from);
    const auto gather = [&, start = from](const Array& array, HostTensor& out) {
      array.gather(piece, out.bytes().data() + start * array.row_bytes());
    };
    gather(dataset->x(), batch.x);
    if (dataset->has_y()) gather(dataset->y(), batch.y);
  }
  batch.indices.clear();
  for (const SamplePlace& place : places_) batch.indices.push_back(place.index);
}

void RowRun::fit(HostTensor& tensor, TensorType type) const {
  type.shape.insert(type.shape.begin(), static_cast<std::int64_t>(rows_.size()));
  if (tensor.type() != type) tensor = HostTensor(std::move(type));
}

}  // namespace tenon::data
