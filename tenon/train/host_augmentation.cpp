#include "tenon/train/host_augmentation.h"

#include <memory>
#include <mutex>

#include "tenon/session/session.h"
#include "tenon/tensor/functions.h"

namespace tenon {
namespace {

TensorType batch_of_one(TensorType type) {
  type.shape.insert(type.shape.begin(), 1);
  return type;
}

// The compiled graph of one sample, for one thread at a time.
class SampleAugmenter {
 public:
  SampleAugmenter(const augment::Augmentation& augmentation, const TensorType& sample,
                  const HostAugmentationOptions& options)
      : session_("cpu", {.threads = 1, .cache_folder = options.cache_folder}),
        image_type_(batch_of_one(sample)),
        step_(compiled(augmentation, options)),
        result_type_(step_.fetch_type(0)),
        image_(session_.backend().allocate({image_type_, {}})),
        key_(session_.backend().allocate({kKeyType, {}})) {
    results_.push_back(session_.backend().allocate({result_type_, {}}));
    sample_type_ = result_type_;
    sample_type_.shape.erase(sample_type_.shape.begin());
  }

  HostTensor operator()(const HostTensor& image, const std::array<std::uint32_t, 2>& key) {
    backends::Backend& backend = session_.backend();
    backend.write(image_, {image_type_, image.bytes().data()}).wait();
    backend.write(key_, {kKeyType, key.data()}).wait();
    const std::array<backends::Buffer*, 2> inputs = {&image_, &key_};
    step_.run(inputs, results_);
    HostTensor changed(sample_type_);
    backend.read(results_[0], {result_type_, changed.bytes().data()}).wait();
    return changed;
  }

 private:
  inline static const TensorType kKeyType{DType::u32, {1, 2}};

  CompiledStep compiled(const augment::Augmentation& augmentation,
                        const HostAugmentationOptions& options) {
    const Tensor image = placeholder("image", image_type_), key = placeholder("key", kKeyType);
    Tensor prepared = image;
    // In f32, as Normalization::apply.
    if (options.normalization.kind != data::NormalizationKind::none)
      prepared = cast(image, DType::f32) * constant(options.normalization.scale) +
                 constant(options.normalization.offset);
    return session_.compile(std::array{image, key},
                            {{augment::apply(augmentation, prepared, key, options.range)}, {}});
  }

  Session session_;
  TensorType image_type_;
  CompiledStep step_;
  TensorType result_type_, sample_type_;
  backends::Buffer image_, key_;
  std::vector<backends::Buffer> results_;
};

// Augmenters that no thread uses now; there are as many as ever ran side by side.
struct AugmenterPool {
  augment::Augmentation augmentation;
  TensorType sample;
  std::uint64_t seed = 0;
  HostAugmentationOptions options;
  std::mutex mutex;
  std::vector<std::unique_ptr<SampleAugmenter>> idle;

  std::unique_ptr<SampleAugmenter> taken() {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        std::unique_ptr<SampleAugmenter> one = std::move(idle.back());
        idle.pop_back();
        return one;
      }
    }
    return std::make_unique<SampleAugmenter>(augmentation, sample, options);
  }
  void give_back(std::unique_ptr<SampleAugmenter> one) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(one));
  }
};

}  // namespace

SampleFunction host_augmentation(const augment::Augmentation& augmentation,
                                 const TensorType& sample, std::uint64_t seed,
                                 const HostAugmentationOptions& options) {
  auto pool = std::make_shared<AugmenterPool>();
  pool->augmentation = augmentation;
  pool->sample = sample;
  pool->seed = seed;
  pool->options = options;
  pool->give_back(pool->taken());  // what does not fit is told now
  return [pool](data::Sample given, const data::SamplePlace& place) {
    require(given.x.type() == pool->sample,
            "augmentation: a sample is {}, but {} was said; resize images to one size first",
            given.x.type(), pool->sample);
    std::unique_ptr<SampleAugmenter> augmenter = pool->taken();
    given.x = (*augmenter)(given.x, augment::sample_key(pool->seed, place.epoch, place.index));
    pool->give_back(std::move(augmenter));
    return given;
  };
}

}  // namespace tenon
