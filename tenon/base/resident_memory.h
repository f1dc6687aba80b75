// The memory that this process has in use, as the system counts it.
#pragma once
#include <cstdint>
#include <optional>

namespace tenon {

struct ResidentMemory {
  std::int64_t now = 0;   // bytes
  std::int64_t peak = 0;  // the most since the process began, or the last reset
};
// proc(5); none where the system does not tell.
std::optional<ResidentMemory> resident_memory();
// Makes the peak what is resident now, if the system can (Linux 4.0 and later).
void reset_resident_peak();

// How much memory work takes for a time: from here on, above what is in use here.
class TemporaryMemory {
 public:
  TemporaryMemory() : begin_(resident_memory()) {}
  // 0 if the process has had more before, or the system does not tell.
  std::int64_t bytes() const;

 private:
  std::optional<ResidentMemory> begin_;
};

}  // namespace tenon
