#include "os/keycloak/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/base/printable.h"

namespace mfi::os {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::int64_t kMegabyte = 1024 * 1024;
constexpr std::int64_t kLargestHead = kMegabyte;
constexpr int kPiece = 200;  // milliseconds between two looks at whether to stop
constexpr milliseconds kConnectTime{10'000};
constexpr std::size_t kShownFailure = 500;
constexpr std::size_t kShownBody = 300;
constexpr int kOk = 200;

/// One answer as it comes in.
struct Incoming {
  HttpAnswer answer;
  std::int64_t head = 0;
  std::int64_t limit = 0;
  bool too_large = false;
};

std::size_t TakeHead(char*, std::size_t size, std::size_t count, void* data) {
  auto& incoming = *static_cast<Incoming*>(data);
  incoming.head += static_cast<std::int64_t>(size * count);
  return incoming.head > kLargestHead ? 0 : size * count;
}

/// libcurl is C: no exception may pass through it.
std::size_t TakeBody(char* bytes, std::size_t size, std::size_t count, void* data) {
  auto& incoming = *static_cast<Incoming*>(data);
  const std::size_t length = size * count;
  if (static_cast<std::int64_t>(incoming.answer.body.size() + length) > incoming.limit) {
    incoming.too_large = true;
    return 0;
  }
  try {
    incoming.answer.body.append(bytes, length);
  } catch (const std::exception&) {
    return 0;
  }
  return length;
}

bool IsJson(const char* type) {
  std::string text = type == nullptr ? "" : type;
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  text.resize(std::min(text.find(';'), text.size()));
  text.resize(text.find_last_not_of(' ') + 1);
  return text == "application/json";
}

[[noreturn]] void GiveUp(const std::string& what, const std::string& next_step) {
  throw core::Error(core::sqlstate::kProgramLimitExceeded, what, {}, next_step + " Nothing was written for this part.");
}

}  // namespace

std::string HttpAnswer::Reason() const {
  if (status == 0) return core::PlainWords(failure, kShownFailure);
  return "HTTP " + std::to_string(status) + ": " + core::PlainWords(body, kShownBody);
}

struct HttpClient::Handles {
  Handles() {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    easy = curl_easy_init();
    multi = curl_multi_init();
    if (easy == nullptr || multi == nullptr) {
      throw core::Error(core::sqlstate::kInsufficientResources, "out of memory while preparing HTTP requests");
    }
  }
  ~Handles() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
    curl_slist_free_all(head);
    curl_global_cleanup();
  }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;

  /// Nothing of the request before stays, but for its connection.
  void Prepare(Incoming& incoming, milliseconds limit) {
    curl_easy_reset(easy);
    failure[0] = '\0';
    Set(CURLOPT_ERRORBUFFER, failure);
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
    Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(kConnectTime.count()));
    Set(CURLOPT_HEADERFUNCTION, TakeHead);
    Set(CURLOPT_HEADERDATA, &incoming);
    Set(CURLOPT_WRITEFUNCTION, TakeBody);
    Set(CURLOPT_WRITEDATA, &incoming);
  }

  void SetServer(const std::string& ca_file, bool allow_http) {
    Set(CURLOPT_PROTOCOLS_STR, allow_http ? "http,https" : "https");
    Set(CURLOPT_FOLLOWLOCATION, 0L);
    Set(CURLOPT_PATH_AS_IS, 1L);
    if (!ca_file.empty()) Set(CURLOPT_CAINFO, ca_file.c_str());
  }

  void SetRequest(const std::string& url, const std::string* form, const std::string& token) {
    Set(CURLOPT_URL, url.c_str());
    curl_slist_free_all(std::exchange(head, nullptr));
    AddHeader("Accept: application/json");
    if (!token.empty()) AddHeader("Authorization: Bearer " + token);
    Set(CURLOPT_HTTPHEADER, head);
    if (form == nullptr) return;
    Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(form->size()));
    Set(CURLOPT_COPYPOSTFIELDS, form->c_str());
  }

  /// The answer with its status, or with why it has none.
  HttpAnswer Finish(int code, HttpAnswer answer) const {
    if (code != CURLE_OK) {
      const char* words = failure[0] != '\0' ? failure : curl_easy_strerror(static_cast<CURLcode>(code));
      answer.failure = "curl: (" + std::to_string(code) + ") " + words;
      return answer;
    }
    long status = 0;
    const char* type = nullptr;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
    if (status == kOk && !IsJson(type)) {
      answer.failure = "the answer is not of the type application/json";
    } else {
      answer.status = static_cast<int>(status);
    }
    return answer;
  }

  template <typename Value>
  void Set(CURLoption option, Value value) {
    if (curl_easy_setopt(easy, option, value) != CURLE_OK) {
      throw core::Error(core::sqlstate::kExternalRoutine, "libcurl refuses option " + std::to_string(option));
    }
  }

  void AddHeader(const std::string& line) {
    curl_slist* longer = curl_slist_append(head, line.c_str());
    if (longer == nullptr) {
      throw core::Error(core::sqlstate::kInsufficientResources, "out of memory while preparing a request");
    }
    head = longer;
  }

  CURL* easy = nullptr;
  CURLM* multi = nullptr;
  curl_slist* head = nullptr;
  char failure[CURL_ERROR_SIZE] = "";
};

HttpClient::HttpClient(Waiter& waiter, Server server, HttpLimits limits, steady_clock::time_point begun)
    : waiter_(waiter),
      server_(std::move(server)),
      limits_(limits),
      deadline_(begun + limits.total_time),
      handles_(std::make_unique<Handles>()) {}

HttpClient::~HttpClient() = default;

milliseconds HttpClient::Left() const { return duration_cast<milliseconds>(deadline_ - steady_clock::now()); }

HttpAnswer HttpClient::Get(const std::string& url, const std::string& token) { return Request(url, nullptr, token); }

HttpAnswer HttpClient::Post(const std::string& url, const std::string& form) { return Request(url, &form, {}); }

void HttpClient::Pause(std::chrono::duration<double> delay) {
  const std::chrono::duration<double> left = Left();
  const auto end = steady_clock::now() + duration_cast<steady_clock::duration>(std::min(delay, left));
  for (milliseconds rest{1}; rest.count() > 0;) {
    rest = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    if (rest.count() > 0) waiter_.Wait(-1, false, rest);
  }
}

/// Throws Error when a limit of all requests is over.
void HttpClient::CheckLimits() {
  if (Left().count() <= 0) {
    GiveUp("Keycloak has not given all within " + std::to_string(limits_.total_time.count()) + " s",
           "Does it answer without end, or slowly? If not, set KEYCLOAK_TOTAL_TIME higher.");
  }
  if (++requests_ > limits_.requests) {
    GiveUp("Keycloak has not given all in " + std::to_string(limits_.requests) + " answers",
           "Does it answer without end? If not, set KEYCLOAK_PAGE higher.");
  }
}

/// Runs the request that is prepared. Returns a CURLcode.
int HttpClient::Run() {
  curl_multi_add_handle(handles_->multi, handles_->easy);
  const auto remove = [](Handles* handles) { curl_multi_remove_handle(handles->multi, handles->easy); };
  const std::unique_ptr<Handles, decltype(remove)> running(handles_.get(), remove);
  int left = 0;
  do {
    if (curl_multi_perform(handles_->multi, &left) != CURLM_OK) return CURLE_OUT_OF_MEMORY;
    waiter_.Wait(-1, false, milliseconds{0});
    if (left > 0) curl_multi_poll(handles_->multi, nullptr, 0, kPiece, nullptr);
  } while (left > 0);
  int more = 0;
  const CURLMsg* message = curl_multi_info_read(handles_->multi, &more);
  return message != nullptr ? message->data.result : CURLE_OUT_OF_MEMORY;
}

HttpAnswer HttpClient::Request(const std::string& url, const std::string* form, const std::string& token) {
  CheckLimits();
  Incoming incoming;
  incoming.limit = limits_.answer_mb * kMegabyte;
  const milliseconds limit = std::max(std::min(milliseconds(limits_.answer_time), Left()), milliseconds{1});
  handles_->Prepare(incoming, limit);
  handles_->SetServer(server_.ca_file, server_.allow_http);
  handles_->SetRequest(url, form, token);
  const int code = Run();
  received_ += static_cast<std::int64_t>(incoming.answer.body.size());
  if (incoming.too_large) {
    throw core::Error(
        core::sqlstate::kProgramLimitExceeded,
        "Keycloak's answer is larger than " + std::to_string(limits_.answer_mb) + " MB", {},
        "Set KEYCLOAK_PAGE lower, or KEYCLOAK_ANSWER_MB higher when its groups or events are that large.");
  }
  if (received_ > limits_.total_mb * kMegabyte) {
    GiveUp("Keycloak sends more than " + std::to_string(limits_.total_mb) + " MB",
           "Does it answer without end? If not, set KEYCLOAK_TOTAL_MB higher.");
  }
  return handles_->Finish(code, std::move(incoming.answer));
}

}  // namespace mfi::os
