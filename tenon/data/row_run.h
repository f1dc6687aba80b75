// RowRun: rows of datasets that stand one after the other in a pass, gathered at once.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "tenon/data/batches.h"
#include "tenon/data/pipeline.h"

namespace tenon::data {

// Cleared and filled again and again, so that it keeps its memory.
class RowRun {
 public:
  // Adds the sample if it is a row of the same type.
  bool add(const LazySample& lazy);
  void reserve(std::int64_t rows);
  void clear();
  std::size_t size() const { return rows_.size(); }
  LazySample lazy(std::size_t i) const;
  // The same batch that collate would make of the samples, without making them. Allocates only if
  // the batch is of another type.
  void fill(Batch& batch) const;

 private:
  struct Piece {
    std::shared_ptr<const Dataset> dataset;
    std::size_t first = 0;  // of its rows in the run
  };
  void fit(HostTensor& tensor, DType dtype, std::span<const std::int64_t> row) const;
  std::vector<Piece> pieces_;
  std::vector<std::int64_t> rows_;
  std::vector<SamplePlace> places_;
};

}  // namespace tenon::data
