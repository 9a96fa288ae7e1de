#pragma once

#include <string>
#include <vector>

// A data directory in whose place another one comes, with all that belongs to it elsewhere: tablespaces, pg_wal.
namespace mfi::os {

/// A directory that a link of a data directory leads to.
struct Outside {
  std::string link;    // pg_wal, or pg_tblspc/<oid>
  std::string target;  // as the link has it
};
std::vector<Outside> OutsideOf(const std::string& data);

/// Why a directory that is there cannot be renamed by this user: a mount point, or no right to. Empty when it can be.
std::string WhyNotRenamed(const std::string& path);

/// Renames the data directory, which becomes `aside`, and what belongs to it elsewhere (`<directory><suffix>`), whose
/// links are made to follow: a server that is started there finds its own. All, or nothing: throws Error.
void SetDataAside(const std::string& data, const std::string& aside, const std::string& suffix);

/// A tablespace of the node that is to be cloned.
struct Tablespace {
  std::string oid;
  std::string location;  // there
};

/// A clone that comes in the place of a data directory, which is set aside: each of their directories is made beside
/// the one that it replaces, and gets its name when all is there.
class Replacement {
 public:
  /// `suffix`: of what is set aside. Throws Error, before anything is changed, when a directory could not be set aside,
  /// is in use by somebody else, or is in the way.
  Replacement(const std::string& data, const std::vector<Tablespace>& tablespaces, const std::string& suffix);

  const std::string& clone() const { return parts_.front().clone; }
  const std::string& aside() const { return parts_.front().aside; }

  /// Options of pg_basebackup.
  const std::vector<std::string>& options() const { return options_; }

  /// The clone is there: it takes over. Nothing is changed when it throws.
  void TakeOver();

  /// Removes what there is of the clone.
  void Discard();

 private:
  struct Part {
    std::string link;    // as of Outside; empty: the data directory itself
    std::string target;  // what the link shall have
    std::string place;   // its path without links
    std::string clone;
    std::string aside;
    bool exists = false;    // there is something to be set aside
    bool nested = false;    // in another one, with which it is set aside
    bool in_place = false;  // it is empty: cloned into as it is
  };

  void Add(Part part);
  void Place();
  void Check() const;

  std::vector<Part> parts_;  // the data directory first
  std::vector<std::string> options_;
};

}  // namespace mfi::os
