// Lesson 7: tensors, broadcasting and gradients of gradients.
#include <tenon/tenon.h>

#include <cstdio>

using tenon::Tensor;

int main() {
  const Tensor x = tenon::constant({0.5f, 1.0f, 2.0f});
  const Tensor loss = tenon::sum(x * x * x);

  const Tensor first = tenon::grad(loss, x);                // 3 x^2
  const Tensor second = tenon::grad(tenon::sum(first), x);  // 6 x
  std::puts(first.to_string().c_str());
  std::puts(second.to_string().c_str());

  // Axes of extent 1 broadcast, as in NumPy.
  const Tensor column = tenon::reshape(x, {3, 1});
  std::puts((column + x).to_string().c_str());
  std::puts(tenon::einsum("i,j->ij", {x, x}).to_string().c_str());

  // Random numbers come from keys: the same key gives the same numbers, on every device.
  const Tensor key = tenon::random::key(7);
  std::puts(tenon::random::uniform(key, {3}).to_string().c_str());
}
