#include <gtest/gtest.h>

#include "core/base/repaired_json.h"
#include "core/keycloak/page.h"
#include "core/keycloak/page_text.h"

namespace {

using namespace mfi::core;

std::string Nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(KeycloakPageText, WhatADatabaseCanHoldStaysAsItIs) {
  for (
      const char* text :
      {R"({"b": 1, "a": 1.50, "a": -0, "n": 12345678901234567890123, "e": 1E+2, "x": "\u00e4 \ud83d\ude00 \\ud800 \" 1e999"})",
       "[0, -0.0, 1e300, 1e-300, 0.1000]", R"("\u0000")", "\"\xC3\xA4\xF0\x9F\x98\x80\"", "", "tru", "[1-1e999]",
       "01e999", "1.e999", "--1e999", R"("\u-000")", R"("\u12)", "\"\\"}) {
    EXPECT_EQ(Repaired(text, Zero::kKeep), text);
  }
}

TEST(KeycloakPageText, WhatItCannotHoldIsReplaced) {
  const auto replaced = [](std::string_view text) { return Repaired(text, Zero::kReplace); };
  EXPECT_EQ(replaced(R"("a\u0000b\\u0000")"), R"("a\ufffdb\\u0000")");
  EXPECT_EQ(replaced(R"("\ud83d\ude00\ud83dx\ude00")"), R"("\ud83d\ude00\ufffdx\ufffd")");
  EXPECT_EQ(replaced(R"("\uD83D\uD83D\uDE00")"), R"("\ufffd\uD83D\uDE00")");
  EXPECT_EQ(replaced("\"\xFF\xC3\xA4\xED\xA0\x80\xC3\""),
            "\"\xEF\xBF\xBD\xC3\xA4\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_EQ(replaced("[1e400,-1e400]"), "[1.7976931348623157e+308,-1.7976931348623157e+308]");
  EXPECT_EQ(replaced("[1e-400, 1e-20000]"), "[0, 0]");
  EXPECT_EQ(replaced("[" + std::string(101, '1') + "]").size(), std::string("[1.111111111111111e+100]").size());
  EXPECT_EQ(replaced("[" + std::string(100, '1') + "]"), "[" + std::string(100, '1') + "]");
}

TEST(KeycloakPageText, ElementsAreCutWhereTheyEnd) {
  EXPECT_EQ(Elements("[]"), std::vector<std::string>());
  EXPECT_EQ(Elements(" [ 1 , {\"a\":[1,2],\"b\":\"],\\\"[\"} ,\n[3] ] "),
            (std::vector<std::string>{"1", "{\"a\":[1,2],\"b\":\"],\\\"[\"}", "[3]"}));
}

TEST(KeycloakPageText, UrlsAndForms) {
  EXPECT_EQ(UrlEncoded("aZ9-_.~"), "aZ9-_.~");
  EXPECT_EQ(UrlEncoded("a b&c=d/%+\n\xC3\xA4"), "a%20b%26c%3Dd%2F%25%2B%0A%C3%A4");
}

TEST(KeycloakPage, OfGroups) {
  const auto page = ReadPage(R"( [{"id":"a","subGroupCount":3.0,"x":12345678901234567890123},
      {"id":"b","subGroupCount":null,"subGroups":[{"id":"c","subGroups":false}]}] )",
                             PageKind::kGroups);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->size(), 2U);
  EXPECT_EQ(page->at(0).text, R"({"id":"a","subGroupCount":3.0,"x":12345678901234567890123})");
  EXPECT_EQ(page->at(1).value["id"], "b");
  EXPECT_TRUE(ReadPage("[]", PageKind::kGroups));
}

TEST(KeycloakPage, IsRefusedWhenItIsNoPageOfGroups) {
  const std::string long_id(256, 'a');
  for (const std::string& body : std::vector<std::string>{"",
                                                          " ",
                                                          "{}",
                                                          "5",
                                                          "\"a\"",
                                                          "null",
                                                          "[][]",
                                                          "[] 5",
                                                          "[1]",
                                                          "[[]]",
                                                          "[{}]",
                                                          std::string(1, '\0'),
                                                          "[",
                                                          "[{]",
                                                          R"([{"id":"a"},])",
                                                          R"([{"id":""}])",
                                                          R"([{"id":".."}])",
                                                          R"([{"id":"."}])",
                                                          R"([{"id":"a/b"}])",
                                                          R"([{"id":"../x"}])",
                                                          R"([{"id":"a\nb"}])",
                                                          R"([{"id":"a\u0000"}])",
                                                          R"([{"id":"a%2e"}])",
                                                          R"([{"id":"\u00e4"}])",
                                                          R"([{"id":5}])",
                                                          R"([{"id":["a"]}])",
                                                          R"([{"id":"a","id":5}])",
                                                          "[{\"id\":\"" + long_id + "\"}]",
                                                          R"([{"id":"a","subGroupCount":"1"}])",
                                                          R"([{"id":"a","subGroupCount":-1}])",
                                                          R"([{"id":"a","subGroupCount":1.5}])",
                                                          R"([{"id":"a","subGroupCount":1000001}])",
                                                          R"([{"id":"a","subGroupCount":1e400}])",
                                                          R"([{"id":"a","subGroupCount":true}])",
                                                          R"([{"id":"a","subGroups":{}}])",
                                                          R"([{"id":"a","subGroups":[{"id":"/"}]}])",
                                                          R"([{"id":"a","subGroups":[1]}])",
                                                          std::string(200'000, '['),
                                                          Nested(65),
                                                          "[{\"id\":\"a\",\"x\":" + Nested(63) + "}]"}) {
    EXPECT_FALSE(ReadPage(body, PageKind::kGroups)) << body.substr(0, 80);
  }
  EXPECT_TRUE(ReadPage("[{\"id\":\"a\",\"x\":" + Nested(62) + "}]", PageKind::kGroups));
}

TEST(KeycloakPage, OfEventsHasObjectsOnly) {
  const auto page = ReadPage(R"([{"id":"a\u0000","time":1e400},{}])", PageKind::kEvents);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->at(0).text, R"({"id":"a\ufffd","time":1.7976931348623157e+308})");
  for (const char* body : {"[1]", "[[]]", "[null]", "{}", "[{}", "[{}]]", "[\"{}\"]"}) {
    EXPECT_FALSE(ReadPage(body, PageKind::kEvents)) << body;
  }
}

TEST(KeycloakPage, OfGroupsHasNoZeroEither) {
  const auto page =
      ReadPage(R"([{"id":"a","name":"b\u0000","attributes":{"\u0000":["\ud800",{"x":"\udc00"}]}}])", PageKind::kGroups);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->at(0).text, R"({"id":"a","name":"b\ufffd","attributes":{"\ufffd":["\ufffd",{"x":"\ufffd"}]}})");
}

TEST(KeycloakPage, IsNoCount) {
  EXPECT_EQ(ReadCount(R"({"count":10})"), 10);
  EXPECT_EQ(ReadCount(R"( {"x":[1],"count":1e3} )"), 1000);
  EXPECT_EQ(ReadCount(R"({"count":0})"), 0);
  const std::string deep = R"({"count":1,"x":)" + Nested(64) + "}";
  for (const char* body :
       {"", "10", "[10]", "{}", "null", R"({"count":null})", R"({"count":"10"})", R"({"count":-1})", R"({"count":1.5})",
        R"({"count":1e400})", R"({"count":true})", R"({"count":1)", R"({"count":1}{"count":1})", deep.c_str()}) {
    EXPECT_FALSE(ReadCount(body)) << body;
  }
}

TEST(KeycloakToken, IsMadeOfFewCharacters) {
  EXPECT_EQ(ReadToken(R"({"access_token":"aZ9-._~+/==","expires_in":60})"), "aZ9-._~+/==");
  for (const char* body : {"", "{}", "[]", R"({"access_token":""})", R"({"access_token":"="})",
                           R"({"access_token":"a=b"})", R"({"access_token":"a b"})", R"({"access_token":"a\r\nX: 1"})",
                           R"({"access_token":"a\u0000"})", R"({"access_token":"a\""})", R"({"access_token":"\u2028"})",
                           R"({"access_token":5})", R"({"access_token":["a"]})", R"({"access_token":null})",
                           R"({"access_token":"a"}{"access_token":"b"})", "{\"access_token\":\"a\"}\n\"output"}) {
    EXPECT_FALSE(ReadToken(body)) << body;
  }
  EXPECT_FALSE(ReadToken("{\"access_token\":\"" + std::string(65'537, 'x') + "\"}"));
  EXPECT_TRUE(ReadToken("{\"access_token\":\"" + std::string(65'536, 'x') + "\"}"));
}

}  // namespace
