#include "tenon/cli/input_rows.h"

#include <algorithm>
#include <cmath>

#include "tenon/base/text.h"
#include "tenon/cli/open_data.h"
#include "tenon/data/resize.h"
#include "tenon/io/image.h"
#include "tenon/io/npy.h"
#include "tenon/io/png.h"

namespace tenon::cli {
namespace {

// The rows in another element type; UserError for a number that is not finite or does not fit it.
HostTensor fitted(const HostTensor& rows, DType dtype, const std::string& file) {
  HostTensor result = rows.dtype() == dtype ? rows : converted(rows, dtype);
  const std::int64_t width = rows.size() / std::max<std::int64_t>(rows.shape().front(), 1);
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const double value = element_as_double(rows, i), fitted_value = element_as_double(result, i);
    if (!std::isfinite(value)) [[unlikely]]
      throw UserError(
          fmt::format("{}: row {}: number {} is {}; only finite numbers can be predicted from",
                      file, i / width, i % width, value));
    if (is_float(dtype) ? !std::isfinite(fitted_value) : fitted_value != value) [[unlikely]]
      throw UserError(fmt::format(
          "{}: row {}: number {} is {}; it does not fit the model's inputs, which are {}", file,
          i / width, i % width, value, dtype));
  }
  return result;
}

// [N, row...] from rows of another shape with equally many numbers.
HostTensor shaped(HostTensor values, const TensorType& row, const std::string& file) {
  Shape shape = row.shape;
  shape.insert(shape.begin(), 1);
  if (values.shape() == row.shape) return values.reshaped(shape);  // one sample
  require(values.type().rank() > 0, "{}: a single number; rows of {} expected", file, row);
  shape.front() = values.shape().front();
  const Shape found(values.shape().begin() + 1, values.shape().end());
  const bool is_flat = found.size() == 1 && found.front() == element_count(row.shape);
  require(found == row.shape || is_flat, "{}: rows of shape {} found, the model takes {}", file,
          to_string(found), row);
  return values.reshaped(shape);
}

HostTensor csv_rows(const std::string& file, const TensorType& row, const std::string& left_out,
                    const data::TableColumns& columns) {
  data::CsvOptions options;
  options.dtype = row.dtype == DType::f64 ? DType::f64 : DType::f32;
  options.task = data::Task::unlabelled;
  options.label = left_out;
  options.features = columns.features;
  const data::Dataset table = read_csv_for("--label", file, options);
  const std::int64_t width = element_count(table.x().row_shape());
  const std::int64_t expected = element_count(row.shape);
  require(width == expected, "{}: {} columns, the model takes {}{}", file, width, expected,
          width == expected + 1 && left_out.empty() ? "; --label NAME leaves the label's out" : "");
  return table.x().tensor();
}

bool is_image_file(const std::string& file) {
  return file.ends_with(".png") || file.ends_with(".jpg") || file.ends_with(".jpeg");
}

// [height, width, channels], as many of them as a row has.
HostTensor image_for(const std::string& file, const TensorType& row) {
  const std::int64_t channels = row.rank() < 3 ? 1 : row.shape.back();
  if (channels == 1 || channels == 3) return io::read_image(io::ByteSource::open(file), channels);
  require(file.ends_with(".png"), "{}: a JPEG file has 1 or 3 channels, the model takes {}", file,
          row);
  return io::read_png(file, io::PngChannels::as_stored);
}

HostTensor image_rows(const std::string& file, const TensorType& row) {
  HostTensor image = image_for(file, row);
  const Shape found = image.shape();
  // Bytes are images; what else has two axes or more need not be of pixels.
  const bool can_resize = row.dtype == DType::u8 && row.rank() >= 2 && row.rank() <= 3 &&
                          row.shape[0] > 0 && row.shape[1] > 0;
  const bool fits = row.rank() >= 2 && found[0] == row.shape[0] && found[1] == row.shape[1];
  if (can_resize && !fits) image = data::resized_bilinear(image, row.shape[0], row.shape[1]);
  Shape sample = image.shape();
  if (row.rank() == 2) sample.pop_back();
  if (row.rank() == 1) sample = {image.size()};
  require(sample == row.shape, "{}: an image of {} by {} pixels, the model takes {}", file,
          found[1], found[0], row);
  return image.reshaped(sample);
}

}  // namespace

HostTensor read_input_rows(const std::string& file, const TensorType& row,
                           const std::string& left_out, const data::TableColumns& columns) {
  HostTensor values;
  if (file.ends_with(".csv"))
    values = csv_rows(file, row, left_out, columns);
  else if (file.ends_with(".npy"))
    values = io::read_npy(file);
  else if (is_image_file(file))
    values = image_rows(file, row);
  else
    refuse_option("--input", "a file ending in .csv, .npy, .png, .jpg or .jpeg expected, got {}",
                  in_quotes(file));
  return fitted(shaped(std::move(values), row, file), row.dtype, file);
}

}  // namespace tenon::cli
