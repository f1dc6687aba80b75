// What a tokenizer.json must be, and what is said if it is not.
#include "tenon/data/tokenizer.h"
#include "tenon/data/tokenizer_pattern.h"
#include "tests/data/data_testing.h"

namespace tenon::data {
namespace {

// A file with these fields beside the model.
std::string file_with(const std::string& model, const std::string& fields = "") {
  return "{" + fields + (fields.empty() ? "" : ",") + "\"model\":" + model + "}";
}
const char* const kModel = R"({"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]})";

std::string error_of_file(const std::string& text) {
  return error_of([&] { tokenizer_from_json(text, "t.json"); });
}
std::string error_of_model(const std::string& model) { return error_of_file(file_with(model)); }
std::string error_of_fields(const std::string& fields) {
  return error_of_file(file_with(kModel, fields));
}

TEST(TokenizerReading, SmallestFile) {
  const Tokenizer tokenizer = tokenizer_from_json(file_with(kModel));
  EXPECT_EQ(tokenizer.encode("abba"), (std::vector<std::int64_t>{2, 1, 0}));
  EXPECT_EQ(tokenizer.encode("axb"), (std::vector<std::int64_t>{2}));  // x is left out
  EXPECT_EQ(tokenizer.decode(std::vector<std::int64_t>{2, 1}), "ab b");
}

TEST(TokenizerReading, MalformedJson) {
  EXPECT_EQ(error_of_file("{\"model\":"),
            "t.json: line 1, column 10: syntax error while parsing value - unexpected end of "
            "input; expected '[', '{', or a literal");
  EXPECT_THROW(tokenizer_from_json(""), UserError);
  EXPECT_THROW(tokenizer_from_json("{\"model\": \"\xff\"}"), UserError);
  EXPECT_THROW(tokenizer_from_json(std::string(1 << 20, '[')), UserError);
  EXPECT_EQ(error_of_file("[]"), "t.json: an object expected, found array");
  EXPECT_EQ(error_of_file("{}"), "t.json: there is no \"model\"");
  EXPECT_EQ(error_of_file("{\"model\": 3}"), "t.json: model: an object expected, found 3");
}

TEST(TokenizerReading, Vocabularies) {
  EXPECT_EQ(error_of_model(R"({"type":"Bigram","vocab":[]})"),
            "t.json: model.type: \"Bigram\" is not supported; supported are BPE, WordPiece, "
            "WordLevel and Unigram");
  EXPECT_EQ(error_of_model(R"({"type":"BPE"})"), "t.json: model: there is no \"vocab\"");
  EXPECT_EQ(error_of_model(R"({"type":"BPE","vocab":{},"merges":[]})"),
            "t.json: model.vocab: there are no tokens");
  const std::string one_each = "; whole numbers from 0 to 1 expected, one for each of the 2 tokens";
  for (const std::string id : {"2", "-1", "1.5", "1e300", "18446744073709551615", "null", "[1]"})
    EXPECT_EQ(error_of_model(R"({"type":"BPE","vocab":{"a":0,"b":)" + id + R"(},"merges":[]})"),
              "t.json: model.vocab: the token \"b\" has the id \"" +
                  (id == "1e300" ? "1e+300" : id) + "\"" + one_each);
  EXPECT_EQ(error_of_model(R"({"type":"BPE","vocab":{"a":0,"b":0},"merges":[]})"),
            "t.json: model.vocab: the tokens \"a\" and \"b\" have the same id 0");
  EXPECT_EQ(error_of_model(R"({"type":"BPE","vocab":{"a":0,"a":1},"merges":[]})"),
            "t.json: the key \"a\" appears twice in one object");
}

TEST(TokenizerReading, Scores) {
  const auto error = [](const std::string& rest) {
    return error_of_model(R"({"type":"Unigram",)" + rest + "}");
  };
  EXPECT_EQ(error(R"("vocab":[])"), "t.json: model.vocab: there are no tokens");
  EXPECT_EQ(error(R"("vocab":{"a":0})"),
            "t.json: model.vocab: a list of tokens with their scores expected, found object");
  EXPECT_EQ(error(R"("vocab":[["a",-1],["b"]])"),
            "t.json: model.vocab[1]: a token and its score expected, found array");
  EXPECT_EQ(error(R"("vocab":[["a",-1],["a",-2]])"),
            "t.json: model.vocab[1]: the token \"a\" appears twice");
  EXPECT_EQ(error(R"("vocab":[["",-1]])"),
            "t.json: model.vocab[0]: a token of 0 bytes; 1 to 1024 expected");
  EXPECT_EQ(error(R"("vocab":[[")" + std::string(1025, 'a') + R"(",-1]])"),
            "t.json: model.vocab[0]: a token of 1025 bytes; 1 to 1024 expected");
  EXPECT_THROW(tokenizer_from_json(R"({"model":{"type":"Unigram","vocab":[["a",1e999]]}})"),
               UserError);
  EXPECT_EQ(error(R"("vocab":[["a",-1]],"unk_id":1)"),
            "t.json: model.unk_id: a whole number from 0 to 0 expected, found 1");
  // Without an unknown token; the type by the vocabulary.
  const Tokenizer tokenizer =
      tokenizer_from_json(R"({"model":{"vocab":[["a",-1],["b",-1],["ab",-1.5],["ba",-3.5]]}})");
  EXPECT_EQ(tokenizer.kind(), "unigram");
  EXPECT_EQ(tokenizer.encode("abba"), (std::vector<std::int64_t>{2, 1, 0}));
  EXPECT_EQ(error_of([&] { tokenizer.encode("abc"); }),
            "the character \"c\" is not in the vocabulary, and there is no unknown token");
}

TEST(TokenizerReading, Merges) {
  const auto with = [](const std::string& merges) {
    return error_of_model(R"({"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":)" + merges + "}");
  };
  EXPECT_EQ(with(R"(["a b", "a c"])"),
            "t.json: model.merges: merge 1 needs the token \"c\", which is not in the vocabulary");
  EXPECT_EQ(with(R"([["b", "a"]])"),
            "t.json: model.merges: merge 0 needs the token \"ba\", which is not in the vocabulary");
  for (const std::string bad : {"\"ab\"", "\"a b c\"", "[\"a\"]", "7", "[1, 2]"})
    EXPECT_TRUE(with("[" + bad + "]").find("two tokens expected") != std::string::npos) << bad;
  EXPECT_EQ(with(R"(["a b c"])"),
            "t.json: model.merges: merge 0 is \"a b c\"; two tokens expected");
  EXPECT_EQ(with("{}"), "t.json: model.merges: a list expected, found object");
  EXPECT_EQ(
      error_of_model(R"({"type":"BPE","dropout":0.1,"vocab":{"a":0},"merges":[]})"),
      "t.json: model.dropout: merges that are left out by chance are not supported; 0 or null "
      "expected");
  EXPECT_EQ(
      error_of_model(
          R"({"type":"BPE","continuing_subword_prefix":"##","vocab":{"a":0},"merges":["a a"]})"),
      "t.json: model.merges: merge 0: \"a\" is shorter than the prefix \"##\"");
}

TEST(TokenizerReading, AddedTokens) {
  EXPECT_EQ(error_of_fields(R"("added_tokens":[{"id":7,"content":"<s>"}])"),
            "t.json: model.vocab: the added token \"<s>\" has the id 7, but there are only 4 "
            "tokens: 0 to 3");
  EXPECT_EQ(error_of_fields(R"("added_tokens":[{"id":1,"content":"<s>"}])"),
            "t.json: model.vocab: the added token \"<s>\" has the id 1, which another token has");
  EXPECT_EQ(error_of_fields(R"("added_tokens":[{"id":1,"content":"a"}])"),
            "t.json: model.vocab: the added token \"a\" has the id 1 and in the vocabulary 0");
  EXPECT_EQ(
      error_of_fields(R"("added_tokens":[{"id":3,"content":"<s>"},{"id":4,"content":"<s>"}])"),
      "t.json: added_tokens[1].content: the token \"<s>\" appears twice");
  EXPECT_EQ(error_of_fields(R"("added_tokens":[{"id":99999999999,"content":"<s>"}])"),
            "t.json: added_tokens[0].id: a whole number from 0 to 16777216 expected, found "
            "99999999999");
  EXPECT_EQ(error_of_fields(R"("added_tokens":[{"id":3,"content":""}])"),
            "t.json: added_tokens[0].content: a text of 1 to 256 bytes expected, found \"\"");
  EXPECT_EQ(error_of_fields(R"("normalizer":{"type":"Strip","strip_left":true,"strip_right":true},)"
                            R"("added_tokens":[{"id":3,"content":" "}])"),
            "t.json: added_tokens: nothing is left of \" \" when it is normalized");
}

TEST(TokenizerReading, Steps) {
  EXPECT_EQ(error_of_fields(R"("normalizer":{"type":"Precompiled"})"),
            "t.json: normalizer.type: \"Precompiled\" is not supported; supported are NFC, NFD, "
            "NFKC, NFKD, Lowercase, Strip, StripAccents, Replace, Prepend, BertNormalizer, "
            "ByteLevel and Sequence");
  EXPECT_EQ(error_of_fields(R"("pre_tokenizer":{"type":"UnicodeScripts"})"),
            "t.json: pre_tokenizer.type: \"UnicodeScripts\" is not supported; supported are "
            "ByteLevel, Split, Metaspace, BertPreTokenizer, Digits, Punctuation, Whitespace, "
            "WhitespaceSplit and Sequence");
  EXPECT_EQ(error_of_fields(R"("decoder":{"type":"CTC"})"),
            "t.json: decoder.type: \"CTC\" is not supported; supported are ByteLevel, "
            "ByteFallback, Fuse, Strip, Replace, Metaspace, WordPiece, BPEDecoder and Sequence");
  EXPECT_EQ(error_of_fields(R"("post_processor":{"type":"Other"})"),
            "t.json: post_processor.type: \"Other\" is not supported; supported are "
            "TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel and Sequence");
  EXPECT_EQ(
      error_of_fields(R"("post_processor":{"type":"BertProcessing","cls":["a",0],"sep":["b",9]})"),
      "t.json: post_processor: the token \"b\" has the id 9, but there are 3 tokens");
  EXPECT_EQ(error_of_fields(R"("pre_tokenizer":{"type":"Metaspace","replacement":"ab"})"),
            "t.json: pre_tokenizer.replacement: one character expected, found \"ab\"");
  EXPECT_EQ(
      error_of_fields(R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"a"},"behavior":"x"})"),
      "t.json: pre_tokenizer.behavior: Removed, Isolated, MergedWithPrevious, MergedWithNext "
      "or Contiguous expected, found \"x\"");
  std::string many = R"({"type":"Lowercase"})";
  for (int i = 0; i < 101; ++i) many += R"(,{"type":"Lowercase"})";
  EXPECT_EQ(error_of_fields(R"("normalizer":{"type":"Sequence","normalizers":[)" + many + "]}"),
            "t.json: normalizer.normalizers[101]: more than 100 steps");
}

TEST(TokenizerReading, TextThatNormalizersBlowUpIsRefused) {
  const std::string doubling =
      R"({"type":"Replace","pattern":{"String":"a"},"content":"aaaaaaaa"})";
  const Tokenizer tokenizer = tokenizer_from_json(
      file_with(kModel, R"("normalizer":{"type":"Sequence","normalizers":[)" + doubling + "," +
                            doubling + "," + doubling + "," + doubling + "]}"));
  EXPECT_EQ(error_of([&] { tokenizer.encode("aaaa"); }),
            "the normalizers turn 4 bytes of text into 2048; at most 1280 are supported");
  const Tokenizer once = tokenizer_from_json(
      file_with(kModel, R"("normalizer":{"type":"Replace","pattern":{"String":"a"},"content":")" +
                            std::string(1000, 'a') + "\"}"));
  EXPECT_EQ(error_of([&] { once.encode("aaaa"); }),
            "a normalizer turns 4 bytes of text into more than 1280");
}

TEST(TokenPattern, IsReadAsOnigurumaReadsIt) {
  const auto matches = [](const std::string& pattern, std::string_view text) {
    std::string found;
    TokenPattern::regular_expression(pattern, "p")
        .each_match(text, [&](std::size_t begin, std::size_t end) {
          found += fmt::format("{}|", text.substr(begin, end - begin));
        });
    return found;
  };
  EXPECT_EQ(matches(R"(\p{N}{1,3})", "1234567"), "123|456|7|");
  EXPECT_EQ(matches(R"([^\s\p{L}\p{N}]+)", "a!? b\xc2\xa0-1"), "!?|-|");
  EXPECT_EQ(matches(R"(a{,2})", "aaab"), "aa|a||");        // Oniguruma: {0,2}
  EXPECT_EQ(matches(R"([a-c[x-z]]+)", "abxyd"), "abxy|");  // a class within a class
  EXPECT_EQ(matches(R"(\h+)", "beefx"), "beef|");          // hexadecimal digits
  EXPECT_EQ(matches(R"(^b)", "a\nb"), "b|");
  EXPECT_EQ(matches(R"(\u0041|\x{42})", "ABC"), "A|B|");
  EXPECT_EQ(matches(R"(\p{Han}+)", "\xe4\xb8\xad\xe3\x80\x82"), "\xe4\xb8\xad|");
  EXPECT_EQ(matches(R"([a\-\]]+)", "a-]b"), "a-]|");
}

TEST(TokenPattern, WhatIsNotSupportedIsNamed) {
  const auto error = [](const std::string& pattern) {
    return error_of([&] { TokenPattern::regular_expression(pattern, "p"); });
  };
  EXPECT_EQ(error("[a&&b]"),
            "p: the regular expression \"[a&&b]\": an intersection of classes is not supported");
  EXPECT_EQ(error("[[:alpha:]]"),
            "p: the regular expression \"[[:alpha:]]\": a POSIX bracket is not supported");
  EXPECT_EQ(error("a{2}+"),
            "p: the regular expression \"a{2}+\": a sign after an interval is not supported");
  EXPECT_EQ(error("(*UTF)a"), "p: the regular expression \"(*UTF)a\": (* is not supported");
  EXPECT_EQ(error("(?R)"), "p: the regular expression \"(?R)\": (?R) is not supported");
  EXPECT_EQ(error("\\K"), "p: the regular expression \"\\\\K\": \\K is not supported");
  EXPECT_EQ(error("\\"),
            "p: the regular expression \"\\\\\": a backslash at the end is not supported");
  EXPECT_EQ(error("(a"), "p: the regular expression \"(a\": missing closing parenthesis");
  EXPECT_EQ(error("\\p{Nowhere}"),
            "p: the regular expression \"\\\\p{Nowhere}\": unknown property after \\P or \\p");
  EXPECT_EQ(error(std::string(20000, 'a')),
            "p: a regular expression of 20000 bytes; at most 16384 are supported");
}

TEST(TokenPattern, HostileExpressionsEnd) {
  EXPECT_THROW(
      TokenPattern::regular_expression(std::string(1000, '(') + std::string(1000, ')'), "p"),
      UserError);
  EXPECT_THROW(TokenPattern::regular_expression("((((a{1,900}){1,900}){1,900}){1,900})", "p"),
               UserError);
  const std::string text = std::string(40, 'a') + "c";
  EXPECT_EQ(
      error_of([&] {
        TokenPattern::regular_expression("(?:a+)+[bd]", "p").each_match(text, [](auto, auto) {});
      }),
      "the regular expression \"(?:a+)+[bd]\" cannot be searched for in a text of 41 bytes: "
      "match limit exceeded");
}

}  // namespace
}  // namespace tenon::data
