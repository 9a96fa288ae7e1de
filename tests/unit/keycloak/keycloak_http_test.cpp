#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "os/keycloak/admin_api.h"
#include "os/keycloak/http_client.h"
#include "support.h"

namespace {

using namespace mfi::os;
using mfi::core::Error;
using mfi::core::PageKind;
using mfi::test::ErrorOf;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr char kJson[] = "Content-Type: application/json\r\n";

std::string Answer(const std::string& status, const std::string& body, const std::string& head = kJson) {
  return "HTTP/1.1 " + status + "\r\n" + head + "Content-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

/// What a server sends in answer to a request, its head and body, the nth.
using Script = std::function<std::string(const std::string& request, int n)>;
constexpr char kNothing[] = "hang";
constexpr char kEndless[] = "endless";
constexpr char kEndlessHead[] = "endless head";

/// A server in a process of its own.
class Server {
 public:
  explicit Server(const Script& script) : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
    process_ = std::make_unique<mfi::test::Forked>([this, script] { return Serve(script); });
  }
  ~Server() {
    process_->Kill();
    close(listener_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  int Serve(const Script& script) const {
    signal(SIGPIPE, SIG_IGN);
    std::vector<int> hanging;
    for (int n = 1;; ++n) {
      const int client = accept(listener_, nullptr, nullptr);
      const std::string answer = script(Receive(client), n);
      if (answer == kNothing) {
        hanging.push_back(client);
        continue;
      }
      if (answer == kEndless || answer == kEndlessHead) {
        std::string piece = std::string("HTTP/1.1 200 OK\r\n") + kJson + (answer == kEndless ? "\r\n" : "");
        while (Send(client, piece)) piece = "X: " + std::string(answer == kEndless ? 50'000 : 5000, 'x') + "\r\n";
      } else {
        Send(client, answer);
      }
      close(client);
    }
  }

  static bool Send(int client, const std::string& text) {
    return send(client, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }

  static std::string Receive(int client) {
    std::string request;
    char buffer[4096];
    const auto is_whole = [&request] {
      const std::size_t end = request.find("\r\n\r\n");
      const std::size_t length = request.find("Content-Length: ");
      if (end == std::string::npos) return false;
      return length == std::string::npos || request.size() >= end + 4 + std::stoul(request.substr(length + 16));
    };
    while (!is_whole()) {
      const ssize_t got = recv(client, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      request.append(buffer, static_cast<std::size_t>(got));
    }
    return request;
  }

  int listener_;
  int port_ = 0;
  std::unique_ptr<mfi::test::Forked> process_;
};

struct Http {
  explicit Http(const HttpLimits& limits = {}, bool allow_http = true)
      : client(host, {"", allow_http}, limits, steady_clock::now()) {}
  mfi::test::TestHost host;
  HttpClient client;
};

Script Always(const std::string& answer) {
  return [answer](const std::string&, int) { return answer; };
}

TEST(KeycloakHttp, AsksAsItShould) {
  const Server server([](const std::string& request, int) { return Answer("200 OK", request); });
  Http http;
  const std::string get = http.client.Get(server.url() + "/a/../b?x=1", "token1").body;
  EXPECT_EQ(get.substr(0, get.find('\r')), "GET /a/../b?x=1 HTTP/1.1");
  EXPECT_NE(get.find("\r\nAuthorization: Bearer token1\r\n"), std::string::npos);
  EXPECT_NE(get.find("\r\nAccept: application/json\r\n"), std::string::npos);
  const std::string post = http.client.Post(server.url() + "/t", "a=b%20c").body;
  EXPECT_EQ(post.substr(0, post.find('\r')), "POST /t HTTP/1.1");
  EXPECT_EQ(post.find("Authorization"), std::string::npos);
  EXPECT_NE(post.find("\r\n\r\na=b%20c"), std::string::npos);
  EXPECT_EQ(http.client.Get(server.url(), "t").body.find("a=b"), std::string::npos);
}

TEST(KeycloakHttp, TakesJsonOnly) {
  for (const char* type : {"application/json", "Application/JSON ; charset=utf-8", "application/json;x"}) {
    const Server server(Always(Answer("200 OK", "[]", std::string("Content-Type: ") + type + "\r\n")));
    EXPECT_EQ(Http().client.Get(server.url(), "").status, 200) << type;
  }
  for (const char* head : {"", "Content-Type: text/html\r\n", "Content-Type: application/jsonp\r\n"}) {
    const Server server(Always(Answer("200 OK", "[]", head)));
    const HttpAnswer answer = Http().client.Get(server.url(), "");
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(answer.Reason(), "the answer is not of the type application/json");
  }
}

TEST(KeycloakHttp, FollowsNoRedirectAndSpeaksNoOtherProtocol) {
  const Server server(Always(Answer("302 Found", "", "Location: file:///etc/passwd\r\n")));
  EXPECT_EQ(Http().client.Get(server.url(), "").status, 302);
  for (const std::string& url : {server.url(), std::string("file:///etc/passwd"), std::string("ftp://127.0.0.1/")}) {
    const HttpAnswer answer = Http({}, false).client.Get(url, "");
    EXPECT_EQ(answer.status, 0) << url;
    EXPECT_EQ(answer.body, "") << url;
    EXPECT_EQ(answer.Reason().substr(0, 10), "curl: (1) ") << url;
  }
  EXPECT_EQ(Http().client.Get("file:///etc/passwd", "").status, 0);
}

TEST(KeycloakHttp, ReasonsAreFitForALog) {
  const Server server(Always(Answer("503 Bad", "\x1b[2J\n\xe2\x80\xae" + std::string(1000, 'x'))));
  const std::string reason = Http().client.Get(server.url(), "").Reason();
  EXPECT_EQ(reason.substr(0, 20), "HTTP 503: ?[2J ???xx");
  EXPECT_LT(reason.size(), 320U);
  EXPECT_NE(Http().client.Get("http://127.0.0.1:1", "").Reason().find("curl: (7) "), std::string::npos);
}

TEST(KeycloakHttp, AnAnswerHasALimit) {
  HttpLimits limits;
  limits.answer_mb = 1;
  const Server whole(Always(Answer("200 OK", std::string(1024 * 1024, ' '))));
  EXPECT_EQ(Http(limits).client.Get(whole.url(), "").body.size(), 1024U * 1024);
  for (const std::string& answer : {Answer("200 OK", std::string(1024 * 1024 + 1, ' ')), std::string(kEndless)}) {
    const Server server(Always(answer));
    const Error error = ErrorOf([&] { Http(limits).client.Get(server.url(), ""); });
    EXPECT_STREQ(error.what(), "Keycloak's answer is larger than 1 MB");
    EXPECT_NE(error.hint().find("KEYCLOAK_ANSWER_MB"), std::string::npos);
  }
  const Server head(Always(kEndlessHead));
  EXPECT_EQ(Http(limits).client.Get(head.url(), "").status, 0);
}

TEST(KeycloakHttp, AllAnswersHaveALimit) {
  HttpLimits limits;
  limits.total_mb = 1;
  limits.requests = 5;
  const Server large(Always(Answer("200 OK", std::string(400'000, ' '))));
  Http http(limits);
  http.client.Get(large.url(), "");
  http.client.Get(large.url(), "");
  EXPECT_STREQ(ErrorOf([&] { http.client.Get(large.url(), ""); }).what(), "Keycloak sends more than 1 MB");
  const Server small(Always(Answer("200 OK", "[]")));
  Http many(limits);
  for (int i = 0; i < 5; ++i) many.client.Get(small.url(), "");
  EXPECT_STREQ(ErrorOf([&] { many.client.Get(small.url(), ""); }).what(), "Keycloak has not given all in 5 answers");
}

TEST(KeycloakHttp, TimeHasLimits) {
  HttpLimits limits;
  limits.answer_time = seconds(1);
  const Server server(Always(kNothing));
  const HttpAnswer answer = Http(limits).client.Get(server.url(), "");
  EXPECT_EQ(answer.status, 0);
  EXPECT_NE(answer.Reason().find("curl: (28) "), std::string::npos);
  limits.answer_time = seconds(600);
  limits.total_time = seconds(1);
  Http http(limits);
  EXPECT_EQ(http.client.Get(server.url(), "").status, 0);
  http.client.Pause(std::chrono::duration<double>(1e300));
  EXPECT_STREQ(ErrorOf([&] { http.client.Get(server.url(), ""); }).what(), "Keycloak has not given all within 1 s");
}

TEST(KeycloakHttp, AStopEndsTheWait) {
  const Server server(Always(kNothing));
  Http http;
  http.host.stop_when = [] { return true; };
  EXPECT_THROW(http.client.Get(server.url(), ""), mfi::core::Stop);
  http.host.stop_when = nullptr;
  const Server other(Always(Answer("200 OK", "[]")));
  EXPECT_EQ(http.client.Get(other.url(), "").body, "[]");
}

// ---- the admin API

KeycloakAccess Access(const Server& server, int tries = 3) {
  return {server.url(), "my realm", "master", "c&d", "s=+ %", tries, milliseconds(1)};
}

bool IsLogin(const std::string& request) { return request.rfind("POST", 0) == 0; }

struct Asked {
  std::optional<Answered> answered;
  std::string failure;
  std::vector<std::string> said;
};

Asked Ask(const Script& script) {
  const Server server(script);
  Http http;
  Asked asked;
  AdminApi api(http.client, Access(server), [&asked](const std::string& line) { asked.said.push_back(line); });
  try {
    asked.answered = api.Get("/groups?first=0", PageKind::kGroups);
  } catch (const Error& error) {
    asked.failure = error.what();
  }
  return asked;
}

const std::string kToken = Answer("200 OK", R"({"access_token":"abc"})");
const std::string kPage = Answer("200 OK", R"([{"id":"a"}])");

TEST(KeycloakApi, LogsInAndReads) {
  const Asked asked = Ask([](const std::string& request, int) {
    const bool login =
        request.rfind("POST /realms/master/protocol/openid-connect/token HTTP/1.1\r\n", 0) == 0 &&
        request.find("\r\n\r\ngrant_type=client_credentials&client_id=c%26d&client_secret=s%3D%2B%20%25") !=
            std::string::npos;
    if (login) return kToken;
    const bool get = request.rfind("GET /admin/realms/my%20realm/groups?first=0 HTTP/1.1\r\n", 0) == 0 &&
                     request.find("\r\nAuthorization: Bearer abc\r\n") != std::string::npos;
    return get ? kPage : Answer("400 Bad", "");
  });
  ASSERT_TRUE(asked.answered) << asked.failure;
  EXPECT_EQ(asked.answered->page.size(), 1U);
  EXPECT_EQ(asked.answered->body, R"([{"id":"a"}])");
  EXPECT_TRUE(asked.said.empty());
}

TEST(KeycloakApi, TriesAgainWhatMayPass) {
  for (const std::string& trouble :
       {Answer("500 X", ""), Answer("408 X", ""), Answer("429 X", ""), Answer("200 OK", "<html>"),
        Answer("200 OK", "[]", ""), std::string("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[")}) {
    const Asked asked = Ask([&trouble](const std::string& request, int n) {
      return IsLogin(request) ? kToken : n < 4 ? trouble : kPage;
    });
    EXPECT_TRUE(asked.answered) << asked.failure;
    EXPECT_EQ(asked.said.size(), 2U);
    const Asked never =
        Ask([&trouble](const std::string& request, int) { return IsLogin(request) ? kToken : trouble; });
    EXPECT_EQ(never.failure.rfind("no answer to /groups?first=0 after 3 tries: ", 0), 0U) << never.failure;
  }
}

TEST(KeycloakApi, TakesANewTokenAFewTimes) {
  const Asked asked = Ask([](const std::string& request, int n) {
    return IsLogin(request) ? kToken : n < 5 ? Answer("401 X", "") : kPage;
  });
  EXPECT_TRUE(asked.answered) << asked.failure;
  EXPECT_EQ(
      Ask([](const std::string& request, int) { return IsLogin(request) ? kToken : Answer("401 X", ""); }).failure,
      "Keycloak refuses every token for /groups?first=0");
}

TEST(KeycloakApi, EndsWithWhatDoesNotPass) {
  const auto page = [](const std::string& answer) {
    return Ask([&answer](const std::string& request, int) { return IsLogin(request) ? kToken : answer; });
  };
  EXPECT_EQ(page(Answer("403 X", "")).failure, "the client c&d may not read /groups?first=0");
  EXPECT_EQ(page(Answer("302 X", "")).failure, "/groups?first=0 leads elsewhere (HTTP 302), which is not followed");
  EXPECT_EQ(page(Answer("418 X", "pot")).failure, "Keycloak does not answer /groups?first=0: HTTP 418: pot");
  const Asked absent = page(Answer("404 X", ""));
  EXPECT_FALSE(absent.answered);
  EXPECT_EQ(absent.failure, "");
  const auto login = [](const std::string& answer) { return Ask(Always(answer)).failure; };
  EXPECT_EQ(login(Answer("401 X", "no")), "Keycloak does not let the client c&d in: HTTP 401: no");
  EXPECT_NE(login(Answer("200 OK", "[]")).find("gives is no token"), std::string::npos);
  EXPECT_NE(login(Answer("301 X", "")).find("leads elsewhere (HTTP 301)"), std::string::npos);
  EXPECT_NE(login(Answer("503 X", "")).find("after 3 tries: HTTP 503: "), std::string::npos);
}

}  // namespace
