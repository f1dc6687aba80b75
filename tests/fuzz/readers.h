// Every reader of files, with valid files to start from.
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace tenon::fuzz {

struct Reader {
  std::string name;
  std::vector<std::string> files;                        // valid ones
  std::function<void(const std::string& content)> read;  // gives a value or raises UserError
};

std::vector<Reader> io_readers();      // of tenon/io
std::vector<Reader> data_readers();    // of tenon/data and tenon/train, and what needs a file
std::vector<Reader> record_readers();  // of records as samples, and of what runs write

}  // namespace tenon::fuzz
