// Tells the error log of every change of a member's health, whatever its cause: with which
// evidence, and from which status to which. Those who make a change have their own lines, as httpd
// has them, but not for all of them, and seldom with the evidence.
//
// Invariant: what a member's log (health_log.hpp) holds that was not told yet is told by one line;
// what happened several times since the last look is one line with the number. A member that a
// reload removes takes its last second along.
//
// Threads: the loop's. While nothing changed a look reads one number; else it takes each balancer's
// lock for as long as a list of its members needs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "balance/health_log.hpp"
#include "io/loop.hpp"
#include "manage/naming.hpp"

namespace steelyard::manage {

class HealthNews final : private io::Timer {
 public:
  // How late a line may come.
  static constexpr Duration interval = std::chrono::seconds(1);

  using Log = std::function<void(const config::Server&, const std::string& text)>;
  HealthNews(io::Loop& loop, Log log) : loop_(loop), log_(std::move(log)) {}
  HealthNews(const HealthNews&) = delete;
  HealthNews& operator=(const HealthNews&) = delete;

  // It looks by itself from now on.
  void adopt(std::shared_ptr<const proxy::Generation> generation);
  void look();

 private:
  struct Told {
    balance::MemberRef member;  // so that nobody else has its address
    std::vector<balance::HealthEvent> events{};
    std::uint64_t seen = 0;  // the number of the look
  };

  void expired() override;
  void look_at(const NamedBalancer& balancer);
  void tell(const NamedBalancer& balancer, const std::string& member,
            const balance::HealthEvent& event, std::uint32_t times) const;

  io::Loop& loop_;
  const Log log_;
  std::shared_ptr<const proxy::Generation> generation_;
  std::vector<NamedBalancer> balancers_;
  std::map<const balance::Member*, Told> told_;  // of members that had something to tell
  std::uint64_t changes_ = 0;                    // at the last look
  std::uint64_t looks_ = 0;
};

// "Init Ok -> Init Err: could not be connected to: connection refused, after 3 ms (2 times)"
std::string news_text(const balance::HealthEvent& event, std::uint32_t times);

}  // namespace steelyard::manage
