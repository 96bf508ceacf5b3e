// Two ways to hold on to a member: MemberRef keeps the object, Lease also counts as a running
// exchange.
//
// Threads: each object belongs to one thread at a time; any number of them may hold one member.
#pragma once

#include <cstdint>
#include <utility>

#include "balance/member.hpp"

namespace steelyard::balance {

// A claim on the object only: keeps it alive, counts as nothing.
class MemberRef {
 public:
  MemberRef() = default;
  explicit MemberRef(Member* member) : member_(member) {
    if (member_ != nullptr) member_->hold();
  }
  MemberRef(const MemberRef& other) : MemberRef(other.member_) {}
  MemberRef(MemberRef&& other) noexcept : member_(std::exchange(other.member_, nullptr)) {}
  MemberRef& operator=(MemberRef other) noexcept {
    std::swap(member_, other.member_);
    return *this;
  }
  ~MemberRef() {
    if (member_ != nullptr) member_->release();
  }

  [[nodiscard]] Member* get() const { return member_; }
  Member* operator->() const { return member_; }
  Member& operator*() const { return *member_; }
  explicit operator bool() const { return member_ != nullptr; }
  friend bool operator==(const MemberRef&, const MemberRef&) = default;

 private:
  Member* member_ = nullptr;
};

// An exchange's claim: the member is one busier until this ends. An exchange that failed over keeps
// the leases of the members it left until it ends itself, as httpd counts them.
class Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept
      : member_(std::exchange(other.member_, nullptr)),
        spec_(std::exchange(other.spec_, nullptr)),
        trial_(std::exchange(other.trial_, 0)),
        counted_(other.counted_),
        told_(other.told_),
        blamed_(other.blamed_) {}
  Lease& operator=(Lease&& other) noexcept {
    std::swap(member_, other.member_);
    std::swap(spec_, other.spec_);
    std::swap(trial_, other.trial_);
    std::swap(counted_, other.counted_);
    std::swap(told_, other.told_);
    std::swap(blamed_, other.blamed_);
    return *this;
  }
  ~Lease() { end(); }

  void end() {
    spec_ = nullptr;
    if (member_ == nullptr) return;
    Member& member = *std::exchange(member_, nullptr);
    if (told_ == EndIsTold::yes || trial_ != 0) return end_aloud(member);
    member.end_lease(counted_);
  }
  [[nodiscard]] Member& member() const { return *member_; }
  // The configuration in force when the member was chosen.
  [[nodiscard]] const MemberSpec& spec() const { return *spec_; }
  // The trial of a member in error (trials.hpp), as long as there is no verdict. Without one its
  // end frees the member for the next trial.
  [[nodiscard]] bool is_trial() const {
    return trial_ != 0 && member_->trial_.load(std::memory_order_relaxed) == trial_;
  }
  explicit operator bool() const { return member_ != nullptr; }

 private:
  friend class Balancer;
  friend class Roster;
  Lease(Member* member, const MemberSpec* spec, InTotal counted, EndIsTold told)
      : member_(member), spec_(spec), counted_(counted), told_(told) {}

  // Somebody may wait for that.
  [[gnu::noinline]] void end_aloud(Member& member) {
    const std::uint32_t trial = std::exchange(trial_, 0);
    // The member may be gone with its last lease, unless it is held.
    const MemberRef held(&member);
    if (trial != 0) member.end_trial(trial);
    member.end_lease(counted_);
    held->commons_->line.stir();
  }

  Member* member_ = nullptr;
  const MemberSpec* spec_ = nullptr;
  std::uint32_t trial_ = 0;  // its number
  InTotal counted_ = InTotal::no;
  EndIsTold told_ = EndIsTold::no;
  mutable bool blamed_ = false;  // its attempt failed and that was counted
};

}  // namespace steelyard::balance
