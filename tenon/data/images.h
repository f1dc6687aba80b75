// Image datasets in the files of MNIST: Fashion-MNIST from its Debian package, or any folder.
#pragma once
#include <filesystem>

#include "tenon/data/dataset.h"

namespace tenon::data {

// The files train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
// t10k-labels-idx1-ubyte of a folder, each plain or with ".gz". Images stay u8[N, height, width]
// (or whatever the file holds); classes are named "0", "1", ... unless names are given.
// UserError naming the file that is missing, malformed, or does not fit its partner, and the image
// of floats that are not finite.
TrainTest mnist_folder(const std::filesystem::path& folder,
                       std::vector<std::string> class_names = {});

// 60,000 training and 10,000 test images u8[28, 28] of ten kinds of clothing (Xiao, Rasul and
// Vollgraf, arXiv:1708.07747). Without a folder, where the package dataset-fashion-mnist puts it;
// UserError with the command that installs it if it is not there.
TrainTest fashion_mnist(const std::filesystem::path& folder = {});

}  // namespace tenon::data
