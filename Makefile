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
# Of core and os, what only the operator's program needs: its library, libcurl, is not the server's.
COMMAND_ROOMS = $(sort $(wildcard src/core/keycloak/*.cpp src/os/keycloak/*.cpp))
SOURCES = $(filter-out $(COMMAND_ROOMS),$(sort $(wildcard src/core/*/*.cpp src/os/*/*.cpp src/pg/*.cpp src/pg/*/*.cpp)))
OBJS = $(SOURCES:.cpp=.o)
EXTENSION = mfi
DATA_built = $(patsubst extension/%.in,build/%,$(sort $(wildcard extension/mfi--*.sql.in)))
REGRESS = $(basename $(notdir $(sort $(wildcard sql/*.sql))))
COMMAND_SOURCES = $(sort $(wildcard src/command/*.cpp src/command/*/*.cpp)) $(COMMAND_ROOMS)
COMMAND_OBJS = $(COMMAND_SOURCES:.cpp=.o)
EXTRA_CLEAN = $(SOURCES:.cpp=.d) $(COMMAND_OBJS) $(COMMAND_SOURCES:.cpp=.d) build

PG_CPPFLAGS = -Isrc -I$(libpq_srcdir)
PG_CXXFLAGS = -std=c++20 -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Wno-register -MMD -MP
ifdef ERROR_ON_WARNING
PG_CXXFLAGS += -Werror
endif
SHLIB_LINK += $(libpq) -lseccomp -llz4 -lstdc++

# Bitcode only serves the inlining of SQL functions into expressions, which nothing here gains from.
override with_llvm = no

include $(PGXS)

# A server built by g++ 13 or later hands down a flag that g++ 12 refuses for C++; on 64-bit machines it changes nothing.
override CXXFLAGS := $(filter-out -fexcess-precision=standard,$(CXXFLAGS))
# Of what is stripped anyway, debug information is not made.
ifeq ($(DEBUG_INFO),no)
override CXXFLAGS += -g0
endif

# The extension's scripts are put together from parts: a line `\include PART` stands for that file.
.PHONY: extension-scripts
extension-scripts: $(DATA_built)
build/mfi--%.sql: extension/mfi--%.sql.in $(wildcard extension/*/*.sql)
	@mkdir -p $(@D)
	awk '!/^\\include / { print; next } { part = "extension/" $$2; while ((got = (getline line < part)) > 0) print line; \
	  if (got < 0) { print part " cannot be read" >"/dev/stderr"; exit 1 } }' $< >$@.new
	mv $@.new $@

-include $(SOURCES:.cpp=.d) $(COMMAND_SOURCES:.cpp=.d)

# The operator's program. The extension needs neither it nor its libraries, so without them it is left out, with a word;
# WITH_COMMAND=yes demands it, WITH_COMMAND=no leaves it out.
WITH_COMMAND ?= $(shell printf '\043include <CLI/CLI.hpp>\n\043include <curl/curl.h>\n\043include <openssl/evp.h>\n' | \
  $(CXX) -std=c++20 -fsyntax-only -x c++ - >/dev/null 2>&1 && echo yes || echo missing)
COMMAND = build/pgxs/mfi
ifeq ($(WITH_COMMAND),yes)
all: $(COMMAND)
install: install-command
uninstall: uninstall-command
else ifeq ($(WITH_COMMAND),missing)
all: no-command
endif

.PHONY: install-command uninstall-command no-command
no-command:
	@echo "the program mfi is not built: its headers are missing (libcli11-dev, libcurl4-gnutls-dev and libssl-dev; make setup installs them)"
src/command/main.o: mfi.control
src/command/main.o: override CPPFLAGS += -DMFI_VERSION='"$(shell sed -n "s/^default_version = '\(.*\)'/\1/p" mfi.control)"'
$(COMMAND): $(COMMAND_OBJS) $(filter src/core/%.o src/os/%.o,$(OBJS))
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) $^ -o $@ $(libpq) -lseccomp -llz4 -lcurl -lcrypto
# Made by the program itself, from the definitions of its subcommands.
build/mfi.1: $(COMMAND)
	$(COMMAND) manual >$@
install-command: $(COMMAND) build/mfi.1
	$(MKDIR_P) '$(DESTDIR)$(bindir)' '$(DESTDIR)$(mandir)/man1'
	$(INSTALL_PROGRAM) $(COMMAND) '$(DESTDIR)$(bindir)/mfi'
	$(INSTALL_DATA) build/mfi.1 '$(DESTDIR)$(mandir)/man1/mfi.1'
uninstall-command:
	rm -f '$(DESTDIR)$(bindir)/mfi' '$(DESTDIR)$(mandir)/man1/mfi.1'

endif
