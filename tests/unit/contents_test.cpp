#include "core/contents.h"

#include <gtest/gtest.h>

namespace {

using mfi::core::CompareContents;
using mfi::core::Contents;

Contents Source() {
  Contents c;
  c.tables = {{1, "public.users", 10}, {2, "public.audit", 0}, {3, "mfi.marked", std::nullopt}};
  c.sequences = {{"public.users_id_seq", 10, 12}};
  c.large_objects = 2;
  c.invalid_constraints = {"positive on public.users"};
  return c;
}

/// Compares the source with a copy that `change` has spoiled.
template <typename Change>
std::string After(const Change& change) {
  Contents copy = Source();
  change(copy);
  return CompareContents(Source(), copy);
}

TEST(Contents, EqualOnesAreOk) {
  EXPECT_EQ(After([](Contents&) {}), "ok");
  EXPECT_EQ(CompareContents({}, {}), "ok");
}

TEST(Contents, OidsSizesAndExtraTablesDoNotMatter) {
  EXPECT_EQ(After([](Contents& c) {
              for (auto& table : c.tables) table.oid += 1000;
              c.tables.push_back({9, "public.more", 1});
              c.sequences.push_back({"public.more_seq", 1, 1});
              c.database_bytes = 5;
              c.invalid_constraints.clear();
            }),
            "ok");
}

TEST(Contents, TablesDiffer) {
  EXPECT_EQ(After([](Contents& c) { c.tables.erase(c.tables.begin()); }), "table public.users is missing");
  EXPECT_EQ(After([](Contents& c) { c.tables[0].rows = 9; }),
            "table public.users: fewer rows restored than the 10 in the source");
  EXPECT_EQ(After([](Contents& c) { c.tables[0].rows.reset(); }),
            "table public.users could not be counted in the copy");
  EXPECT_EQ(After([](Contents& c) { c.tables[1].rows.reset(); }),
            "table public.audit could not be counted in the copy");
}

TEST(Contents, AnUncountedTableMustOnlyExist) {
  EXPECT_EQ(After([](Contents& c) { c.tables[2].rows = 77; }), "ok");
  EXPECT_EQ(After([](Contents& c) { c.tables.pop_back(); }), "table mfi.marked is missing");
}

TEST(Contents, SequencesMustLieBetweenTheirBounds) {
  EXPECT_EQ(After([](Contents& c) { c.sequences[0].low = 12; }), "ok");
  EXPECT_EQ(After([](Contents& c) { c.sequences[0].low = 9; }),
            "sequence public.users_id_seq is behind the source's, which is at 12");
  EXPECT_EQ(After([](Contents& c) { c.sequences[0].low = 13; }),
            "sequence public.users_id_seq is ahead of the source's, which is at 12");
  EXPECT_EQ(After([](Contents& c) { c.sequences.clear(); }), "sequence public.users_id_seq is missing");
}

TEST(Contents, LargeObjectsAndConstraints) {
  EXPECT_EQ(After([](Contents& c) { c.large_objects = 1; }), "other large objects restored than the 2 in the source");
  EXPECT_EQ(After([](Contents& c) { c.invalid_constraints.push_back("fk on public.a"); }),
            "a constraint is not valid that is valid, or not there, in the source");
}

TEST(Contents, TenDifferencesAreNamedTheRestIsCounted) {
  Contents source;
  std::string ten;
  for (int i = 0; i < 10; ++i) {
    source.tables.push_back({1, "t" + std::to_string(i), 1});
    ten += (i == 0 ? "table t" : "; table t") + std::to_string(i) + " is missing";
  }
  EXPECT_EQ(CompareContents(source, {}), ten);
  source.sequences = {{"s", 1, 1}, {"u", 1, 1}};
  EXPECT_EQ(CompareContents(source, {}), ten + "; and 2 more");
}

}  // namespace
