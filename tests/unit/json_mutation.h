#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "core/base/error.h"

// Every way to spoil a JSON document, for the parsers of records and manifests.
namespace mfi::test {

/// What is wrong with `text` as `parse` says it, "" when nothing. Anything but kDataCorrupted fails the test.
template <typename Parse>
std::string Complaint(const Parse& parse, const std::string& text) {
  try {
    parse(text);
  } catch (const core::Error& error) {
    EXPECT_EQ(error.sqlstate(), core::sqlstate::kDataCorrupted);
    EXPECT_STRNE(error.what(), "");
    return error.what();
  }
  return {};
}

/// Pointers to all members and items of a document, at any depth.
inline std::vector<nlohmann::json::json_pointer> Places(
    const nlohmann::json& value, const nlohmann::json::json_pointer& at = nlohmann::json::json_pointer()) {
  std::vector<nlohmann::json::json_pointer> places;
  if (!at.empty()) places.push_back(at);
  for (const auto& [key, child] : value.items()) {
    if (!value.is_structured()) break;
    const auto below = Places(child, value.is_array() ? at / std::stoul(key) : at / key);
    places.insert(places.end(), below.begin(), below.end());
  }
  return places;
}

/// A value of another type anywhere, and a text that ends anywhere, must be refused.
template <typename Parse>
void ExpectEverySpoiledFormRefused(const Parse& parse, const std::string& text) {
  const auto document = nlohmann::json::parse(text);
  const auto wrong = nlohmann::json::parse("[[]]");
  for (const auto& place : Places(document)) {
    auto spoiled = document;
    spoiled[place] = wrong;
    EXPECT_NE(Complaint(parse, spoiled.dump()), "") << place;
  }
  for (std::size_t length = 0; length + 1 < text.size(); ++length) {
    EXPECT_NE(Complaint(parse, text.substr(0, length)), "") << length;
  }
  for (const char* other : {"null", "[]", "7", "\"text\"", "{} {}", "\xff\xfe", "{\"id\": nan}"}) {
    EXPECT_NE(Complaint(parse, other), "") << other;
  }
}

/// A reader of this version must pass over what a later one adds.
template <typename Parse>
std::string WithUnknownMembers(const Parse& parse, const std::string& text) {
  auto document = nlohmann::json::parse(text);
  auto places = Places(document);
  places.emplace_back();
  for (const auto& place : places) {
    if (document[place].is_object()) document[place]["of a later version"] = {{"deep", {1, "two", nullptr}}};
  }
  return ToJson(parse(document.dump()));
}

}  // namespace mfi::test
