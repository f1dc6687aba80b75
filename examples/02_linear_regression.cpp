// Lesson 2: placeholders are fed at every run; updates change Variables in place.
#include <tenon/tenon.h>

#include <cstdio>
#include <vector>

int main() {
  // y = 3 x + 2 on 64 points.
  tenon::HostTensor xs({tenon::DType::f32, {64}}), ys({tenon::DType::f32, {64}});
  for (int i = 0; i < 64; ++i) {
    const float x = static_cast<float>(i) / 32 - 1;
    xs.as<float>()[static_cast<std::size_t>(i)] = x;
    ys.as<float>()[static_cast<std::size_t>(i)] = 3 * x + 2;
  }

  const tenon::Variable slope(tenon::make_scalar(0.0f), "slope");
  const tenon::Variable offset(tenon::make_scalar(0.0f), "offset");
  const tenon::Tensor x = tenon::placeholder("x", xs.type());
  const tenon::Tensor y = tenon::placeholder("y", ys.type());
  const tenon::Tensor loss = tenon::mean(tenon::square(slope * x + offset - y));
  const auto updates = tenon::optim::Optimizer(tenon::optim::GradientDescent{.learning_rate = 0.1})
                           .minimize(loss, std::vector{slope, offset});

  tenon::Session session("cpu");
  for (int i = 1; i <= 100; ++i) {
    const auto fetched = session.run({loss}, {{x, xs}, {y, ys}}, updates);
    if (i % 10 == 0)
      std::printf("step %3d  loss %.6f\n", i, static_cast<double>(fetched[0].as<float>()[0]));
  }
  std::printf("slope %.3f  offset %.3f\n", static_cast<double>(session.read(slope).as<float>()[0]),
              static_cast<double>(session.read(offset).as<float>()[0]));
}
