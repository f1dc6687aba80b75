#include "tenon/io/npy.h"

#include <charconv>
#include <cstring>
#include <optional>

#include "tenon/base/text.h"
#include "tenon/io/elements.h"
#include "tenon/io/file.h"

namespace tenon::io {
namespace {

constexpr std::string_view kNpyMagic = "\x93NUMPY";

struct NpyHeader {
  ElementFormat format;
  bool fortran_order = false;
  Shape shape;
};

std::optional<ElementFormat> parse_descr(std::string_view descr) {
  if (descr.size() != 3 || std::string_view("<>|=").find(descr[0]) == std::string_view::npos)
    return std::nullopt;
  struct Row {
    std::string_view code;
    DType dtype;
    std::size_t size;
  };
  static constexpr Row kRows[] = {
      {"b1", DType::boolean, 1}, {"i1", DType::i8, 1},  {"u1", DType::u8, 1},
      {"i2", DType::i32, 2},     {"u2", DType::u32, 2}, {"i4", DType::i32, 4},
      {"u4", DType::u32, 4},     {"i8", DType::i64, 8}, {"u8", DType::u64, 8},
      {"f2", DType::f16, 2},     {"f4", DType::f32, 4}, {"f8", DType::f64, 8}};
  for (const Row& row : kRows)
    if (row.code == descr.substr(1)) return ElementFormat{row.dtype, row.size, descr[0] == '>'};
  return std::nullopt;
}

// The header is a Python dict literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class NpyHeaderParser {
 public:
  NpyHeaderParser(const std::string& file, std::uint64_t offset, std::string_view text)
      : file_(file), offset_(offset), text_(text) {}

  NpyHeader parse() {
    bool has_descr = false, has_order = false, has_shape = false;
    expect('{');
    while (!accept('}')) {
      skip_blanks();
      const std::size_t start = place_;
      const std::string_view key = quoted_text();
      bool* const seen = key == "descr"           ? &has_descr
                         : key == "fortran_order" ? &has_order
                         : key == "shape"         ? &has_shape
                                                  : nullptr;
      if (seen == nullptr || *seen) {
        place_ = start;
        fail("{} header key {}", seen == nullptr ? "unknown" : "repeated", in_quotes(key));
      }
      *seen = true;
      expect(':');
      if (key == "descr")
        parse_type();
      else if (key == "fortran_order")
        header_.fortran_order = boolean();
      else
        parse_shape();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (place_ != text_.size()) fail("text after the header's closing brace");
    for (const auto& [seen, key] :
         {std::pair{has_descr, "descr"}, {has_order, "fortran_order"}, {has_shape, "shape"}})
      if (!seen) fail("the header has no \"{}\"", key);
    return header_;
  }

 private:
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    fail_at(file_, offset_ + place_, format, std::forward<Args>(args)...);
  }
  void skip_blanks() {
    while (place_ < text_.size() && (text_[place_] == ' ' || text_[place_] == '\n')) ++place_;
  }
  bool accept(char c) {
    skip_blanks();
    if (place_ == text_.size() || text_[place_] != c) return false;
    ++place_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail("malformed header: '{}' expected", c);
  }
  std::string_view quoted_text() {
    skip_blanks();
    const char quote = place_ < text_.size() ? text_[place_] : '\0';
    if (quote != '\'' && quote != '"') fail("malformed header: a quoted name expected");
    const std::size_t end = text_.find(quote, place_ + 1);
    if (end == std::string_view::npos) fail("malformed header: a quote is not closed");
    const std::string_view content = text_.substr(place_ + 1, end - place_ - 1);
    place_ = end + 1;
    return content;
  }
  bool boolean() {
    skip_blanks();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (!text_.substr(place_).starts_with(word)) continue;
      place_ += word.size();
      return value;
    }
    fail("malformed header: True or False expected");
  }
  void parse_type() {
    skip_blanks();
    if (text_.substr(place_).starts_with('[')) fail("record arrays are not supported");
    const std::size_t start = place_;
    const std::string_view descr = quoted_text();
    const std::optional<ElementFormat> format = parse_descr(descr);
    if (!format) {
      place_ = start;
      fail("element type {} is not supported (bool, integers and f2, f4, f8 are)",
           in_quotes(descr));
    }
    header_.format = *format;
  }
  void parse_shape() {
    expect('(');
    while (!accept(')')) {
      skip_blanks();
      const char* begin = text_.data() + place_;
      const char* end = text_.data() + text_.size();
      std::int64_t extent = 0;
      const auto [stop, error] = std::from_chars(begin, end, extent);
      if (error == std::errc::result_out_of_range) fail("an extent does not fit in 63 bits");
      if (error != std::errc()) fail("malformed header: an extent expected");
      if (extent < 0) fail("negative extent {}", extent);
      if (header_.shape.size() == kMaxRank) fail("more than {} axes", kMaxRank);
      header_.shape.push_back(extent);
      place_ += static_cast<std::size_t>(stop - begin);
      if (place_ < text_.size() && text_[place_] == 'L') ++place_;  // Python 2 wrote 3L
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
  }

  const std::string& file_;
  std::uint64_t offset_;
  std::string_view text_;
  std::size_t place_ = 0;
  NpyHeader header_;
};

// `columns` holds the elements with the first axis fastest; returns them with the last one fastest.
HostTensor from_fortran_order(const HostTensor& columns, const Shape& shape) {
  HostTensor rows({columns.dtype(), shape});
  const std::size_t size = size_of(columns.dtype());
  Shape strides(shape.size());  // of the Fortran order
  std::int64_t stride = 1;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  Shape index(shape.size(), 0);
  std::int64_t from = 0;
  for (std::int64_t to = 0; to < rows.size(); ++to) {
    std::memcpy(rows.bytes().data() + to * size, columns.bytes().data() + from * size, size);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return rows;
}

}  // namespace

HostTensor read_npy(const ByteSource& source) {
  Cursor cursor(source);
  const std::string magic = cursor.text(kNpyMagic.size(), "the magic string");
  if (magic != kNpyMagic) fail_at(source.name(), 0, "not a .npy file: the magic string is missing");
  const auto major = cursor.little_endian<std::uint8_t>("the version");
  const auto minor = cursor.little_endian<std::uint8_t>("the version");
  if (major < 1 || major > 3 || minor != 0)
    fail_at(source.name(), kNpyMagic.size(), "version {}.{} is not supported (1.0, 2.0, 3.0 are)",
            major, minor);
  const std::uint64_t length = major == 1
                                   ? cursor.little_endian<std::uint16_t>("the header length")
                                   : cursor.little_endian<std::uint32_t>("the header length");
  const std::uint64_t start = cursor.offset();
  const std::string text = cursor.text(length, "the header");
  NpyHeader header = NpyHeaderParser(source.name(), start, text).parse();

  const std::optional<std::uint64_t> bytes = stored_bytes(header.shape, header.format.stored_size);
  if (bytes && *bytes < cursor.remaining())
    fail_at(source.name(), cursor.offset() + *bytes, "{} bytes after the data of {}",
            cursor.remaining() - *bytes, TensorType{header.format.dtype, header.shape});
  const bool transpose = header.fortran_order && header.shape.size() > 1;
  HostTensor tensor = read_elements(source, cursor.offset(), header.shape, header.format);
  return transpose ? from_fortran_order(tensor, header.shape) : tensor;
}

HostTensor read_npy(const std::filesystem::path& path) { return read_npy(ByteSource::open(path)); }

std::string npy_header(const TensorType& type) {
  require(type.dtype != DType::bf16,
          "NumPy has no bf16: convert the tensor {} to f32 before writing it as .npy", type);
  const char kind = is_boolean(type.dtype)    ? 'b'
                    : is_signed(type.dtype)   ? 'i'
                    : is_unsigned(type.dtype) ? 'u'
                                              : 'f';
  const std::size_t size = size_of(type.dtype);
  std::string dict = fmt::format("{{'descr': '{}{}{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                 size == 1 ? '|' : '<', kind, size, join(type.shape, ", "),
                                 type.rank() == 1 ? "," : "");
  // NumPy leaves room for the first extent to grow to 21 digits in place.
  constexpr std::size_t kGrowth = 21;
  if (type.rank() > 0) dict += std::string(kGrowth - fmt::formatted_size("{}", type.shape[0]), ' ');
  constexpr std::size_t kAlignment = 64, kPrefix = 10;  // magic, version, 16-bit length
  const std::size_t used = kPrefix + dict.size() + 1;
  dict += std::string((kAlignment - used % kAlignment) % kAlignment, ' ') + '\n';
  check(dict.size() < 65536, "npy header of {} bytes", dict.size());
  std::string header(kNpyMagic);
  header += '\x01';
  header += '\0';
  header += static_cast<char>(dict.size() & 0xff);
  header += static_cast<char>(dict.size() >> 8);
  return header + dict;
}

void write_npy(const std::filesystem::path& path, const HostView& tensor) {
  const std::string header = npy_header(tensor.type);
  AtomicFile file(path);
  file.write(header);
  file.write({static_cast<const std::byte*>(tensor.data),
              static_cast<std::size_t>(byte_size(tensor.type))});
  file.commit();
}

}  // namespace tenon::io
