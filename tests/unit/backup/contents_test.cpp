#include "core/backup/contents.h"

#include <gtest/gtest.h>

namespace {

using mfi::core::CompareContents;
using mfi::core::Contents;

constexpr char kHash[] = "0123456789abcdef00000000000000ff";
constexpr char kNothing[] = "00000000000000000000000000000000";

Contents Source() {
  Contents c;
  c.tables = {{1, "public.users", 10, kHash},
              {2, "public.audit", 0, kNothing},
              {3, "mfi.marked", std::nullopt, "", "", true},
              {4, "public.p1", 3, "0000000000000001000000000000000f", "public.p"},
              {5, "public.p2", 2, "000000000000000200000000000000f0", "public.p"}};
  c.sequences = {{"public.users_id_seq", 10, 12}};
  c.large_objects = 2;
  c.large_objects_hash = std::string(32, '2');
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
  EXPECT_EQ(CompareContents({}, {}), "large objects: other contents restored than in the source, in as many objects");
}

TEST(Contents, OidsSizesAndExtraTablesDoNotMatter) {
  EXPECT_EQ(After([](Contents& c) {
              for (auto& table : c.tables) table.oid += 1000;
              c.tables.push_back({9, "public.more", 1, kHash});
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
  EXPECT_EQ(After([](Contents& c) { c.tables[0].hash[20] = '1'; }),
            "table public.users: other contents restored than in the source, in as many rows");
  EXPECT_EQ(After([](Contents& c) { c.tables[0].rows.reset(); }), "table public.users was not read in the copy");
  EXPECT_EQ(After([](Contents& c) { c.tables[1].hash.clear(); }), "table public.audit was not read in the copy");
  for (const char* hash :
       {"", "0123456789abcdef", "0123456789abcdef00000000000000f", "0123456789abcdefg0000000000000ff"}) {
    Contents source = Source();
    source.tables[0].hash = hash;
    EXPECT_EQ(CompareContents(source, Source()), "table public.users was not read in the source") << hash;
  }
}

TEST(Contents, ATableOfAnExtensionMustOnlyExist) {
  EXPECT_EQ(After([](Contents& c) { c.tables[2].rows = 77; }), "ok");
  EXPECT_EQ(After([](Contents& c) { c.tables.erase(c.tables.begin() + 2); }), "table mfi.marked is missing");
}

TEST(Contents, RowsOfAHashPartitionedTreeMayLieInOtherLeaves) {
  EXPECT_EQ(After([](Contents& c) {
              c.tables[3].rows = 1;
              c.tables[3].hash = "00000000000000030000000000000000";
              c.tables[4].rows = 4;
              c.tables[4].hash = "000000000000000000000000000000ff";
            }),
            "ok");
  EXPECT_EQ(After([](Contents& c) { c.tables[3].rows = 4; }),
            "table public.p: more rows restored than the 5 in the source");
  EXPECT_EQ(After([](Contents& c) { c.tables[3].hash[0] = '1'; }),
            "table public.p: other contents restored than in the source, in as many rows");
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
  EXPECT_EQ(After([](Contents& c) { c.large_objects_hash[0] = '3'; }),
            "large objects: other contents restored than in the source, in as many objects");
  EXPECT_EQ(After([](Contents& c) { c.invalid_constraints.push_back("fk on public.a"); }),
            "a constraint is not valid that is valid, or not there, in the source");
}

TEST(Contents, TenDifferencesAreNamedTheRestIsCounted) {
  Contents source;
  source.large_objects_hash = kHash;
  Contents empty = source;
  std::string ten;
  for (int i = 0; i < 10; ++i) {
    source.tables.push_back({1, "t" + std::to_string(i), 1, kHash});
    ten += (i == 0 ? "table t" : "; table t") + std::to_string(i) + " is missing";
  }
  EXPECT_EQ(CompareContents(source, empty), ten);
  source.sequences = {{"s", 1, 1}, {"u", 1, 1}};
  EXPECT_EQ(CompareContents(source, empty), ten + "; and 2 more");
}

}  // namespace
