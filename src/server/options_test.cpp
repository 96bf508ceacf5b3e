#include "server/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace steelyard::server {
namespace {

using Action = Options::Action;

std::expected<Options, std::string> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "steelyard");
  return parse_options(words);
}

TEST(Options, nothing_said_means_serve_the_default_file_detached) {
  const auto options = parse({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->action, Action::serve);
  EXPECT_EQ(options->control, Control::start);
  EXPECT_FALSE(options->foreground);
  EXPECT_EQ(options->config_path(), "/etc/steelyard/httpd.conf");
}

TEST(Options, a_relative_file_is_found_under_the_server_root) {
  EXPECT_EQ(parse({"-d", "/srv/lb", "-f", "conf/x.conf"})->config_path(), "/srv/lb/conf/x.conf");
  EXPECT_EQ(parse({"-d", "/srv/lb", "-f", "/x.conf"})->config_path(), "/x.conf");
}

TEST(Options, names_belong_to_the_folder_of_the_file_unless_a_root_is_said) {
  EXPECT_EQ(parse({"-f", "/etc/apache2/apache2.conf"})->root(), "/etc/apache2");
  EXPECT_EQ(parse({"-f", "/usr/local/apache2/conf/httpd.conf"})->root(), "/usr/local/apache2");
  EXPECT_EQ(parse({"-f", "/x.conf"})->root(), "/");
  EXPECT_EQ(parse({"-f", "/conf/x.conf"})->root(), "/");
  EXPECT_EQ(parse({"-f", "conf/x.conf"})->root(), "/etc/steelyard");
  EXPECT_EQ(parse({"-d", "/srv/lb", "-f", "/etc/apache2/apache2.conf"})->root(), "/srv/lb");
}

TEST(Options, a_value_may_stick_to_its_flag) {
  const auto options = parse({"-DFOREGROUND", "-DTEST", "-fx.conf", "-kgraceful-stop"});
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->foreground);
  EXPECT_THAT(options->defines, testing::ElementsAre("FOREGROUND", "TEST"));
  EXPECT_EQ(options->config_file, "x.conf");
  EXPECT_EQ(options->control, Control::graceful_stop);
}

TEST(Options, directives_around_the_file_keep_their_order) {
  const auto options = parse({"-C", "Listen 1", "-c", "Listen 3", "-C", "Listen 2"});
  ASSERT_TRUE(options);
  EXPECT_THAT(options->before, testing::ElementsAre("Listen 1", "Listen 2"));
  EXPECT_THAT(options->after, testing::ElementsAre("Listen 3"));
}

TEST(Options, each_way_to_ask_for_a_report_is_known) {
  EXPECT_EQ(parse({"-t"})->action, Action::check);
  EXPECT_EQ(parse({"-t", "-D", "DUMP_VHOSTS"})->action, Action::report);
  EXPECT_EQ(parse({"-D", "DUMP_VHOSTS", "-t"})->action, Action::report);
  EXPECT_EQ(parse({"--help"})->action, Action::help);
  EXPECT_EQ(parse({"-v"})->action, Action::version);
  EXPECT_EQ(parse({"-l"})->action, Action::list_modules);
}

TEST(Options, reports_add_up) {
  const Reports hosts = parse({"-t", "-D", "DUMP_VHOSTS"})->reports;
  EXPECT_TRUE(hosts.hosts && !hosts.run && !hosts.modules && !hosts.includes && !hosts.config);
  const Reports run = parse({"-t", "-DDUMP_RUN_CFG"})->reports;
  EXPECT_TRUE(run.run && !run.hosts);
  const auto both = parse({"-S", "-M"});
  EXPECT_TRUE(both->reports.hosts && both->reports.run && both->reports.modules);
  EXPECT_THAT(both->defines, testing::ElementsAre("DUMP_VHOSTS", "DUMP_RUN_CFG", "DUMP_MODULES"));
  EXPECT_TRUE(parse({"-t", "-D", "DUMP_INCLUDES"})->reports.includes);
  const auto checked = parse({"-t", "-D", "DUMP_CERTS"});
  EXPECT_TRUE(checked->reports.certificates);
  EXPECT_EQ(checked->action, Action::check);
}

TEST(Options, a_relative_root_belongs_to_where_the_program_was_called) {
  const std::string here = std::filesystem::current_path().string();
  EXPECT_EQ(parse({"-d", ".", "-f", "a.conf"})->root(), here);
  EXPECT_EQ(parse({"-d", "."})->config_path(), here + "/httpd.conf");
  EXPECT_EQ(parse({"-d", "x/", "-f", "a.conf"})->config_path(), here + "/x/a.conf");
}

TEST(Options, a_check_with_v_shows_notes_instead_of_the_version) {
  const auto options = parse({"-t", "-v"});
  EXPECT_EQ(options->action, Action::check);
  EXPECT_TRUE(options->show_notes);
}

TEST(Options, start_up_messages_can_be_steered) {
  const auto options = parse({"-e", "debug", "-E", "/dev/stderr"});
  EXPECT_EQ(options->startup_level, config::LogLevel::debug);
  EXPECT_EQ(options->startup_log, "/dev/stderr");
}

TEST(Options, what_httpd_refuses_is_refused_with_its_words) {
  EXPECT_EQ(parse({"-q"}).error(), "illegal option -- q");
  EXPECT_EQ(parse({"-D"}).error(), "option requires an argument -- D");
  EXPECT_THAT(parse({"-k", "foo"}).error(), testing::HasSubstr("\"foo\""));
  EXPECT_THAT(parse({"-e", "loud"}).error(), testing::HasSubstr("\"loud\""));
  EXPECT_THAT(parse({"extra"}).error(), testing::HasSubstr("\"extra\""));
}

TEST(Options, a_demo_member_has_port_name_and_route) {
  const auto options = parse({"demo-member", "--port", "8101", "--name", "one", "--route=m1"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->action, Action::demo_member);
  EXPECT_EQ(options->demo.port, 8101);
  EXPECT_EQ(options->demo.name, "one");
  EXPECT_EQ(options->demo.route, "m1");
}

TEST(Options, a_demo_member_refuses_what_it_does_not_know) {
  EXPECT_FALSE(parse({"demo-member", "--port", "65536"}));
  EXPECT_FALSE(parse({"demo-member", "--prot", "1"}));
  EXPECT_FALSE(parse({"demo-member", "extra"}));
}

TEST(Options, one_process_for_debugging_stays_in_the_foreground) {
  EXPECT_TRUE(parse({"-X"})->foreground);
  EXPECT_TRUE(parse({"-X"})->single_shard);
}

}  // namespace
}  // namespace steelyard::server
