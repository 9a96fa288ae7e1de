// Any text is either refused or a page whose items are objects, none of which changes when it is read again; what is
// made of it for the database is JSON.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "core/keycloak/events.h"
#include "core/keycloak/group_reading.h"
#include "core/keycloak/page.h"

namespace {

void Check(std::string_view text, mfi::core::PageKind kind) {
  using namespace mfi::core;
  const auto page = ReadPage(text, kind);
  if (!page) return;
  GroupReading reading;
  if (kind == PageKind::kGroups) reading.Add(*page, "parent");
  if (!reading.IsSameAs(reading)) std::abort();
  std::vector<std::string> texts;
  for (const PageItem& item : *page) {
    const auto again = ReadPage("[" + item.text + "]", kind);
    if (!item.value.is_object() || !again || again->size() != 1 || again->front().text != item.text) std::abort();
    texts.push_back(item.text);
  }
  if (!nlohmann::json::accept(reading.Snapshot())) std::abort();
  const auto oldest_first = nlohmann::json::parse(OldestFirst(texts, 0, texts.size()), nullptr, false);
  if (!oldest_first.is_array() || oldest_first.size() != page->size()) std::abort();
  ComeNewestFirst(*page);
  OldestTime(*page);
  RealmOf(*page);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Check(text, mfi::core::PageKind::kGroups);
  Check(text, mfi::core::PageKind::kEvents);
  mfi::core::ReadToken(text);
  if (const auto count = mfi::core::ReadCount(text); count && *count < 0) std::abort();
  return 0;
}
