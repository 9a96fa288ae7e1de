# mfi: the PGXS build of the extension, and the project's own commands (`make help`), which work
# before any pg_config exists.
#
#   make && make install && make installcheck      as for any PGXS extension; PG_CONFIG= picks the server

DEV_GOALS := help setup demo demo-down check check-long check-compose coverage bench lint format

ifneq ($(filter $(DEV_GOALS),$(MAKECMDGOALS)),)

.PHONY: $(MAKECMDGOALS)
.NOTPARALLEL:

help:
	@scripts/dev/help.sh
setup:
	@scripts/dev/setup.sh
demo:
	@scripts/demo/up.sh
demo-down:
	@scripts/demo/down.sh
check:
	@scripts/dev/check.sh
check-long:
	@MFI_LONG=1 scripts/dev/check.sh
check-compose:
	@scripts/dev/check_compose.sh
coverage:
	@scripts/dev/coverage.sh
bench:
	@scripts/dev/bench.sh
lint:
	@scripts/dev/lint.sh
format:
	@scripts/dev/format.sh

# The other goals of a mixed command line, such as `make setup install`.
$(filter-out $(DEV_GOALS),$(MAKECMDGOALS)):
	@$(MAKE) --no-print-directory $@

else

ifeq ($(strip $(PG_CONFIG)),)
PG_CONFIG := $(shell scripts/dev/find_pg_config.sh)
endif
ifeq ($(strip $(PG_CONFIG)),)
$(error no pg_config of PostgreSQL 17 with its server headers: run `make setup`, or pass PG_CONFIG=/path/to/pg_config)
endif
PGXS := $(shell $(PG_CONFIG) --pgxs)
ifeq ($(wildcard $(PGXS)),)
$(error $(PG_CONFIG) names no PGXS makefile ("$(PGXS)"): install the server headers (`make setup`), or pass another PG_CONFIG=)
endif

MODULE_big = mfi
SOURCES = $(sort $(wildcard src/core/*.cpp src/os/*.cpp src/pg/*.cpp))
OBJS = $(SOURCES:.cpp=.o)
EXTENSION = mfi
DATA = $(sort $(wildcard extension/mfi--*.sql))
REGRESS = $(basename $(notdir $(sort $(wildcard sql/*.sql))))
EXTRA_CLEAN = $(SOURCES:.cpp=.d) build

PG_CPPFLAGS = -Isrc -I$(libpq_srcdir)
PG_CXXFLAGS = -std=c++20 -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Wno-register -MMD -MP
ifdef ERROR_ON_WARNING
PG_CXXFLAGS += -Werror
endif
SHLIB_LINK += $(libpq) -lseccomp -lstdc++

# Bitcode only serves the inlining of SQL functions into expressions, which nothing here gains from.
override with_llvm = no

include $(PGXS)

# A server built by g++ 13 or later hands down a flag that g++ 12 refuses for C++; on 64-bit machines it changes nothing.
override CXXFLAGS := $(filter-out -fexcess-precision=standard,$(CXXFLAGS))

-include $(SOURCES:.cpp=.d)

endif
