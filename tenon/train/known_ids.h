// Ids that a model looks up in its tables: which there are.
#pragma once
#include <optional>
#include <span>

#include "tenon/nn/layer.h"

namespace tenon {

// Rows of the largest nn::Embedding of the model: ids from 0 to below it are looked up somewhere.
// 0 if there is none.
std::int64_t known_ids(const nn::Layer& model);

// The place of the first id that is not from 0 to below `known`; nothing if all are, or `known` is
// 0.
std::optional<std::size_t> first_unknown_id(std::span<const std::int32_t> ids, std::int64_t known);

// UserError naming the sample and the id if there is such a place; samples have `row_elements` ids
// each.
void require_known_ids(std::span<const std::int32_t> ids, std::int64_t row_elements,
                       std::int64_t known, std::string_view purpose, std::string_view name);

}  // namespace tenon
