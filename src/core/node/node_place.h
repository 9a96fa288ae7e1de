#pragma once

#include <string>

namespace mfi::core {

/// One of the two nodes of the stack: who it and the other one are, and where its files are in its container.
struct NodePlace {
  std::string node;    // db-primary or db-replica, as its host is named
  std::string peer;    // the other one
  std::string volume;  // what is kept
  std::string data;    // the data directory: the volume itself, or a folder in it
  std::string run;     // what is made anew at each start
  std::string backups;
  std::string recovery;
  std::string config;  // postgresql.conf

  std::string NodeConf() const { return run + "/node.conf"; }
  std::string Forced() const { return run + "/forced"; }     // until the next start: a primary, whatever others say
  std::string WordKey() const { return run + "/word.key"; }  // that an operator's word is signed with
  std::string Clone() const { return volume + "/pgdata.clone"; }  // ours by its name: emptied when unfinished
  std::string Rejoin() const { return volume + "/mfi.rejoin"; }   // made by `mfi rejoin`

  /// Of this node on the other one, and of the other one here.
  std::string Slot() const;
  std::string PeerSlot() const;

  /// The other node as a connection string, to which user and database are to be added. Whoever else answers under its
  /// name gets no password, and is not believed: both must prove that they know it, on a connection that ends at the
  /// very server that proves it. Both always have TLS, whatever others are let in with.
  std::string PeerServer() const;

  /// How this node streams from the other one.
  std::string Upstream() const;
};

/// `root`: of the container's files, ends with a slash. `in_volume`: the volume is one of the official image, which has
/// its data directory at the root; else it is a folder in it, so that it can come about by a rename.
NodePlace PlaceOfNode(const std::string& root, const std::string& node, bool in_volume);

/// The lines of the server's configuration that say where the other node is.
std::string NodeSettings(const NodePlace& place);

/// The line that lets this node receive its WAL into its recovery directory; empty when it does not. `who`:
/// MFI_RECOVERY, one of `replica` (also when it is empty), `both` and `off`. It is about the containers, whichever node
/// is the primary. Throws Error for another word.
std::string RecoverySettings(const NodePlace& place, const std::string& who);

}  // namespace mfi::core
