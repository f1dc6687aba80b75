// What the Arrow plugin and Tenon exchange: Arrow's C data and C stream interfaces, and one
// function.
#pragma once
#include <cstdint>

// The layouts are fixed by https://arrow.apache.org/docs/format/CDataInterface.html and
// CStreamInterface.html. Arrow's own headers define the same structs under these guards.
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
extern "C" {
struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  std::int64_t flags;
  std::int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};
struct ArrowArray {
  std::int64_t length;
  std::int64_t null_count;
  std::int64_t offset;
  std::int64_t n_buffers;
  std::int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};
}
#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE
extern "C" {
struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};
}
#endif

// Opens a Parquet file (kind 0) or an Arrow IPC file or stream (kind 1) as a stream of record
// batches; of all columns, or of `column` alone if that is not null and there is such a column.
// Returns 0, or writes what is wrong to `error`, NUL-terminated, at most `error_bytes` long.
using TenonArrowOpen = int (*)(const char* path, int kind, const char* column,
                               struct ArrowArrayStream* out, char* error,
                               std::uint64_t error_bytes);
