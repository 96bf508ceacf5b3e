#pragma once

#include <string>

// Why a word of the configuration was refused. Threads: a value.

namespace steelyard::expr {

struct Complaint {
  std::string text;    // httpd's sentence where it has one
  std::string advice;  // what to write instead; may be empty
};

}  // namespace steelyard::expr
