#include "tenon/io/wav.h"

#include <gtest/gtest.h>

#include "io_testing.h"
#include "tenon/io/file.h"
#include "tenon/io/npy.h"

namespace tenon::io {
namespace {

std::string little(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::string riff_chunk(std::string_view name, std::string_view content) {
  return std::string(name) + little(content.size(), 4) + std::string(content) +
         (content.size() % 2 != 0 ? std::string(1, '\0') : "");
}

std::string format_chunk(int tag, int channels, int rate, int frame_bytes, int bits) {
  return riff_chunk("fmt ", little(static_cast<std::uint64_t>(tag), 2) +
                                little(static_cast<std::uint64_t>(channels), 2) +
                                little(static_cast<std::uint64_t>(rate), 4) + little(0, 4) +
                                little(static_cast<std::uint64_t>(frame_bytes), 2) +
                                little(static_cast<std::uint64_t>(bits), 2));
}

std::string wave(const std::string& chunks) {
  return "RIFF" + little(chunks.size() + 4, 4) + "WAVE" + chunks;
}

std::string wav_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(Wav, AgreesWithSoundfileInEveryFormat) {
  for (const char* name : {"pcm8", "pcm16", "pcm24", "pcm32", "float32", "float64", "extensible24",
                           "extensible_float", "odd_chunks"}) {
    const Sound sound = read_wav(ByteSource::open(sample_path(std::string(name) + ".wav")));
    EXPECT_EQ(sound.samples, read_npy(sample_path(std::string(name) + "_wav.npy"))) << name;
    EXPECT_EQ(sound.rate, std::string_view(name) == "odd_chunks" ? 44100u : 8000u);
  }
  const Sound mono = read_wav(ByteSource::open(sample_path("scipy_mono.wav")));
  EXPECT_EQ(mono.rate, 16000u);
  ASSERT_EQ(mono.samples.shape(), (Shape{11, 1}));
  for (int i = 0; i < 11; ++i)
    EXPECT_EQ(mono.samples.as<float>()[static_cast<std::size_t>(i)],
              static_cast<float>((i - 5) * 3000) / 32768.0f);
}

TEST(Wav, WritesWhatItReads) {
  const HostTensor samples = make_tensor<float>({3, 2}, {-1, 0.5f, 0.25f, 0, 2, NAN});
  const Sound back = read_wav({"sound", wav_bytes(samples, 8000)});
  EXPECT_EQ(back.rate, 8000u);
  EXPECT_EQ(back.samples, make_tensor<float>({3, 2}, {-1, 0.5f, 0.25f, 0, 32767.0f / 32768.0f, 0}));
  EXPECT_EQ(read_wav({"sound", wav_bytes(HostTensor({DType::f32, {0, 1}}), 1)}).samples.shape(),
            (Shape{0, 1}));
  EXPECT_EQ(error_of([] {
              wav_bytes(HostTensor({DType::f32, {4}}), 8000);
            }),
            "a sound is f32[frames, channels], not f32[4]");
  EXPECT_EQ(error_of([] {
              wav_bytes(HostTensor({DType::f32, {4, 1}}), 0);
            }),
            "a sound of 0 frames per second");
}

TEST(Wav, DataOfUnknownSizeEndsWithTheFile) {
  const std::string format = format_chunk(1, 1, 8000, 1, 8);
  const Sound sound =
      read_wav(source_of(wave(format + "data" + little(0xffffffff, 4) + "\x80\xc0")));
  EXPECT_EQ(sound.samples, make_tensor<float>({2, 1}, {0, 0.5f}));
}

TEST(Wav, CutOrChangedFilesAreRefused) {
  const std::string whole =
      wav_text(wav_bytes(make_tensor<float>({3, 2}, {-1, 0.5f, 0.25f, 0, 0.1f, 0.2f}), 8000));
  const auto read = [](const ByteSource& source) { read_wav(source, 1 << 20); };
  expect_every_prefix_refused(whole, read);
  expect_every_byte_change_survived(whole, read);
  const std::string extensible = read_text_file(sample_path("extensible_float.wav"));
  expect_every_byte_change_survived(extensible, read);
}

TEST(Wav, MalformedFilesAreNamed) {
  const auto error = [](const std::string& content) {
    return error_of([&] { read_wav(source_of(content)); });
  };
  const std::string data = riff_chunk("data", "1234");
  EXPECT_EQ(error("nope, no sound"), "sample: byte 0: not a WAV file: it does not start with RIFF");
  EXPECT_EQ(error("RF64 and the rest"),
            "sample: byte 0: RF64 files are not supported; save it as a plain WAV file");
  EXPECT_EQ(error("RIFF1234AVI LIST"), "sample: byte 8: a RIFF file that does not hold WAVE");
  EXPECT_EQ(error(wave(data)), "sample: byte 12: the data chunk comes before the format chunk");
  EXPECT_EQ(error(wave(format_chunk(1, 1, 8000, 1, 8))),
            "sample: byte 36: the file ends before a data chunk");
  EXPECT_EQ(error(wave(riff_chunk("fmt ", "too short"))),
            "sample: byte 20: a format chunk of 9 bytes; at least 16 expected");
  EXPECT_EQ(error(wave(format_chunk(1, 1, 8000, 1, 8) + format_chunk(1, 1, 8000, 1, 8) + data)),
            "sample: byte 36: a second format chunk");
  EXPECT_EQ(error(wave(format_chunk(2, 1, 8000, 1, 4) + data)),
            "sample: byte 20: format 2 with 4 bits a sample; PCM (1) of 8, 16, 24 or 32 bits and "
            "float (3) of 32 or 64 expected");
  EXPECT_EQ(error(wave(format_chunk(1, 0, 8000, 0, 8) + data)),
            "sample: byte 20: a sound without channels");
  EXPECT_EQ(error(wave(format_chunk(1, 1, 0, 1, 8) + data)),
            "sample: byte 20: a rate of 0 frames per second");
  EXPECT_EQ(error(wave(format_chunk(1, 2, 8000, 2, 16) + data)),
            "sample: byte 20: frames of 2 bytes; 2 channels of 16 bits take 4");
  EXPECT_EQ(error(wave(format_chunk(1, 3, 8000, 3, 8) + data)),
            "sample: byte 44: 4 bytes of sound are no whole number of frames of 3 bytes");
  EXPECT_EQ(error(wave(format_chunk(1, 1, 8000, 1, 8) + "data" + little(4000000000u, 4) + "12")),
            "sample: byte 44: the file ends inside the sound (4000000000 bytes expected, 2 left)");
  EXPECT_EQ(
      error(wave("junk" + little(0xfffffff0u, 4) + "12")),
      "sample: byte 12: the chunk \"junk\" of 4294967280 bytes runs past the end of the file");
  const std::string not_finite = little(0x7fc00000, 4);
  EXPECT_EQ(error(wave(format_chunk(3, 1, 8000, 4, 32) + riff_chunk("data", not_finite))),
            "sample: byte 44: a sample that is not a finite f32");
  const std::string huge = little(0x7fefffffffffffffu, 8);  // the largest f64
  EXPECT_EQ(error(wave(format_chunk(3, 1, 8000, 8, 64) + riff_chunk("data", huge))),
            "sample: byte 44: a sample that is not a finite f32");
  EXPECT_EQ(error_of([&] { read_wav(source_of(wave(format_chunk(1, 1, 8000, 1, 8) + data)), 15); }),
            "sample: byte 44: a sound of 4 frames in 1 channels, above the limit of 15 bytes");
}

}  // namespace
}  // namespace tenon::io
