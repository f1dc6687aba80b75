#include "tenon/base/error.h"
#include "tenon/data/tokenizer_steps.h"

namespace tenon::data::token_steps {
namespace {

// A part of a text, and whether it is the first one.
using PartSink = std::function<void(std::string_view, bool)>;
// Calls the function with begin, end and whether it is a delimiter, for parts that cover the text.
using RangeSink = std::function<void(std::size_t, std::size_t, bool)>;

// What the pattern matches, and what is between.
void pattern_ranges(const TokenPattern& pattern, std::string_view text, bool invert,
                    const RangeSink& sink) {
  std::size_t last = 0;
  pattern.each_match(text, [&](std::size_t begin, std::size_t end) {
    if (last != begin) sink(last, begin, invert);
    sink(begin, end, !invert);
    last = end;
  });
  if (last != text.size()) sink(last, text.size(), invert);
}

// Characters for which the predicate holds, one by one, and what is between.
template <class Predicate>
void character_ranges(std::string_view text, const Predicate& is_delimiter, const RangeSink& sink) {
  std::size_t last = 0;
  for (std::size_t place = 0; place < text.size();) {
    const Character character = front_character(text.substr(place));
    if (is_delimiter(character.code)) {
      if (last != place) sink(last, place, false);
      sink(place, place + character.length, true);
      last = place + character.length;
    }
    place += character.length;
  }
  if (last != text.size()) sink(last, text.size(), false);
}

// Ranges joined with their neighbours as the delimiters ask for. One range is held back.
class RangeJoiner {
 public:
  RangeJoiner(Delimiter delimiter, std::string_view text, const PartSink& sink)
      : delimiter_(delimiter), text_(text), sink_(sink) {}

  void add(std::size_t begin, std::size_t end, bool is_delimiter) {
    const bool joins = held_ && joins_held(is_delimiter);
    if (joins) {
      end_ = end;
    } else {
      flush();
      begin_ = begin;
      end_ = end;
      held_ = delimiter_ != Delimiter::removed || !is_delimiter;
    }
    held_delimiter_ = is_delimiter;
  }
  void flush() {
    if (held_ && begin_ < end_) sink_(text_.substr(begin_, end_ - begin_), begin_ == 0);
    held_ = false;
  }

 private:
  bool joins_held(bool is_delimiter) const {
    switch (delimiter_) {
      case Delimiter::removed:
      case Delimiter::isolated: return false;
      case Delimiter::merged_with_previous: return is_delimiter && !held_delimiter_;
      case Delimiter::merged_with_next: return held_delimiter_ && !is_delimiter;
      case Delimiter::contiguous: return held_delimiter_ == is_delimiter;
    }
    return false;
  }

  Delimiter delimiter_;
  std::string_view text_;
  const PartSink& sink_;
  std::size_t begin_ = 0, end_ = 0;
  bool held_ = false;
  bool held_delimiter_ = false;
};

template <class Predicate>
void split_at_characters(std::string_view text, Delimiter delimiter, const Predicate& predicate,
                         const PartSink& sink) {
  RangeJoiner joiner(delimiter, text, sink);
  character_ranges(text, predicate, [&](std::size_t begin, std::size_t end, bool is_delimiter) {
    joiner.add(begin, end, is_delimiter);
  });
  joiner.flush();
}

void split_at_pattern(const TokenPattern& pattern, bool invert, std::string_view text,
                      Delimiter delimiter, const PartSink& sink) {
  RangeJoiner joiner(delimiter, text, sink);
  pattern_ranges(pattern, text, invert, [&](std::size_t begin, std::size_t end, bool is_delimiter) {
    joiner.add(begin, end, is_delimiter);
  });
  joiner.flush();
}

void apply_splitter(const Split& step, std::string_view text, bool, const PartSink& sink) {
  split_at_pattern(step.pattern, step.invert, text, step.delimiter, sink);
}

void apply_splitter(const ByteLevel& step, std::string_view text, bool, const PartSink& sink) {
  std::string with_space;
  if (step.add_prefix_space && !text.starts_with(' ')) {
    with_space = fmt::format(" {}", text);
    text = with_space;
  }
  const PartSink as_bytes = [&](std::string_view part, bool first) {
    sink(to_byte_characters(part), first);
  };
  if (!step.pattern) return as_bytes(text, true);
  split_at_pattern(*step.pattern, false, text, Delimiter::isolated, as_bytes);
}

void apply_splitter(const Metaspace& step, std::string_view text, bool at_start,
                    const PartSink& sink) {
  std::string marked = replaced(text, " ", step.replacement);
  const bool prepends =
      step.scheme == PrependScheme::always || (step.scheme == PrependScheme::first && at_start);
  if (prepends && !marked.starts_with(step.replacement)) marked = step.replacement + marked;
  if (!step.split) return sink(marked, true);
  split_at_pattern(TokenPattern::literal(step.replacement), false, marked,
                   Delimiter::merged_with_next, sink);
}

void apply_splitter(const SplitBert&, std::string_view text, bool, const PartSink& sink) {
  split_at_characters(
      text, Delimiter::removed, is_white_space, [&](std::string_view word, bool first) {
        split_at_characters(
            word, Delimiter::isolated, is_punctuation,
            [&](std::string_view part, bool first_of_word) { sink(part, first && first_of_word); });
      });
}

void apply_splitter(const SplitDigits& step, std::string_view text, bool, const PartSink& sink) {
  split_at_characters(text, step.individual ? Delimiter::isolated : Delimiter::contiguous,
                      is_numeric, sink);
}

void apply_splitter(const SplitPunctuation& step, std::string_view text, bool,
                    const PartSink& sink) {
  split_at_characters(text, step.delimiter, is_punctuation, sink);
}

void apply_splitter(const SplitWords& step, std::string_view text, bool, const PartSink& sink) {
  split_at_pattern(step.pattern, true, text, Delimiter::removed, sink);
}

void apply_splitter(const SplitSpaces&, std::string_view text, bool, const PartSink& sink) {
  split_at_characters(text, Delimiter::removed, is_white_space, sink);
}

// Depth first, so that the pieces of a long text never lie in memory together.
void split_from(const std::vector<Splitter>& splitters, std::size_t step, std::string_view text,
                bool at_start, const PieceSink& sink) {
  if (text.empty()) return;
  if (step == splitters.size()) return sink(text);
  const PartSink next = [&](std::string_view part, bool first) {
    split_from(splitters, step + 1, part, at_start && first, sink);
  };
  std::visit([&](const auto& splitter) { apply_splitter(splitter, text, at_start, next); },
             splitters[step]);
}

}  // namespace

void split(const std::vector<Splitter>& splitters, std::string_view text, bool at_start,
           const PieceSink& sink) {
  split_from(splitters, 0, text, at_start, sink);
}

}  // namespace tenon::data::token_steps
