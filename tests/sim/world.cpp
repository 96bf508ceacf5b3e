#include "world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "balance/parameters.hpp"
#include "base/text.hpp"
#include "exchange.hpp"

namespace steelyard::sim {

namespace {

constexpr std::uint64_t usual_seed = 20261128;
constexpr int attempts_max = 100;

std::string tag_of(std::size_t member) { return "t" + std::to_string(member); }

}  // namespace

std::uint64_t seed_of_run() {
  const char* const text = std::getenv("STEELYARD_SIM_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : usual_seed;
}

std::vector<std::uint64_t> seeds_of_run() {
  if (std::getenv("STEELYARD_SIM_SEED") != nullptr) return {seed_of_run()};
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return {usual_seed};  // a run takes six times as long, and other faults are looked for
#else
  return {usual_seed, 4711, 271828};
#endif
}

World::World(std::shared_ptr<const balance::BalancerSpec> spec, std::vector<MemberModel> models,
             std::uint64_t seed)
    : balancer_(std::make_shared<balance::Balancer>(spec)),
      models_(std::move(models)),
      specs_(spec->members),
      waiting_(models_.size()),
      serving_(models_.size()),
      live_(models_.size()),
      seed_(seed),
      had_failed_(::testing::Test::HasFailure()),
      random_(seed) {
  for (const balance::MemberView& view : balancer_->members()) {
    indexes_[view.member.get()] = refs_.size();
    refs_.push_back(view.member);
  }
  EXPECT_EQ(refs_.size(), models_.size());
}

World::~World() {
  in_line_.clear();  // while there is a line to leave
  if (!had_failed_ && ::testing::Test::HasFailure()) {
    std::printf("replay with STEELYARD_SIM_SEED=%llu\n", static_cast<unsigned long long>(seed_));
  }
}

Instant World::instant() const {
  return Instant{} + std::chrono::hours(1) +
         std::chrono::duration_cast<Duration>(std::chrono::duration<double>(now_));
}

void World::after(double seconds, std::function<void()> action) {
  events_.push_back({now_ + seconds, ++orders_, std::move(action)});
  std::ranges::push_heap(events_, Later());
}

void World::step() {
  if (events_.front().at > now_) check_line();
  std::ranges::pop_heap(events_, Later());
  const Event event = std::move(events_.back());
  events_.pop_back();
  now_ = event.at;
  event.act();
}

void World::run(double rate, double seconds) {
  const double until = now_ + seconds;
  arrive(rate, until);
  while (!events_.empty() && events_.front().at <= until) step();
  now_ = until;
}

void World::finish() {
  while (!events_.empty()) step();
  for (std::size_t member = 0; member < refs_.size(); ++member) {
    EXPECT_EQ(live_[member], 0);
    check_member(member);
  }
  EXPECT_EQ(balancer_->line().counters().waiting, 0U);
  EXPECT_TRUE(in_line_.empty());
  EXPECT_EQ(answered_ + refused_ever_, requests_) << "somebody was lost";
}

void World::forget() {
  picks_.clear();
  times_.clear();
  refused_ = {};
}

void World::arrive(double rate, double until) {
  const double wait = std::exponential_distribution<double>(rate)(random_);
  if (now_ + wait > until) return;
  after(wait, [this, rate, until] {
    begin_exchange();
    arrive(rate, until);
  });
}

void World::send_heartbeats(double every, double seconds) {
  if (seconds < 0) return;
  std::vector<heartbeat::Server> all;
  for (std::size_t i = 0; i < models_.size(); ++i) {
    if (!models_[i].up) continue;
    const int idle = std::max(models_[i].places - serving_[i], 0);
    all.push_back({.ip = specs_[i].host,
                   .message = {.ready = idle, .busy = serving_[i]},
                   .seen_at = instant()});
  }
  heard_ = std::make_shared<heartbeat::Servers>(std::move(all));
  after(every, [this, every, seconds] { send_heartbeats(every, seconds - every); });
}

void World::begin_exchange() {
  auto exchange = std::make_shared<Exchange>();
  exchange->number = ++requests_;
  exchange->arrived = now_;
  if (key) exchange->key = key(random_);
  if (client) {
    exchange->client = client(random_);
    const auto session = sessions_.find(exchange->client);
    if (session != sessions_.end()) exchange->tag = tag_of(session->second);
  }
  exchange->is_replayable =
      replayable >= 1 || std::uniform_real_distribution<double>(0, 1)(random_) < replayable;
  seek(exchange);
}

balance::Decision World::choose(Exchange& x, balance::Attempt attempt) {
  Choice choice{.client = x.client};
  if (!x.tag.empty()) {
    choice.own = std::stoul(x.tag.substr(1));
    choice.own_was_usable = refs_[*choice.own]->usable();
  }
  balance::Decision decision = balancer_->choose(
      {.session = {.found = !x.tag.empty(), .name = "sid", .value = x.tag, .tag = x.tag},
       .now = instant(),
       .attempt = attempt,
       .random = random_(),
       .servers = heard_.get(),
       .key = x.key,
       .tried = x.tried,
       .replayable = x.is_replayable});
  if (decision.lease) tell(x, decision, choice);
  return decision;
}

void World::tell(const Exchange& x, const balance::Decision& decision, Choice choice) {
  choice.member = indexes_.at(&decision.lease.member());
  choice.reason = decision.reason;
  // Whoever has the line's first place asks for it alone; a session's member is its own.
  const bool is_newcomer = x.place == nullptr;
  const bool is_sessions =
      choice.reason == balance::Reason::by_session || choice.reason == balance::Reason::by_redirect;
  must(!is_newcomer || is_sessions || in_line_.empty(), "a newcomer overtook the line");
  if (!on_choice) return;
  for (const balance::MemberRef& member : x.tried)
    choice.tried.push_back(indexes_.at(member.get()));
  on_choice(choice);
}

// False: the member refused, and another one may be sought.
bool World::settles(const Shared& exchange, balance::Decision decision) {
  Exchange& x = *exchange;
  const std::size_t member = indexes_.at(&decision.lease.member());
  const bool tag_changed = decision.tag_changed;
  x.leases.push_back(std::move(decision.lease));
  if (models_[member].up && balancer_->connected(x.leases.back())) {
    ++live_[member];
    ++live_in_all_;
    picks_.push_back({now_, member, x.number});
    if (client && tag_changed) sessions_[x.client] = member;
    if (on_pick) on_pick(member);
    enter(member, exchange);
    return true;
  }
  const double lasts = models_[member].refusal_seconds;
  if (lasts == 0) return !fails(x);
  ++refusing_;
  after(lasts, [this, exchange] {
    --refusing_;
    if (fails(*exchange)) seek(exchange);
  });
  return true;
}

// True: another member may be sought.
bool World::fails(Exchange& x) {
  const balance::Lease& lease = x.leases.back();
  if (on_refusal) on_refusal(indexes_.at(&lease.member()));
  balancer_->connect_failed(lease, instant());
  const bool again = x.attempts < attempts_max && balancer_->may_try_another(lease, x.attempts);
  x.used_up = !again && x.lines_up && balancer_->may_line_up();
  if (!again && !x.used_up) {
    refuse(x, &Refused::otherwise);
    return false;
  }
  x.tried.emplace_back(&lease.member());
  ++x.attempts;
  return true;
}

void World::refuse(Exchange& x, int Refused::* how) {
  ++(refused_.*how);
  ++refused_ever_;
  x.place.reset();
  x.leases.clear();
}

void World::enter(std::size_t member, Shared exchange) {
  exchange->asked = now_;
  if (serving_[member] >= models_[member].places) {
    waiting_[member].push(std::move(exchange));
  } else {
    serve(member, std::move(exchange));
  }
}

void World::serve(std::size_t member, Shared exchange) {
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
  ++answered_;
  exchange.place.reset();
  exchange.leases.clear();
  --live_[member];
  --live_in_all_;
  check_member(member);
  if (waiting_[member].empty()) return;
  auto next = std::move(waiting_[member].front());
  waiting_[member].pop();
  serve(member, std::move(next));
}

void World::must(bool holds, std::string_view else_complaint) {
  if (holds || std::exchange(is_broken_, true)) return;
  ADD_FAILURE() << else_complaint << ", at " << now_ << " s";
}

// Leases of failed attempts last until their exchange ends, so that busy can be more while members
// refuse.
void World::check_member(std::size_t member) {
  const int busy = refs_[member]->busy();
  must(!models_[member].up || busy >= live_[member], "a member has more than are counted");
  must(live_in_all_ != 0 || refusing_ != 0 || busy == 0, "a member counts who is gone");
}

std::shared_ptr<balance::BalancerSpec> group_of(std::size_t members, std::string_view parameters) {
  auto spec = std::make_shared<balance::BalancerSpec>();
  spec->name = "balancer://sim";
  for (std::size_t i = 0; i < members; ++i) {
    spec->members.emplace_back();
    spec->members.back().name = "m" + std::to_string(i);
    spec->members.back().host = "10.0.0." + std::to_string(i);
    spec->members.back().tag = tag_of(i);
  }
  for (const std::string_view word : split_words(parameters)) {
    const std::size_t equals = word.find('=');
    EXPECT_TRUE(
        balance::set_balancer_parameter(*spec, word.substr(0, equals), word.substr(equals + 1)))
        << word;
  }
  return spec;
}

std::shared_ptr<balance::BalancerSpec> group_with(const std::vector<int>& factors,
                                                  std::string_view parameters, std::uint64_t seed) {
  auto spec = group_of(factors.size(), parameters);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    spec->members[i].name += '.' + std::to_string(seed);
    spec->members[i].load_factor = balance::load_factor_unit * factors[i];
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
