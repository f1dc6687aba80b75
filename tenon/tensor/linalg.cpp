#include "tenon/tensor/linalg.h"

#include "tenon/tensor/build.h"
#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/promotion.h"
#include "tenon/tensor/reduce.h"
#include "tenon/tensor/shape.h"

namespace tenon {
namespace {

// Dot of promoted operands with the given batch and contracting axes; bool counts as i32.
Tensor general_dot(const Tensor& x, const Tensor& y, Axes x_batch, Axes y_batch, Axes x_contract,
                   Axes y_contract) {
  std::vector<Tensor> v = promote_types(std::array{x, y}, "matmul");
  if (is_boolean(v[0].dtype())) v = {cast(v[0], DType::i32), cast(v[1], DType::i32)};
  ir::Dot dot;
  dot.lhs_batch = std::move(x_batch);
  dot.rhs_batch = std::move(y_batch);
  dot.lhs_contracting = std::move(x_contract);
  dot.rhs_contracting = std::move(y_contract);
  dot.result = v[0].dtype();
  return apply_op(std::move(dot), v);
}

}  // namespace

Tensor matmul(const Tensor& x, const Tensor& y) {
  require(x.rank() > 0 && y.rank() > 0, "matmul: operands must not be scalars, got {} and {}",
          x.type(), y.type());
  const Tensor a = x.rank() == 1 ? expand_dims(x, 0) : x;
  const Tensor b = y.rank() == 1 ? expand_dims(y, 1) : y;
  require(a.extent(-1) == b.extent(-2),
          "matmul: inner dimensions differ\n    x {}\n    y {}\n  {} != {}", x.description(),
          y.description(), a.extent(-1), b.extent(-2));
  Tensor result;
  if (b.rank() == 2) {  // also many rows at once: no batch axes needed
    result = general_dot(a, b, {}, {}, {a.rank() - 1}, {0});
  } else {
    const Shape a_lead(a.shape().begin(), a.shape().end() - 2);
    const Shape b_lead(b.shape().begin(), b.shape().end() - 2);
    const Shape lead = broadcast_shapes(a_lead, b_lead, "matmul");
    const auto widened = [&](const Tensor& t) {
      Shape shape = lead;
      shape.insert(shape.end(), t.shape().end() - 2, t.shape().end());
      return broadcast_to(t, shape);
    };
    Axes batch;
    for (std::size_t i = 0; i < lead.size(); ++i) batch.push_back(static_cast<std::int64_t>(i));
    const auto rank = static_cast<std::int64_t>(lead.size()) + 2;
    result = general_dot(widened(a), widened(b), batch, batch, {rank - 1}, {rank - 2});
  }
  Axes drop;
  if (x.rank() == 1) drop.push_back(-2);
  if (y.rank() == 1) drop.push_back(-1);
  return drop.empty() ? result : squeeze(result, drop);
}

Tensor dot(const Tensor& x, const Tensor& y) {
  require(x.rank() == 1 && y.rank() == 1, "dot: needs two vectors, got {} and {}", x.type(),
          y.type());
  return matmul(x, y);
}

Tensor outer(const Tensor& x, const Tensor& y) {
  require(x.rank() == 1 && y.rank() == 1, "outer: needs two vectors, got {} and {}", x.type(),
          y.type());
  return general_dot(x, y, {}, {}, {}, {});
}

Tensor tensordot(const Tensor& x, const Tensor& y, std::int64_t axes) {
  require(axes >= 0 && axes <= x.rank() && axes <= y.rank(),
          "tensordot: {} axes do not exist in {} and {}", axes, x.type(), y.type());
  Axes from_x, from_y;
  for (std::int64_t i = 0; i < axes; ++i) {
    from_x.push_back(x.rank() - axes + i);
    from_y.push_back(i);
  }
  return general_dot(x, y, {}, {}, from_x, from_y);
}

namespace {

struct Term {
  Tensor tensor;
  std::string letters;  // one per axis
};

// "ii" keeps the diagonal of the two axes.
Term without_repeats(Term term, std::string_view equation) {
  for (std::size_t i = 0; i < term.letters.size(); ++i) {
    const std::size_t j = term.letters.find(term.letters[i], i + 1);
    if (j == std::string::npos) continue;
    const std::int64_t n = term.tensor.shape()[i];
    require(n == term.tensor.shape()[j], "einsum \"{}\": axis '{}' has extents {} and {}", equation,
            term.letters[i], n, term.tensor.shape()[j]);
    const Shape& shape = term.tensor.shape();
    const Tensor on =
        equal(iota(shape, static_cast<std::int64_t>(i)), iota(shape, static_cast<std::int64_t>(j)));
    term.tensor =
        sum(where(on, term.tensor, zeros_like(term.tensor)), {static_cast<std::int64_t>(j)});
    term.letters.erase(j, 1);
    return without_repeats(std::move(term), equation);
  }
  return term;
}

// Sums the axes whose letter is in neither the result nor the other operand.
Term summed(Term term, std::string_view needed) {
  Axes axes;
  std::string kept;
  for (std::size_t i = 0; i < term.letters.size(); ++i)
    if (needed.find(term.letters[i]) == std::string_view::npos)
      axes.push_back(static_cast<std::int64_t>(i));
    else
      kept += term.letters[i];
  if (axes.empty()) return term;
  return {sum(term.tensor, axes), kept};
}

Tensor arranged(const Term& term, std::string_view result) {
  Axes permutation;
  for (const char letter : result)
    permutation.push_back(static_cast<std::int64_t>(term.letters.find(letter)));
  return permutation.empty() ? term.tensor : transpose(term.tensor, permutation);
}

}  // namespace

Tensor einsum(std::string_view equation, std::span<const Tensor> operands) {
  std::string text;
  for (const char c : equation)
    if (c != ' ') text += c;
  const std::size_t arrow = text.find("->");
  const std::string inputs = text.substr(0, arrow);
  std::vector<Term> terms;
  std::size_t start = 0;
  while (start <= inputs.size()) {
    const std::size_t comma = std::min(inputs.find(',', start), inputs.size());
    terms.push_back({{}, inputs.substr(start, comma - start)});
    start = comma + 1;
  }
  require(terms.size() == operands.size() && !operands.empty() && operands.size() <= 2,
          "einsum \"{}\": names {} operands, {} were given (one or two are possible)", equation,
          terms.size(), operands.size());
  std::string result;
  std::map<char, int> uses;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    for (const char letter : terms[i].letters) {
      require((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z'),
              "einsum \"{}\": '{}' is no letter", equation, letter);
      ++uses[letter];
    }
    require(static_cast<std::int64_t>(terms[i].letters.size()) == operands[i].rank(),
            "einsum \"{}\": operand {} is {}, but \"{}\" names {} axes", equation, i,
            operands[i].type(), terms[i].letters, terms[i].letters.size());
    terms[i].tensor = operands[i];
    terms[i] = without_repeats(terms[i], equation);
  }
  if (arrow == std::string::npos) {
    for (const auto& [letter, count] : uses)
      if (count == 1) result += letter;
  } else {
    result = text.substr(arrow + 2);
  }
  for (const char letter : result)
    require(uses.contains(letter) && std::ranges::count(result, letter) == 1,
            "einsum \"{}\": result axis '{}' must occur once and in an operand", equation, letter);
  if (terms.size() == 1) return arranged(summed(terms[0], result), result);

  Term a = summed(terms[0], result + terms[1].letters);
  Term b = summed(terms[1], result + a.letters);
  Axes a_batch, b_batch, a_contract, b_contract;
  std::string batch, a_free, b_free;
  for (std::size_t i = 0; i < a.letters.size(); ++i) {
    const std::size_t j = b.letters.find(a.letters[i]);
    if (j == std::string::npos) {
      a_free += a.letters[i];
      continue;
    }
    require(a.tensor.shape()[i] == b.tensor.shape()[j],
            "einsum \"{}\": axis '{}' has extents {} and {}", equation, a.letters[i],
            a.tensor.shape()[i], b.tensor.shape()[j]);
    const bool kept = result.find(a.letters[i]) != std::string::npos;
    (kept ? a_batch : a_contract).push_back(static_cast<std::int64_t>(i));
    (kept ? b_batch : b_contract).push_back(static_cast<std::int64_t>(j));
    if (kept) batch += a.letters[i];
  }
  for (const char letter : b.letters)
    if (a.letters.find(letter) == std::string::npos) b_free += letter;
  const Tensor product = general_dot(a.tensor, b.tensor, a_batch, b_batch, a_contract, b_contract);
  return arranged({product, batch + a_free + b_free}, result);
}

}  // namespace tenon
