// What was changed together in one instance and goes to the store together, and what became of it.
//
// Pure values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cluster/field.hpp"

namespace steelyard::cluster {

// A field as it shall be, or as the store has it; no value: as each configuration has it.
struct Wish {
  FieldKey key;
  std::optional<FieldValue> value;
  friend bool operator==(const Wish&, const Wish&) = default;
};

// What it takes in memory, roughly.
[[nodiscard]] std::size_t size_of(const Wish& wish);

struct Order {
  struct Field {
    Wish wish;
    std::int64_t over = 0;  // the revision of the field that it was made over; 0: it was not there
    friend bool operator==(const Field&, const Field&) = default;
  };
  std::string id;
  std::vector<Field> fields{};
  bool in_touch = false;  // with the store, from when it was made until now
  bool is_sent = false;   // and what became of it is not known yet
  bool is_anew = false;   // of what the store forgot: yields to whoever said something later
  int times_refused = 0;  // because something of it was not what it was made over
  friend bool operator==(const Order&, const Order&) = default;
};

// A field as the store said it is since `revision`.
struct Sight {
  Wish field;
  std::int64_t revision = 0;
};

// An order of ours that does not count.
struct Superseded {
  struct Field {
    FieldKey key;
    std::optional<FieldValue> ours, theirs;
  };
  std::string order;
  std::vector<Field> fields{};
  std::string why{};
};

}  // namespace steelyard::cluster
