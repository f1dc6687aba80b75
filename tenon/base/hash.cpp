#include <fmt/format.h>
#include <cstddef>
#include <string>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tenon/base/hash.h"

namespace tenon {

std::uint64_t hash_bytes(std::span<const std::byte> bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::uint64_t hash_text(std::string_view text, std::uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

struct ByteHasher::State {
  XXH3_state_t xxh3;  // over-aligned: new respects it
};

ByteHasher::ByteHasher() : state_(std::make_unique<State>()) { XXH3_64bits_reset(&state_->xxh3); }
ByteHasher::~ByteHasher() = default;

void ByteHasher::update(std::span<const std::byte> bytes) {
  XXH3_64bits_update(&state_->xxh3, bytes.data(), bytes.size());
}

std::uint64_t ByteHasher::digest() const { return XXH3_64bits_digest(&state_->xxh3); }

std::string hex_digest(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace tenon
