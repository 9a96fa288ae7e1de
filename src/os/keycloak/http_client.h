#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "os/base/waiter.h"

namespace mfi::os {

/// How much whoever answers may send, and how long that may take: a server can answer without end.
struct HttpLimits {
  std::int64_t answer_mb = 16;
  std::int64_t total_mb = 1024;
  std::chrono::seconds answer_time{30};
  std::chrono::seconds total_time{3600};
  std::int64_t requests = 200'000;
};

struct HttpAnswer {
  int status = 0;  // 0: none, or none that may be read
  std::string body;
  std::string failure;  // why there is no status, in libcurl's words

  /// Why it is not what was wanted, fit for a log: what quotes whoever answered is plain ASCII in one line.
  std::string Reason() const;
};

/// Asks one server by HTTP, and takes JSON only. It follows no redirect, and reads no configuration of curl's.
class HttpClient {
 public:
  struct Server {
    std::string ca_file;      // a certificate authority beside the machine's; may be empty
    bool allow_http = false;  // without TLS
  };

  /// `begun`: when the time of all requests began.
  HttpClient(Waiter& waiter, Server server, HttpLimits limits, std::chrono::steady_clock::time_point begun);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// `token`: sent as a bearer's. Throws Error(54000) with what to do when a limit of all requests, or of the size of
  /// one answer, is over; a limit of time of one is a failure.
  HttpAnswer Get(const std::string& url, const std::string& token);

  /// `form`: name=value&..., percent-encoded.
  HttpAnswer Post(const std::string& url, const std::string& form);

  /// Waits `delay`, but not longer than all requests may take.
  void Pause(std::chrono::duration<double> delay);

 private:
  struct Handles;

  HttpAnswer Request(const std::string& url, const std::string* form, const std::string& token);
  void CheckLimits();
  int Run();
  std::chrono::milliseconds Left() const;

  Waiter& waiter_;
  Server server_;
  HttpLimits limits_;
  std::chrono::steady_clock::time_point deadline_;
  std::int64_t requests_ = 0;
  std::int64_t received_ = 0;
  std::unique_ptr<Handles> handles_;
};

}  // namespace mfi::os
