#!/usr/bin/env python3
"""Writes tokenizer/*.json, trained by the PyPI package `tokenizers`, and tokenizer_samples.json: the
ids that it gives for 10,000 lines. Run: make_tokenizer_samples.py TEXT [NAME ...], an English text
for training (the tiny Shakespeare corpus was used; for the two Unigram models version 3 of the GNU
General Public License); with names, those files alone are made anew. The trainers choose among
equally rare characters by chance: another run gives other files, which agree with each other."""
import json
import pathlib
import sys

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers,
                        pre_tokenizers, processors, trainers)

HERE = pathlib.Path(__file__).resolve().parent
LINES, BLOCK, SHOWN = 10000, 100, 20

# The lines are made by the same rules in token_lines.h.
WORDS = ["the", "and", "you", "I'll", "don't", "we've", "they're", "he'd", "I'm", "it's", "DON'T",
         "King", "thou", "speak", "HAMLET", "e.g.", "3.14", "naïve", "Straße", "ΣΊΣΥΦΟΣ", "İstanbul",
         "Привет", "мир", "שלום", "مرحبا", "नमस्ते", "สวัสดี", "안녕하세요", "こんにちは", "カタカナ", "ﬁne",
         "Å", "Å", "ﷺ", "①②", "x²", "½", "𝔘𝔫𝔦", "e\u0301te\u0301", "'ſ", "\u212a", "snake_case",
         "https://a.b/c?d=e&f", "{\"k\": [1, 2]}", "==", "->", "...", "—", "“quoted”", "¿qué?",
         "<|endoftext|>", "<s>", "</s>", "[MASK]", "[CLS]", "<0x41>", "▁", "Ġ", "##ing", "<unk>", "###"]
SPACES = [" ", "  ", "   ", "\t", "\n", "\n\n", "\r\n", "\r", "\u00a0", "\u2003", "\u3000", "\u200b",
          "\u1680", "\u0085", "\u2028", "\v", "\f", "     \n  "]
EMOJI = ["😀", "👍🏽", "👩‍👩‍👧", "🇩🇪", "❤️", "🏳️‍🌈", "☃", "🤖", "🧑🏿‍🚀", "1️⃣"]
OTHERS = ["\u0000", "\u0007", "\u001b", "\u007f", "\u0080", "\u009f", "\u00ad", "\u200c", "\u200d",
          "\u200e", "\u202e", "\u2060", "\ufeff", "\ufffd", "\ufffe", "\ue000", "\U000f0000",
          "\U0010ffff", "\u180e", "\u0378"]
RANGES = [(0x21, 94), (0xa1, 95), (0x100, 0x150), (0x370, 0x90), (0x400, 0x100), (0x531, 38),
          (0x5d0, 27), (0x620, 0x50), (0x905, 0x50), (0xe01, 58), (0x10a0, 38), (0x1e00, 0x100),
          (0x2010, 24), (0x2070, 2), (0x20a0, 32), (0x2100, 0x8c), (0x2190, 0x100), (0x2460, 0x300),
          (0x3041, 86), (0x30a0, 96), (0x3300, 256), (0x3400, 6582), (0x4e00, 20950), (0xac00, 11172),
          (0xf900, 256), (0xfb50, 98), (0xfe30, 35), (0xff01, 190), (0x10330, 27), (0x1d400, 85),
          (0x1f300, 0x200), (0x20000, 42711)]


class Draws:
    """Knuth's MMIX generator, the upper half of the state."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % bound


def make_line(draws):
    line = ""
    for _ in range(1 + draws.below(20)):
        kind = draws.below(12)
        if kind < 5:
            line += WORDS[draws.below(len(WORDS))]
        elif kind == 5:
            line += SPACES[draws.below(len(SPACES))]
        elif kind == 6:
            line += EMOJI[draws.below(len(EMOJI))]
        elif kind == 7:
            line += OTHERS[draws.below(len(OTHERS))]
        elif kind == 8:  # a letter under marks
            line += chr(0x61 + draws.below(26))
            for _ in range(1 + draws.below(3)):
                line += chr(0x300 + draws.below(0x70))
        elif kind == 9:
            for _ in range(1 + draws.below(6)):
                line += chr(0x30 + draws.below(10))
        else:
            first, count = RANGES[draws.below(len(RANGES))]
            for _ in range(1 + draws.below(4)):
                line += chr(first + draws.below(count))
        if draws.below(2):
            line += " "
    return line


LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
          r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def byte_level(texts):
    """As GPT-2's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=800, special_tokens=["<|endoftext|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


def split(texts):
    """As Llama 3's."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=700, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.add_special_tokens(["<|endoftext|>", "<s>"])
    start = tokenizer.token_to_id("<s>")
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B",
                                      special_tokens=[("<s>", start)])])
    return tokenizer


def byte_fallback(texts):
    """As Llama 2's: no splitting at all."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"),
                                                 normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(),
                                           decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=900, limit_alphabet=200, show_progress=False,
        special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]))
    saved = json.loads(tokenizer.to_str())
    # The bytes are tokens of the model alone.
    saved["added_tokens"] = [token for token in saved["added_tokens"] if token["id"] < 3]
    tokenizer = Tokenizer.from_str(json.dumps(saved))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    return tokenizer


def metaspace(texts):
    """Metaspace with normal forms, unknown characters and merges as texts."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=600, limit_alphabet=250, show_progress=False, special_tokens=["<unk>"]))
    tokenizer.add_tokens([AddedToken("[MASK]", lstrip=True, normalized=False),
                          AddedToken("King", single_word=True), AddedToken("speak", rstrip=True)])
    return tokenizer


def word_piece(texts):
    """As BERT's."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(
        vocab_size=900, limit_alphabet=300, show_progress=False,
        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def affixes(texts):
    """What is rare: prefixes and suffixes of symbols, one step after the other."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", continuing_subword_prefix="##",
                                     end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.NFC(),
        normalizers.Strip(), normalizers.Replace(Regex(r"\d{3,}"), "#")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.Punctuation("merged_with_previous"),
        pre_tokenizers.Split("e", "merged_with_next", invert=False)])
    tokenizer.decoder = decoders.BPEDecoder()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=600, limit_alphabet=120, show_progress=False, special_tokens=["<unk>"],
        continuing_subword_prefix="##", end_of_word_suffix="</w>"))
    return tokenizer


def unigram(texts):
    """As ALBERT's and T5's, but for their normal form."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(),
                                                 normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(),
                                                       pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]  # the trainer would learn them a second time
    # The trainer keeps every character; most scripts stay unknown.
    texts = ["".join(c for c in text if ord(c) < 0x180 or 0x3041 <= ord(c) < 0x3100)
             for text in texts if not any(token in text for token in special)]
    tokenizer.train_from_iterator(texts, trainers.UnigramTrainer(
        vocab_size=900, show_progress=False, unk_token="<unk>", special_tokens=special))
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>",
                                                             special_tokens=[("</s>", 1)])
    return tokenizer


def unigram_bytes(texts):
    """Unknown characters as bytes; no splitting at all."""
    trained = json.loads(unigram(texts).to_str())["model"]["vocab"]
    of_bytes = [(f"<0x{byte:02X}>", -20.0) for byte in range(256)]
    kept = [tuple(pair) for pair in trained[3:]
            if pair[0][0] != "<" and (len(pair[0]) > 1 or ord(pair[0]) < 128)]
    tokenizer = Tokenizer(models.Unigram([("<unk>", 0.0), ("<s>", 0.0), *of_bytes, *kept], 0, True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"),
                                                 normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(),
                                           decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens(["<s>"])
    return tokenizer


def legacy(text):
    """The older form of a file: merges as texts."""
    saved = json.loads(text)
    saved["model"]["merges"] = [" ".join(pair) for pair in saved["model"]["merges"]]
    return saved


def learnt(texts, splitter, special):
    """What the trainer learns of lines: compared with train_bpe's merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = splitter
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=600, min_frequency=3, special_tokens=special, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    model = json.loads(tokenizer.to_str())["model"]
    ids = [tokenizer.encode(line).ids for line in texts[:SHOWN]]
    return {"special": special, "merges": model["merges"], "size": len(model["vocab"]),
            "last": max(model["vocab"], key=model["vocab"].get), "ids": ids}


def fnv(data, state):
    for byte in data:
        state = (state ^ byte) * 0x100000001b3 % 2**64
    return state


def main():
    corpus = pathlib.Path(sys.argv[1]).read_text().splitlines()[:8000]
    other = Draws(7)
    texts = corpus + [make_line(other) for _ in range(1500)]
    draws = Draws(1)
    lines = [make_line(draws) for _ in range(LINES)]
    folder = HERE / "tokenizer"
    folder.mkdir(exist_ok=True)
    path_of_samples = HERE / "tokenizer_samples.json"
    named = sys.argv[2:]
    samples = json.loads(path_of_samples.read_text()) if named else {}
    for make in [byte_level, split, byte_fallback, metaspace, word_piece, affixes, unigram,
                 unigram_bytes]:
        name = make.__name__
        if named and name not in named:
            continue
        trained = make(texts)
        saved = json.loads(trained.to_str())
        if make is metaspace:
            saved = legacy(trained.to_str())
        path = folder / f"{name}.json"
        path.write_text(json.dumps(saved, ensure_ascii=False, separators=(",", ":")) + "\n")
        tokenizer = Tokenizer.from_file(str(path))
        hashes, decoded = [], []
        for first in range(0, LINES, BLOCK):
            id_hash = text_hash = 0xcbf29ce484222325
            for line in lines[first:first + BLOCK]:
                ids = tokenizer.encode(line, add_special_tokens=False).ids
                for number in ids + [2**32 - 1]:
                    id_hash = fnv(number.to_bytes(4, "little"), id_hash)
                text_hash = fnv(tokenizer.decode(ids).encode() + b"\0", text_hash)
            hashes.append(f"{id_hash:016x}")
            decoded.append(f"{text_hash:016x}")
        samples[name] = {
            "size": tokenizer.get_vocab_size(), "hashes": hashes, "decoded": decoded,
            "lines": [{"text": line, "ids": tokenizer.encode(line).ids,
                       "decoded": tokenizer.decode(tokenizer.encode(line).ids),
                       "kept": tokenizer.decode(tokenizer.encode(line).ids, False)}
                      for line in lines[:SHOWN]]}
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    samples["training"] = samples["training"] if named else [
        learnt(lines[:2000], pre_tokenizers.ByteLevel(add_prefix_space=False), ["<|endoftext|>"]),
        learnt(lines[:2000], pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(LLAMA3), "isolated"), level]), [])]
    text = json.dumps(samples, ensure_ascii=True, separators=(",", ":"))
    path_of_samples.write_text(text.replace('],"', '],\n"') + "\n")


if __name__ == "__main__":
    main()
