#pragma once

#include <cstddef>
#include <new>
#include <type_traits>

#include "pg/server/pg.h"

extern "C" {
#include "storage/lwlock.h"
}

// Memory that the processes of this server share. Each module keeps a part of its own, under a lock of its own, and is
// the only one that sees it: the others call its functions. Nothing here is the record of anything, and all of it is
// forgotten when the server restarts: what must be kept is in files.
namespace mfi::pg {

inline constexpr int kReasonLength = 4096;  // of a text that a verdict quotes

/// What shared memory knows of one module's part. SharedPart is the typed form, which modules use.
class SharedBlock {
 public:
  /// `name` is the part's name in pg_shmem_allocations; `make` fills the memory when the server starts.
  constexpr SharedBlock(const char* name, std::size_t size, void (*make)(void*))
      : name_(name), size_(size), make_(make) {}

  /// Asks for the memory. Called from _PG_init while shared_preload_libraries are loaded; the block is static.
  void Share();

  /// False in a process whose server did not load the library at its start: nothing else may be called then.
  bool IsThere() const { return memory_ != nullptr; }

  /// For shared_memory.cpp: finds the memory, or makes it.
  void Find(LWLock* lock);
  std::size_t size() const { return size_; }

 protected:
  void* memory() const { return memory_; }
  LWLock* lock() const { return lock_; }

 private:
  const char* name_;
  std::size_t size_;
  void (*make_)(void*);
  void* memory_ = nullptr;
  LWLock* lock_ = nullptr;
};

/// The hold of a part's lock, for the length of a block that calls nothing which can raise an ERROR.
template <typename State>
class Held {
 public:
  Held(State* state, LWLock* lock, LWLockMode mode) : state_(state), lock_(lock) { LWLockAcquire(lock, mode); }
  ~Held() { LWLockRelease(lock_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  State* operator->() const { return state_; }
  State& operator*() const { return *state_; }

 private:
  State* state_;
  LWLock* lock_;
};

/// One module's part: plain data that begins as `State{}`. At most one lock is held at a time.
template <typename State>
class SharedPart : public SharedBlock {
  static_assert(std::is_trivially_destructible_v<State>);

 public:
  explicit constexpr SharedPart(const char* name) : SharedBlock(name, sizeof(State), Make) {}

  Held<const State> Read() const { return {Unlocked(), lock(), LW_SHARED}; }
  Held<State> Write() { return {Unlocked(), lock(), LW_EXCLUSIVE}; }

  /// Without the lock: for members that have a lock of their own.
  State* Unlocked() const { return static_cast<State*>(memory()); }

 private:
  static void Make(void* memory) { new (memory) State{}; }
};

/// Whether the library was loaded by shared_preload_libraries, so that there is shared memory.
bool IsPreloaded();

/// Raises an ERROR that tells how to load the library, unless it was loaded at server start.
void RequirePreloaded();

/// Has the server ask for the parts that were shared by then, and find them; called last from _PG_init.
void InitSharedMemory();

}  // namespace mfi::pg
