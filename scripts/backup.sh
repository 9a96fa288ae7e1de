#!/bin/sh
# backup.sh [NOTE]: takes a backup now and waits for it; --help says more.
exec mfi backup "$@"
