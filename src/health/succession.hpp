#pragma once

#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "health/target.hpp"

// Which check goes on as which, when members came or went, or others are asked or otherwise.
//
//   1. who is asked the same as before in the same manner: shared by the question, else by member
//   2. else a check of one of the members that nobody took: of the same question first, then the
//      latest
//   3. else a new one, whose first interval counts from the last check of its members, if any
//
// What nobody takes ends with this object.
// Threads: the loop's.

namespace steelyard::health {

struct WantedCheck {
  std::optional<Question> question;  // of one that is shared
  std::vector<Asker> askers;         // one, or all who share it; never none
};

// All that members of the generation want, as they are now; in its order.
std::vector<WantedCheck> wanted_checks(const std::shared_ptr<const proxy::Generation>& generation);

class Prober::Succession {
 public:
  Succession(const ProberParts& parts, std::size_t& under_way,
             std::vector<std::unique_ptr<Target>> earlier);
  std::vector<std::unique_ptr<Target>> settle(std::vector<WantedCheck> wanted);

 private:
  struct Known {
    std::size_t at;  // in earlier_; null there: it was taken
    Instant last_end;
  };
  std::unique_ptr<Target> same(const WantedCheck& wanted);
  std::unique_ptr<Target> nearest(const WantedCheck& wanted);
  std::unique_ptr<Target> made_for(const WantedCheck& wanted);
  [[nodiscard]] const Known* known(const Asker& asker) const;

  const ProberParts& parts_;
  std::size_t& under_way_;
  std::vector<std::unique_ptr<Target>> earlier_;
  std::map<Asker::Key, Known> by_member_;
  std::unordered_map<Question, std::size_t, QuestionHash> by_question_;  // of those shared
};

}  // namespace steelyard::health
