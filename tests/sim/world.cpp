#include "world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "balance/parameters.hpp"
#include "base/text.hpp"

namespace steelyard::sim {

namespace {

constexpr std::uint64_t usual_seed = 20261128;
constexpr int attempts_max = 100;

}  // namespace

struct World::Exchange {
  double arrived = 0;
  double asked = 0;  // when its member got it
  std::vector<balance::Lease> leases;
  std::vector<balance::MemberRef> tried;
};

std::uint64_t seed_of_run() {
  const char* const text = std::getenv("STEELYARD_SIM_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : usual_seed;
}

World::World(std::shared_ptr<const balance::BalancerSpec> spec, std::vector<MemberModel> models)
    : balancer_(std::make_shared<balance::Balancer>(spec)),
      models_(std::move(models)),
      waiting_(models_.size()),
      serving_(models_.size()),
      live_(models_.size()),
      random_(seed_of_run()) {
  for (const balance::MemberView& view : balancer_->members()) {
    indexes_[view.member.get()] = refs_.size();
    refs_.push_back(view.member);
  }
  EXPECT_EQ(refs_.size(), models_.size());
}

World::~World() {
  if (::testing::Test::HasFailure()) {
    std::printf("replay with STEELYARD_SIM_SEED=%llu\n",
                static_cast<unsigned long long>(seed_of_run()));
  }
}

Instant World::instant() const {
  return Instant{} + std::chrono::hours(1) +
         std::chrono::duration_cast<Duration>(std::chrono::duration<double>(now_));
}

void World::after(double seconds, std::function<void()> action) {
  events_.push({now_ + seconds, ++orders_, std::move(action)});
}

void World::step() {
  const std::function<void()> act = events_.top().act;
  now_ = events_.top().at;
  events_.pop();
  act();
}

void World::run(double rate, double seconds) {
  const double until = now_ + seconds;
  arrive(rate, until);
  while (!events_.empty() && events_.top().at <= until) step();
  now_ = until;
}

void World::finish() {
  while (!events_.empty()) step();
  for (std::size_t member = 0; member < refs_.size(); ++member) {
    EXPECT_EQ(live_[member], 0);
    check_member(member);
  }
}

void World::forget() {
  picks_.clear();
  times_.clear();
  refused_ = 0;
}

void World::arrive(double rate, double until) {
  const double wait = std::exponential_distribution<double>(rate)(random_);
  if (now_ + wait > until) return;
  after(wait, [this, rate, until] {
    begin_exchange();
    arrive(rate, until);
  });
}

void World::begin_exchange() {
  auto exchange = std::make_shared<Exchange>();
  exchange->arrived = now_;
  const std::string text = key ? key(random_) : std::string();
  const bool is_replayable =
      replayable >= 1 || std::uniform_real_distribution<double>(0, 1)(random_) < replayable;
  for (int attempts = 1; attempts <= attempts_max; ++attempts) {
    balance::Decision decision = balancer_->choose({.session = {},
                                                    .now = instant(),
                                                    .random = random_(),
                                                    .key = text,
                                                    .tried = exchange->tried,
                                                    .replayable = is_replayable});
    if (!decision.lease) break;
    const std::size_t member = indexes_.at(&decision.lease.member());
    exchange->leases.push_back(std::move(decision.lease));
    const balance::Lease& lease = exchange->leases.back();
    if (models_[member].up && balancer_->connected(lease)) {
      ++live_[member];
      ++live_in_all_;
      picks_.push_back({now_, member});
      if (on_pick) on_pick(member);
      enter(member, std::move(exchange));
      return;
    }
    if (on_refusal) on_refusal(member);
    balancer_->connect_failed(lease, instant());
    if (!balancer_->may_try_another(lease, attempts)) break;
    exchange->tried.emplace_back(&lease.member());
  }
  ++refused_;
}

void World::enter(std::size_t member, std::shared_ptr<Exchange> exchange) {
  exchange->asked = now_;
  if (serving_[member] >= models_[member].places) {
    waiting_[member].push(std::move(exchange));
  } else {
    serve(member, std::move(exchange));
  }
}

void World::serve(std::size_t member, std::shared_ptr<Exchange> exchange) {
  ++serving_[member];
  const MemberModel& model = models_[member];
  const double service =
      model.exponential ? std::exponential_distribution<double>(1 / model.service_seconds)(random_)
                        : model.service_seconds;
  after(service, [this, member, exchange = std::move(exchange)] { end(member, *exchange); });
}

void World::end(std::size_t member, Exchange& exchange) {
  --serving_[member];
  const std::chrono::duration<double> took(now_ - exchange.asked);
  const balance::Lease& lease = exchange.leases.back();
  for (const balance::SlowEjection& slow :
       balancer_->observe_latency(lease, std::chrono::duration_cast<Duration>(took), instant())) {
    if (on_slow) on_slow(indexes_.at(slow.member.get()));
  }
  balancer_->answer_began(lease, instant(), 200);
  refs_[member]->add_read(answer_bytes);
  times_.push_back(now_ - exchange.arrived);
  exchange.leases.clear();
  --live_[member];
  --live_in_all_;
  check_member(member);
  if (waiting_[member].empty()) return;
  auto next = std::move(waiting_[member].front());
  waiting_[member].pop();
  serve(member, std::move(next));
}

// Leases of failed attempts last until their exchange ends, so that busy can be more while members
// refuse.
void World::check_member(std::size_t member) {
  const int busy = refs_[member]->busy();
  if (models_[member].up) {
    EXPECT_GE(busy, live_[member]);
  }
  if (live_in_all_ == 0) {
    EXPECT_EQ(busy, 0);
  }
}

std::shared_ptr<balance::BalancerSpec> group_of(std::size_t members, std::string_view parameters) {
  auto spec = std::make_shared<balance::BalancerSpec>();
  spec->name = "balancer://sim";
  for (std::size_t i = 0; i < members; ++i) {
    spec->members.emplace_back();
    spec->members.back().name = "m" + std::to_string(i);
  }
  for (const std::string_view word : split_words(parameters)) {
    const std::size_t equals = word.find('=');
    EXPECT_TRUE(
        balance::set_balancer_parameter(*spec, word.substr(0, equals), word.substr(equals + 1)))
        << word;
  }
  return spec;
}

double quantile(std::vector<double> values, double part) {
  EXPECT_FALSE(values.empty());
  const auto at = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + at);
  return values[static_cast<std::size_t>(at)];
}

}  // namespace steelyard::sim
