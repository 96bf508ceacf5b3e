#include <cstdio>
#include <exception>
#include <span>

#include "server/program.hpp"

// What a library throws is caught where it is called; this is the last net.
int main(int count, char** arguments) {
  try {
    return steelyard::server::run_program(std::span(arguments, static_cast<std::size_t>(count)));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "steelyard: %s\n", error.what());
  }
  return 1;
}
