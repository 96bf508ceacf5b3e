#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "auth/line.hpp"
#include "base/ip.hpp"
#include "base/time.hpp"

// Who waits to ask which responder. One that answers nobody must not hold up those who have another
// one to ask: each has a share of places, and a line of its own.
//
//   add() ─▶ the responder's line, in turns by client ─▶ next(), in turns by responder ─▶ leave()
//
// A responder that let somebody wait in vain and answered nobody meanwhile is silent for a while:
// one at a time tries it, and the others are turned away at once instead of after a wait of their
// own. Whatever it says in time ends that. So who comes alone is never turned away unasked.
//
// Threads: one at a time.

namespace steelyard::server {

// `Job` is copied: a pointer.
template <class Job>
class ResponderLines {
 public:
  static constexpr std::size_t jobs_max = 2048;  // of all that wait
  static constexpr std::size_t jobs_of_one_max = jobs_max / 4;
  static constexpr Duration silence_max = std::chrono::seconds(5);

  // `places`: of each responder.
  explicit ResponderLines(std::size_t places) : places_(places) {}

  enum class Entry { taken, full, silent };
  Entry add(const std::string& responder, const IpAddress& from, const Job& job, Instant now) {
    Responder& own = responders_[responder];
    const std::size_t waiting = own.line.size();
    if (now < own.silent_until && own.busy + waiting > 0) return Entry::silent;
    const bool has_room = count_ < jobs_max && waiting < jobs_of_one_max;
    if (!has_room || !own.line.add(from, job)) {
      if (own.is_of_no_use(now)) responders_.erase(responder);
      return Entry::full;
    }
    ++count_;
    if (waiting == 0) turns_.push_back(responder);
    return Entry::taken;
  }

  struct Taken {
    std::string responder;
    Job job;
  };
  // Who may ask now. It has one of the responder's places until leave().
  std::optional<Taken> next() {
    const auto free = [this](const std::string& each) { return responders_[each].busy < places_; };
    const auto turn = std::ranges::find_if(turns_, free);
    if (turn == turns_.end()) return std::nullopt;
    std::string name = std::move(*turn);
    turns_.erase(turn);
    Responder& own = responders_[name];
    Job job = std::move(*own.line.next());
    --count_;
    ++own.busy;
    if (own.line.size() > 0) turns_.push_back(name);
    return Taken{std::move(name), std::move(job)};
  }

  // For how many next() would have something.
  std::size_t ready() const {
    std::size_t sum = 0;
    for (const std::string& name : turns_) {
      const Responder& own = responders_.at(name);
      sum += std::min(own.line.size(), places_ - own.busy);
    }
    return sum;
  }

  enum class Outcome {
    unasked,
    answered,  // with whatever
    in_vain,   // it took all the time there was
  };
  // `began`: when the responder was asked. Those who shall not wait for it any longer: to be added
  // again, as the first of them may try it.
  std::vector<Job> leave(const std::string& responder, Outcome outcome, Instant began,
                         Instant now) {
    Responder& own = responders_[responder];
    --own.busy;
    if (outcome == Outcome::answered) {
      own.answered_at = now;
      own.silent_until = {};
    }
    std::vector<Job> turned_away;
    if (outcome == Outcome::in_vain && (!own.answered_at || *own.answered_at < began)) {
      own.silent_until = now + silence_max;
      while (auto job = own.line.next()) turned_away.push_back(std::move(*job));
      count_ -= turned_away.size();
      std::erase(turns_, responder);
    }
    std::erase_if(responders_, [now](const auto& each) { return each.second.is_of_no_use(now); });
    return turned_away;
  }

  void forget_silence() {
    for (auto& [name, own] : responders_) own.silent_until = {};
  }
  void clear() {
    responders_.clear();
    turns_.clear();
    count_ = 0;
  }

  std::size_t waiting() const { return count_; }
  std::size_t responders() const { return responders_.size(); }

 private:
  struct Responder {
    std::size_t busy = 0;
    auth::Line<Job> line{};
    Instant silent_until{};
    std::optional<Instant> answered_at{};  // since it is kept here

    bool is_of_no_use(Instant now) const {
      return busy == 0 && line.size() == 0 && now >= silent_until;
    }
  };

  const std::size_t places_;
  std::map<std::string, Responder> responders_;  // those with something to remember
  std::deque<std::string> turns_;                // each that is waited for once
  std::size_t count_ = 0;
};

}  // namespace steelyard::server
