#pragma once

#include <memory>

// A part that most objects of a kind never use: until it is written it takes a pointer's room and
// reads as an empty one. What was made once is kept, so a steady stream of users allocates nothing.
//
// Threads: one at a time; the empty one is shared and never changes.

namespace steelyard {

template <class T>
class OnDemand {
 public:
  const T& operator*() const noexcept { return own_ ? *own_ : empty_; }
  const T* operator->() const noexcept { return &**this; }

  T& write() {
    if (!own_) own_ = std::make_unique<T>();
    return *own_;
  }
  // Reads as an empty one again; keeps its memory, and what T::clear() keeps.
  void clear() noexcept {
    if (own_) own_->clear();
  }

 private:
  static inline const T empty_{};
  std::unique_ptr<T> own_;
};

}  // namespace steelyard
