#include "cgi/variables.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/arena.hpp"

namespace steelyard::cgi {
namespace {

// What apache2 2.4 sends for "GET /app/x%20y/a.php/info?q=1" where a ProxyPass leads /app to
// SCHEME://127.0.0.1:9000/var/www; the cases below say only what they change.
struct Asked {
  std::string path = "/app/x y/a.php/info", script = "/var/www/x%20y/a.php/info";
  std::string uri = "/app/x%20y/a.php/info?q=1";
  std::string path_info = {};
  std::optional<std::uint64_t> body_bytes = {};
  bool passes_passwords = false;
};

class CgiVariables : public ::testing::Test {
 protected:
  std::string value(std::string_view name) const {
    return std::string(variables.find(name).value_or("(none)"));
  }
  bool ask(Protocol protocol, const Asked& asked = {}, BackendType backend = BackendType::fpm) {
    kept_ = asked;
    const Request request{.fields = fields,
                          .method = "GET",
                          .protocol = "HTTP/1.1",
                          .uri = kept_.uri,
                          .path = kept_.path,
                          .query = "q=1",
                          .body_bytes = kept_.body_bytes,
                          .authority = "127.0.0.1:9000",
                          .script = kept_.script,
                          .passes_passwords = kept_.passes_passwords,
                          .path_info = kept_.path_info};
    return add_variables(request, around, protocol, backend, variables, arena_);
  }

  http::FieldList fields;
  Surroundings around{.scheme = "http",
                      .document_root = "/srv",
                      .server_name = "lb.test",
                      .server_address = "127.0.0.1",
                      .server_admin = "me@lb.test",
                      .server_software = "Steelyard",
                      .client_address = "192.0.2.1",
                      .server_port = 80,
                      .client_port = 4711};
  expr::Environment variables;

 private:
  Asked kept_;
  Arena arena_;
};

TEST_F(CgiVariables, say_who_asks_whom_for_what) {
  ASSERT_TRUE(ask(Protocol::fcgi));
  EXPECT_EQ(value("GATEWAY_INTERFACE"), "CGI/1.1");
  EXPECT_EQ(value("SERVER_PROTOCOL"), "HTTP/1.1");
  EXPECT_EQ(value("REQUEST_METHOD"), "GET");
  EXPECT_EQ(value("REQUEST_URI"), "/app/x%20y/a.php/info?q=1");
  EXPECT_EQ(value("QUERY_STRING"), "q=1");
  EXPECT_EQ(value("REQUEST_SCHEME"), "http");
  EXPECT_EQ(value("SERVER_NAME"), "lb.test");
  EXPECT_EQ(value("SERVER_PORT"), "80");
  EXPECT_EQ(value("SERVER_ADDR"), "127.0.0.1");
  EXPECT_EQ(value("SERVER_ADMIN"), "me@lb.test");
  EXPECT_EQ(value("SERVER_SOFTWARE"), "Steelyard");
  EXPECT_EQ(value("REMOTE_ADDR"), "192.0.2.1");
  EXPECT_EQ(value("REMOTE_PORT"), "4711");
  EXPECT_EQ(value("REMOTE_HOST"), "(none)");
  EXPECT_EQ(value("DOCUMENT_ROOT"), "/srv");
  EXPECT_EQ(value("CONTENT_LENGTH"), "(none)");
  EXPECT_EQ(value("REDIRECT_URL"), "(none)");
}

TEST_F(CgiVariables, fields_become_http_variables) {
  fields.add("Host", "lb.test");
  fields.add("X-Dash-Ed", "2");
  fields.add("Content-Type", "t/p");
  fields.add("Connection", "close");
  ask(Protocol::fcgi);
  EXPECT_EQ(value("HTTP_HOST"), "lb.test");
  EXPECT_EQ(value("HTTP_X_DASH_ED"), "2");
  EXPECT_EQ(value("CONTENT_TYPE"), "t/p");
  EXPECT_EQ(value("HTTP_CONTENT_TYPE"), "(none)");
  EXPECT_EQ(value("HTTP_CONNECTION"), "close");
}

TEST_F(CgiVariables, no_client_sets_http_proxy_in_any_spelling) {
  fields.add("Proxy", "http://evil/");
  fields.add("pRoXy", "http://evil/");
  ask(Protocol::fcgi);
  EXPECT_EQ(value("HTTP_PROXY"), "(none)");
}

TEST_F(CgiVariables, names_that_two_fields_could_share_become_none) {
  fields.add("X-Real-IP", "192.0.2.1");
  fields.add("X_Real_IP", "evil");
  fields.add("X.Real-IP", "evil");
  fields.add("X-Real_IP", "evil");
  ask(Protocol::uwsgi);
  EXPECT_EQ(value("HTTP_X_REAL_IP"), "192.0.2.1");
}

TEST_F(CgiVariables, passwords_are_passed_where_the_file_says_so) {
  fields.add("Authorization", "Basic Zm9v");
  fields.add("Proxy-Authorization", "Basic YmFy");
  ask(Protocol::fcgi, {.passes_passwords = true});
  EXPECT_EQ(value("HTTP_AUTHORIZATION"), "Basic Zm9v");
  EXPECT_EQ(value("HTTP_PROXY_AUTHORIZATION"), "Basic YmFy");
}

TEST_F(CgiVariables, else_they_are_for_uwsgi_alone) {
  fields.add("Authorization", "Basic Zm9v");
  fields.add("Proxy-Authorization", "Basic YmFy");
  ask(Protocol::fcgi);
  EXPECT_EQ(value("HTTP_AUTHORIZATION"), "(none)");
  ask(Protocol::scgi);
  EXPECT_EQ(value("HTTP_AUTHORIZATION"), "(none)");
  ask(Protocol::uwsgi);
  EXPECT_EQ(value("HTTP_AUTHORIZATION"), "Basic Zm9v");
  EXPECT_EQ(value("HTTP_PROXY_AUTHORIZATION"), "(none)");
}

TEST_F(CgiVariables, the_request_wins_over_the_environment_but_not_for_what_it_does_not_say) {
  variables.set("REQUEST_METHOD", "bad");
  variables.set("HTTP_HOST", "bad");
  variables.set("HTTP_AUTHORIZATION", "by SetEnvIf");
  variables.set("PATH", "/x");
  variables.set("MINE", "1 2");
  fields.add("Host", "lb.test");
  ask(Protocol::fcgi);
  EXPECT_EQ(value("REQUEST_METHOD"), "GET");
  EXPECT_EQ(value("HTTP_HOST"), "lb.test");
  EXPECT_EQ(value("HTTP_AUTHORIZATION"), "by SetEnvIf");
  EXPECT_EQ(value("PATH"), "/x");
  EXPECT_EQ(value("MINE"), "1 2");
}

TEST_F(CgiVariables, the_length_is_the_one_that_is_sent) {
  fields.add("Content-Length", "99");
  fields.add("Transfer-Encoding", "chunked");
  ask(Protocol::fcgi, {.body_bytes = 5});
  EXPECT_EQ(value("CONTENT_LENGTH"), "5");
  EXPECT_EQ(value("HTTP_TRANSFER_ENCODING"), "(none)");
}

TEST_F(CgiVariables, the_server_name_cannot_carry_markup) {
  around.server_name = "<b>&";
  ask(Protocol::fcgi);
  EXPECT_EQ(value("SERVER_NAME"), "&lt;b&gt;&amp;");
}

TEST_F(CgiVariables, of_an_error_document_the_first_request_is_told) {
  around.redirect_url = "/first";
  around.redirect_query = "a";
  around.redirect_method = "POST";
  ask(Protocol::fcgi);
  EXPECT_EQ(value("REDIRECT_URL"), "/first");
  EXPECT_EQ(value("REDIRECT_QUERY_STRING"), "a");
  EXPECT_EQ(value("REDIRECT_REQUEST_METHOD"), "POST");
}

TEST_F(CgiVariables, fpm_gets_the_proxy_url_and_others_the_path) {
  ask(Protocol::fcgi);
  EXPECT_EQ(value("SCRIPT_FILENAME"), "proxy:fcgi://127.0.0.1:9000/var/www/x%20y/a.php/info");
  ask(Protocol::fcgi, {}, BackendType::generic);
  EXPECT_EQ(value("SCRIPT_FILENAME"), "/var/www/x%20y/a.php/info");
  ask(Protocol::scgi, {}, BackendType::generic);
  EXPECT_EQ(value("SCRIPT_FILENAME"), "proxy:scgi://127.0.0.1:9000/var/www/x%20y/a.php/info");
}

TEST_F(CgiVariables, without_more_words_the_whole_path_is_the_scripts_name) {
  ask(Protocol::fcgi);
  EXPECT_EQ(value("SCRIPT_NAME"), "/app/x y/a.php/info");
  EXPECT_EQ(value("PATH_INFO"), "(none)");
  EXPECT_EQ(value("PATH_TRANSLATED"), "(none)");
  ask(Protocol::scgi);
  EXPECT_EQ(value("SCRIPT_NAME"), "/app/x y/a.php/info");
  EXPECT_EQ(value("PATH_INFO"), "(none)");
}

TEST_F(CgiVariables, a_path_info_that_is_known_is_cut_off_the_name) {
  ask(Protocol::fcgi, {.path = "/php/x.php/pi/x", .path_info = "/pi/x"});
  EXPECT_EQ(value("SCRIPT_NAME"), "/php/x.php");
  EXPECT_EQ(value("PATH_INFO"), "/pi/x");
  EXPECT_EQ(value("PATH_TRANSLATED"), "/srv/pi/x");
}

struct InfoCase {
  std::string style, info, name, translated;
};

TEST_F(CgiVariables, proxy_fcgi_pathinfo_says_where_the_script_ends) {
  // As apache2 2.4 answered, with DocumentRoot /srv.
  const InfoCase cases[] = {
      {"1", "/var/www/v.1/x%20y.php/in.fo/r%20s", "/p/v.1/x y.php/in.fo/r s",
       "/srv/var/www/v.1/x%20y.php/in.fo/r%20s"},
      {"unescape", "/var/www/v.1/x y.php/in.fo/r s", "/p", "/srv/var/www/v.1/x y.php/in.fo/r s"},
      {"first-dot", "/x y.php/in.fo/r s", "/p/v.1", "/srv/x y.php/in.fo/r s"},
      {"LAST-DOT", "/r s", "/p/v.1/x y.php/in.fo", "/srv/r s"},
      {"full", "(none)", "/p/v.1/x y.php/in.fo/r s", "(none)"},
  };
  for (const InfoCase& one : cases) {
    variables.clear();
    variables.set("proxy-fcgi-pathinfo", one.style);
    ask(Protocol::fcgi,
        {.path = "/p/v.1/x y.php/in.fo/r s", .script = "/var/www/v.1/x%20y.php/in.fo/r%20s"});
    EXPECT_EQ(value("PATH_INFO"), one.info) << one.style;
    EXPECT_EQ(value("SCRIPT_NAME"), one.name) << one.style;
    EXPECT_EQ(value("PATH_TRANSLATED"), one.translated) << one.style;
    EXPECT_EQ(value("SCRIPT_FILENAME"),
              "proxy:fcgi://127.0.0.1:9000/var/www/v.1/x%20y.php/in.fo/r%20s");
  }
}

TEST_F(CgiVariables, a_path_info_keeps_an_encoded_slash_and_what_is_no_escape) {
  variables.set("proxy-fcgi-pathinfo", "first-dot");
  ask(Protocol::fcgi, {.path = "/a.php/x", .script = "/a.php/%2f%41%zz%4"});
  EXPECT_EQ(value("PATH_INFO"), "/%2fA%zz%4");
}

TEST_F(CgiVariables, scgi_has_a_switch_of_its_own) {
  variables.set("proxy-scgi-pathinfo", "first-dot");
  ask(Protocol::scgi);
  EXPECT_EQ(value("PATH_INFO"), "/var/www/x%20y/a.php/info");
  EXPECT_EQ(value("GATEWAY_INTERFACE"), "(none)");
}

struct UwsgiCase {
  std::string path, script, info, name;
};

TEST_F(CgiVariables, uwsgi_members_get_the_targets_path_and_the_mount_in_front_of_it) {
  // As apache2 2.4 answered.
  const UwsgiCase cases[] = {
      {"/u0/a/b c", "//a/b%20c", "/a/b c", "/u0"},
      {"/u0", "/", "/", "/u0"},
      {"/u2/a/b", "/a/b", "/a/b", "/u2"},
      {"/u3/a/b", "/u3/a/b", "/u3/a/b", ""},
      {"/", "/", "/", ""},
      {"/u/x y/a.php/info", "/uu/x%20y/a.php/info", "/uu/x y/a.php/info", "/u/x y/a.php/info"},
  };
  for (const UwsgiCase& one : cases) {
    EXPECT_TRUE(ask(Protocol::uwsgi, {.path = one.path, .script = one.script}));
    EXPECT_EQ(value("PATH_INFO"), one.info) << one.script;
    EXPECT_EQ(value("SCRIPT_NAME"), one.name) << one.script;
  }
  EXPECT_FALSE(ask(Protocol::uwsgi, {.path = "/a", .script = "/a%00b"}));
}

TEST(PathInfoOfScript, begins_behind_the_first_name_with_an_extension) {
  EXPECT_EQ(path_info_of_script("/php/x.php/pi/x"), "/pi/x");
  EXPECT_EQ(path_info_of_script("/php/x.php"), "");
  EXPECT_EQ(path_info_of_script("/php/x.php/"), "/");
  EXPECT_EQ(path_info_of_script("/v1.2/x.php5/a.b"), "/a.b");
  EXPECT_EQ(path_info_of_script("/a./b/c"), "");
  EXPECT_EQ(path_info_of_script("/"), "");
  EXPECT_EQ(path_info_of_script(""), "");
}

TEST(FindPathInfo, compares_from_the_end_and_takes_slashes_as_one) {
  EXPECT_EQ(find_path_info("/p/x.php/a/b", "/a/b"), 8);
  EXPECT_EQ(find_path_info("/p/x.php//a/b", "/a/b"), 8);
  EXPECT_EQ(find_path_info("/p/x", "/other"), 4);
  EXPECT_EQ(find_path_info("/a/b", "/a/b"), 0);
  EXPECT_EQ(find_path_info("", "/a"), 0);
  EXPECT_EQ(find_path_info("/p/", "/x"), 2);
}

}  // namespace
}  // namespace steelyard::cgi
