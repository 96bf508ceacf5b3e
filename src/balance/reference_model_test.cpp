// The optimised balancer against a slow one written from the description alone: plain loops over
// all members, nothing cached. Both live through the same random history; every pick, credit and
// status must agree. A failure prints the seed.
#include <gtest/gtest.h>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

struct SlowMember {
  MemberSpec spec;
  bool draining = false;
  bool disabled = false;
  bool stopped = false;
  bool error = false;
  bool standby = false;
  bool spare = false;
  bool ignoring = false;
  bool health_failed = false;
  std::int64_t lbstatus = 0;
  std::int64_t transferred = 0;
  std::int64_t read = 0;
  int busy = 0;
  std::uint64_t elected = 0;
  Instant error_time = Instant::min();

  [[nodiscard]] bool usable() const { return !disabled && !stopped && !error && !health_failed; }

  void set(Status status) {
    draining = status.has(Flag::draining);
    disabled = status.has(Flag::disabled);
    stopped = status.has(Flag::stopped);
    error = status.has(Flag::in_error);
    standby = status.has(Flag::standby);
    spare = status.has(Flag::spare);
    ignoring = status.has(Flag::ignore_errors);
    health_failed = status.has(Flag::health_failed);
  }
};

class SlowBalancer {
 public:
  explicit SlowBalancer(const BalancerSpec& spec) : spec_(spec) {
    for (const MemberSpec& member : spec.members) {
      SlowMember slow;
      slow.spec = member;
      slow.set(member.status);
      members.push_back(slow);
    }
  }

  SlowMember* choose(const std::string& tag, bool with_tag, Instant now, bool& refused) {
    force_recovery(now);
    refused = false;
    SlowMember* found = nullptr;
    if (spec_.sticky.enabled() && with_tag && !tag.empty()) found = member_for(tag, now, 1);
    if (found != nullptr) {
      std::int64_t total = 0;
      for (SlowMember& member : members) {
        if (!member.usable()) continue;
        member.lbstatus += member.spec.load_factor;
        total += member.spec.load_factor;
      }
      found->lbstatus -= total;
    } else if (spec_.sticky.enabled() && with_tag && !tag.empty() && spec_.nofailover == true) {
      for (const SlowMember& member : members) refused = refused || member.spec.tag == tag;
    }
    if (found == nullptr && !refused) found = select(now);
    if (found != nullptr) {
      ++found->elected;
      ++found->busy;
    }
    return found;
  }

  std::vector<SlowMember> members;

 private:
  void retry(SlowMember& member, Instant now) {
    if (!member.error || member.stopped) return;
    const bool due = member.error_time == Instant::min() || member.spec.retry.count() == 0 ||
                     now > member.error_time + member.spec.retry;
    if (member.ignoring || due) member.error = false;
  }

  void force_recovery(Instant now) {
    for (SlowMember& member : members) {
      if (member.error) retry(member, now);
      if (!member.error) return;
    }
    if (spec_.force_recovery == false) return;
    for (SlowMember& member : members) member.error = false;
  }

  SlowMember* member_for(const std::string& tag, Instant now, std::size_t depth) {
    for (const bool standbys : {false, true}) {
      for (SlowMember& member : members) {
        if (member.standby != standbys || member.spec.tag != tag) continue;
        if (!member.usable()) retry(member, now);
        if (member.usable()) return &member;
        if (member.spec.redirect_tag.empty() || depth >= members.size()) continue;
        SlowMember* other = member_for(member.spec.redirect_tag, now, depth + 1);
        if (other != nullptr && other->usable()) return other;
      }
    }
    return nullptr;
  }

  SlowMember* select(Instant now) {
    SlowMember* best = nullptr;
    total_ = 0;
    int max_set = 0;
    for (int set = 0; best == nullptr && set <= max_set; ++set) {
      std::size_t missing = 0;
      std::vector<SlowMember*> spares;
      std::vector<SlowMember*> standbys;
      for (SlowMember& member : members) {
        max_set = std::max(max_set, member.spec.lbset);
        if (member.spec.lbset != set) continue;
        if (member.draining) {
          if (!member.spare && !member.standby) ++missing;
          continue;
        }
        if (!member.usable()) retry(member, now);
        if (member.spare) {
          if (member.usable()) spares.push_back(&member);
        } else if (member.standby) {
          if (member.usable()) standbys.push_back(&member);
        } else if (member.usable()) {
          if (better(member, best)) best = &member;
        } else {
          ++missing;
        }
      }
      for (std::size_t i = 0; i < spares.size() && i < missing; ++i) {
        if (better(*spares[i], best)) best = spares[i];
      }
      if (best != nullptr) continue;
      for (SlowMember* standby : standbys) {
        if (better(*standby, best)) best = standby;
      }
    }
    if (best != nullptr) best->lbstatus -= total_;
    return best;
  }

  bool better(SlowMember& member, const SlowMember* best) {
    const Policy policy = spec_.effective_policy();
    if (policy == Policy::by_traffic) return best == nullptr || bytes(member) < bytes(*best);
    member.lbstatus += member.spec.load_factor;
    total_ += member.spec.load_factor;
    if (best == nullptr) return true;
    if (policy == Policy::by_busyness && member.busy != best->busy) return member.busy < best->busy;
    return member.lbstatus > best->lbstatus;
  }

  static std::int64_t bytes(const SlowMember& member) {
    return member.transferred / member.spec.load_factor + member.read / member.spec.load_factor;
  }

  const BalancerSpec spec_;
  std::int64_t total_ = 0;
};

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15U + 1) {}
  std::uint64_t below(std::uint64_t limit) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ % limit;
  }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

Status random_status(Random& random) {
  Status status;
  for (const Flag flag : {Flag::draining, Flag::disabled, Flag::stopped, Flag::in_error,
                          Flag::ignore_errors, Flag::health_failed}) {
    if (random.one_in(10)) status = status.with(flag);
  }
  if (random.one_in(5)) status = status.with(Flag::standby);
  if (random.one_in(5)) status = status.with(Flag::spare);
  return status;
}

std::string random_tag(Random& random) { return "t" + std::to_string(random.below(6)); }

std::shared_ptr<BalancerSpec> random_spec(Random& random) {
  auto spec = std::make_shared<BalancerSpec>();
  spec->name = "balancer://c";
  spec->policy = static_cast<Policy>(random.below(3));
  spec->force_recovery = !random.one_in(3);
  spec->nofailover = random.one_in(3);
  if (!random.one_in(4)) spec->sticky.cookie_name = "sid";
  const std::uint64_t sets = 1 + random.below(3);
  const std::uint64_t count = 1 + random.below(9);
  for (std::uint64_t i = 0; i < count; ++i) {
    MemberSpec member;
    member.name = "m" + std::to_string(i);
    member.load_factor = static_cast<int>(100 + random.below(4) * 50);
    member.lbset = static_cast<int>(random.below(sets) * random.below(3));
    member.retry = seconds(random.below(40));
    if (!random.one_in(3)) member.tag = random_tag(random);
    if (random.one_in(4)) member.redirect_tag = random_tag(random);
    if (random.one_in(2)) member.status = random_status(random);
    spec->members.push_back(member);
  }
  return spec;
}

class Story {
 public:
  explicit Story(std::uint64_t seed)
      : random_(seed), spec_(random_spec(random_)), group_(spec_), slow_(*spec_) {}

  void live(int steps) {
    for (int step = 0; step < steps && !::testing::Test::HasFailure(); ++step) {
      group_.now += milliseconds(random_.below(3000));
      switch (random_.below(8)) {
        case 0:
          change_status();
          break;
        case 1:
          end_some();
          break;
        case 2:
          fail_one();
          break;
        default:
          choose();
          break;
      }
      compare();
    }
  }

 private:
  struct Running {
    Lease lease;
    std::size_t slow;
  };

  void choose() {
    const bool with_tag = random_.one_in(2);
    const std::string tag = with_tag && !random_.one_in(10) ? random_tag(random_) : "";
    Session session;
    session.found = with_tag;
    session.tag = tag;
    Explanation explanation;
    Decision decision =
        group_.balancer.choose({.session = session,
                                .now = group_.now,
                                .explanation = random_.one_in(4) ? &explanation : nullptr});
    bool refused = false;
    SlowMember* expected = slow_.choose(tag, with_tag, group_.now, refused);
    ASSERT_EQ(Group::name_of(decision), expected == nullptr ? "-" : expected->spec.name);
    EXPECT_EQ(decision.outcome == Outcome::session_member_unusable, refused);
    if (expected == nullptr) return;
    const auto sent = static_cast<std::int64_t>(random_.below(2000));
    const auto got = static_cast<std::int64_t>(random_.below(9000));
    decision.lease.member().add_transferred(sent);
    decision.lease.member().add_read(got);
    expected->transferred += sent;
    expected->read += got;
    const auto at = static_cast<std::size_t>(expected - slow_.members.data());
    running_.push_back({.lease = std::move(decision.lease), .slow = at});
  }

  void end_some() {
    while (!running_.empty() && !random_.one_in(4)) {
      const std::size_t which = random_.below(running_.size());
      --slow_.members[running_[which].slow].busy;
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(which));
    }
  }

  void fail_one() {
    if (running_.empty()) return;
    const Running& running = running_[random_.below(running_.size())];
    SlowMember& slow = slow_.members[running.slow];
    if (random_.one_in(3)) {
      const bool usable = slow.usable();
      EXPECT_EQ(group_.balancer.connected(running.lease), usable);
      if (usable) slow.error_time = Instant::min();
      return;
    }
    EXPECT_EQ(group_.balancer.force_error(running.lease, group_.now), !slow.ignoring);
    if (slow.ignoring) return;
    slow.error = true;
    slow.error_time = group_.now;
  }

  void change_status() {
    const std::size_t at = random_.below(slow_.members.size());
    const Status status = random_status(random_).with(Flag::initialised);
    slow_.members[at].set(status);
    group_.balancer.change_status(group_.balancer.members()[at].member, status, Status(0xfff));
  }

  void compare() {
    const std::vector<MemberView> views = group_.balancer.members();
    for (std::size_t at = 0; at < views.size(); ++at) {
      const SlowMember& slow = slow_.members[at];
      ASSERT_EQ(views[at].credit, slow.lbstatus) << slow.spec.name;
      ASSERT_EQ(views[at].status.usable(), slow.usable()) << slow.spec.name;
      ASSERT_EQ(views[at].status.has(Flag::in_error), slow.error) << slow.spec.name;
      ASSERT_EQ(views[at].busy, slow.busy) << slow.spec.name;
      ASSERT_EQ(views[at].elected, slow.elected) << slow.spec.name;
      ASSERT_EQ(views[at].member->status(), views[at].status) << slow.spec.name;
    }
  }

  Random random_;
  const std::shared_ptr<const BalancerSpec> spec_;
  Group group_;
  SlowBalancer slow_;
  std::vector<Running> running_;
};

TEST(ReferenceModel, agrees_in_every_step_of_random_histories) {
  constexpr std::uint64_t histories = 500;
  constexpr int steps = 400;
  for (std::uint64_t seed = 1; seed <= histories; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Story(seed).live(steps);
    ASSERT_FALSE(HasFailure());
  }
}

// Comparing reads the credits, which settles them; here sessions pile up unsettled.
TEST(ReferenceModel, session_hits_and_picks_interleave_without_being_looked_at) {
  Random random(7);
  const auto spec = group_spec("a=t0 b=t1*2 c=t2*1.5 d=t3,D", "stickysession=sid");
  Group group(spec);
  SlowBalancer slow(*spec);
  for (int i = 0; i < 100'000; ++i) {
    const bool with_tag = !random.one_in(3);
    const std::string tag = random_tag(random);
    bool refused = false;
    SlowMember* expected = slow.choose(tag, with_tag, group.now, refused);
    --expected->busy;
    ASSERT_EQ(Group::name_of(with_tag ? group.choose(tag) : group.choose()), expected->spec.name);
  }
  for (std::size_t at = 0; at < slow.members.size(); ++at) {
    EXPECT_EQ(group.credits()[at], slow.members[at].lbstatus);
  }
}

}  // namespace
}  // namespace steelyard::balance
