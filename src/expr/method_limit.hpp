#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

// <Limit> and <LimitExcept>: the methods that a line is about. Threads: immutable.

namespace steelyard::expr {

class MethodLimit {
 public:
  MethodLimit() = default;  // every method
  MethodLimit(std::span<const std::string> methods, bool except)
      : methods_(methods.begin(), methods.end()), except_(except) {}

  // httpd: HEAD counts as GET on both sides.
  bool covers(std::string_view method) const;
  // "<Limit GET POST> " to stand before a line; empty when every method is covered.
  std::string describe() const;

 private:
  std::vector<std::string> methods_;
  bool except_ = true;
};

std::string_view head_as_get(std::string_view method);

}  // namespace steelyard::expr
