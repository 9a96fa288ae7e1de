#include "core/archive_listing.h"

#include <gtest/gtest.h>

namespace {

using mfi::core::ParseListing;
using Oids = std::set<std::uint32_t>;

TEST(ArchiveListing, TakesTableDataAndSequencesByOid) {
  const auto listing = ParseListing(R"(;
; Archive created at 2026-11-22 02:00:00 UTC
;     dbname: bank; 0 1 TABLE DATA public fake owner
;
; Selected TOC Entries:
;
2; 3079 16384 EXTENSION - mfi
215; 1259 16415 TABLE public portals postgres
3500; 0 16415 TABLE DATA public portals postgres
3501; 0 4294967295 TABLE DATA odd a name; 0 7 TABLE DATA x postgres
3510; 0 0 SEQUENCE SET public portals_id_seq postgres
3511; 0 16420 SEQUENCE SET public users_id_seq postgres
3512; 0 16421 BLOBS - BLOBS
)");
  EXPECT_EQ(listing.table_data, (Oids{16415, 4294967295}));
  EXPECT_EQ(listing.sequence_sets, (Oids{0, 16420}));
}

TEST(ArchiveListing, PassesOverWhatIsNoEntry) {
  for (const char* line : {"", "TABLE DATA public t o", "1; 0", "1; 0 ", "1; 0 5", "1; x 5 TABLE DATA a b c",
                           "1; 0 x TABLE DATA a b c", "1; 0 5TABLE DATA a b c", "1; 0 99999999999 TABLE DATA a b c",
                           "1; -1 5 TABLE DATA a b c", "1; 0 5  TABLE DATA a b c", ";1; 0 5 TABLE DATA a b c"}) {
    EXPECT_EQ(ParseListing(line).table_data, Oids{}) << line;
  }
}

TEST(ArchiveListing, TheLastLineNeedsNoNewline) {
  EXPECT_EQ(ParseListing("\n\n1; 0 5 TABLE DATA a b c").table_data, Oids{5});
}

}  // namespace
