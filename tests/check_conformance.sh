#!/bin/sh
# Every statement of the standards names a test that is there. Arguments: the
# tree (default: this one).
exec "$(dirname "$0")/conformance/check" "$@"
