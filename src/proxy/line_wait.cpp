#include "proxy/line_wait.hpp"

#include <algorithm>
#include <array>

#include "proxy/decision_log.hpp"
#include "proxy/limits.hpp"

namespace steelyard::proxy {

namespace {

using balance::WaitingLine;

bool may_watch(const ClientSide& client, const RequestBody& body) {
  return body.received_all() && client.workspace.client_head.empty();
}

// `watches` ends when there is no room for more. True: the client is gone.
bool watch(const ClientSide& client, bool& watches) {
  while (watches) {
    std::array<char, 512> bytes;
    const io::IoResult result = client.stream.read(bytes);
    if (result.status == io::IoStatus::would_block) return false;
    if (result.status != io::IoStatus::ok) return true;
    ReadBuffer& ahead = client.workspace.client_body;
    ahead.append({bytes.data(), result.bytes});
    watches = ahead.data().size() < head_buffer_bytes;
  }
  return false;
}

}  // namespace

bool waits_in_line(balance::Outcome outcome) {
  using balance::Outcome;
  return outcome == Outcome::none_usable || outcome == Outcome::all_full ||
         outcome == Outcome::others_wait;
}

LineWait::LineWait(Exchange& x, Shard::Core& core, const ClientSide& client,
                   const RequestBody& body, const Group& group)
    : x_(x),
      core_(core),
      client_(client),
      body_(body),
      group_(group),
      bell_(std::make_shared<Bell>(&core.parts.loop)),
      place_(group.state->line(), [this] { call(); }) {
  core_.in_line.insert(this);
}

LineWait::~LineWait() {
  core_.in_line.erase(this);
  bell_->wait = nullptr;
}

// Whoever is not asleep when the call arrives has looked since, or will before it sleeps.
void LineWait::call() {
  bell_->loop->post([bell = bell_] {
    if (bell->wait != nullptr) bell->wait->wake(io::Woken::ready);
  });
}

io::Task<LineWait::End> LineWait::stand(balance::ChoiceRequest request,
                                        balance::Decision& decision) {
  const Instant began = core_.now();
  const auto queue = group_.state->queue();
  if (deadline_ == never && queue) deadline_ = began + queue->time_max;
  // A reload may have taken the line away.
  if (is_over_ || !queue) {
    place_.give_up();
    co_return end_ = End::timed_out;
  }
  if (!place_.step_in(static_cast<std::size_t>(queue->requests_max)))
    co_return end_ = End::line_full;
  // What came with the head has to stay in front of what is read here.
  watches_client_ = may_watch(client_, body_);
  end_ = co_await wait_for_turn(request, decision);
  comes_back_ = true;
  note_time(began);
  co_return end_;
}

io::Task<LineWait::End> LineWait::wait_for_turn(balance::ChoiceRequest request,
                                                balance::Decision& decision) {
  request.attempt = balance::Attempt::in_line;
  const Instant not_before = comes_back_ ? core_.now() + line_pause : core_.now();
  while (true) {
    const auto standing = place_.look();
    if (standing == WaitingLine::Standing::pushed_out) co_return End::line_full;
    if (core_.draining) co_return End::server_stops;
    const bool is_front = standing == WaitingLine::Standing::front;
    const bool is_due = core_.now() >= deadline_;
    // The time of those in front is over as well, as a rule: they go first.
    if (is_due && (is_front || core_.now() >= deadline_ + line_pause))
      co_return ask_once_more(request, decision);
    Instant until = is_due ? deadline_ + line_pause : deadline_;
    if (is_front) {
      const bool asks = core_.now() >= not_before;
      if (asks && ask(request, decision)) co_return End::decided;
      until = std::min(until, asks ? decision.next_retry : not_before);
    }
    if (has_client_left()) co_return End::client_gone;
    io::Wait wait(client_.timer, until);
    if (watches_client_) wait.readable(client_.stream);
    bell_->wait = &wait;
    co_await wait;
    bell_->wait = nullptr;
  }
}

// True when there is nothing to wait for any more.
bool LineWait::ask(balance::ChoiceRequest& request, balance::Decision& decision) {
  request.now = core_.now();
  ++request.random;
  decision = decide(x_, core_, group_, request);
  // A reload may have taken the line away.
  if (waits_in_line(decision.outcome) && decision.lines_up) return false;
  if (!decision.lease) return true;
  // A trial admits one request by itself, so the next may look for another member meanwhile.
  const bool is_unproven = !decision.lease.is_trial() && decision.lease.member().blemished();
  place_.step_out(is_unproven ? WaitingLine::Next::waits_for_outcome : WaitingLine::Next::called);
  return true;
}

// With forcerecovery=On a request that finds all members in error tries them all the same (httpd).
// Those that wait do so when their time is over, and not each time that somebody joins them.
LineWait::End LineWait::ask_once_more(balance::ChoiceRequest& request,
                                      balance::Decision& decision) {
  is_over_ = true;
  request.attempt = balance::Attempt::last_chance;
  if (ask(request, decision)) return End::decided;
  place_.give_up();
  return End::timed_out;
}

// One that ends its side of the connection, as closing does, has left. What it sends ahead is the
// next request's; of one that sends much ahead nothing more is read, so its end is not seen.
bool LineWait::has_client_left() { return watch(client_, watches_client_); }

bool has_left(const ClientSide& client, const RequestBody& body) {
  bool watches = may_watch(client, body);
  return watch(client, watches);
}

void LineWait::note_time(Instant began) {
  waited_ += core_.now() - began;
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(waited_);
  x_.environment.set("BALANCER_QUEUED",
                     x_.arena.decimal(static_cast<std::uint64_t>(whole.count())));
}

void let_go_of_members(Exchange& x) {
  if (x.leases.empty()) return;
  // What is known of them outlives the leases in the log.
  for (const std::string_view name : {"BALANCER_WORKER_NAME", "BALANCER_WORKER_ROUTE"}) {
    if (const auto value = x.environment.find(name)) x.environment.set(name, x.arena.copy(*value));
  }
  const auto [scheme, authority, path] = x.backend_url;
  x.backend_url = {x.arena.copy(scheme), x.arena.copy(authority), x.arena.copy(path)};
  x.leases.clear();
}

}  // namespace steelyard::proxy
