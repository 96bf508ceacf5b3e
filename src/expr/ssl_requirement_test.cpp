#include "expr/ssl_requirement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/arena.hpp"
#include "expr/local_files.hpp"
#include "expr/table_facts.hpp"

namespace steelyard::expr {
namespace {

struct SslRequirements : testing::Test {
  SslRequirements() { facts.variables = {{"ORG", "Snake Oil, Ltd."}, {"BITS", "256"}}; }

  std::string verdict(std::string_view text) {
    const auto requirement = SslRequirement::compile(text);
    if (!requirement) return "refused: " + requirement.error().text;
    Evaluation evaluation{facts, arena};
    return requirement->holds(evaluation) ? "yes" : "no";
  }
  void all_are(std::string_view verdict_of_all, const std::vector<std::string_view>& texts) {
    for (const std::string_view text : texts) EXPECT_EQ(verdict(text), verdict_of_all) << text;
  }

  TableFacts facts;
  Arena arena;
};

TEST_F(SslRequirements, the_longer_text_is_the_greater_one) {
  all_are("yes", {R"("9" < "10")", R"("9" lt "10")", R"("b" > "a")", R"("aa" gt "b")",
                  R"("10" >= "9")", R"("a" <= "a")", R"("" lt "a")", R"(%{ENV:BITS} >= 128)"});
  all_are("no", {R"("10" < "9")", R"("b" lt "a")", R"("aa" le "b")", R"(%{ENV:BITS} >= 1000)"});
}

TEST_F(SslRequirements, words_without_a_dash_compare_texts_and_those_with_one_numbers) {
  all_are("yes", {R"("1" eq "1")", R"("1" ne "01")", R"("a" eq "a")", R"("01" -eq "1")",
                  R"("9" -lt "10")", R"("010" -ge "9")"});
  all_are("no", {R"("1" eq "01")", R"("a" eq "b")", R"("a" -lt "0")"});
}

TEST_F(SslRequirements, the_rest_is_as_in_other_conditions) {
  all_are("yes", {R"(%{ENV:ORG} eq "Snake Oil, Ltd." and %{ENV:ORG} in {"X", "Snake Oil, Ltd."})",
                  R"(not %{ENV:ORG} =~ m/^Oil/ && (false or true))"});
  EXPECT_THAT(verdict("%{FOO} eq 'x'"),
              testing::StartsWith("refused: Variable 'FOO' does not exist"));
  EXPECT_THAT(verdict("'a' eq"), testing::StartsWith("refused: syntax error"));
}

struct NoFiles final : LocalFiles {
  bool has_trait(std::string_view /*path*/, FileTrait /*trait*/) const override { return false; }
  std::optional<std::uint64_t> bytes_of(std::string_view /*path*/) const override {
    return std::nullopt;
  }
  std::expected<std::string_view, std::string_view> read(std::string_view /*path*/,
                                                         Arena& /*arena*/) const override {
    return std::unexpected("Cannot open file ");
  }
};

TEST_F(SslRequirements, what_cannot_be_worked_out_does_not_hold) {
  const NoFiles files;
  facts.files = &files;
  EXPECT_EQ(verdict("not file('/nowhere') eq 'x'"), "no");
}

}  // namespace
}  // namespace steelyard::expr
