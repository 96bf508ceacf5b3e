// Whether clients are who they say. Passwords are checked by threads of their own, as bcrypt takes
// milliseconds to seconds: a shard hands in the question and its exchange sleeps until the answer
// is there. What was found out before is told at once.
//
// Threads: called on shards; answers are given on any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "auth/login.hpp"
#include "base/ip.hpp"

namespace steelyard::proxy {

// Needs nothing of its exchange, which may end before it is answered.
struct LoginQuestion {
  std::string user, password, user_file, group_file;
  bool is_certified = false;  // nobody asks for a password: see Login
  IpAddress from;
  std::shared_ptr<const std::atomic<bool>> given_up;  // by who asked

  [[nodiscard]] auth::Login login() const {
    return {user, password, user_file, group_file, is_certified};
  }
};

class Doorman {
 public:
  using Reply = std::function<void(auth::Finding)>;

  virtual ~Doorman() = default;
  [[nodiscard]] virtual std::optional<auth::Finding> known(const auth::Login& login) const = 0;
  // `reply` is called once, unless the question is given up or the program ends before.
  virtual void ask(LoginQuestion question, Reply reply) = 0;
};

}  // namespace steelyard::proxy
