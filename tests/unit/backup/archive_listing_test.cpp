#include "core/backup/archive_listing.h"

#include <gtest/gtest.h>

namespace {

using mfi::core::ParseListing;
using Oids = std::set<std::uint32_t>;

std::set<std::uint32_t> Tables(const char* listing) { return mfi::core::TablesWithData(ParseListing(listing)); }

TEST(ArchiveListing, TellsEntriesByIdKindAndName) {
  const auto entries = ParseListing(R"(;
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
3511; 0 0 DEFAULT ACL public DEFAULT PRIVILEGES FOR TABLES app
3512; 0 0 TABLETTE public x y
)");
  std::string shown;
  for (const auto& e : entries) {
    shown += std::to_string(e.id) + "/" + std::to_string(e.object) + "/" + e.kind + "/" + e.name + "\n";
  }
  EXPECT_EQ(shown,
            "2/16384/EXTENSION/- mfi\n"
            "215/16415/TABLE/public portals postgres\n"
            "3500/16415/TABLE DATA/public portals postgres\n"
            "3501/4294967295/TABLE DATA/odd a name; 0 7 TABLE DATA x postgres\n"
            "3510/0/SEQUENCE SET/public portals_id_seq postgres\n"
            "3511/0/DEFAULT ACL/public DEFAULT PRIVILEGES FOR TABLES app\n"
            "3512/0//TABLETTE public x y\n");
  EXPECT_EQ(mfi::core::TablesWithData(entries), (Oids{16415, 4294967295}));
}

TEST(ArchiveListing, PassesOverWhatIsNoEntry) {
  for (const char* line : {"", "TABLE DATA public t o", "1; 0", "1; 0 ", "1; 0 5", "1; x 5 TABLE DATA a b c",
                           "1; 0 x TABLE DATA a b c", "1; 0 5TABLE DATA a b c", "1; 0 99999999999 TABLE DATA a b c",
                           "1; -1 5 TABLE DATA a b c", "1; 0 5  TABLE DATA a b c", ";1; 0 5 TABLE DATA a b c"}) {
    EXPECT_EQ(Tables(line), Oids{}) << line;
  }
}

TEST(ArchiveListing, TheLastLineNeedsNoNewline) { EXPECT_EQ(Tables("\n\n1; 0 5 TABLE DATA a b c"), Oids{5}); }

}  // namespace
