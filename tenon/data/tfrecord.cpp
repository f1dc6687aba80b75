#include "tenon/data/tfrecord.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "tenon/base/scalar_convert.h"
#include "tenon/base/text.h"
#include "tenon/base/variant.h"
#include "tenon/data/file_list.h"
#include "tenon/data/finite.h"
#include "tenon/data/text.h"
#include "tenon/data/text_unicode.h"
#include "tenon/io/elements.h"
#include "tenon/io/image.h"
#include "tenon/io/tfrecord.h"

namespace tenon::data {
namespace {

[[noreturn]] void refuse_feature(const std::string& place, const FeatureSpec& spec,
                                 const std::string& reason) {
  throw UserError(fmt::format("{}: feature {}: {}", place, in_quotes(spec.name), reason));
}

// The shape with its -1 filled in so that it has `count` elements.
Shape shape_for(const std::string& place, const FeatureSpec& spec, std::int64_t count) {
  Shape shape = spec.type.shape;
  const auto open = std::ranges::find(shape, -1);
  if (open != shape.end()) {
    *open = 1;
    const std::int64_t others = element_count(shape);
    *open = others > 0 ? count / others : 0;
  }
  if (element_count(shape) != count)
    refuse_feature(place, spec,
                   fmt::format("{} values for the shape {}", count, to_string(spec.type.shape)));
  return shape;
}

template <class T>
HostTensor tensor_of_values(const std::string& place, const FeatureSpec& spec,
                            const std::vector<T>& values) {
  const auto count = static_cast<std::int64_t>(values.size());
  HostTensor tensor({spec.type.dtype, shape_for(place, spec, count)});
  with_element_type(spec.type.dtype, [&]<class To>(TypeTag<To>) {
    const std::span<To> out = tensor.as<To>();
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = convert_element<To>(values[i]);
      // Integers must arrive as they are; floats may be rounded.
      const bool kept = std::is_floating_point_v<T>
                            ? is_float(spec.type.dtype)
                            : !std::is_integral_v<To> || convert_element<T>(out[i]) == values[i];
      if (!kept || (std::is_unsigned_v<To> && values[i] < 0))
        refuse_feature(place, spec, fmt::format("{} does not fit {}", values[i], spec.type.dtype));
    }
  });
  return tensor;
}

HostTensor tensor_of_bytes(const std::string& place, const FeatureSpec& spec,
                           const std::vector<std::string>& texts,
                           const std::vector<std::string>& class_names) {
  if (texts.size() != 1)
    refuse_feature(place, spec, fmt::format("{} byte strings; one expected", texts.size()));
  const io::ByteSource bytes =
      io::ByteSource::borrow(fmt::format("{}: feature {}", place, in_quotes(spec.name)),
                             std::as_bytes(std::span(texts.front())));
  if (spec.image_channels) return io::read_image(bytes, *spec.image_channels);
  if (!class_names.empty() && spec.type == TensorType{DType::i32, {}}) {
    const auto found = std::ranges::find(class_names, texts.front());
    if (found == class_names.end())
      refuse_feature(place, spec,
                     fmt::format("{} is none of the {} classes{}", in_quotes(texts.front()),
                                 class_names.size(), did_you_mean(texts.front(), class_names)));
    return make_scalar(static_cast<std::int32_t>(found - class_names.begin()));
  }
  const std::size_t size = size_of(spec.type.dtype);
  if (texts.front().size() % size != 0)
    refuse_feature(
        place, spec,
        fmt::format("{} bytes are no whole number of {}", texts.front().size(), spec.type.dtype));
  const auto count = static_cast<std::int64_t>(texts.front().size() / size);
  return io::read_elements(bytes, 0, shape_for(place, spec, count), {spec.type.dtype, size});
}

void check_spec(const FeatureSpec& spec) {
  const auto open = std::ranges::count(spec.type.shape, -1);
  require(open <= 1 && std::ranges::all_of(spec.type.shape, [](auto n) { return n >= -1; }),
          "feature {}: the shape {}; extents of at least 0, and -1 for one of them, expected",
          in_quotes(spec.name), to_string(spec.type.shape));
  require(!spec.image_channels || *spec.image_channels == 1 || *spec.image_channels == 3,
          "feature {}: images of {} channels; 1 or 3 expected", in_quotes(spec.name),
          spec.image_channels.value_or(0));
}

HostTensor finite_feature(const io::Example& example, const FeatureSpec& spec,
                          const std::vector<std::string>& class_names, const std::string& place) {
  HostTensor tensor = feature_tensor(example, spec, class_names, place);
  require_finite(tensor, fmt::format("{}: feature {}", place, in_quotes(spec.name)));
  return tensor;
}

Pass records_of(const std::filesystem::path& file,
                const std::shared_ptr<const TfRecordOptions>& options, std::uint64_t epoch) {
  const auto reader = std::make_shared<io::TfRecordReader>(
      io::stream_of(io::ByteSource::open(file)), options->max_record_bytes);
  return [reader, options, epoch]() -> std::optional<LazySample> {
    const auto number = static_cast<std::int64_t>(reader->count());
    std::optional<std::vector<std::byte>> record = reader->next();
    if (!record) return std::nullopt;
    const auto origin = [reader, number] {
      return fmt::format("{}: record {}", reader->name(), number);
    };
    auto make = [options, origin, record = *std::move(record)] {
      const std::string place = origin();
      const io::Example example = io::read_example(record, place);
      Sample sample;
      sample.x = finite_feature(example, options->x, {}, place);
      if (options->y) sample.y = finite_feature(example, *options->y, options->class_names, place);
      return std::optional(std::move(sample));
    };
    return LazySample{{epoch, number}, std::move(make), origin};
  };
}

bool is_name_of(const std::string& name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

HostTensor feature_tensor(const io::Example& example, const FeatureSpec& spec,
                          const std::vector<std::string>& class_names, const std::string& place) {
  const auto found = example.find(spec.name);
  if (found == example.end()) {
    std::vector<std::string> names;
    for (const auto& [name, feature] : example) names.push_back(in_quotes(name));
    refuse_feature(place, spec,
                   fmt::format("there is none of that name, only {}",
                               names.empty() ? "no feature" : join(names, ", ")));
  }
  return std::visit(
      cases{[&](const std::vector<std::string>& texts) {
              return tensor_of_bytes(place, spec, texts, class_names);
            },
            [&](const std::vector<float>& values) { return tensor_of_values(place, spec, values); },
            [&](const std::vector<std::int64_t>& values) {
              return tensor_of_values(place, spec, values);
            }},
      found->second);
}

Pipeline tfrecord(const std::string& pattern, const TfRecordOptions& options) {
  check_spec(options.x);
  if (options.y) check_spec(*options.y);
  const std::vector<std::filesystem::path> files = files_of(pattern);
  const auto shared = std::make_shared<const TfRecordOptions>(options);
  return Pipeline::parts(
      static_cast<std::int64_t>(files.size()),
      [files, shared](std::int64_t i) {
        return Pipeline([file = files[static_cast<std::size_t>(i)], shared](std::uint64_t epoch) {
          return records_of(file, shared, epoch);
        });
      },
      options.files);
}

std::vector<std::string> texts_of_feature(const std::string& pattern, const std::string& name) {
  std::set<std::string> texts;
  for (const std::filesystem::path& file : files_of(pattern)) {
    io::TfRecordReader reader(io::stream_of(io::ByteSource::open(file)));
    while (const std::optional<std::vector<std::byte>> record = reader.next()) {
      io::Example example;
      try {
        example = io::read_example(*record, file.string());
      } catch (const UserError&) {
        continue;  // it is named when its turn comes
      }
      const auto found = example.find(name);
      if (found == example.end()) continue;
      if (const auto* list = std::get_if<std::vector<std::string>>(&found->second))
        texts.insert(list->begin(), list->end());
    }
  }
  // Names of classes are kept with a run.
  for (const std::string& text : texts)
    split_characters(text, fmt::format("{}: feature {}: {}", pattern, in_quotes(name),
                                       in_quotes(well_formed_utf8(text))));
  return {texts.begin(), texts.end()};
}

TfRecordOptions suggest_features(const std::string& pattern, const std::string& label,
                                 std::int64_t image_channels) {
  const std::filesystem::path file = files_of(pattern).front();
  io::TfRecordReader reader(io::stream_of(io::ByteSource::open(file)));
  const std::optional<std::vector<std::byte>> record = reader.next();
  require(record.has_value(), "{}: the file holds no records", file.string());
  const io::Example example = io::read_example(*record, file.string() + ": record 0");
  const auto spec_of = [&](const std::string& name, bool is_label) {
    FeatureSpec spec{name};
    const auto list_of = [&](DType dtype, std::size_t count) {
      spec.type = {dtype, {}};
      if (!is_label || count != 1) spec.type.shape = {static_cast<std::int64_t>(count)};
    };
    std::visit(cases{[&](const std::vector<std::string>&) {
                       if (is_label)
                         spec.type = {DType::i32, {}};
                       else
                         spec.image_channels = image_channels;
                     },
                     [&](const std::vector<float>& v) { list_of(DType::f32, v.size()); },
                     [&](const std::vector<std::int64_t>& v) { list_of(DType::i32, v.size()); }},
               example.at(name));
    return spec;
  };
  TfRecordOptions options;
  std::vector<std::string> others, names;
  for (const auto& [name, feature] : example) {
    names.push_back(in_quotes(name));
    if (label.empty() ? is_name_of(name, {"y", "label"}) && !options.y : name == label) {
      options.y = spec_of(name, true);
      options.y_is_text = std::holds_alternative<std::vector<std::string>>(feature);
    } else {
      others.push_back(name);
    }
  }
  require(label.empty() || options.y, "{}: no feature {}, only {}{}", file.string(),
          in_quotes(label), join(names, ", "), did_you_mean(label, others));
  const auto x = std::ranges::find_if(others, [](const std::string& name) {
    return is_name_of(name, {"x", "image"});
  });
  require(x != others.end() || others.size() == 1,
          "{}: which feature is x? There are {}; one called \"x\" or \"image\" expected",
          file.string(), names.empty() ? "none" : join(names, ", "));
  options.x = spec_of(x != others.end() ? *x : others.front(), false);
  return options;
}

}  // namespace tenon::data
