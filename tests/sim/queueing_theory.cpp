#include "queueing_theory.hpp"

#include <cmath>

namespace steelyard::sim {

namespace {

constexpr double late = 0.01;
constexpr int queue_max = 12;  // load^(2^12) is nothing

double at_least(int length, double load) { return std::pow(load, std::exp2(length) - 1); }

// The chance that `count` service times together take longer than `time`.
double longer_than(double time, int count) {
  double term = std::exp(-time);
  double sum = 0;
  for (int i = 0; i < count; ++i) {
    sum += term;
    term *= time / (i + 1);
  }
  return sum;
}

double late_after(double time, double load) {
  double sum = 0;
  for (int k = 1; k <= queue_max; ++k) {
    const double joins = std::pow(at_least(k - 1, load), 2) - std::pow(at_least(k, load), 2);
    sum += joins * longer_than(time, k);
  }
  return sum;
}

}  // namespace

double p99_of_one_choice(double load) { return std::log(1 / late) / (1 - load); }

double p99_of_two_choices(double load) {
  double low = 0;
  double high = p99_of_one_choice(load);
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (late_after(middle, load) > late ? low : high) = middle;
  }
  return high;
}

}  // namespace steelyard::sim
