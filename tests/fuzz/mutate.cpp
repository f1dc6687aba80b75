#include "mutate.h"

#include <algorithm>
#include <array>

namespace tenon::fuzz {
namespace {

constexpr std::array<std::uint64_t, 14> kExtremeNumbers = {0,
                                                           1,
                                                           2,
                                                           0x7f,
                                                           0x80,
                                                           0xff,
                                                           0x7fff,
                                                           0xffff,
                                                           0x7fffffff,
                                                           0x80000000,
                                                           0xffffffff,
                                                           0x7fffffffffffffff,
                                                           0x8000000000000000,
                                                           0xffffffffffffffff};
constexpr std::array<const char*, 12> kExtremeTexts = {
    "-1", "1e999", "99999999999999999999", "../", "\"", "[[[[", "{\"\":", "\xff\xfe", "nan", "\n",
    "0",  ","};

struct Piece {
  std::size_t from = 0, length = 0;
};

Piece random_piece(const std::string& text, std::size_t most, ThreefrySequence& random) {
  if (text.empty()) return {};
  const std::size_t from = random.below(text.size());
  return {from, 1 + random.below(std::min(most, text.size() - from))};
}

void change(std::string& text, const std::vector<std::string>& files, ThreefrySequence& random) {
  constexpr std::size_t kShort = 8, kLong = 4096;
  const std::size_t at = text.empty() ? 0 : random.below(text.size());
  const Piece piece = random_piece(text, random.below(2) == 0 ? kShort : kLong, random);
  switch (random.below(9)) {
    case 0:
      if (!text.empty()) text[at] = static_cast<char>(text[at] ^ (1 << random.below(8)));
      break;
    case 1:
      if (!text.empty()) text[at] = static_cast<char>(random.below(256));
      break;
    case 2: {  // a number of 1, 2, 4 or 8 bytes in either order
      const std::uint64_t number = kExtremeNumbers[random.below(kExtremeNumbers.size())];
      const std::size_t bytes = std::size_t{1} << random.below(4);
      const bool big = random.below(2) == 0;
      for (std::size_t i = 0; i < bytes && at + i < text.size(); ++i)
        text[at + i] = static_cast<char>(number >> (8 * (big ? bytes - 1 - i : i)));
      break;
    }
    case 3: text.erase(piece.from, piece.length); break;
    case 4: text.insert(at, text.substr(piece.from, piece.length)); break;
    case 5: text.insert(at, kExtremeTexts[random.below(kExtremeTexts.size())]); break;
    case 6: text.resize(at); break;
    case 7: {
      const std::string& other = files[random.below(files.size())];
      const Piece taken = random_piece(other, kLong, random);
      text.replace(piece.from, piece.length, other.substr(taken.from, taken.length));
      break;
    }
    default:
      std::rotate(text.begin() + static_cast<std::ptrdiff_t>(piece.from),
                  text.begin() + static_cast<std::ptrdiff_t>(piece.from + piece.length / 2),
                  text.begin() + static_cast<std::ptrdiff_t>(piece.from + piece.length));
      break;
  }
}

}  // namespace

std::string mutated(const std::vector<std::string>& files, ThreefrySequence& random) {
  constexpr std::uint64_t kRandomFiles = 16, kMostBytes = 300;
  std::string text;
  if (random.below(kRandomFiles) == 0) {
    for (std::uint64_t n = random.below(kMostBytes); n > 0; --n)
      text += static_cast<char>(random.below(256));
    return text;
  }
  text = files[random.below(files.size())];
  for (std::uint64_t n = 1 + random.below(4); n > 0; --n) change(text, files, random);
  return text;
}

}  // namespace tenon::fuzz
