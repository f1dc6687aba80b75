#include "tenon/data/row_run.h"

#include <algorithm>
#include <array>

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

void RowRun::reserve(std::int64_t rows) {
  pieces_.reserve(1);
  rows_.reserve(static_cast<std::size_t>(rows));
  places_.reserve(static_cast<std::size_t>(rows));
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
  const auto row = [](const Array& array) { return std::span(array.type().shape).subspan(1); };
  constexpr std::array<std::int64_t, 1> kNothing = {0};
  fit(batch.x, first.x().dtype(), row(first.x()));
  if (first.has_y())
    fit(batch.y, first.y().dtype(), row(first.y()));
  else
    fit(batch.y, DType::f32, kNothing);
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

void RowRun::fit(HostTensor& tensor, DType dtype, std::span<const std::int64_t> row) const {
  const auto rows = static_cast<std::int64_t>(rows_.size());
  const Shape& known = tensor.shape();
  if (tensor.dtype() == dtype && known.size() == row.size() + 1 && known[0] == rows &&
      std::equal(row.begin(), row.end(), known.begin() + 1))
    return;
  TensorType type{dtype, {rows}};
  type.shape.insert(type.shape.end(), row.begin(), row.end());
  tensor = HostTensor(std::move(type));
}

}  // namespace tenon::data
