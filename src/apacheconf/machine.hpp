#pragma once

#include <functional>
#include <string>

namespace steelyard::apacheconf {

// What only the machine can say that the configuration is for. What is null is not asked.
struct Machine {
  std::function<bool(const std::string& path)> is_folder, is_file;
  // Empty, or what is wrong with the names.
  std::function<std::string(const std::string& user, const std::string& group)> identity_fault;
};

}  // namespace steelyard::apacheconf
