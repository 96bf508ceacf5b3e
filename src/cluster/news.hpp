// What an instance asks the store, and what it learns from it (conversation.hpp).
//
// Pure values.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "cluster/field.hpp"
#include "cluster/ledger.hpp"

namespace steelyard::cluster {

struct Question {
  enum class Kind : std::uint8_t { login, grant, present, read, watch, keep_alive, latest, share };
  Kind kind;
  std::size_t address = 0;  // of Options::addresses
  std::string path{};       // "/v3/kv/range"
  std::string body{};
  std::string token{};  // for Authorization; empty: none
};

// What the instance learns.
struct News {
  struct Everything {  // in touch from now on
    std::vector<Sight> fields{};
    std::vector<Instance> instances{};
    std::int64_t revision = 0;
    std::size_t address = 0;
    std::uint64_t epoch = 0;  // of being in touch
  };
  struct Changes {
    std::vector<Sight> fields{};
    std::vector<Instance> came{};
    std::vector<std::string> gone{};  // ids of instances
    std::int64_t revision = 0;
  };
  struct Shared {
    std::string order;
    std::int64_t revision = 0;
  };
  struct InTheWay {
    std::string order;
    std::vector<Sight> fields{};
  };
  struct Refused {
    std::string order, why;
  };
  struct Lost {
    std::string why;
    std::size_t address = 0;  // where
  };
  struct Behind {  // the store's revision of what we share, as far as it is known
    std::int64_t latest = 0;
  };
  struct Senseless {  // a key that is left out; without a reason: no longer
    std::string key, why;
  };
  using Any = std::variant<Everything, Changes, Shared, InTheWay, Refused, Lost, Behind, Senseless>;
};

}  // namespace steelyard::cluster
