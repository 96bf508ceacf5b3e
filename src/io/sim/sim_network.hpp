#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "io/dialer.hpp"
#include "io/loop.hpp"

// A world without sockets and without real time: streams are queues of bytes, the clock moves when
// told. The whole data path runs on it, so a test decides at which byte and at which moment what
// happens, and gets the same world every time.
//
// Threads: one.

namespace steelyard::io {

class SimLoop final : public Loop {
 public:
  SimLoop();
  void post(Job job) override { jobs_.push_back(std::move(job)); }
  void defer(Job job) override { jobs_.push_back(std::move(job)); }
  // Runs the jobs that there are now, and not those that they leave behind.
  void turn();
  // Runs jobs until none is left.
  void settle();
  // Lets time pass, firing what is due on the way, and settles.
  void advance(Duration time);

 private:
  std::deque<Job> jobs_;
};

// How bytes travel on a pair of streams.
struct SimLink {
  std::size_t read_max = SIZE_MAX;              // bytes that one read gets at most
  std::size_t window_bytes = 256 * 1024;        // bytes on their way before the writer blocks
  IpAddress local = IpAddress::v4(0x7f000001);  // of the program's end
};

class SimStream;

// Two connected ends. The first belongs to the program under test, the second to the test.
struct SimPair {
  std::unique_ptr<SimStream> program;
  std::unique_ptr<SimStream> peer;
};
SimPair connect_pair(SimLoop& loop, const SimLink& link = {});

class SimStream final : public Stream {
 public:
  ~SimStream() override;
  IoResult read(std::span<char> room) override;
  IoResult write(std::span<const std::string_view> pieces) override;
  void end_writing() override;
  void reset() override { resets_ = true; }
  bool silent_and_open() override;
  bool has_hung_up() override { return line_->ends[1 - side_] == nullptr; }
  Endpoint local() const override { return {line_->link.local, 8080}; }

  // For the test's end: everything that arrived so far.
  std::string take_all();
  void say(std::string_view text);
  bool ended() const;  // the other side finished or is gone
  // Data that arrives from now on breaks the connection (a socket closed long ago).
  void refuse_from_now_on();

 private:
  friend SimPair connect_pair(SimLoop& loop, const SimLink& link);
  struct Direction {
    std::string bytes;
    bool ended = false;
    bool broken = false;
  };
  struct Line {
    Direction ways[2];
    SimStream* ends[2] = {nullptr, nullptr};
    bool refuses = false;
    SimLink link;
  };
  SimStream(SimLoop& loop, std::shared_ptr<Line> line, int side)
      : loop_(loop), line_(std::move(line)), side_(side) {}
  Direction& incoming() const { return line_->ways[1 - side_]; }
  Direction& outgoing() const { return line_->ways[side_]; }
  void tell_other(bool readable, bool writable);

  SimLoop& loop_;
  std::shared_ptr<Line> line_;
  int side_;
  bool resets_ = false;
};

// Backends by "host:port". Who is not listed refuses, who is silent lets a dial run into its
// timeout.
class SimDialer final : public Dialer, private Resolver {
 public:
  explicit SimDialer(SimLoop& loop) : loop_(loop) {}
  using OnDial = std::function<void(std::unique_ptr<SimStream> peer)>;
  void listen(const std::string& host_and_port, OnDial on_dial, const SimLink& link = {});
  void refuse(const std::string& host_and_port) { listening_.erase(host_and_port); }
  void be_silent(const std::string& host_and_port) { silent_.insert(host_and_port); }
  void forget_name(const std::string& host) { unknown_names_.insert(host); }
  // Whether there are descriptors for connections.
  void has_descriptors(bool any) { has_descriptors_ = any; }
  std::size_t dials() const { return dials_; }

  Task<Dialed> dial(DialTarget target, Duration timeout) override;
  Resolver& resolver() override { return *this; }

 private:
  Task<NameReply> ask(std::string name, NameQuestion question) override;
  Task<std::string> name_of(IpAddress address) override;

  struct Listening {
    OnDial on_dial;
    SimLink link;
  };
  SimLoop& loop_;
  std::map<std::string, Listening> listening_;
  std::set<std::string> silent_, unknown_names_;
  std::size_t dials_ = 0;
  bool has_descriptors_ = true;
};

}  // namespace steelyard::io
