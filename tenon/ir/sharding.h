// How a value is spread over a mesh of devices: plain data, with no behaviour of its own.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace tenon::ir {

struct MeshAxis {
  std::string name;
  std::int64_t size = 1;
  bool operator==(const MeshAxis&) const = default;
  static void fields(auto& axis, auto&& visit) {
    visit("name", axis.name);
    visit("size", axis.size);
  }
};

// A named grid of devices, row-major over its axes.
struct Mesh {
  std::vector<MeshAxis> axes;
  bool operator==(const Mesh&) const = default;
  static void fields(auto& mesh, auto&& visit) { visit("axes", mesh.axes); }
};

// For each tensor axis the mesh axes it is split over, outermost first; no entries = replicated.
struct Sharding {
  Mesh mesh;
  std::vector<std::vector<std::string>> axes;
  bool is_replicated() const {
    for (const auto& names : axes)
      if (!names.empty()) return false;
    return true;
  }
  bool operator==(const Sharding&) const = default;
  static void fields(auto& sharding, auto&& visit) {
    visit("mesh", sharding.mesh);
    visit("axes", sharding.axes);
  }
};

}  // namespace tenon::ir
