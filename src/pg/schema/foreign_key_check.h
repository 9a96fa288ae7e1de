#pragma once

namespace mfi::pg {

/// In a security-restricted operation, a new foreign key is checked row by row, each with the rights of the referenced
/// table's owner. Else the server asks with one query over both tables, as whoever adds the key: to plan it computes
/// what the owners have put on both.
void CheckForeignKeysByRow();

}  // namespace mfi::pg
