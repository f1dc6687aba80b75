// Lesson 1: constants are nodes of a graph; a Session computes them.
#include <tenon/tenon.h>

#include <cstdio>

int main() {
  const tenon::Tensor a = tenon::constant({{1, 2}, {3, 4}});
  const tenon::Tensor product = tenon::matmul(a, a);

  tenon::Session session("cpu");  // compiles the graph to native code
  std::puts(tenon::to_string(session.run(product)).c_str());

  // A concrete tensor also prints without a session.
  std::puts((a + 1.0f).to_string().c_str());
}
