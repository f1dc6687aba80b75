// Lookup tables of tokenizer models: pairs of numbers, and tokens found by walking along a text.
#pragma once
#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tenon::data {

// Numbers by pairs of numbers, for a known number of entries; open addressing with linear probing.
class PairTable {
 public:
  explicit PairTable(std::size_t most_entries)
      : slots_(std::bit_ceil(2 * most_entries + 2)), mask_(slots_.size() - 1) {}

  // A pair that is there already gets the new value. Neither number may be 2^32 - 1.
  void set(std::uint32_t a, std::uint32_t b, std::uint64_t value) {
    Slot& slot = slots_[place_of(key_of(a, b))];
    slot = {key_of(a, b), value};
  }
  const std::uint64_t* find(std::uint32_t a, std::uint32_t b) const {
    const Slot& slot = slots_[place_of(key_of(a, b))];
    return slot.key == kFree ? nullptr : &slot.value;
  }

 private:
  static constexpr std::uint64_t kFree = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t key = kFree;
    std::uint64_t value = 0;
  };

  static std::uint64_t key_of(std::uint32_t a, std::uint32_t b) {
    return std::uint64_t{a} << 32 | b;
  }
  // Where the key is, or would be.
  std::size_t place_of(std::uint64_t key) const {
    std::uint64_t mixed = (key ^ key >> 32) * 0xff51afd7ed558ccdull;
    std::size_t place = static_cast<std::size_t>(mixed ^ mixed >> 33) & mask_;
    while (slots_[place].key != kFree && slots_[place].key != key) place = (place + 1) & mask_;
    return place;
  }

  std::vector<Slot> slots_;
  std::size_t mask_;
};

// Tokens by their bytes, one after the other.
class TokenTrie {
 public:
  struct Entry {
    std::string_view token;
    std::int32_t id;
  };
  static constexpr std::uint32_t kRoot = 0;

  // Of equal tokens the first counts.
  explicit TokenTrie(const std::vector<Entry>& entries) : children_(byte_count(entries)) {
    ids_.push_back(kNone);
    for (const Entry& entry : entries) {
      std::uint32_t node = kRoot;
      for (const char byte : entry.token) {
        const auto number = static_cast<unsigned char>(byte);
        if (const std::uint64_t* child = children_.find(node, number)) {
          node = static_cast<std::uint32_t>(*child);
        } else {
          const auto added = static_cast<std::uint32_t>(ids_.size());
          children_.set(node, number, added);
          ids_.push_back(kNone);
          node = added;
        }
      }
      if (ids_[node] == kNone) ids_[node] = entry.id;
    }
  }

  // The node behind the bytes, if any token begins so.
  std::optional<std::uint32_t> walk(std::string_view bytes) const {
    std::uint32_t node = kRoot;
    for (const char byte : bytes) {
      const std::uint64_t* child = children_.find(node, static_cast<unsigned char>(byte));
      if (!child) return std::nullopt;
      node = static_cast<std::uint32_t>(*child);
    }
    return node;
  }

  // The longest token that continues the node with the front of the text; its length counts from
  // there and is at least 1.
  struct Found {
    std::size_t length;
    std::int32_t id;
  };
  std::optional<Found> longest(std::string_view text, std::uint32_t node = kRoot) const {
    std::optional<Found> longest;
    each_prefix(
        text, [&](const Found& found) { longest = found; }, node);
    return longest;
  }
  // The same of all such tokens, the shortest first.
  template <class Visit>
  void each_prefix(std::string_view text, const Visit& visit, std::uint32_t node = kRoot) const {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::uint64_t* child = children_.find(node, static_cast<unsigned char>(text[i]));
      if (!child) break;
      node = static_cast<std::uint32_t>(*child);
      if (ids_[node] != kNone) visit(Found{i + 1, ids_[node]});
    }
  }

 private:
  static constexpr std::int32_t kNone = -1;

  static std::size_t byte_count(const std::vector<Entry>& entries) {
    std::size_t count = 0;
    for (const Entry& entry : entries) count += entry.token.size();
    return count;
  }

  PairTable children_;
  std::vector<std::int32_t> ids_;  // of the token that ends at a node
};

}  // namespace tenon::data
