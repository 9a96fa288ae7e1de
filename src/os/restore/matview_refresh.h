#pragma once

#include <set>
#include <string>
#include <vector>

#include "os/server/connection.h"

namespace mfi::os {

/// Fills materialized views of a restored database, one after the other. What such a view reads may be elsewhere:
/// behind a foreign table, or behind a function that connects, reads a file or needs a superuser's rights. It then
/// stays empty and is told; rows of tables are proven without it.
class MatviewRefresh {
 public:
  /// Two sessions of that database: a superuser's, which reads catalogs alone, and that of the role that restores.
  MatviewRefresh(Connection& superuser, Connection& restorer);

  /// REFRESH MATERIALIZED VIEW schema.name. Throws Error when the view could not be filled for a reason of its own.
  void Run(const std::string& statement);

  /// The views that were left empty, by their names.
  const std::vector<std::string>& left() const { return left_; }

 private:
  Connection& superuser_;
  Connection& restorer_;
  std::set<std::string> reads_elsewhere_;  // oids
  std::vector<std::string> left_;
};

}  // namespace mfi::os
