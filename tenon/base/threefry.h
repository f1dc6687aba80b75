// Threefry-2x32 with 20 rounds, the counter-based generator behind every random number.
#pragma once
#include <array>
#include <bit>
#include <cstdint>

namespace tenon {

// 64 random bits that depend only on the key and the counter. Salmon, Moraes, Dror and Shaw,
// "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
constexpr std::array<std::uint32_t, 2> threefry2x32(std::uint32_t key0, std::uint32_t key1,
                                                    std::uint32_t counter0,
                                                    std::uint32_t counter1) {
  constexpr std::array<std::array<int, 4>, 2> kRotations = {{{13, 15, 26, 6}, {17, 29, 16, 24}}};
  const std::array<std::uint32_t, 3> keys = {key0, key1, 0x1bd11bdau ^ key0 ^ key1};
  std::uint32_t x0 = counter0 + keys[0];
  std::uint32_t x1 = counter1 + keys[1];
  for (std::uint32_t group = 0; group < 5; ++group) {
    for (const int rotation : kRotations[group % 2]) {
      x0 += x1;
      x1 = std::rotl(x1, rotation) ^ x0;
    }
    x0 += keys[(group + 1) % 3];
    x1 += keys[(group + 2) % 3] + group + 1;
  }
  return {x0, x1};
}

// Element `index` of a stream of 32-bit words: the two output words of counter (high half, low
// half) combined by XOR. What JAX calls partitionable threefry.
constexpr std::uint32_t random_word(std::uint32_t key0, std::uint32_t key1, std::uint64_t index) {
  const auto words = threefry2x32(key0, key1, static_cast<std::uint32_t>(index >> 32),
                                  static_cast<std::uint32_t>(index));
  return words[0] ^ words[1];
}

// The same on 64-bit words, low half first: a key folded with a number gives another key.
constexpr std::uint64_t threefry64(std::uint64_t key, std::uint64_t counter) {
  const auto low = [](std::uint64_t word) { return static_cast<std::uint32_t>(word); };
  const auto high = [](std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); };
  const auto bits = threefry2x32(low(key), high(key), low(counter), high(counter));
  return bits[0] | static_cast<std::uint64_t>(bits[1]) << 32;
}

// The sequence threefry64(key, 0), threefry64(key, 1), ...
struct ThreefrySequence {
  std::uint64_t key = 0;
  std::uint64_t counter = 0;

  constexpr std::uint64_t next() { return threefry64(key, counter++); }

  // Uniform in [0, bound), bound > 0; draws that would favour small results are thrown away.
  constexpr std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t rejected = (0 - bound) % bound;  // 2^64 mod bound
    for (;;) {
      const std::uint64_t draw = next();
      if (draw >= rejected) return draw % bound;
    }
  }
};

}  // namespace tenon
