#!/bin/bash
# What `make` can do here.
cat <<'TEXT'
Use it
  make demo           a primary, a replica, a backup and its restore on this machine, in a directory of its own
  make demo-down      stop the demo and remove all of it
  make                build the extension          PG_CONFIG=/path/to/pg_config picks the server
  make install        install it into that server
  make installcheck   regression tests against the running server (PGHOST, PGPORT, PGUSER)

Work on it
  make setup          install PostgreSQL 17, compilers and test tools (root or sudo)
  make check          lint, unit, regression, isolation and TAP tests
  make check-long     the same with the long forms: more repetitions, more fuzzing
  make check-compose  the container stack
  make coverage       line coverage of src/core and src/os
  make bench          benchmarks
  make lint           formatting, clang-tidy, shellcheck, project rules
  make format         format the C++ sources in place
TEXT
