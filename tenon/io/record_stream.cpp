#include "tenon/io/record_stream.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "tenon/base/interruption.h"
#include "tenon/base/text.h"
#include "tenon/io/crc32c.h"
#include "tenon/io/elements.h"
#include "tenon/io/json.h"

namespace tenon::io {
namespace {

constexpr std::string_view kRecordMagic = "TENONREC";
constexpr std::uint32_t kRecordVersion = 1, kRecordEnd = 0xffffffff;
constexpr std::uint32_t kMaxRecordHeaderBytes = 1 << 24;

void append_word(std::vector<std::byte>& bytes, std::uint32_t word) {
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::byte>(word >> (8 * i) & 0xff));
}

std::uint32_t word_of(std::span<const std::byte> bytes) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < 4; ++i) word |= static_cast<std::uint32_t>(bytes[i]) << (8 * i);
  return word;
}

Json type_json(const TensorType& type) {
  return {{"type", std::string(name(type.dtype))}, {"shape", type.shape}};
}

TensorType type_from_json(const Json& json, const char* key, const std::string& stream) {
  const auto good = [&] {
    if (!json.contains(key)) return false;
    const Json& type = json.at(key);
    return type.is_object() && type.contains("type") && type.at("type").is_string() &&
           type.contains("shape") && type.at("shape").is_array() &&
           type.at("shape").size() <= kMaxRank &&
           std::ranges::all_of(type.at("shape"), [](const Json& extent) {
             return extent.is_number_integer() && extent >= -1 && extent <= INT32_MAX;
           });
  };
  require(good(),
          "{}: header: \"{}\" must be an object with \"type\", an element type, and \"shape\", a "
          "list of at most {} extents, -1 for those that vary",
          stream, key, kMaxRank);
  const auto text = json.at(key).at("type").get<std::string>();
  const std::optional<DType> dtype = parse_dtype(text);
  require(dtype.has_value(), "{}: header: {} is no element type", stream, in_quotes(text));
  return {*dtype, json.at(key).at("shape").get<Shape>()};
}

// Whether a tensor of this type may stand where the header says `pattern`.
bool fits(const TensorType& type, const TensorType& pattern) {
  if (type.dtype != pattern.dtype || type.rank() != pattern.rank()) return false;
  for (std::size_t i = 0; i < type.shape.size(); ++i)
    if (pattern.shape[i] != -1 && pattern.shape[i] != type.shape[i]) return false;
  return true;
}

void append_tensor(std::vector<std::byte>& bytes, const TensorType& pattern,
                   const HostView& tensor) {
  require(fits(tensor.type, pattern), "a record's tensor is {}, its header says {}", tensor.type,
          pattern);
  for (std::size_t i = 0; i < pattern.shape.size(); ++i) {
    if (pattern.shape[i] != -1) continue;
    require(tensor.type.shape[i] <= INT32_MAX, "a record's extent of {}", tensor.type.shape[i]);
    append_word(bytes, static_cast<std::uint32_t>(tensor.type.shape[i]));
  }
  const auto* data = static_cast<const std::byte*>(tensor.data);
  bytes.insert(bytes.end(), data, data + byte_size(tensor.type));
}

}  // namespace

std::vector<std::byte> record_header_bytes(const RecordHeader& header) {
  for (const TensorType* type : {&header.x, &header.y})
    require(type->shape.size() <= kMaxRank, "a record with {} axes; at most {} are possible",
            type->shape.size(), kMaxRank);
  const std::string text = json_text(
      {{"x", type_json(header.x)}, {"y", type_json(header.y)}, {"classes", header.class_names}},
      -1);
  require(text.size() <= kMaxRecordHeaderBytes, "a header of {} bytes; at most {} are possible",
          text.size(), kMaxRecordHeaderBytes);
  std::vector<std::byte> bytes;
  const auto append_text = [&bytes](std::string_view part) {
    const auto raw = std::as_bytes(std::span(part));
    bytes.insert(bytes.end(), raw.begin(), raw.end());
  };
  append_text(kRecordMagic);
  append_word(bytes, kRecordVersion);
  append_word(bytes, static_cast<std::uint32_t>(text.size()));
  append_text(text);
  append_word(bytes, crc32c(bytes));
  return bytes;
}

std::vector<std::byte> record_frame_bytes(const RecordHeader& header, const HostView& x,
                                          const HostView& y) {
  std::vector<std::byte> bytes(8);
  append_tensor(bytes, header.x, x);
  append_tensor(bytes, header.y, y);
  require(bytes.size() - 8 < kRecordEnd, "a record of {} bytes is too large", bytes.size() - 8);
  std::vector<std::byte> start;
  append_word(start, static_cast<std::uint32_t>(bytes.size() - 8));
  append_word(start, crc32c(std::span(bytes).subspan(8)));
  std::ranges::copy(start, bytes.begin());
  return bytes;
}

std::vector<std::byte> record_end_bytes() {
  std::vector<std::byte> bytes;
  append_word(bytes, kRecordEnd);
  return bytes;
}

RecordReader::RecordReader(std::unique_ptr<ByteStream> stream, RecordOptions options)
    : stream_(std::move(stream)), options_(std::move(options)) {
  require(fill(), "{}: the stream holds nothing", name());
  const char first = static_cast<char>(buffer_[0]);
  if (first == kRecordMagic[0])
    read_header();
  else
    require(first == '{',
            "{}: it starts with byte 0x{:02x}; TENONREC or a JSON object on each line expected",
            name(), static_cast<unsigned>(buffer_[0]));
}

void RecordReader::fail(std::uint64_t number, const std::string& reason) const {
  throw UserError(fmt::format("{}: record {}: {}", name(), number, reason));
}

bool RecordReader::fill() {
  constexpr std::size_t kChunk = 1 << 16;
  buffer_.resize(kChunk);
  place_ = kChunk;  // nothing is there if reading throws
  buffer_.resize(stream_->read_some(buffer_));
  place_ = 0;
  return !buffer_.empty();
}

std::size_t RecordReader::take(std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    if (place_ == buffer_.size() && !fill()) break;
    const std::size_t count = std::min(out.size() - done, buffer_.size() - place_);
    std::memcpy(out.data() + done, buffer_.data() + place_, count);
    place_ += count;
    done += count;
  }
  return done;
}

void RecordReader::read_header() {
  std::vector<std::byte> bytes(kRecordMagic.size() + 8);
  const auto need = [&](std::size_t found, std::size_t wanted) {
    require(found == wanted, "{}: header: the stream ends inside it", name());
  };
  need(take(bytes), bytes.size());
  const std::string_view magic(reinterpret_cast<const char*>(bytes.data()), kRecordMagic.size());
  require(magic == kRecordMagic, "{}: it starts with {}; TENONREC expected", name(),
          in_quotes(magic));
  const std::span<const std::byte> words = std::span(bytes).subspan(kRecordMagic.size());
  const std::uint32_t version = word_of(words), length = word_of(words.subspan(4));
  require(version == kRecordVersion, "{}: header: version {}; {} expected", name(), version,
          kRecordVersion);
  require(length <= kMaxRecordHeaderBytes, "{}: header: {} bytes; at most {} are possible", name(),
          length, kMaxRecordHeaderBytes);
  const std::size_t start = bytes.size();
  bytes.resize(start + length);
  need(take(std::span(bytes).subspan(start)), length);
  std::array<std::byte, 4> checksum;
  need(take(checksum), checksum.size());
  require(word_of(checksum) == crc32c(bytes),
          "{}: header: its CRC-32C is {:08x}, the stream says {:08x}", name(), crc32c(bytes),
          word_of(checksum));
  const Json json =
      parse_json(std::string_view(reinterpret_cast<const char*>(bytes.data()) + start, length),
                 name() + ": header");
  require(json.is_object(), "{}: header: a JSON object expected", name());
  header_ = RecordHeader{type_from_json(json, "x", name()), type_from_json(json, "y", name())};
  if (!json.contains("classes")) return;
  const Json& classes = json.at("classes");
  require(classes.is_array() &&
              std::ranges::all_of(classes, [](const Json& one) { return one.is_string(); }),
          "{}: header: \"classes\" must be a list of names", name());
  header_->class_names = classes.get<std::vector<std::string>>();
  options_.class_names = header_->class_names;
}

std::optional<RawRecord> RecordReader::next() {
  if (ended_) return std::nullopt;
  if (is_cut_) fail(count_, "reading was given up in the middle of it");
  if (place_ == buffer_.size()) fill();  // between two records a wait may be given up
  std::optional<RawRecord> record;
  try {
    record = header_ ? next_frame() : next_line();
  } catch (const Interrupted&) {
    is_cut_ = true;
    throw;
  }
  ended_ = !record.has_value();
  if (record) ++count_;
  return record;
}

std::optional<RawRecord> RecordReader::next_frame() {
  std::array<std::byte, 4> word;
  RawRecord record;
  record.number = count_;
  const auto read_word = [&] {
    if (take(word) < word.size())
      fail(count_, "the stream ends before it, without the mark of its end");
    return word_of(word);
  };
  const std::uint32_t length = read_word();
  if (length == kRecordEnd) return std::nullopt;
  if (length > options_.max_record_bytes)
    fail(count_, fmt::format("{} bytes, above the limit of {}", length, options_.max_record_bytes));
  record.checksum = read_word();
  constexpr std::size_t kStep = 1 << 20;  // memory is taken as the bytes arrive
  while (record.bytes.size() < length) {
    const std::size_t before = record.bytes.size();
    const std::size_t wanted = std::min<std::size_t>(kStep, length - before);
    record.bytes.resize(before + wanted);
    const std::size_t found = take(std::span(record.bytes).subspan(before));
    if (found < wanted)
      fail(count_, fmt::format("the stream ends inside it ({} bytes expected, {} came)", length,
                               before + found));
  }
  return record;
}

std::optional<RawRecord> RecordReader::next_line() {
  RawRecord record;
  record.number = count_;
  for (;;) {
    if (place_ == buffer_.size() && !fill()) break;
    const auto from = buffer_.begin() + static_cast<std::ptrdiff_t>(place_);
    const auto end = std::find(from, buffer_.end(), std::byte{'\n'});
    if (record.bytes.size() + static_cast<std::size_t>(end - from) > options_.max_record_bytes)
      fail(count_, fmt::format("a line above the limit of {} bytes", options_.max_record_bytes));
    record.bytes.insert(record.bytes.end(), from, end);
    place_ += static_cast<std::size_t>(end - from);
    if (end == buffer_.end()) continue;
    ++place_;
    if (!std::ranges::all_of(record.bytes, [](std::byte b) {
          return b == std::byte{' '} || b == std::byte{'\t'} || b == std::byte{'\r'};
        }))
      return record;
    record.bytes.clear();  // an empty line
  }
  if (record.bytes.empty()) return std::nullopt;
  return record;
}

RecordTensors RecordReader::parse(const RawRecord& record) const {
  return header_ ? parse_frame(record) : parse_line(record);
}

RecordTensors RecordReader::parse_frame(const RawRecord& record) const {
  const std::uint32_t found = crc32c(record.bytes);
  if (found != record.checksum)
    fail(record.number,
         fmt::format("its CRC-32C is {:08x}, the stream says {:08x}", found, record.checksum));
  const ByteSource source =
      ByteSource::borrow(fmt::format("{}: record {}", name(), record.number), record.bytes);
  Cursor cursor(source);
  std::uint64_t offset = 0;
  const auto tensor = [&](const TensorType& pattern) {
    Shape shape = pattern.shape;
    for (std::int64_t& extent : shape) {
      if (extent != -1) continue;
      extent = Cursor(source, offset).little_endian<std::uint32_t>("an extent");
      offset += 4;
    }
    HostTensor result =
        read_elements(source, offset, std::move(shape), {pattern.dtype, size_of(pattern.dtype)});
    offset += result.bytes().size();
    return result;
  };
  RecordTensors tensors;
  tensors.x = tensor(header_->x);
  tensors.y = tensor(header_->y);
  if (offset != record.bytes.size())
    fail(record.number, fmt::format("{} bytes after x and y", record.bytes.size() - offset));
  return tensors;
}

namespace {

// The numbers of nested lists in row-major order, and their shape.
struct NestedNumbers {
  Shape shape;
  std::vector<double> values;
  bool all_whole = true;
};

// Reads one list or number at `depth`; "" or what is wrong with it.
std::string read_nested(const Json& json, std::size_t depth, NestedNumbers& out) {
  if (json.is_number()) {
    if (depth != out.shape.size()) return "lists and numbers side by side";
    out.values.push_back(json.get<double>());
    out.all_whole = out.all_whole && json.is_number_integer();
    return "";
  }
  if (!json.is_array()) return "neither a number nor a list of numbers";
  if (depth == out.shape.size()) {
    // The first way down says how deep the lists are; later ones must be the same.
    if (!out.values.empty()) return "lists and numbers side by side";
    if (depth == kMaxRank) return fmt::format("more than {} nested lists", kMaxRank);
    out.shape.push_back(static_cast<std::int64_t>(json.size()));
  } else if (std::cmp_not_equal(json.size(), out.shape[depth])) {
    return fmt::format("a list of {} beside one of {}", json.size(), out.shape[depth]);
  }
  for (const Json& one : json) {
    std::string wrong = read_nested(one, depth + 1, out);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace

HostTensor tensor_of_json(const Json& json, const std::string& place, std::optional<DType> dtype) {
  NestedNumbers found;
  const std::string wrong = read_nested(json, 0, found);
  require(wrong.empty(), "{} is {}", place, wrong);
  const auto fits_f32 = [](double value) {
    return std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max());
  };
  require(std::ranges::all_of(found.values, fits_f32), "{} holds a number that does not fit f32",
          place);
  // Lists of lists of which some end early.
  require(element_count(found.shape) == static_cast<std::int64_t>(found.values.size()),
          "{} is no full block of numbers", place);
  const bool whole = found.all_whole && !found.values.empty() &&
                     std::ranges::all_of(found.values, [](double value) {
                       return std::abs(value) <= static_cast<double>(INT32_MAX);
                     });
  return converted(make_tensor<double>(found.shape, std::span<const double>(found.values)),
                   dtype.value_or(whole ? DType::i32 : DType::f32));
}

RecordTensors RecordReader::parse_line(const RawRecord& record) const {
  const std::string place = fmt::format("{}: record {}", name(), record.number);
  const Json json = parse_json(
      std::string_view(reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size()),
      place);
  require(json.is_object() && json.contains("x"), "{}: an object with \"x\" expected", place);
  RecordTensors tensors{tensor_of_json(json.at("x"), place + ": \"x\"", DType::f32), HostTensor()};
  if (!json.contains("y")) return tensors;
  const Json& label = json.at("y");
  if (label.is_string()) {
    const auto text = label.get<std::string>();
    const auto found = std::ranges::find(options_.class_names, text);
    require(found != options_.class_names.end(), "{}: \"y\" is {}, none of the {} classes{}", place,
            in_quotes(text), options_.class_names.size(), did_you_mean(text, options_.class_names));
    tensors.y = make_scalar(static_cast<std::int32_t>(found - options_.class_names.begin()));
    return tensors;
  }
  tensors.y = tensor_of_json(label, place + ": \"y\"");
  return tensors;
}

}  // namespace tenon::io
