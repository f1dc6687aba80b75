#include <tenon/tenon.h>

#include <cstdio>

int main() {
  const tenon::Tensor a = tenon::constant({{1, 2}, {3, 4}});
  tenon::Session session("cpu");
  std::puts(tenon::to_string(session.run(tenon::matmul(a, a))).c_str());
}
