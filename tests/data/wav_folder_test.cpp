#include "tenon/data/wav_folder.h"

#include <gtest/gtest.h>

#include "data_testing.h"
#include "tenon/data/pipeline_batches.h"
#include "tenon/io/file.h"
#include "tenon/io/wav.h"

namespace tenon::data {
namespace {

HostTensor sound_of(std::int64_t frames, float left, float right) {
  HostTensor sound({DType::f32, {frames, 2}});
  for (std::size_t i = 0; i < sound.as<float>().size(); ++i)
    sound.as<float>()[i] = i % 2 == 0 ? left : right;
  return sound;
}

// no: a.wav (4 frames), yes: b.WAV (2 frames), notes.txt.
void write_sounds(const TemporaryFolder& folder) {
  for (const char* name : {"no", "yes"}) std::filesystem::create_directory(folder / name);
  io::write_file_atomically(folder / "no/a.wav", io::wav_bytes(sound_of(4, 0.5f, -0.25f), 8000));
  io::write_file_atomically(folder / "yes/b.WAV", io::wav_bytes(sound_of(2, 0.25f, 0), 8000));
  io::write_file_atomically(folder / "yes/notes.txt", std::string_view("no sound"));
}

TEST(WavFolder, SoundsAreMixedCutAndFilledUp) {
  const TemporaryFolder folder;
  write_sounds(folder);
  const WavFolder sounds = wav_folder(folder.path(), {.frames = 3});
  EXPECT_EQ(sounds.class_names(), (std::vector<std::string>{"no", "yes"}));
  EXPECT_EQ(sounds.rate(), 8000);
  ASSERT_EQ(sounds.size(), 2);
  EXPECT_EQ(sounds.read(0).x, make_tensor<float>({3}, {0.125f, 0.125f, 0.125f}));
  EXPECT_EQ(sounds.read(1).x, make_tensor<float>({3}, {0.125f, 0.125f, 0}));
  EXPECT_EQ(sounds.read(1).y, make_scalar<std::int32_t>(1));
  const WavFolder stereo = wav_folder(folder.path(), {.mono = false});
  EXPECT_EQ(stereo.read(1).x, make_tensor<float>({2, 2}, {0.25f, 0, 0.25f, 0}));
  for (const int workers : {0, 2}) {
    const Dataset dataset = sounds.load(workers);
    EXPECT_EQ(dataset.x().type(), (TensorType{DType::f32, {2, 3}}));
    EXPECT_EQ(dataset.y().tensor(), make_tensor<std::int32_t>({2}, {0, 1}));
  }
  PipelineBatches padded = wav_folder(folder.path()).pipeline().batches(2, {.padding = Padding{}});
  EXPECT_EQ(padded.next()->x, make_tensor<float>({2, 4}, {0.125f, 0.125f, 0.125f, 0.125f,  //
                                                          0.125f, 0.125f, 0, 0}));
}

TEST(WavFolder, UnfittingSoundsAreNamed) {
  const TemporaryFolder folder;
  write_sounds(folder);
  EXPECT_EQ(error_of([&] { wav_folder(folder.path()).load(1); }),
            "sample 1 of epoch 0: " + folder.path() + "/yes/b.WAV: x is f32[2], but " +
                folder.path() +
                "/no/a.wav has f32[4]\n  help: --frames N cuts or fills sounds to one length "
                "(WavFolderOptions::frames in C++), --bad-samples skip leaves such sounds out");
  EXPECT_EQ(error_of([&] { wav_folder(folder.path(), {.rate = 16000}).read(0); }),
            folder.path() +
                "/no/a.wav: 8000 frames per second; 16000 expected, as in the other "
                "files; resample it");
  EXPECT_EQ(
      error_of([&] { wav_folder(folder.path(), {.max_sound_bytes = 10}).read(0); }),
      folder.path() +
          "/no/a.wav: byte 44: a sound of 4 frames in 2 channels, above the limit of 10 bytes");
  EXPECT_EQ(error_of([&] { wav_folder(folder.path(), {.frames = -1}); }),
            "sounds of -1 frames at 0 frames per second; neither can be negative");
  EXPECT_EQ(error_of([&] { wav_folder(folder.path()).read(2); }), folder.path() + ": sound 2 of 2");
  io::write_file_atomically(folder / "no/a.wav", std::string_view("not a sound"));
  const BadSamples bad;
  EXPECT_EQ(wav_folder(folder.path()).load(1, bad).y().tensor(),
            make_tensor<std::int32_t>({1}, {1}));
  EXPECT_EQ(bad.messages(),
            std::vector<std::string>{folder.path() +
                                     "/no/a.wav: byte 0: not a WAV file: it does not start with "
                                     "RIFF"});
  std::filesystem::remove_all(folder / "yes");
  EXPECT_EQ(error_of([&] { wav_folder(folder.path()).load(1, bad); }),
            folder.path() + ": none of its 1 sounds could be decoded");
  std::filesystem::remove(folder / "no/a.wav");
  EXPECT_EQ(error_of([&] { wav_folder(folder.path()); }),
            folder.path() + ": no .wav files in its 1 sub-folders");
}

}  // namespace
}  // namespace tenon::data
