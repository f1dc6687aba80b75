#include "tenon/train/known_ids.h"

#include <algorithm>

#include "tenon/base/error.h"
#include "tenon/base/text.h"
#include "tenon/nn/embedding.h"
#include "tenon/nn/part_visitor.h"

namespace tenon {
namespace {

class TableFinder final : public nn::PartVisitor {
 public:
  using PartVisitor::operator();
  void operator()(std::string_view, nn::Layer& layer) override { look(layer); }
  void operator()(std::string_view, std::vector<nn::Layer>& layers) override {
    for (nn::Layer& layer : layers) look(layer);
  }
  void look(nn::Layer& layer) {
    if (const auto* table = layer.get<nn::Embedding>()) rows = std::max(rows, table->rows);
    layer.fields(*this);
  }

  std::int64_t rows = 0;
};

}  // namespace

std::int64_t known_ids(const nn::Layer& model) {
  TableFinder finder;
  nn::Layer same = model;  // a handle; nothing is changed
  finder.look(same);
  return finder.rows;
}

std::optional<std::size_t> first_unknown_id(std::span<const std::int32_t> ids, std::int64_t known) {
  if (known == 0) return std::nullopt;
  const auto found =
      std::ranges::find_if(ids, [known](std::int32_t id) { return id < 0 || id >= known; });
  if (found == ids.end()) return std::nullopt;
  return static_cast<std::size_t>(found - ids.begin());
}

void require_known_ids(std::span<const std::int32_t> ids, std::int64_t row_elements,
                       std::int64_t known, std::string_view purpose, std::string_view name) {
  const std::optional<std::size_t> place = first_unknown_id(ids, known);
  if (!place) return;
  const auto row = static_cast<std::size_t>(std::max<std::int64_t>(row_elements, 1));
  throw UserError(fmt::format("{}: sample {} of {} has the id {}; the model knows 0 to {}", purpose,
                              *place / row, in_quotes(name), ids[*place], known - 1));
}

}  // namespace tenon
