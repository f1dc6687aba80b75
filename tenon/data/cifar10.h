// CIFAR-10 in its binary form: 32 x 32 colour images of ten classes.
#pragma once
#include <filesystem>

#include "tenon/data/dataset.h"

namespace tenon::data {

// The files data_batch_1.bin to data_batch_5.bin and test_batch.bin of a folder, each of 1 to
// 10,000 records of a label byte and 3072 bytes of red, green and blue planes (Krizhevsky,
// "Learning multiple layers of features from tiny images", 2009). Images become u8[N, 32, 32, 3].
// Class names are the ten lines of batches.meta.txt if it is there, else those of the publication.
// UserError naming the file that is missing, not whole records, too long, or has a label above 9.
TrainTest cifar10(const std::filesystem::path& folder);

}  // namespace tenon::data
