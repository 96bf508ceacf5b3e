#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

// A list whose elements other lists may hold too: every virtual host has the routes and sections of
// the main server, and a thousand hosts shall not hold a thousand copies of each.
//
// Elements that are shared are never written: own() gives this list a copy first.
//
// Threads: as a value; elements are only read once the configuration is built.

namespace steelyard::config {

template <class T>
class SharedList {
 public:
  SharedList() = default;
  SharedList(std::initializer_list<T> items) {
    for (const T& item : items) push_back(item);
  }

  struct Iterator {
    typename std::vector<std::shared_ptr<T>>::const_iterator at;
    const T& operator*() const { return **at; }
    Iterator& operator++() {
      ++at;
      return *this;
    }
    bool operator==(const Iterator&) const = default;
  };
  Iterator begin() const { return {items_.begin()}; }
  Iterator end() const { return {items_.end()}; }

  std::size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  const T& operator[](std::size_t i) const { return *items_[i]; }
  const T& at(std::size_t i) const { return *items_.at(i); }

  // The element to write to.
  T& own(std::size_t i) {
    std::shared_ptr<T>& item = items_[i];
    if (item.use_count() > 1) item = std::make_shared<T>(*item);
    return *item;
  }

  void push_back(T item) { items_.push_back(std::make_shared<T>(std::move(item))); }
  void prepend(const SharedList& others) {
    items_.insert(items_.begin(), others.items_.begin(), others.items_.end());
  }

 private:
  std::vector<std::shared_ptr<T>> items_;
};

}  // namespace steelyard::config
