// Reads the normalizers, splitters, decoders and post-processors of a tokenizer.json.
#pragma once
#include <string>
#include <vector>

#include "tenon/data/tokenizer_json_field.h"
#include "tenon/data/tokenizer_steps.h"

namespace tenon::data::token_steps {

// Each adds the steps of a field, in order; what a "Sequence" holds is added one by one. UserError
// for a kind of step that is not supported, and for more than 100 steps.
void read_normalizers(const JsonField& field, std::vector<Normalizer>& steps);
void read_splitters(const JsonField& field, std::vector<Splitter>& steps);
void read_decoders(const JsonField& field, std::vector<Decoder>& steps);

// Spelling of the special tokens that a post-processor puts around a text, with the ids it says.
struct AroundToken {
  std::string content;
  std::int64_t id;
};
struct Around {
  std::vector<AroundToken> before, after;
};
void read_post_processors(const JsonField& field, Around& around);

}  // namespace tenon::data::token_steps
