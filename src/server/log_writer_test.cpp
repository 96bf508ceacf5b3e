#include "server/log_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "server/log_pipe.hpp"
#include "server/scratch_directory.hpp"

namespace steelyard::server {
namespace {

using config::LogLevel;
using config::LogTarget;
using Kind = LogTarget::Kind;

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void install_file(LogWriter& writer, LogOutputId id, const std::string& path) {
  auto output = LogOutput::open(LogTarget{.text = path});
  ASSERT_TRUE(output) << output.error();
  writer.install(id, std::move(*output));
}

void say(LogWriter& writer, LogOutputId id, std::string_view line) {
  LogBatch batch;
  batch.add(id, LogLevel::info, line);
  writer.hand_over(batch);
}

TEST(LogBatch, lines_for_the_same_target_become_one_piece) {
  LogBatch batch;
  batch.add(1, LogLevel::info, "a\n");
  batch.add(1, LogLevel::info, "b\n");
  batch.add(2, LogLevel::info, "c\n");
  batch.add(1, LogLevel::info, "d\n");
  ASSERT_EQ(batch.pieces.size(), 3U);
  EXPECT_EQ(batch.pieces[0].bytes, 4U);
}

TEST(LogWriter, lines_reach_their_files_in_order) {
  const ScratchDirectory scratch;
  LogWriter writer;
  install_file(writer, 1, scratch.file("a"));
  install_file(writer, 2, scratch.file("b"));
  writer.start();
  LogBatch batch;
  batch.add(1, LogLevel::info, "a1\n");
  batch.add(2, LogLevel::info, "b1\n");
  batch.add(1, LogLevel::info, "a2\n");
  writer.hand_over(batch);
  say(writer, 2, "b2\n");
  writer.stop();
  EXPECT_EQ(content(scratch.file("a")), "a1\na2\n");
  EXPECT_EQ(content(scratch.file("b")), "b1\nb2\n");
}

TEST(LogWriter, a_file_is_appended_to) {
  const ScratchDirectory scratch;
  std::ofstream(scratch.file("a")) << "old\n";
  LogWriter writer;
  install_file(writer, 1, scratch.file("a"));
  writer.start();
  say(writer, 1, "new\n");
  writer.stop();
  EXPECT_EQ(content(scratch.file("a")), "old\nnew\n");
}

TEST(LogWriter, stopping_loses_nothing_of_what_several_threads_handed_over) {
  const ScratchDirectory scratch;
  LogWriter writer;
  install_file(writer, 1, scratch.file("a"));
  writer.start();
  constexpr int threads = 4, lines = 2000;
  std::vector<std::thread> shards;
  for (int shard = 0; shard < threads; ++shard) {
    shards.emplace_back([&writer, shard] {
      LogBatch batch;
      for (int i = 0; i < lines; ++i) {
        batch.add(1, LogLevel::info, fmt::format("{} {}\n", shard, i));
        if (i % 7 == 0) writer.hand_over(batch);
      }
      writer.hand_over(batch);
    });
  }
  for (auto& shard : shards) shard.join();
  writer.stop();
  std::istringstream read(content(scratch.file("a")));
  std::vector<int> next(threads, 0);
  int shard = 0, number = 0, count = 0;
  while (read >> shard >> number) {
    EXPECT_EQ(number, next[static_cast<std::size_t>(shard)]++);
    ++count;
  }
  EXPECT_EQ(count, threads * lines);
}

TEST(LogWriter, after_a_rotation_earlier_lines_are_in_the_old_file) {
  const ScratchDirectory scratch;
  LogWriter writer;
  install_file(writer, 1, scratch.file("a"));
  writer.start();
  say(writer, 1, "before\n");
  std::filesystem::rename(scratch.file("a"), scratch.file("a.1"));
  install_file(writer, 1, scratch.file("a"));
  say(writer, 1, "after\n");
  writer.stop();
  EXPECT_EQ(content(scratch.file("a.1")), "before\n");
  EXPECT_EQ(content(scratch.file("a")), "after\n");
}

TEST(LogWriter, lines_for_a_removed_target_are_counted) {
  const ScratchDirectory scratch;
  LogWriter writer;
  install_file(writer, 1, scratch.file("a"));
  writer.start();
  say(writer, 1, "one\n");
  writer.remove(1);
  say(writer, 1, "two\nthree\n");
  writer.stop();
  EXPECT_EQ(content(scratch.file("a")), "one\n");
  EXPECT_EQ(writer.lines_dropped(), 2U);
}

// A process descriptor becomes readable when its process ends.
void await_end(int process) {
  if (process < 0) return;  // it ended already
  pollfd watched{.fd = process, .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&watched, 1, 10'000), 1);
}

TEST(LogWriter, a_program_gets_the_lines_and_the_end_of_its_input) {
  const ScratchDirectory scratch;
  auto output = LogOutput::open(
      LogTarget{.kind = Kind::pipe_shell, .text = fmt::format("cat > {}", scratch.file("a"))});
  ASSERT_TRUE(output) << output.error();
  const Descriptor process(::dup((*output)->exit_descriptor()));
  LogWriter writer;
  writer.install(1, std::move(*output));
  writer.start();
  say(writer, 1, "one\n");
  say(writer, 1, "two\n");
  writer.stop();
  await_end(process.number());
  EXPECT_EQ(content(scratch.file("a")), "one\ntwo\n");
}

TEST(LogOutput, a_program_that_ends_by_itself_is_told_of_and_so_are_the_lines_that_nobody_reads) {
  auto output = LogOutput::open(LogTarget{.kind = Kind::pipe, .text = "false"});
  ASSERT_TRUE(output) << output.error();
  LogOutput& log = **output;
  const Instant start = std::chrono::steady_clock::now();
  log.append("one\ntwo\n", LogLevel::info);
  EXPECT_TRUE(log.flush(start));
  EXPECT_EQ(log.take_notice(start), "");
  Instant now = start;
  for (int i = 0; i < 3; ++i) {
    await_end(log.exit_descriptor());
    now += LogOutput::retry_after * 2;
    log.tend(now);
    const bool first = i == 0;
    EXPECT_EQ(log.take_notice(now).empty(), !first);
  }
  await_end(log.exit_descriptor());
  EXPECT_EQ(log.notice_at(), start + LogOutput::retry_after * 2 + PipeLog::end_notice_period);
  EXPECT_THAT(log.take_notice(log.notice_at()),
              testing::StartsWith("piped log program 'false' ended unexpectedly"));
  EXPECT_THAT(log.last_notice(), testing::StartsWith("2 lines for log false were lost"));
}

TEST(LogOutput, words_of_a_program_are_cut_as_httpd_cuts_them) {
  const ScratchDirectory scratch;
  const std::string script = scratch.file("script");
  std::ofstream(script) << R"(for word in "$@"; do printf '[%s]' "$word"; done > )"
                        << scratch.file("words");
  const std::string arguments = R"(a\ b\\c 'a b'c "d\"e' f" "" g"h i)";
  auto output = LogOutput::open(
      LogTarget{.kind = Kind::pipe, .text = fmt::format("/bin/sh {} {}", script, arguments)});
  ASSERT_TRUE(output) << output.error();
  await_end((*output)->exit_descriptor());
  EXPECT_EQ(content(scratch.file("words")), R"([a b\c][a b][c][d"e' f][][g"h][i])");
}

TEST(LogOutput, a_full_device_is_reported_once_and_nothing_waiting_is_lost) {
  auto output = LogOutput::open(LogTarget{.text = "/dev/full"});
  ASSERT_TRUE(output);
  Instant now{};
  (*output)->append("one\n", LogLevel::info);
  EXPECT_FALSE((*output)->flush(now));
  EXPECT_THAT((*output)->take_notice(now), testing::HasSubstr("No space left on device"));
  now += LogOutput::retry_after;
  (*output)->append("two\n", LogLevel::info);
  EXPECT_FALSE((*output)->flush(now));
  EXPECT_EQ((*output)->take_notice(now), "");
  EXPECT_EQ((*output)->waiting_bytes(), 8U);
  EXPECT_EQ((*output)->retry_at(), now + LogOutput::retry_after);
}

TEST(LogOutput, what_does_not_fit_is_dropped_by_whole_lines_and_counted) {
  auto output = LogOutput::open(LogTarget{.text = "/dev/full"});
  ASSERT_TRUE(output);
  const std::string big(LogOutput::waiting_bytes_max - 1, 'x');
  (*output)->append(big + "\n", LogLevel::info);
  (*output)->append("two\nthree\n", LogLevel::info);
  EXPECT_EQ((*output)->lines_dropped(), 2U);
  EXPECT_EQ((*output)->waiting_bytes(), LogOutput::waiting_bytes_max);
}

// Ends the program behind a log, which may not end by itself.
struct EndOfProgram {
  explicit EndOfProgram(const LogOutput& program) : log(program) {}
  EndOfProgram(const EndOfProgram&) = delete;
  EndOfProgram& operator=(const EndOfProgram&) = delete;
  ~EndOfProgram() { ::syscall(SYS_pidfd_send_signal, log.exit_descriptor(), SIGKILL, nullptr, 0); }
  const LogOutput& log;
};

TEST(LogOutput, lines_for_a_program_that_does_not_read_are_told_once_a_period_and_at_the_end) {
  auto output = LogOutput::open(LogTarget{.kind = Kind::pipe, .text = "sleep 600"});
  ASSERT_TRUE(output) << output.error();
  LogOutput& log = **output;
  const EndOfProgram end(log);
  const Instant start{};
  const std::string big(LogOutput::waiting_bytes_max / 2, 'x');
  for (int i = 0; i < 2; ++i) log.append(big + "\n", LogLevel::info);
  log.flush(start);
  EXPECT_THAT(log.take_notice(start), testing::StartsWith("1 lines for log sleep 600 were lost"));
  for (int i = 0; i < 3; ++i) log.append(big + "\n", LogLevel::info);
  EXPECT_EQ(log.take_notice(start), "");
  EXPECT_EQ(log.notice_at(), start + LogOutput::drop_notice_period);
  EXPECT_THAT(log.take_notice(start + LogOutput::drop_notice_period),
              testing::StartsWith("2 lines"));
  EXPECT_EQ(log.notice_at(), never);
  // Two wait still: the pipe took the begin of the first, and made room for one more.
  EXPECT_THAT(log.last_notice(), testing::StartsWith("2 lines for log sleep 600 were lost"));
}

TEST(LogWriter, lost_lines_are_told_in_the_error_log) {
  const ScratchDirectory scratch;
  LogWriter writer;
  install_file(writer, 1, scratch.file("error"));
  writer.tell_notices_to(1);
  say(writer, 2, "one\ntwo\n");
  writer.stop();
  EXPECT_THAT(content(scratch.file("error")),
              testing::HasSubstr("2 log lines were lost before they reached a log"));
}

TEST(LogOutput, a_successor_takes_over_what_waits) {
  const ScratchDirectory scratch;
  auto full = LogOutput::open(LogTarget{.text = "/dev/full"});
  auto fresh = LogOutput::open(LogTarget{.text = scratch.file("a")});
  ASSERT_TRUE(full && fresh);
  (*full)->append("one\n", LogLevel::info);
  (*full)->flush(Instant{});
  (*fresh)->adopt(**full);
  EXPECT_TRUE((*fresh)->flush(Instant{}));
  EXPECT_EQ(content(scratch.file("a")), "one\n");
}

TEST(LogWriter, what_a_program_that_ended_had_not_read_goes_to_the_one_after_a_reload) {
  const ScratchDirectory scratch;
  const auto program = [&scratch](std::string_view first) {
    return LogTarget{.kind = Kind::pipe_shell,
                     .text = fmt::format("{} >> {}", first, scratch.file("a"))};
  };
  auto before = LogOutput::open(program("read line; echo $line"));
  auto after = LogOutput::open(program("cat"));
  ASSERT_TRUE(before && after);
  const Descriptor reader(::dup((*before)->exit_descriptor()));
  const Descriptor successor(::dup((*after)->exit_descriptor()));
  (*before)->append("one\n", LogLevel::info);
  ASSERT_TRUE((*before)->flush(std::chrono::steady_clock::now()));
  await_end(reader.number());
  (*before)->append("two\n", LogLevel::info);
  ASSERT_TRUE((*before)->flush(std::chrono::steady_clock::now()));
  LogWriter writer;
  writer.install(1, std::move(*before));
  say(writer, 1, "three\n");
  writer.install(1, std::move(*after));
  say(writer, 1, "four\n");
  writer.start();
  writer.stop();
  await_end(successor.number());
  EXPECT_EQ(content(scratch.file("a")), "one\ntwo\nthree\nfour\n");
  EXPECT_EQ(writer.lines_dropped(), 0U);
}

TEST(LogOutput, a_file_that_cannot_be_opened_is_named) {
  const ScratchDirectory scratch;
  const auto output = LogOutput::open(LogTarget{.text = scratch.file("no/a")});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error(), fmt::format("(2)No such file or directory: could not open log file {}",
                                        scratch.file("no/a")));
}

TEST(LogOutput, a_program_that_does_not_exist_is_named) {
  const auto output =
      LogOutput::open(LogTarget{.kind = Kind::pipe, .text = "/nonexistent/rotate 86400"});
  ASSERT_FALSE(output);
  EXPECT_THAT(output.error(), testing::HasSubstr("/nonexistent/rotate 86400"));
}

TEST(LogOutput, an_unknown_facility_is_refused) {
  EXPECT_FALSE(LogOutput::open(LogTarget{.kind = Kind::syslog, .text = "nonsense"}));
  EXPECT_TRUE(LogOutput::open(LogTarget{.kind = Kind::syslog, .text = "daemon:lb"}));
}

TEST(LogOutput, a_program_that_ended_is_started_again_and_reads_what_was_left) {
  const ScratchDirectory scratch;
  auto output = LogOutput::open(
      LogTarget{.kind = Kind::pipe_shell,
                .text = fmt::format("read line; echo $line >> {}", scratch.file("a"))});
  ASSERT_TRUE(output) << output.error();
  LogOutput& log = **output;
  const Instant start = std::chrono::steady_clock::now();
  log.append("one\n", LogLevel::info);
  EXPECT_TRUE(log.flush(start));
  await_end(log.exit_descriptor());
  log.append("two\n", LogLevel::info);
  EXPECT_TRUE(log.flush(start));
  log.tend(start + LogOutput::retry_after * 2);
  await_end(log.exit_descriptor());
  EXPECT_EQ(content(scratch.file("a")), "one\ntwo\n");
}

}  // namespace
}  // namespace steelyard::server
